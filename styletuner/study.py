"""A study as a notebook sees it: its numbers, its contact sheet, its export. Loads no network."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import PIL.Image

from studies.records.exports import write_exports
from studies.records.summaries import StudySummary, summarise
from studies.records.trial_table import trial_table
from studies.storage.addresses import DEFAULT_STORAGE
from studies.storage.study_storage import StudyStorage


@final
class Study:
    """A study in a storage. Each call reads it anew, so that it may be asked while the study runs.

    Attributes:
        name: The study's name.
        storage: SQLite file or database URL.
    """

    def __init__(self, name: str, *, storage: str | Path = DEFAULT_STORAGE) -> None:
        """Name a study; nothing is read yet."""
        self.name = name
        self.storage = str(storage)

    def summary(self) -> StudySummary:
        """Read the study with all its trials.

        Raises:
            StudyError: There is no such study; names the most similar one.
            StorageError: The storage does not exist or cannot be read.
        """
        with StudyStorage.open_read_only(self.storage) as storage:
            return summarise(storage, self.name)

    def table(self) -> list[dict[str, Any]]:
        """Return the trials as rows of a table, by number: `pandas.DataFrame(study.table())`.

        Raises:
            StudyError: There is no such study.
            StorageError: The storage cannot be read.
        """
        return trial_table(self.summary())

    def sheet(self) -> PIL.Image.Image:
        """Draw the contact sheet: the photos on top, then each trial's outputs, best first; RGB.

        Raises:
            SheetError: The study has no pictures yet.
            StudyError: There is no such study.
            StorageError: The storage or a picture cannot be read.
        """
        from dashboards.study_sheet import study_contact_sheet  # noqa: PLC0415  drawing alone needs it

        with StudyStorage.open_read_only(self.storage) as storage:
            drawn = study_contact_sheet(storage, summarise(storage, self.name))
        return PIL.Image.open(io.BytesIO(drawn))

    def export(self, path: str | Path, *, trial: int | None = None, top: int = 1) -> Sequence[Path]:
        """Write the best trials as configurations for full training, the style image beside them.

        Args:
            path: The YAML file; for several trials "-1", "-2" ... are put behind its stem.
            trial: A finished trial's number, instead of the best.
            top: Without `trial`: this many of the best.

        Returns:
            The files, best first.

        Raises:
            ExportError: There is nothing to export.
            OutputError: The file cannot be written, or is not an earlier export (from `groundwork.errors`).
            StudyError: There is no such study.
            StorageError: The storage or the style image cannot be read.
        """
        with StudyStorage.open_read_only(self.storage) as storage:
            return write_exports(storage, self.name, Path(path), trial=trial, top=top)

    def __repr__(self) -> str:
        return f"Study({self.name!r}, storage={self.storage!r})"


def list_studies(storage: str | Path = DEFAULT_STORAGE) -> list[Study]:
    """Return the studies of a storage by name.

    Raises:
        StorageError: The storage does not exist or cannot be read.
    """
    with StudyStorage.open_read_only(str(storage)) as opened:
        return [Study(name, storage=storage) for name in opened.study_names()]
