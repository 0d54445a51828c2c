"""Where a command may write: one rule for every output.

The suffix fits what is written; nothing that the command reads or that holds studies is written over, under whatever
name; what is there and was not made by the same command stays. A name that the user gave is refused then, one that we
chose gets a number.
"""

import contextlib
import itertools
import os
import tempfile
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeAlias

from groundwork.errors import OutputError

IsOurs: TypeAlias = Callable[[Path], bool]
"""Whether a file was made by the same command, so that it may be replaced."""


def never_ours(_path: Path) -> bool:
    """For outputs that carry no mark: what is there stays."""
    return False


def check_output(
    path: Path, *, called: str, suffixes: Collection[str], is_ours: IsOurs = never_ours, kept: Iterable[Path] = ()
) -> None:
    """Make sure, before any work is done, that a file of a name that the user gave may and can be written.

    Args:
        path: The file.
        called: What messages call it, such as "`--sheet`".
        suffixes: Those that fit what is written, in lower case.
        is_ours: Asked about a regular file that is there.
        kept: Files and folders that nothing may be written over or into.

    Raises:
        OutputError: It may not or cannot be written.
    """
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"{called} {path} must end in {' or '.join(suffixes)}. Choose such a name.")
    if os.path.isdir(path):  # noqa: PTH112  Path.is_dir fails at a name that is too long
        raise OutputError(f"{called} {path} is a folder. Name a file in it.")
    for file in kept:
        if is_same_or_inside(path, file):
            raise OutputError(f"{called} {path} would overwrite {file}, which is needed. Choose another name.")
    if not _may_be_written(path, is_ours, kept=()):
        raise OutputError(
            f"{called} {path} is there and was not made by the same command. Choose another name, or move it away."
        )
    _check_writable(path, called=called)


def free_path(path: Path, *, is_ours: IsOurs = never_ours, kept: Collection[Path] = ()) -> Path:
    """The path if it may be written, else the first that may with "-2", "-3" ... behind its stem."""
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in itertools.count(2))
    return next(tried for tried in itertools.chain([path], numbered) if _may_be_written(tried, is_ours, kept=kept))


def _may_be_written(path: Path, is_ours: IsOurs, *, kept: Iterable[Path]) -> bool:
    if any(is_same_or_inside(path, file) for file in kept):
        return False
    # A link that leads nowhere is somebody's, and only a regular file can be read for a mark: a pipe would wait.
    return not os.path.lexists(path) or (path.is_file() and is_ours(path))


def is_same_or_inside(path: Path, other: Path) -> bool:
    """Whether a path leads to a file, by symbolic or hard links too, or into a folder."""
    if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(other)):  # `resolve` fails at a circle of links
        return True
    try:
        return path.samefile(other)
    except OSError:
        return False


def check_folder(folder: Path, *, called: str) -> None:
    """Make sure that files can be written into a folder, which need not be there yet, and leave nothing there.

    Raises:
        OutputError: They cannot.
    """
    try:
        _try_to_write(folder)
    except OSError as error:
        raise OutputError(
            f"{called} {folder} cannot be written to: {error.strerror or error}. Choose a folder that can."
        ) from error


def _check_writable(path: Path, *, called: str) -> None:
    try:
        with contextlib.suppress(FileNotFoundError):
            path.lstat()  # finds a name that is too long
        _try_to_write(path.parent)
    except OSError as error:
        raise OutputError(
            f"{called} {path} cannot be written: {error.strerror or error}. Choose a folder that can be written."
        ) from error


def _try_to_write(folder: Path) -> None:
    """Write a file, and remove it again with the folders that it needed: permissions do not say all."""
    missing = list(itertools.takewhile(lambda parent: not parent.exists(), [folder, *folder.parents]))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".writing-"):
            pass
    finally:
        for made in missing:
            with contextlib.suppress(OSError):
                made.rmdir()
