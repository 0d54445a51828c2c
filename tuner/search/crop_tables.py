"""A study's crops and their content features: made once on a machine, memory-mapped by all its workers."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, final

import numpy as np
import psutil
from numpy.typing import NDArray

from groundwork.file_locks import SECONDS_BETWEEN_REPORTS, held_alone
from groundwork.whole_files import written_whole
from models.networks.content_features import FEATURE_UNIT, ContentFeatures, cache_content_features
from models.networks.loss_network import LossNetwork
from models.pretrained.files import cache_folder
from tuner.configuration.identity import digest
from tuner.configuration.settings import StudyConfig
from tuner.configuration.training_sections import DataSection
from tuner.errors import ConfigError
from tuner.installation.versions import versions
from tuner.search.study_pictures import StudyPictures

SECONDS_IN_CACHE: Final = 7 * 24 * 3600
"""Tables of a study that nobody has run for a week are removed when another study makes its own."""

DRAWN_BY: Final = ("styletuner", "numpy", "pillow")
"""Packages whose versions may change a crop."""


@final
class CropTables:
    """The folder of one study's tables in this machine's cache.

    Studies of the same photos, split, number and size of crops and seed share it.
    """

    def __init__(
        self,
        config: StudyConfig,
        pictures: StudyPictures,
        *,
        report: Callable[[str], None] = lambda _: None,
        root: Path | None = None,
    ) -> None:
        """Name the folder; nothing is made yet.

        Args:
            config: The study's configuration.
            pictures: The study's pictures.
            report: Told in a few words what is being done.
            root: Holds the folders of all studies; in the user's cache folder by default.
        """
        self._config = config
        self._pictures = pictures
        self._report = report
        self._root = root or cache_folder() / "crop_tables"
        self.folder = self._root / _key(config, pictures)
        self._file = self.folder / "crops.npy"

    def check_room(self) -> None:
        """Find out before anything is drawn whether the table of crops has room in memory and on the disk.

        Raises:
            ConfigError: It has not.
        """
        if self._map() is not None:
            return
        needed = crop_bytes(self._config.data)
        for place, free in (self._free_disk(), ("of memory", psutil.virtual_memory().available)):
            if needed > free:
                raise ConfigError(
                    f"`data.num_crops` must fit: {self._config.data.num_crops} crops of "
                    f"{self._config.data.crop_size} px take {_gigabytes(needed)}; {_gigabytes(free)} {place} are free."
                    "\nLower data.num_crops or data.crop_size, or free some room."
                )

    def crops(self) -> NDArray[np.uint8]:
        """Map the table of crops, (num_crops, size, size, 3), drawn first where no worker has done so yet.

        Raises:
            ConfigError: There is no room for it.
            OSError: It cannot be written.
        """
        with self._alone():
            found = self._map()
            if found is None:
                _remove_old(self._root)
                self.check_room()
                with written_whole(self._file) as unfinished:
                    np.save(unfinished, self._pictures.crops(self._config))
                found = np.load(self._file, mmap_mode="r")
            # A plain view: what is computed from it is no memory map.
            return np.asarray(found)

    def features(self, loss_network: LossNetwork, crops: NDArray[np.uint8], *, num_bytes: int) -> ContentFeatures:
        """Map the content features of the crops, computed first where no worker has done so yet.

        Args:
            loss_network: Gives the content layers.
            crops: The table of crops.
            num_bytes: What the features take.

        Raises:
            ConfigError: There is no room for them.
            OSError: They cannot be written.
        """
        with self._alone():
            self.check_feature_room(loss_network, num_bytes=num_bytes)
            return cache_content_features(
                loss_network,
                crops,
                layers=self._config.loss.content_layers,
                folder=self._feature_folder(loss_network),
                on_crops=_now_and_then(self._report, num_crops=len(crops)),
            )

    def check_feature_room(self, loss_network: LossNetwork, *, num_bytes: int) -> None:
        """Find out whether features that have not been computed yet have room on the disk.

        Raises:
            ConfigError: They have not.
        """
        if self.has_features(loss_network):
            return
        place, free = self._free_disk()
        if num_bytes > free:
            raise ConfigError(
                f"Content features take {_gigabytes(num_bytes)}; {_gigabytes(free)} {place} are free.\n"
                "Free some room, or lower data.feature_cache_megabytes below what they take: "
                "they are then computed in every step."
            )

    def has_features(self, loss_network: LossNetwork) -> bool:
        """Return whether the content features are there, or were begun."""
        return self._feature_folder(loss_network).exists()

    def _feature_folder(self, loss_network: LossNetwork) -> Path:
        return self.folder / digest({"loss_network": dict(loss_network.identity), "unit": FEATURE_UNIT})[:16]

    def _free_disk(self) -> tuple[str, int]:
        existing = next(path for path in (self._root, *self._root.absolute().parents) if path.exists())
        return f"of disk at {existing}", shutil.disk_usage(existing).free

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one worker at a time make tables here; ends with its process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        os.utime(self.folder)
        waiting = "waiting for another worker, which makes the study's tables of crops and features"
        with held_alone(self.folder / ".lock", on_wait=lambda: self._report(waiting)):
            yield

    def _map(self) -> NDArray[np.uint8] | None:
        """Map the table; None if it is missing or, after a power cut perhaps, not whole."""
        data = self._config.data
        with suppress(FileNotFoundError, ValueError, EOFError):
            table: NDArray[np.uint8] = np.load(self._file, mmap_mode="r")
            if table.shape == (data.num_crops, data.crop_size, data.crop_size, 3):
                return table
        return None


def crop_bytes(data: DataSection) -> int:
    """Return how many bytes the study's table of crops takes."""
    return data.num_crops * data.crop_size**2 * 3


def _key(config: StudyConfig, pictures: StudyPictures) -> str:
    installed = versions()
    return digest(
        {
            "photos": [photo.sha256 for photo in pictures.split.training],
            "num_crops": config.data.num_crops,
            "crop_size": config.data.crop_size,
            "seed": config.seed,
            "versions": {name: installed.get(name) for name in DRAWN_BY},
        }
    )[:16]


def _remove_old(root: Path) -> None:
    for folder in root.iterdir():
        with suppress(FileNotFoundError):  # another worker was faster
            if time.time() - folder.stat().st_mtime > SECONDS_IN_CACHE:
                shutil.rmtree(folder, ignore_errors=True)


def _now_and_then(report: Callable[[str], None], *, num_crops: int) -> Callable[[int], None]:
    """Report how many crops are done, but not for each batch."""
    last = time.monotonic()

    def on_crops(num_done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_REPORTS:
            last = time.monotonic()
            report(f"content features of {num_done} of {num_crops} crops")

    return on_crops


def _gigabytes(num_bytes: int) -> str:
    return f"{num_bytes / 2**30:,.1f} GB"
