"""A checkpoint comes back bit for bit or not at all; whose it is its reader judges."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from objectives.errors import CheckpointError
from objectives.training.checkpoints import read_checkpoint, write_checkpoint

STATE = [
    np.array([1.5, -0.0, np.nan, np.inf, 1e-45], np.float32),
    np.array(7, np.int64),
    *(np.full((2, 3), index, np.float16) for index in range(12)),
]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "net.checkpoint.npz"
    write_checkpoint(path, STATE, seen=24, identity="waves, trial 3")
    return path


def is_equal(path: Path, state: list[np.ndarray]) -> bool:
    read = read_checkpoint(path)
    return [(array.dtype, array.shape, array.tobytes()) for array in read.state] == [
        (array.dtype, array.shape, array.tobytes()) for array in state
    ] and (read.seen, read.identity) == (24, "waves, trial 3")


def test_it_comes_back_bit_for_bit_and_in_order(checkpoint: Path) -> None:
    assert is_equal(checkpoint, STATE)


def test_a_later_one_takes_its_place(checkpoint: Path) -> None:
    write_checkpoint(checkpoint, STATE[:1], seen=48, identity="another")
    read = read_checkpoint(checkpoint)
    assert (len(read.state), read.seen, read.identity) == (1, 48, "another")
    assert [path.name for path in checkpoint.parent.iterdir()] == [checkpoint.name]


def test_notes_come_back_and_need_not_be_there(checkpoint: Path, tmp_path: Path) -> None:
    assert read_checkpoint(checkpoint).notes == ""
    write_checkpoint(checkpoint, STATE, seen=24, identity="waves, trial 3", notes='{"16": [0.25]}\n')
    assert read_checkpoint(checkpoint).notes == '{"16": [0.25]}\n'
    with np.load(checkpoint) as stored:
        np.savez(tmp_path / "older.npz", **{name: stored[name] for name in stored.files if name != "notes"})
    assert read_checkpoint(tmp_path / "older.npz").notes == ""


def test_it_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_checkpoint(tmp_path / "a.npz", STATE, seen=1, identity="")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.npz").stat().st_mode) == 0o640


@pytest.mark.slow
def test_every_damage_is_found(checkpoint: Path) -> None:
    """One byte of the file is another, or the file is shorter: what was written comes back, or an error."""
    write_checkpoint(checkpoint, STATE[:2], seen=24, identity="waves, trial 3")
    whole = checkpoint.read_bytes()
    for place in range(len(whole)):
        checkpoint.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            assert is_equal(checkpoint, STATE[:2]), place
        except CheckpointError as error:
            assert str(checkpoint) in str(error)  # noqa: PT017  either is right
    for length in range(0, len(whole), 7):
        checkpoint.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"cannot be read.*Delete it to start over"):
            read_checkpoint(checkpoint)


@pytest.mark.parametrize("content", ["missing", "text", "array", "pickle", "other archive"])
def test_what_is_no_checkpoint(tmp_path: Path, content: str) -> None:
    path = tmp_path / "net.checkpoint.npz"
    if content == "text":
        path.write_text("no checkpoint")
    elif content == "array":
        with path.open("wb") as stream:
            np.save(stream, STATE[0])
    elif content == "pickle":
        with path.open("wb") as stream:
            np.savez(stream, seen=np.array([{}], object), identity=np.array("a"), variable_0000=STATE[0])
    elif content == "other archive":
        np.savez(path, weights=STATE[0])
    with pytest.raises(CheckpointError, match=r"net\.checkpoint\.npz cannot be read"):
        read_checkpoint(path)
