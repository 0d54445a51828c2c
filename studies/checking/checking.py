"""Looking a storage over, and mending what can be mended; what runs meanwhile is not touched."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, final

from studies.checking.dead_workers import find_dead_workers
from studies.checking.finding import Finding
from studies.checking.lost_files import files_in_bucket, find_lost_files
from studies.checking.old_schema import find_old_schema
from studies.checking.stray_files import find_stray_files
from studies.checking.stray_rows import find_stray_rows
from studies.errors import StudiesError
from studies.storage.addresses import parse_storage, require_file, shown, sqlite_path
from studies.storage.connections import require_writable
from studies.storage.study_storage import StudyStorage

_NOT_IN_BUCKETS: Final = "files that are damaged, and files that no study names,"
"""Each object would have to be fetched, and another database may keep its own in the same bucket."""


@final
@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found in a storage, and what became of it.

    Attributes:
        storage: The storage as it may be shown.
        studies: Names of the studies that were looked over.
        num_files: How many files these name.
        done: What was wrong and is mended, each with what was done.
        left: What is wrong still.
        not_looked_for: What could not be looked for, as a clause; None if all was.
    """

    storage: str
    studies: tuple[str, ...]
    num_files: int
    done: tuple[tuple[Finding, str], ...]
    left: tuple[Finding, ...]
    not_looked_for: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return {
            "storage": self.storage,
            "studies": list(self.studies),
            "num_files": self.num_files,
            "repaired": [{**finding.as_dict(), "done": told} for finding, told in self.done],
            "left": [finding.as_dict() for finding in self.left],
            "not_looked_for": self.not_looked_for,
        }


def check_storage(text: str, name: str | None = None, *, repair: bool = False) -> Checked:
    """Look over the studies of a storage, its files and its tables.

    Args:
        text: The storage's address; see `parse_storage`.
        name: The only study to look at; then what is no study's is left out.
        repair: Whether to mend what can be mended; nothing is changed otherwise.

    Raises:
        StudyError: There is no study of that name.
        StorageError: The storage does not exist, cannot be read, or is to be mended and cannot be written.
    """
    url = parse_storage(text)
    require_file(url)
    if repair:
        require_writable(url)
    outdated = find_old_schema(url)
    done = [(finding, finding.mend()) for finding in outdated if repair and finding.mend is not None]
    left = [] if repair else outdated
    if left and not _can_read(url, left):
        return Checked(storage=shown(url), studies=(), num_files=0, done=(), left=tuple(left))
    with StudyStorage.open(url) if repair else StudyStorage.open_read_only(url) as storage:
        names, num_files, found = _look(storage, name)
        mended, failures = _mend(found) if repair else ([], {})
        not_looked_for = None if storage.artifacts.place.folder else f"{_NOT_IN_BUCKETS} in {storage.artifacts.name}"
    if mended or failures:
        done += mended
        # Opened anew: what has been read once is kept.
        with StudyStorage.open(url) as storage:
            names, num_files, found = _look(storage, name)
        found = [_with_failure(finding, failures) for finding in found]
    return Checked(
        storage=shown(url),
        studies=tuple(names),
        num_files=num_files,
        done=tuple(done),
        left=(*left, *found),
        not_looked_for=not_looked_for,
    )


def _mend(found: list[Finding]) -> tuple[list[tuple[Finding, str]], dict[str, str]]:
    """Mend what can be mended; return what was done, and by their text why other things could not be."""
    done: list[tuple[Finding, str]] = []
    failures: dict[str, str] = {}
    for finding in found:
        if finding.mend is not None:
            try:
                done.append((finding, finding.mend()))
            except (StudiesError, OSError) as error:
                failures[finding.text] = str(error)
    return done, failures


def _with_failure(finding: Finding, failures: Mapping[str, str]) -> Finding:
    failure = failures.get(finding.text)
    return finding if failure is None else replace(finding, advice=f"{finding.advice} It failed: {failure}")


def _can_read(url: str, outdated: list[Finding]) -> bool:
    """Whether a storage of an earlier version is read as it is: an SQLite file in which only our tables are old."""
    return sqlite_path(url) is not None and not any("Optuna's" in finding.text for finding in outdated)


def _look(storage: StudyStorage, name: str | None) -> tuple[list[str], int, list[Finding]]:
    names = storage.study_names() if name is None else [storage.read_study(name).study_name]
    found: list[Finding] = []
    num_files = 0
    present = files_in_bucket(storage)
    for one in names:
        found += find_dead_workers(storage, one)
        lost, num_named = find_lost_files(storage, one, present=present)
        found += lost
        num_files += num_named
    if name is None:
        found += [*(find_stray_files(storage) if storage.artifacts.place.folder else ()), *find_stray_rows(storage)]
    return names, num_files, found
