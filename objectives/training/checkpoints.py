"""Files from which a training goes on: every number that it changes, how far it was, and what the caller calls it."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from groundwork.whole_files import written_whole
from objectives.errors import CheckpointError

_READING_ERRORS: Final = (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile)
"""What NumPy and zipfile raise for a damaged file: the last two for a damaged directory of the archive."""


@final
@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a training goes on from.

    Attributes:
        state: Each array that the training changes, in a fixed order.
        seen: Images it was trained on.
        identity: What its writer knows it by.
        notes: What else its writer wants to find there; empty in those of before there were any.
    """

    state: Sequence[NDArray[Any]]
    seen: int
    identity: str
    notes: str = ""


def write_checkpoint(path: Path, state: Sequence[NDArray[Any]], *, seen: int, identity: str, notes: str = "") -> None:
    """Keep every number that a training changes.

    Args:
        path: The file, replaced in one step if it is there.
        state: Each array, in a fixed order.
        seen: Images the training has seen.
        identity: What the training must share with the one that goes on from here; its meaning is the caller's.
        notes: What else is to be found there again.

    Raises:
        OSError: It cannot be written; the one that was there is left.
    """
    arrays: dict[str, Any] = {_name(index): array for index, array in enumerate(state)}
    # Their number too: a damaged archive may lose one without a word.
    about: dict[str, Any] = {"seen": seen, "identity": identity, "notes": notes, "num_arrays": len(arrays)}
    with written_whole(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **about, **arrays)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read what `write_checkpoint` wrote, bit for bit.

    Raises:
        CheckpointError: The file is missing, damaged or no checkpoint.
    """
    try:
        with path.open("rb") as stream, NpzFile(stream) as stored:
            return Checkpoint(
                state=[stored[_name(index)] for index in range(int(stored["num_arrays"]))],
                seen=int(stored["seen"]),
                identity=str(stored["identity"]),
                notes=str(stored["notes"]) if "notes" in stored else "",
            )
    except _READING_ERRORS as error:
        raise CheckpointError(f"Checkpoint {path} cannot be read: {error}. Delete it to start over.") from error


def _name(index: int) -> str:
    return f"variable_{index:04}"
