"""Artifacts as files of a folder, each of them whole or absent."""

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, final

from groundwork.whole_files import written_whole
from studies.errors import StorageError

_SPARE_BYTES = 16 * 2**20
"""Space left free beside an artifact, so that the database can still write: four logs of 1,000 pages of 4 KiB."""


@final
class AtomicArtifactStore:
    """An Optuna artifact store on a folder in which a file is either whole or absent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open an artifact for reading.

        Raises:
            optuna.artifacts.exceptions.ArtifactNotFound: If there is no such artifact.
        """
        with self._missing_told(artifact_id):
            return (self._folder / artifact_id).open("rb")

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Write an artifact under a temporary name and move it into place.

        Raises:
            OSError: If the folder cannot be written, for instance because the disk is full.
        """
        with written_whole(self._folder / artifact_id) as temporary, temporary.open("wb") as stream:
            shutil.copyfileobj(content_body, stream)

    def remove(self, artifact_id: str) -> None:
        """Remove an artifact.

        Raises:
            optuna.artifacts.exceptions.ArtifactNotFound: If there is no such artifact.
        """
        with self._missing_told(artifact_id):
            (self._folder / artifact_id).unlink()

    @contextmanager
    def _missing_told(self, artifact_id: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            # Imported late: with it come the drivers of all buckets.
            from optuna.artifacts.exceptions import ArtifactNotFound  # noqa: PLC0415

            raise ArtifactNotFound(f"{artifact_id} is not in {self._folder}.") from error


@final
class ArtifactFolder:
    """A folder that holds artifacts, made when the first one is written; an `ArtifactPlace`."""

    restoring = "Put the folder back beside its database, or set STYLETUNER_ARTIFACTS to where it is."

    def __init__(self, path: Path) -> None:
        self.folder: Path | None = path
        self.name = str(path)
        self.store = AtomicArtifactStore(path)
        self._path = path

    def require_usable(self) -> None:
        """Do nothing: what is wrong with a folder is told where it is written."""

    def require_space(self, num_bytes: int) -> None:
        """Find out whether so much can be written, before Optuna notes the artifact.

        Raises:
            OSError: The disk is full, or the folder cannot be made.
        """
        self._path.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._path).free < num_bytes + _SPARE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def has(self, artifact_id: str) -> bool:
        """Whether an artifact's file is there."""
        return (self._path / artifact_id).is_file()

    def read(self, artifact_id: str) -> bytes | None:
        """Read an artifact; None if it is not there."""
        try:
            return (self._path / artifact_id).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def local_file(self, artifact_id: str) -> Path | None:
        """Where the file of an artifact lies; None if it is not there."""
        return self._path / artifact_id if self.has(artifact_id) else None

    def link(self, artifact_id: str, copy_id: str) -> bool:
        """Give a file a second name; return whether the disk can."""
        try:
            os.link(self._path / artifact_id, self._path / copy_id)
        except OSError:
            return False
        return True

    def remove_all(self, artifact_ids: Sequence[str]) -> None:
        """Remove artifacts; what is not there is fine."""
        for artifact_id in artifact_ids:
            (self._path / artifact_id).unlink(missing_ok=True)

    def write_error(self, error: OSError) -> StorageError:
        """Say what to do about a file that could not be written."""
        return StorageError(
            f"Cannot write to {self.name}: {error.strerror or error}. Free some space or mend its permissions and run "
            "the same command again; finished trials are kept."
        )
