"""Where restyled pictures go: a folder, or for one photo a file; never in the place of anything else."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, final

from groundwork.errors import OutputError
from groundwork.file_hashes import sha256_of
from groundwork.output_files import check_folder, check_output, free_path
from models.pictures.decoding import PICTURE_SUFFIXES, software_of
from models.pictures.photos import Photo

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp")
"""Of the pictures that are written: formats that can say what they were made with."""

_OTHER_FILES: Final = {*PICTURE_SUFFIXES, ".avif", ".heic", ".keras", ".yaml", ".yml", ".npz", ".db", ".zip"}
"""Nobody means a folder by a name that ends so."""


@final
@dataclass(frozen=True, kw_only=True)
class PictureFiles:
    """Chooses the file of each restyled photo.

    An earlier picture of the same photo by the network of the same name is replaced; beside any other file, a photo
    above all, a picture in a folder gets a number behind its name.

    Attributes:
        output: A folder, or the file of one picture.
        suffix: Of the pictures, such as ".png"; None: as the file's, or PNG.
        network: File of the network.
        photos: All that are to be restyled.
    """

    output: Path
    suffix: str | None
    network: Path
    photos: Collection[Photo]

    @property
    def folder(self) -> Path:
        """Where the pictures lie."""
        return self.output.parent if self._is_one_file() else self.output

    def check(self) -> None:
        """Make sure, before anything is restyled, that pictures can be written.

        Raises:
            OutputError: They cannot, or would take a file's place.
        """
        if not self._is_one_file():
            self._check_folder()
            return
        if len(self.photos) != 1:
            raise OutputError(
                f"`--output` {self.output} names one picture, and {len(self.photos)} photos are to be restyled. "
                f"Name a folder, such as {self.output.with_suffix('')}."
            )
        if self.suffix not in {None, self.output.suffix.lower()}:
            raise OutputError(f"`--output` {self.output} does not end in {self.suffix}. Leave --format out.")
        (photo,) = self.photos
        check_output(
            self.output, called="`--output`", suffixes=SUFFIXES, is_ours=lambda path: self._is_earlier(path, photo)
        )

    def choose(self, photo: Photo) -> Path:
        """Return the file for a photo's picture."""
        if self._is_one_file():
            return self.output
        wanted = self.output / f"{PurePosixPath(photo.name).stem}{self.suffix or '.png'}"
        return free_path(wanted, is_ours=lambda path: self._is_earlier(path, photo))

    def mark(self, photo: Photo) -> str:
        """Return what a picture says it was made with, by which it is known again."""
        made_from = hashlib.sha256(f"{self.network.name}\n{photo.sha256}".encode()).hexdigest()
        return f"styletuner stylize {made_from[:16]}"

    def _is_one_file(self) -> bool:
        return self.output.suffix.lower() in SUFFIXES and not self.output.is_dir()

    def _check_folder(self) -> None:
        if self.output.suffix.lower() in _OTHER_FILES and not self.output.is_dir():
            *others, last = SUFFIXES
            raise OutputError(
                f"`--output` {self.output} must be a folder, or for one photo a file that ends in {', '.join(others)} "
                f"or {last}. Choose such a name."
            )
        check_folder(self.output, called="`--output`")

    def _is_earlier(self, path: Path, photo: Photo) -> bool:
        if software_of(path) != self.mark(photo):
            return False
        # Restyled once and now to be restyled again: by its bytes, as a photo may be reached by more than one path.
        return sha256_of(path) not in {photo.sha256 for photo in self.photos}
