"""A sheet of a study as a file of the user's."""

from pathlib import Path
from typing import TYPE_CHECKING

from dashboards.picture_titles import is_contact_sheet
from groundwork.output_files import check_output
from groundwork.whole_files import write_whole

if TYPE_CHECKING:
    from studies.storage.study_storage import StudyStorage


def check_sheet(sheet: Path | None, studies: "StudyStorage") -> None:
    """Refuse a place where no sheet may go, before anything is trained.

    Raises:
        OutputError: It is no PNG file's name, or there is something that is no sheet of ours.
    """
    from studies.storage.addresses import storage_files

    if sheet is not None:
        kept = storage_files(studies.url)
        check_output(sheet, called="`--sheet`", suffixes=(".png",), is_ours=is_contact_sheet, kept=kept)


def write_sheet(sheet: Path | None, studies: "StudyStorage", artifact: str | None) -> None:
    """Write a study's artifact to where the user wants it.

    Raises:
        StorageError: The artifact is gone.
        OutputError: The file cannot be written.
    """
    if sheet is not None and artifact is not None:
        write_whole(sheet, studies.artifacts.read(artifact))
