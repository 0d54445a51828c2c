import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.running.workers.placement import cores_per_worker, num_places


@pytest.mark.parametrize(
    ("machines", "cores", "gpus", "places"),
    [
        ([], 1, 0, 0),
        ([{"CPU": 4.0}], 1, 0, 4),
        ([{"CPU": 4.0}, {"CPU": 3.0}], 2, 0, 3),
        ([{"CPU": 64.0, "GPU": 8.0}], 1, 1, 8),
        ([{"CPU": 64.0, "GPU": 3.0}, {"CPU": 64.0, "GPU": 1.0}], 1, 2, 1),
        ([{"CPU": 64.0, "GPU": 2.0}], 1, 0.25, 8),
        ([{"CPU": 64.0, "GPU": 2.0}], 1, 0.4, 4),
        ([{"CPU": 64.0}], 1, 0.5, 0),
        ([{"memory": 1e9}], 1, 0, 0),
    ],
)
def test_places_are_counted_machine_by_machine(
    machines: list[dict[str, float]], cores: float, gpus: float, places: int
) -> None:
    assert num_places(machines, cores=cores, gpus=gpus) == places


@pytest.mark.parametrize(
    ("machines", "num_workers", "gpus", "cores"),
    [
        ([{"CPU": 8.0}], 2, 0, 4),
        ([{"CPU": 4.0}, {"CPU": 4.0}, {"CPU": 4.0}], 2, 0, 4),
        ([{"CPU": 4.0}, {"CPU": 4.0}], 3, 0, 2),
        ([{"CPU": 64.0, "GPU": 8.0}], 8, 1, 8),
        ([{"CPU": 2.0}], 32, 0, 1),
        ([], 4, 0, 1),
        ([{"CPU": 4.0}], 4, 1, 1),
    ],
)
def test_cores_are_shared_out(machines: list[dict[str, float]], num_workers: int, gpus: float, cores: int) -> None:
    assert cores_per_worker(machines, num_workers, gpus=gpus) == cores


@given(st.lists(st.integers(0, 16), max_size=5), st.integers(1, 40))
def test_more_cores_would_leave_a_worker_without_a_place(counts: list[int], num_workers: int) -> None:
    machines = [{"CPU": float(count)} for count in counts]
    cores = cores_per_worker(machines, num_workers, gpus=0)
    at_once = min(num_workers, sum(counts))
    assert num_places(machines, cores=cores, gpus=0) >= at_once
    assert at_once == 0 or num_places(machines, cores=cores + 1, gpus=0) < at_once or cores >= max(counts)
