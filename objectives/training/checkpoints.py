"""Files that a training leaves and finds again: written whole, and with a Ctrl-C only between two training steps."""

import signal
import zipfile
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self, final

import numpy as np

from groundwork.whole_files import written_whole
from objectives.errors import CheckpointError
from objectives.training.trainer import StyleTrainer


def write_checkpoint(path: Path, trainer: StyleTrainer, *, seen: int, identity: str) -> None:
    """Keep every number that the training changes.

    Args:
        path: The file, replaced if it is there.
        trainer: Between two steps.
        seen: Images it was trained on.
        identity: Hash of what the training must share with the one that resumes it.
    """
    arrays: dict[str, Any] = {f"variable_{index:04}": value for index, value in enumerate(trainer.state())}
    with written_whole(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, seen=np.array(seen), identity=np.array(identity), **arrays)


def restore_checkpoint(path: Path, trainer: StyleTrainer, *, identity: str) -> int:
    """Put a trainer where a checkpoint left it, and return the images it had seen: 0 without a checkpoint.

    Raises:
        CheckpointError: The file cannot be read, or belongs to another training.
    """
    if not path.exists():
        return 0
    try:
        with path.open("rb") as stream, np.load(stream) as stored:
            if str(stored["identity"]) != identity:
                raise CheckpointError(
                    f"Checkpoint {path} belongs to another training (weights, pictures or settings differ).\n"
                    "Choose another --output, or delete the checkpoint."
                )
            names = sorted(name for name in stored.files if name.startswith("variable_"))
            if len(names) != len(trainer.state()):
                raise CheckpointError(
                    f"Checkpoint {path} was written by another version of styletuner.\n"
                    "Go on with it in that version, or delete it to start over."
                )
            trainer.restore([stored[name] for name in names])
            return int(stored["seen"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"Checkpoint {path} cannot be read: {error}. Delete it to start over.") from error


@final
class DeferredInterrupt:
    """Notes a Ctrl-C instead of raising it, so that it meets no half-done step; a second one is raised.

    Attributes:
        noted: Whether there was one.
    """

    def __init__(self) -> None:
        self.noted = False

    def __enter__(self) -> Self:
        self._previous = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.noted = True
        signal.signal(signal.SIGINT, self._previous)
