"""Full training that is killed after a checkpoint and run again."""

import errno
import os
import shutil
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from objectives.errors import DivergedError
from objectives.training.trainer import Batch, StyleTrainer, TrainingLosses
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, CommandProcess

pytestmark = pytest.mark.slow

FOREVER = 1_000_000


@pytest.fixture
def exported(finished: Path, run_cli: RunCli) -> Path:
    """The best weights of a finished study; its full training has a checkpoint every 8 images."""
    run_cli("study", "export", NAME).require_success()
    return finished / "best.yaml"


def weights_of(path: Path) -> list[np.ndarray]:
    return [np.asarray(keras.ops.convert_to_numpy(weight)) for weight in keras.saving.load_model(path).weights]


def images_seen(checkpoint: Path) -> int:
    with np.load(checkpoint) as stored:
        return int(stored["seen"])


@pytest.mark.slow
def test_killed_training_ends_as_if_it_had_not_been(exported: Path, run_cli: RunCli, folder: Path) -> None:
    checkpoint = folder / "killed.checkpoint.npz"
    arguments = ("train", exported, "-o", "killed.keras")
    with CommandProcess(*arguments, "--images", FOREVER, cwd=folder) as process:
        process.wait_until(checkpoint.exists)
        process.kill()
    seen = images_seen(checkpoint)
    assert not (folder / "killed.keras").exists()
    resumed = run_cli(*arguments, "--images", seen + 16).require_success()
    assert f"at {seen} of {seen + 16} images" in resumed.stdout
    assert not checkpoint.exists()

    run_cli("train", exported, "-o", "whole.keras", "--images", seen + 16).require_success()
    run_cli("train", exported, "-o", "shorter.keras", "--images", seen).require_success()
    whole, shorter = weights_of(folder / "whole.keras"), weights_of(folder / "shorter.keras")
    for one, other in zip(weights_of(folder / "killed.keras"), whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert any(np.abs(one - other).max() > 1e-4 for one, other in zip(shorter, whole, strict=True))


@pytest.fixture
def checkpoint(exported: Path, run_cli: RunCli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is left when the network could not be written after its training."""

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr("tuner.finished.full_training.save_network", fail)
        outcome = run_cli("train", exported, "-o", "net.keras")
    assert outcome.status == 1
    assert "Interrupted. Run the same command again" in outcome.stderr
    path = folder / "net.checkpoint.npz"
    assert images_seen(path) == 16
    return path


def test_finished_training_is_not_repeated(checkpoint: Path, exported: Path, run_cli: RunCli, folder: Path) -> None:
    outcome = run_cli("train", exported, "-o", "net.keras").require_success()
    assert "at 16 of 16 images" in outcome.stdout
    assert (folder / "net.keras").is_file()
    assert not checkpoint.exists()


def test_foreign_checkpoint(checkpoint: Path, exported: Path, run_cli: RunCli) -> None:
    kept = checkpoint.read_bytes()
    arguments = ("train", exported, "-o", "net.keras", "--crop-size", 32)
    run_cli(*arguments).require_refusal("net.checkpoint.npz", "belongs to another training", "delete the checkpoint")
    assert checkpoint.read_bytes() == kept


def test_checkpoint_of_a_version_that_kept_other_numbers(checkpoint: Path, exported: Path, run_cli: RunCli) -> None:
    with np.load(checkpoint) as stored:
        arrays = dict(stored)
    arrays["num_arrays"] -= 1
    np.savez(checkpoint, **arrays)
    outcome = run_cli("train", exported, "-o", "net.keras")
    outcome.require_refusal("net.checkpoint.npz", "another version of styletuner", "delete it to start over")


@pytest.mark.parametrize("damage", ["text", "truncated", "empty"])
def test_damaged_checkpoint(checkpoint: Path, exported: Path, run_cli: RunCli, damage: str) -> None:
    content = {"text": b"no checkpoint", "truncated": checkpoint.read_bytes()[:1000], "empty": b""}[damage]
    checkpoint.write_bytes(content)
    outcome = run_cli("train", exported, "-o", "net.keras")
    outcome.require_refusal("net.checkpoint.npz", "cannot be read", "Delete it to start over")


def test_checkpoint_may_be_moved_with_its_output(
    checkpoint: Path, exported: Path, run_cli: RunCli, folder: Path
) -> None:
    (folder / "elsewhere").mkdir()
    shutil.move(checkpoint, folder / "elsewhere" / "other.checkpoint.npz")
    outcome = run_cli("train", exported, "-o", "elsewhere/other.keras", "--images", 24).require_success()
    assert "at 16 of 24 images" in outcome.stdout


def test_fewer_images_than_the_checkpoint_has_seen(checkpoint: Path, exported: Path, run_cli: RunCli) -> None:
    kept = checkpoint.read_bytes()
    outcome = run_cli("train", exported, "-o", "net.keras", "--images", 8)
    outcome.require_refusal("net.checkpoint.npz", "has seen 16 images", "more than the 8", "--images 16 or more")
    assert [path.name for path in checkpoint.parent.glob("net.*")] == [checkpoint.name]
    assert checkpoint.read_bytes() == kept


class TestFullDisk:
    """A file is written but does not get to the disk, as `written_whole` finds out last."""

    @pytest.fixture
    def full(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
        """For each suffix, how many files there is space for; without limit for others."""
        real, space = os.fsync, dict[str, int]()

        def fsync(descriptor: int) -> None:
            suffix = Path(f"/proc/self/fd/{descriptor}").resolve().suffix
            if suffix in space:
                space[suffix] -= 1
                if space[suffix] < 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        return space

    def test_at_the_end(self, exported: Path, run_cli: RunCli, folder: Path, full: dict[str, int]) -> None:
        """Here `checkpoint_every` has left nothing to go on from."""
        exported.write_text(exported.read_text().replace("checkpoint_every: 8", "checkpoint_every: 1000"))
        full[".keras"] = 0
        outcome = run_cli("train", exported, "-o", "net.keras")
        outcome.require_refusal("net.keras", "No space left", "goes on with this training at 16 of 16 images")
        assert images_seen(folder / "net.checkpoint.npz") == 16
        assert not (folder / "net.keras").exists()
        full.clear()
        assert "at 16 of 16 images" in run_cli("train", exported, "-o", "net.keras").require_success().stdout

    def test_from_the_second_checkpoint_on(
        self, exported: Path, run_cli: RunCli, folder: Path, full: dict[str, int]
    ) -> None:
        """The smaller network may have space."""
        full[".npz"] = 1
        outcome = run_cli("train", exported, "-o", "net.keras").require_success()
        assert "net.checkpoint.npz cannot be written: No space left" in outcome.stdout
        assert "Training goes on; the one of 8 images is kept" in outcome.stdout
        assert {path.name for path in folder.glob("net.*")} == {"net.keras", "net.training.yaml"}

    def test_all_the_time(self, exported: Path, run_cli: RunCli, folder: Path, full: dict[str, int]) -> None:
        full.update({".npz": 0, ".keras": 0})
        run_cli("train", exported, "-o", "net.keras").require_refusal(
            "net.keras", "No space left", "begins this training anew"
        )
        assert not list(folder.glob("net.[ck]*"))


class TestInterrupt:
    @pytest.fixture(params=[signal.SIGINT, signal.SIGTERM])
    def _signal(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ctrl-C or a request to end comes in the middle of the second step, before its batch is counted."""
        real, num_steps = StyleTrainer.train, 0

        def train(trainer: StyleTrainer, batches: Iterable[Batch], **options: Any) -> TrainingLosses:
            def counted() -> Iterator[Batch]:
                nonlocal num_steps
                for batch in batches:
                    num_steps += 1
                    if num_steps == 2:
                        os.kill(os.getpid(), request.param)
                    yield batch

            return real(trainer, counted(), **options)

        monkeypatch.setattr(StyleTrainer, "train", train)

    @pytest.mark.usefixtures("_signal")
    def test_leaves_a_checkpoint_of_whole_steps(self, exported: Path, run_cli: RunCli, folder: Path) -> None:
        arguments = ("train", exported, "-o", "net.keras")
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        outcome = run_cli(*arguments)
        assert outcome.status == 1
        assert "Interrupted. Run the same command again" in outcome.stderr
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
        assert images_seen(folder / "net.checkpoint.npz") == 8
        assert "at 8 of 16 images" in run_cli(*arguments).require_success().stdout
        run_cli("train", exported, "-o", "whole.keras").require_success()
        pairs = zip(weights_of(folder / "net.keras"), weights_of(folder / "whole.keras"), strict=True)
        for one, other in pairs:
            np.testing.assert_allclose(one, other, atol=1e-5)


class TestDivergence:
    @pytest.mark.parametrize("flags", [(), ("--repeat-trial",)])
    def test_says_what_to_change(
        self, exported: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
    ) -> None:
        def diverge(*_: object, **__: object) -> None:
            raise DivergedError("diverged: the style loss is not finite")

        monkeypatch.setattr(StyleTrainer, "train", diverge)
        outcome = run_cli("train", exported, "-o", "net.keras", *flags)
        outcome.require_refusal("the style loss is not finite", "Lower `weights.style`", "learning_rate", "best.yaml")

    @pytest.mark.parametrize("checkpoint_every", [8, 100])
    def test_weights_that_the_last_step_broke_are_not_saved(
        self, exported: Path, run_cli: RunCli, folder: Path, monkeypatch: pytest.MonkeyPatch, checkpoint_every: int
    ) -> None:
        text = exported.read_text()
        exported.write_text(text.replace("checkpoint_every: 8", f"checkpoint_every: {checkpoint_every}"))
        real = StyleTrainer.train

        def train(trainer: StyleTrainer, *arguments: Any, **options: Any) -> TrainingLosses:
            losses = real(trainer, *arguments, **options)
            trainer.network.set_weights([np.full_like(weight, np.nan) for weight in trainer.network.get_weights()])
            return losses

        monkeypatch.setattr(StyleTrainer, "train", train)
        run_cli("train", exported, "-o", "net.keras").require_refusal("weights are not finite", "Lower")
        assert not list(folder.glob("net.*"))
