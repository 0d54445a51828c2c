"""What each worker gets of a machine."""

import os
from pathlib import Path

import pytest

from tests.tuner.conftest import RunCli
from tuner.errors import ConfigError
from tuner.running.workers import worker_places
from tuner.running.workers.worker_places import (
    MAX_WORKERS_PER_CORE,
    THREADS,
    VISIBLE_GPUS,
    WorkerPlaces,
    find_places,
    listed_gpus,
    usable_cores,
    usable_gpus,
)

TWO_GPUS = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb)
"""
DIVIDED = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)
  MIG 3g.20gb     Device  0: (UUID: MIG-cccc)
  MIG 3g.20gb     Device  1: (UUID: MIG-dddd)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb)
"""


@pytest.mark.parametrize(
    ("listing", "gpus"),
    [("", []), (TWO_GPUS, ["GPU-aaaa", "GPU-bbbb"]), (DIVIDED, ["MIG-cccc", "MIG-dddd", "GPU-bbbb"])],
)
def test_gpus_as_nvidia_smi_lists_them(listing: str, gpus: list[str]) -> None:
    assert listed_gpus(listing) == gpus


def test_workers_take_turns_at_the_gpus() -> None:
    places = WorkerPlaces(num_workers=5, gpus=["GPU-a", "GPU-b"], num_cores=16)
    assert [places.environment(place)[VISIBLE_GPUS] for place in range(5)] == ["GPU-a", "GPU-b"] * 2 + ["GPU-a"]
    assert places.in_words() == "5 workers share 2 GPUs, memory included."


@pytest.mark.parametrize(("num_workers", "num_cores", "threads"), [(2, 16, "8"), (3, 16, "5"), (4, 2, "1")])
def test_workers_share_the_cores(num_workers: int, num_cores: int, threads: str) -> None:
    places = WorkerPlaces(num_workers=num_workers, gpus=[], num_cores=num_cores)
    assert places.environment(0) == dict.fromkeys(THREADS, threads)


@pytest.mark.parametrize(
    ("num_workers", "gpus", "words"),
    [
        (2, [], None),
        (3, [], "3 workers share 2 cores: as many workers are as fast."),
        (1, ["GPU-a"], None),
        (2, ["GPU-a"], "2 workers share 1 GPU, memory included."),
    ],
)
def test_who_shares_is_told(num_workers: int, gpus: list[str], words: str | None) -> None:
    assert WorkerPlaces(num_workers=num_workers, gpus=gpus, num_cores=2).in_words() == words


@pytest.mark.parametrize(
    ("named", "gpus"),
    [
        (None, ["GPU-aaaa", "GPU-bbbb"]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("1", ["1"]),
        ("1, 0", ["1", "0"]),
        ("0,-1,1", ["0"]),
        ("GPU-bb", ["GPU-bb"]),
    ],
)
def test_gpus_that_the_user_names(named: str | None, gpus: list[str]) -> None:
    assert usable_gpus(["GPU-aaaa", "GPU-bbbb"], named) == gpus


@pytest.mark.parametrize("named", ["2", "0,7", "GPU-zz"])
def test_a_gpu_that_is_not_there_is_refused(named: str) -> None:
    with pytest.raises(ConfigError, match=r"names GPU '(2|7|GPU-zz)', and this machine has 2 GPUs, counted from 0"):
        usable_gpus(["GPU-aaaa", "GPU-bbbb"], named)


@pytest.mark.parametrize("installed", [[], ["0"], ["MIG-cccc", "GPU-bbbb"]])
def test_a_name_that_nobody_can_tell_of_is_taken(installed: list[str]) -> None:
    assert usable_gpus(installed, "GPU-zz") == ["GPU-zz"]


def test_cores_are_those_that_the_process_is_bound_to() -> None:
    bound = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(bound)})
    try:
        assert usable_cores() == 1
        assert find_places(1, {}).num_cores == 1
    finally:
        os.sched_setaffinity(0, bound)


def test_one_worker_has_whatever_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody asks for it."""
    monkeypatch.delattr(worker_places, "installed_gpus")
    assert find_places(1, {VISIBLE_GPUS: "97"}).gpus == []


def test_bad_input_makes_no_study(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    most = MAX_WORKERS_PER_CORE * usable_cores()
    refused = run_cli("study", "run", "tiny.yaml", "--workers", most + 1)
    refused.require_refusal(f"`--workers {most + 1}` is too many", f"Use at most {most}.")
    monkeypatch.setattr(worker_places, "installed_gpus", lambda: ("GPU-aaaa",))
    monkeypatch.setenv(VISIBLE_GPUS, "97")
    run_cli("study", "run", "tiny.yaml", "--workers", 2).require_refusal("names GPU '97'", "Correct it, or unset it")
    assert not list(folder.glob("styletuner*"))
