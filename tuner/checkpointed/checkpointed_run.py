"""A training that goes on from its checkpoint: in parts, each of which ends with a line and, in time, a checkpoint."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, final

from groundwork.errors import OutputError
from groundwork.interrupts import HeldInterrupts
from objectives.errors import CheckpointError
from objectives.training.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from objectives.training.trainer import Batch, StyleTrainer
from tuner.checkpointed.network_files import NetworkFiles
from tuner.checkpointed.training_watch import check_finite, losses_line
from tuner.errors import ConfigError

REPORT_EVERY: Final = 400
"""Images between two lines about the losses."""


@final
@dataclass(frozen=True, kw_only=True)
class RunLength:
    """How long a training is.

    Attributes:
        images: Images it shall have seen in the end, whole batches.
        batch_size: Images of a batch.
        checkpoint_every: Images between two checkpoints.
    """

    images: int
    batch_size: int
    checkpoint_every: int

    @classmethod
    def in_whole_batches(cls, *, images: int, batch_size: int, checkpoint_every: int) -> "RunLength":
        """Round the images that are asked for up to whole batches."""
        return cls(
            images=-(-images // batch_size) * batch_size, batch_size=batch_size, checkpoint_every=checkpoint_every
        )


def find_checkpoint(files: NetworkFiles, *, identity: str, images: int) -> Checkpoint | None:
    """Return what an interrupted run of a training left, if there is anything.

    Args:
        files: Of the training.
        identity: Of the training.
        images: It shall have seen in the end.

    Raises:
        CheckpointError: The checkpoint cannot be read.
        ConfigError: It is of another training, or further on than asked for.
    """
    path = files.checkpoint
    try:
        checkpoint = read_checkpoint(path)
    except CheckpointError:
        if path.exists():
            raise
        return None
    if checkpoint.identity != identity:
        raise ConfigError(
            f"Checkpoint {path} belongs to another training (weights, pictures or settings differ).\n"
            "Choose another --output, or delete the checkpoint."
        )
    if checkpoint.seen > images:
        raise ConfigError(
            f"Checkpoint {path} has seen {checkpoint.seen} images already, more than the {images} that are asked for.\n"
            f"Ask for --images {checkpoint.seen} or more, or choose another --output. It is kept."
        )
    return checkpoint


@final
class CheckpointedRun:
    """One training of one trainer; the trainer is at its start."""

    def __init__(
        self,
        trainer: StyleTrainer,
        *,
        files: NetworkFiles,
        identity: str,
        length: RunLength,
        report: Callable[[str], None],
        notes: Callable[[], str] = str,
    ) -> None:
        """Take what is trained.

        Args:
            trainer: At the start of the run.
            files: Where checkpoint and network go.
            identity: What a checkpoint must have been written by to be gone on from.
            length: Of the run.
            report: Told where the training is.
            notes: Gives what a checkpoint shall keep beside the training's own state.
        """
        self._trainer = trainer
        self._files = files
        self._path = files.checkpoint
        self._identity = identity
        self._length = length
        self._report = report
        self._notes = notes
        self._seen = self._kept = 0

    @property
    def seen(self) -> int:
        """Images that it was trained on."""
        return self._seen

    def go_on_from(self, checkpoint: Checkpoint) -> None:
        """Put the training where a checkpoint left it.

        Raises:
            ConfigError: The checkpoint is of another version.
        """
        state = self._trainer.state()
        if [array.shape for array in checkpoint.state] != [array.shape for array in state]:
            raise ConfigError(
                f"Checkpoint {self._path} was written by another version of styletuner.\n"
                "Go on with it in that version, or delete it to start over."
            )
        self._trainer.restore(list(checkpoint.state))
        self._seen = self._kept = checkpoint.seen
        self._report(f"resuming from {self._path} at {self._seen} of {self._length.images} images")

    def train(
        self,
        batches: Callable[[int, int], Iterable[Batch]],
        *,
        until: int | None = None,
        on_batch: Callable[[int], None] | None = None,
    ) -> None:
        """Train from where it is to a number of images, and leave a checkpoint there.

        Args:
            batches: Gives the batches between two numbers of images seen.
            until: Images it shall have seen then, whole batches; the whole length by default.
            on_batch: Told the number of images in each batch; nothing is then reported about losses.

        Raises:
            DivergedError: A loss or weight is not finite.
            OutputError: Interrupted, and no checkpoint can be written.
            KeyboardInterrupt: After a checkpoint has been written.
        """
        length, end = self._length, self._length.images if until is None else until
        part, every = (
            max(1, images // length.batch_size) * length.batch_size
            for images in (REPORT_EVERY, length.checkpoint_every)
        )
        started, begun, next_checkpoint = time.monotonic(), self._seen, self._seen + every
        with HeldInterrupts() as interrupts:

            def count(num_images: int) -> None:
                self._seen += num_images
                try:
                    if on_batch is not None:
                        on_batch(num_images)
                    interrupts.check()
                except KeyboardInterrupt:
                    self._keep()
                    raise

            while self._seen < end:
                stop = min(self._seen + part, next_checkpoint, end)
                losses = self._trainer.train(batches(self._seen, stop), on_batch=count)
                if on_batch is None:
                    speed = (self._seen - begun) / (time.monotonic() - started)
                    self._report(losses_line(self._seen, length.images, losses) + f"  {speed:.1f} images/s")
                if self._seen in {next_checkpoint, end}:
                    self._keep_if_possible()
                    next_checkpoint = self._seen + (every if self._kept == self._seen else part)
            # After the last batch: else what comes next would never hear of it.
            interrupts.check()

    def finish(self, save: Callable[[], None]) -> None:
        """Write the finished network, which needs no checkpoint any more.

        Args:
            save: Writes it; an OSError says that it cannot.

        Raises:
            OutputError: It cannot be written; says what is kept.
        """
        try:
            save()
        except OSError as error:
            raise self._unwritten(f"The network {self._files.network}", error) from error
        self._path.unlink(missing_ok=True)

    def _keep(self) -> None:
        try:
            self._write_checkpoint()
        except OSError as error:
            raise self._unwritten(f"Checkpoint {self._path}", error) from error

    def _keep_if_possible(self) -> None:
        """A disk that is full now may have space for the network in the end, or by the next checkpoint."""
        try:
            self._write_checkpoint()
        except OSError as error:
            kept = f"the one of {self._kept} images is kept" if self._kept else "there is none yet"
            self._report(
                f"Checkpoint {self._path} cannot be written: {error.strerror or error}. Training goes on; {kept}."
            )

    def _write_checkpoint(self) -> None:
        check_finite(self._trainer)
        state, notes = self._trainer.state(), self._notes()
        write_checkpoint(self._path, state, seen=self._seen, identity=self._identity, notes=notes)
        self._kept = self._seen

    def _unwritten(self, what: str, error: OSError) -> OutputError:
        at = f"goes on with this training at {self._kept} of {self._length.images} images"
        then = at if self._kept else "begins this training anew"
        return OutputError(
            f"{what} cannot be written: {error.strerror or error}. Free some space or mend access; the same command "
            f"then {then}."
        )
