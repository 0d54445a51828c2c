"""Tables of crops and features: made once on a machine, whoever needs them."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import filelock
import numpy as np
import psutil
import pytest

from groundwork import file_locks
from models.networks.loss_network import LossNetwork
from tests.tuner.search.test_resources import read
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.search import crop_tables
from tuner.search.crop_tables import SECONDS_IN_CACHE, CropTables
from tuner.search.resources import build_loss_network
from tuner.search.study_pictures import StudyPictures, open_pictures

FEATURE_BYTES = 16 * 16 * 16 * 128 * 2
"""Of relu2_1 of 16 crops of 32 px."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "tables"


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry each time that crops are drawn."""
    real = StudyPictures.crops
    counted: list[int] = []

    def count(self: StudyPictures, config: StudyConfig) -> Any:
        counted.append(config.data.num_crops)
        return real(self, config)

    monkeypatch.setattr(StudyPictures, "crops", count)
    return counted


def tables(config: StudyConfig, root: Path, report: Callable[[str], None] = lambda _: None) -> CropTables:
    return CropTables(config, open_pictures(config), report=report, root=root)


def test_second_worker_maps_what_the_first_has_drawn(drawn_study: Path, root: Path, draws: list[int]) -> None:
    config = read(drawn_study)
    drawn = open_pictures(config).crops(config)
    draws.clear()
    first, second = (tables(config, root).crops() for _ in range(2))
    np.testing.assert_array_equal(first, drawn)
    np.testing.assert_array_equal(second, drawn)
    assert draws == [16]
    assert type(second) is np.ndarray
    assert not second.flags.writeable
    assert not second.flags.owndata


def test_workers_that_start_at_once_draw_once(drawn_study: Path, root: Path, draws: list[int]) -> None:
    config = read(drawn_study)
    start = threading.Barrier(3)
    mapped = []

    def work() -> None:
        mine = tables(config, root)
        start.wait()
        mapped.append(mine.crops())

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert draws == [16]
    assert len(mapped) == 3
    np.testing.assert_array_equal(mapped[0], mapped[1])


@pytest.mark.parametrize(
    "overrides",
    [{"seed": 1}, {"data": {"crop_size": 36}}, {"data": {"num_crops": 20}}, {"data": {"held_out": {"rung": 3}}}],
)
def test_other_crops_have_a_folder_of_their_own(drawn_study: Path, root: Path, overrides: dict[str, Any]) -> None:
    own, other = tables(read(drawn_study), root), tables(read(drawn_study, **overrides), root)
    assert own.folder != other.folder


def test_what_does_not_change_a_crop_shares_the_folder(drawn_study: Path, root: Path) -> None:
    other = {"training": {"batch_size": 2}, "data": {"style_size": 40}, "loss": {"content_layers": ["relu3_1"]}}
    assert tables(read(drawn_study), root).folder == tables(read(drawn_study, **other), root).folder


def test_table_that_is_not_whole_is_drawn_again(drawn_study: Path, root: Path, draws: list[int]) -> None:
    config = read(drawn_study)
    whole = np.array(tables(config, root).crops())
    file = tables(config, root).folder / "crops.npy"
    file.write_bytes(file.read_bytes()[:-100])
    np.testing.assert_array_equal(tables(config, root).crops(), whole)
    assert draws == [16, 16]


def test_drawing_that_is_broken_off_leaves_no_table(
    drawn_study: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(np, "save", broken)
    mine = tables(read(drawn_study), root)
    with pytest.raises(OSError, match="disk is full"):
        mine.crops()
    assert [path.name for path in mine.folder.iterdir()] == [".lock"]


def test_worker_that_waits_for_another_says_so(
    drawn_study: Path, root: Path, draws: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence looks like a hang."""
    monkeypatch.setattr(file_locks, "SECONDS_BETWEEN_REPORTS", 0.01)
    mine = tables(read(drawn_study), root)
    mine.folder.mkdir(parents=True)
    other = filelock.FileLock(mine.folder / ".lock", thread_local=False)
    other.acquire()
    reports: list[str] = []

    def hear(text: str) -> None:
        reports.append(text)
        other.release()

    tables(read(drawn_study), root, hear).crops()
    assert reports[0].startswith("waiting for another worker")
    assert draws == [16]


@pytest.fixture(scope="module")
def loss_network(drawn_study: Path) -> LossNetwork:
    return build_loss_network(read(drawn_study))


@pytest.mark.parametrize("scarce", ["disk", "memory"])
def test_crops_without_room_are_refused(
    drawn_study: Path, root: Path, draws: list[int], monkeypatch: pytest.MonkeyPatch, scarce: str
) -> None:
    room = {"disk": 10**12, "memory": 10**12, scarce: 1000}
    monkeypatch.setattr(crop_tables.shutil, "disk_usage", lambda _: SimpleNamespace(free=room["disk"]))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=room["memory"]))
    with pytest.raises(ConfigError, match=rf"`data\.num_crops` must fit: 16 crops of 32 px .* of {scarce}.*\nLower"):
        tables(read(drawn_study), root).crops()
    assert draws == []


def test_features_without_room_are_refused(
    drawn_study: Path, root: Path, loss_network: LossNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tables(read(drawn_study), root)
    crops = mine.crops()
    monkeypatch.setattr(crop_tables.shutil, "disk_usage", lambda _: SimpleNamespace(free=FEATURE_BYTES - 1))
    with pytest.raises(ConfigError, match=r"lower data\.feature_cache_megabytes"):
        mine.features(loss_network, crops, num_bytes=FEATURE_BYTES)


def test_tables_that_are_there_need_no_room(
    drawn_study: Path, root: Path, loss_network: LossNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tables(read(drawn_study), root)
    made = mine.features(loss_network, mine.crops(), num_bytes=FEATURE_BYTES)
    monkeypatch.setattr(crop_tables.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    again = mine.features(loss_network, mine.crops(), num_bytes=FEATURE_BYTES)
    indices = np.arange(3)
    np.testing.assert_array_equal(made.batch(indices)["relu2_1"], again.batch(indices)["relu2_1"])


def test_tables_that_nobody_has_used_for_a_week_are_removed(
    drawn_study: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gone", "old", "new"):
        (root / name).mkdir(parents=True)
    os.utime(root / "old", (0, 0))
    real = Path.stat

    def stat(path: Path, **options: Any) -> os.stat_result:
        if path.name == "gone":  # another worker was faster
            raise FileNotFoundError(path)
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    mine = tables(read(drawn_study), root)
    mine.crops()
    assert {path.name for path in root.iterdir()} == {"gone", "new", mine.folder.name}
    assert SECONDS_IN_CACHE > 24 * 3600


def test_using_a_table_keeps_it(drawn_study: Path, root: Path) -> None:
    mine = tables(read(drawn_study), root)
    mine.crops()
    os.utime(mine.folder, (0, 0))
    mine.crops()
    assert mine.folder.stat().st_mtime > 0
