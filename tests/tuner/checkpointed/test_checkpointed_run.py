"""Where a training leaves checkpoints, and what is in them; the trainer only counts."""

import errno
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from objectives.training.checkpoints import read_checkpoint
from objectives.training.trainer import StyleTrainer
from tuner.checkpointed import checkpointed_run
from tuner.checkpointed.checkpointed_run import CheckpointedRun, RunLength
from tuner.checkpointed.network_files import NetworkFiles

BATCH = 4


class CountingTrainer:
    """Its state is the number of images that it has seen."""

    def __init__(self) -> None:
        self.network = self
        self.seen = 0

    def get_weights(self) -> list[np.ndarray]:
        return self.state()

    def state(self) -> list[np.ndarray]:
        return [np.array([float(self.seen)])]

    def restore(self, state: list[np.ndarray]) -> None:
        self.seen = int(state[0][0])

    def train(self, batches: Iterable[int], *, on_batch: Callable[[int], None]) -> dict[str, float]:
        for size in batches:
            self.seen += size
            on_batch(size)
        return {"content": 1.0, "style": 1.0, "total_variation": 1.0}


def batches(start: int, stop: int) -> Any:
    return (BATCH for _ in range(start, stop, BATCH))


class Told(list[str]):
    """A run of a counting trainer, and what it tells."""

    def __init__(self, folder: Path, *, images: int = 1200, every: int = 500) -> None:
        super().__init__()
        self.trainer = CountingTrainer()
        self.notes = "a"
        self.files = NetworkFiles(folder / "net.keras")
        self.run = CheckpointedRun(
            cast("StyleTrainer", self.trainer),
            files=self.files,
            identity="waves",
            length=RunLength(images=images, batch_size=BATCH, checkpoint_every=every),
            report=self.append,
            notes=lambda: self.notes,
        )


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Images seen in each checkpoint that is written."""
    found = []
    write = checkpointed_run.write_checkpoint

    def note(path: Path, state: Any, *, seen: int, **options: Any) -> None:
        write(path, state, seen=seen, **options)
        found.append(seen)

    monkeypatch.setattr(checkpointed_run, "write_checkpoint", note)
    return found


def test_a_checkpoint_comes_when_it_is_due(tmp_path: Path, written: list[int]) -> None:
    """Not only where a line is told."""
    told = Told(tmp_path, every=502)
    told.run.train(batches)
    assert written == [500, 1000, 1200]
    assert [line.split("/")[0] for line in told] == ["400", "500", "900", "1000", "1200"]


def test_in_parts_each_ends_with_a_checkpoint(tmp_path: Path, written: list[int]) -> None:
    told, counted = Told(tmp_path), list[int]()
    for until in (400, 1200):
        told.run.train(batches, until=until, on_batch=counted.append)
        told.notes = "b"
    assert written == [400, 900, 1200]
    assert read_checkpoint(told.files.checkpoint).notes == "b"
    assert (sum(counted), list(told), told.run.seen) == (1200, [], 1200)


def test_an_interrupt_leaves_the_very_image(tmp_path: Path) -> None:
    told = Told(tmp_path)

    def interrupt(_: int) -> None:
        if told.trainer.seen == 444:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        told.run.train(batches, on_batch=interrupt)
    found = read_checkpoint(told.files.checkpoint)
    assert (found.seen, found.state[0].tolist(), found.notes) == (444, [444.0], "a")
    again = Told(tmp_path)
    again.run.go_on_from(found)
    counted = list[int]()
    again.run.train(batches, on_batch=counted.append)
    assert (sum(counted), again.trainer.seen) == (1200 - 444, 1200)


def test_a_full_disk_does_not_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpointed_run, "write_checkpoint", fail)
    told.run.train(batches)
    assert told.run.seen == 1200
    assert sum("No space left" in line and "there is none yet" in line for line in told) == 3
