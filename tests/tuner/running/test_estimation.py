"""An estimate is an upper bound of what a study then takes."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, opened
from tuner.configuration.loading import load_config
from tuner.running.estimation import measure_pace
from tuner.search import crop_tables
from tuner.search.study_pictures import open_pictures

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("megabytes", [2048, 0])
def test_disk_holds_what_a_study_leaves(finished: Path, megabytes: int) -> None:
    config = load_config(
        str(finished / "tiny.yaml"), overrides={"data": {"feature_cache_megabytes": megabytes, "num_crops": 1000}}
    )
    reports: list[str] = []
    pace = measure_pace(config, open_pictures(config), report=reports.append)
    cost = pace.cost(config, trains_start=False)
    # relu2_1 of a 32 px crop: 16 x 16 x 128 numbers of 2 bytes.
    tables = (16 * 16 * 128 * 2 * 1000 if megabytes else 0) + 32 * 32 * 3 * 1000
    with opened(finished / "styletuner.db") as storage:
        study = storage.read_study(NAME)
        pictures = [trial.user_attrs["pictures"] for trial in study.get_trials(deepcopy=False)]
        kept = sum(
            storage.artifacts.path_of(artifact).stat().st_size for names in pictures for artifact in names.values()
        )
    assert len(pictures) == config.search.trials
    assert cost.table_bytes == tables
    assert kept < cost.num_bytes - tables < 40 * kept
    assert cost.seconds > 0
    assert any("every step" in line for line in reports) == (megabytes == 0)


def test_features_that_are_too_large_are_neither_cached_nor_counted(run_cli: RunCli) -> None:
    """62.5 MB of features for a thousand crops; those of the few that are measured would fit."""
    arguments = ("study", "run", "tiny.yaml", "--dry-run", "--set", "data.num_crops=1000")
    cached, computed = (
        run_cli(*arguments, "--set", f"data.feature_cache_megabytes={megabytes}").require_success()
        for megabytes in (63, 62)
    )
    sizes = [int(outcome.stdout.split()[-4]) for outcome in (cached, computed)]
    assert 62 <= sizes[0] - sizes[1] <= 63
    assert "in every step" in computed.stderr
    assert "in every step" not in cached.stderr


def test_crops_beyond_the_disk_are_refused(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crop_tables.shutil, "disk_usage", lambda _: SimpleNamespace(free=10 * 2**30))
    refused = run_cli("study", "run", "tiny.yaml", "--dry-run", "--set", "data.num_crops=10000000")
    refused.require_refusal("`data.num_crops` must fit", "10000000 crops of 32 px take 28.6 GB; 10.0 GB of disk")
