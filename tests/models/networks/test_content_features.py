"""Cached content features against what the loss network gives, and what a broken disk leaves behind."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray

from models.networks.content_features import BATCH_SIZE, FEATURE_UNIT, cache_content_features, cache_size
from models.networks.loss_network import LossNetwork

LAYERS = ("relu1_1", "relu2_1")


@pytest.fixture(scope="module")
def loss_network() -> LossNetwork:
    return LossNetwork("vgg19", layers=LAYERS)


@pytest.fixture(scope="module")
def crops() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (BATCH_SIZE + 3, 32, 32, 3), dtype=np.uint8)


def test_batch_holds_the_networks_features_in_their_unit(
    loss_network: LossNetwork, crops: NDArray[np.uint8], tmp_path: Path
) -> None:
    cached = cache_content_features(loss_network, crops, layers=LAYERS, folder=tmp_path / "features")
    indices = np.array([10, 0, 7, 7])
    batch = cached.batch(indices)
    features = loss_network(crops[indices].astype(np.float32) / 255)
    assert batch.keys() == set(LAYERS)
    for name in LAYERS:
        assert batch[name].dtype == np.float16
        # Half precision has 11 significant bits.
        np.testing.assert_allclose(
            batch[name], ops.convert_to_numpy(features[name]) / FEATURE_UNIT, rtol=2**-10, atol=1e-6
        )


def test_size_is_that_of_the_tables(loss_network: LossNetwork, crops: NDArray[np.uint8], tmp_path: Path) -> None:
    assert cache_size(loss_network, crops, layers=["relu2_1"]) == len(crops) * 16 * 16 * 128 * 2
    cache_content_features(loss_network, crops, layers=LAYERS, folder=tmp_path)
    tables = sum(np.load(path, mmap_mode="r").nbytes for path in tmp_path.iterdir())
    assert cache_size(loss_network, crops, layers=LAYERS) == tables


def test_files_are_mapped_not_computed_again(
    loss_network: LossNetwork, crops: NDArray[np.uint8], tmp_path: Path
) -> None:
    first = cache_content_features(loss_network, crops, layers=LAYERS, folder=tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    os.utime(tmp_path, (0, 0))
    again = cache_content_features(loss_network, crops, layers=LAYERS, folder=tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written
    assert tmp_path.stat().st_mtime > 0
    indices = np.arange(len(crops))
    for name in LAYERS:
        np.testing.assert_array_equal(first.batch(indices)[name], again.batch(indices)[name])


def test_a_missing_layer_is_computed(loss_network: LossNetwork, crops: NDArray[np.uint8], tmp_path: Path) -> None:
    cache_content_features(loss_network, crops, layers=["relu1_1"], folder=tmp_path)
    cached = cache_content_features(loss_network, crops, layers=LAYERS, folder=tmp_path)
    assert cached.batch(np.array([0])).keys() == set(LAYERS)


@pytest.mark.parametrize("damage", ["empty", "no header", "half", "of other crops"])
def test_a_file_that_is_not_whole_is_computed_again(
    loss_network: LossNetwork, crops: NDArray[np.uint8], tmp_path: Path, damage: str
) -> None:
    """What a power cut leaves."""
    cache_content_features(loss_network, crops[:4], layers=LAYERS, folder=tmp_path / "few")
    folder = tmp_path / "features"
    cache_content_features(loss_network, crops, layers=LAYERS, folder=folder)
    path = folder / "relu1_1.npy"
    whole = path.read_bytes()
    content = {"empty": b"", "no header": whole[:40], "half": whole[: len(whole) // 2]}
    path.write_bytes(content.get(damage, (tmp_path / "few" / "relu1_1.npy").read_bytes()))
    batch = cache_content_features(loss_network, crops, layers=LAYERS, folder=folder).batch(np.arange(len(crops)))
    assert path.read_bytes() == whole
    assert batch["relu1_1"].shape == (len(crops), 32, 32, 64)


def test_what_is_written_is_on_the_disk_before_it_has_its_name(
    loss_network: LossNetwork, crops: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    synchronise, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (events.append("fsync"), synchronise(descriptor)))
    monkeypatch.setattr(os, "replace", lambda *paths: (events.append("replace"), replace(*paths)))
    cache_content_features(loss_network, crops, layers=LAYERS, folder=tmp_path)
    assert events == ["fsync", "fsync", "replace", "replace"]


def test_progress_is_told(loss_network: LossNetwork, crops: NDArray[np.uint8], tmp_path: Path) -> None:
    done: list[int] = []
    for _ in range(2):
        cache_content_features(loss_network, crops, layers=LAYERS, folder=tmp_path, on_crops=done.append)
    assert done == [BATCH_SIZE, len(crops)]


@contextmanager
def largest_file(num_bytes: int) -> Iterator[None]:
    """Stands in for a full disk: a write past this size is an OSError."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_write_that_fails_leaves_nothing(loss_network: LossNetwork, crops: NDArray[np.uint8], tmp_path: Path) -> None:
    with largest_file(500_000), pytest.raises(OSError, match="File too large"):
        cache_content_features(loss_network, crops, layers=LAYERS, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
