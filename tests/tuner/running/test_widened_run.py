"""A real study whose trials lie at the lower end of a range, widened by a command that is killed on its way."""

import json
from pathlib import Path

import pytest
from optuna.distributions import FloatDistribution
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import TrialState

from measures.versions import JUDGE_VERSION
from studies.claims.trial_states import FINISHED_STATES
from studies.records import attributes
from studies.records.summaries import summarise
from studies.storage.optuna_internals import study_id_of
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import PostgreSQLServer, RunCli
from tests.tuner.judged_study import WAITING, make_judged_study
from tests.tuner.tiny_study import (
    NAME,
    CommandProcess,
    is_in_a_trial,
    opened,
    read_trials,
    require_exactly,
    run_command,
)
from tuner.search.samplers import build_sampler
from tuner.search.stored_config import stored_config

pytestmark = pytest.mark.slow

NEW = f"{NAME}-wide"
RUN = ("study", "run", "tiny.yaml", "--name", NAME, "--set", "search.style_to_content=[1, 10]")
LONGER = (*RUN, "--set", "training.images=160")
"""A trial has to last until it is seen and killed."""
NUM_OLD, NUM_NEW = 3, 4


@pytest.fixture
def at_an_end(folder: Path, run_cli: RunCli) -> Path:
    """Whichever of the study's trials is the best, it lies within a tenth of the lower end."""
    run_cli(*LONGER, "--trials", 1).require_success()
    for style in (1.05, 1.1):
        run_cli("study", "enqueue", NAME, "--weights", 1, style, 0.1).require_success()
    told = run_cli(*LONGER, "--trials", NUM_OLD).require_success().stdout
    assert "The best lies near an end of what was searched: style_to_content 1" in told
    assert f"styletuner study run ... --name {NAME} --widen" in told
    return folder / "styletuner.db"


def test_a_widened_study_is_killed_and_goes_on(at_an_end: Path, folder: Path, run_cli: RunCli) -> None:
    old = read_trials(at_an_end)
    estimated = run_cli(*LONGER, "--widen", "--dry-run").require_success()
    assert f"{NUM_NEW} trials of 160 images: at most" in estimated.stdout
    assert f"{NEW} begins beyond {NAME}: style_to_content 0.25 to 10" in estimated.stderr
    with opened(at_an_end) as storage:
        assert storage.study_names() == [NAME]

    with CommandProcess(*LONGER, "--widen", cwd=folder) as process:
        process.wait_until(lambda: is_in_a_trial(at_an_end, finished=NUM_OLD + 1, name=NEW))
        process.kill()
    ended = run_cli(*LONGER, "--widen", "--json").require_success()
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (events[0]["event"], events[0]["name"], events[-1]["event"]) == ("study", NEW, "end")
    assert events[-2]["num_finished"] == events[-2]["total"] == NUM_OLD + NUM_NEW
    with opened(at_an_end) as storage:
        near = [end.as_dict() for end in summarise(storage, NEW).near_ends]
        assert storage.study_names() == [NAME, NEW], "the same command goes on with the same study"
    assert events[-1]["near_ends"] == near

    require_exactly(at_an_end, NUM_OLD + NUM_NEW, name=NEW)
    assert read_trials(at_an_end) == old, "the old study stays as it is"
    trials = read_trials(at_an_end, NEW)
    for before, after in zip(old, trials, strict=False):
        assert (after.params, after.values, after.intermediate_values) == (
            before.params,
            before.values,
            before.intermediate_values,
        )
    best = max(old, key=lambda trial: trial.value or 0)
    assert trials[NUM_OLD].params == {**best.params, "style_to_content": pytest.approx(0.5)}
    new = [trial for trial in trials[NUM_OLD:] if trial.state in FINISHED_STATES]
    assert not any(attributes.BASELINE in trial.user_attrs for trial in trials[NUM_OLD:]), "it is not trained again"
    (killed,) = (trial for trial in trials if trial.state is TrialState.FAIL)
    assert attributes.COPIED_FROM not in killed.user_attrs
    assert len(new) == NUM_NEW
    require_known_to_the_sampler(at_an_end)
    shown = run_cli("study", "show", NEW).require_success().stdout.splitlines()
    assert shown[1] == f"Widened from {NAME}, whose {NUM_OLD} trials are its first, to style_to_content 0.25 to 10"


def test_two_machines_widen_one_study(
    folder: Path, postgresql_server: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", str(folder / "kept"))
    address = postgresql_server.new_database()
    total = 7
    try:
        with StudyStorage.create(address) as storage:
            make_judged_study(storage, folder, judge_version=JUDGE_VERSION, style_to_content=(0.09, 10))
        wider = ("--widen", "--set", "search.style_to_content=[0.09, 10]", "--set", "search.baseline=null")
        command = ("study", "run", "tiny.yaml", "--name", NAME, *wider, "--trials", total, "--storage", address)
        with CommandProcess(*command, cwd=folder) as one, CommandProcess(*command, cwd=folder) as other:
            assert (one.wait(), other.wait()) == (0, 0), one.output + other.output
        with opened(address) as storage:
            assert storage.study_names() == [NAME, NEW]
        trials, old = read_trials(address, NEW), read_trials(address)
        assert [trial.number for trial in trials] == list(range(len(trials)))
        assert [trial.values for trial in trials[:WAITING]] == [trial.values for trial in old[:WAITING]]
        finished = [trial.number for trial in trials if trial.state in FINISHED_STATES]
        assert len(finished) == total
        run_command("study", "delete", NAME, "--yes", "--storage", address, cwd=folder).require_success()
        run_command("study", "export", NEW, "--storage", address, cwd=folder).require_success()
    finally:
        postgresql_server.drop_database(address)


def require_known_to_the_sampler(path: Path) -> None:
    """Old and new trials are of one space, in which the next one is drawn from what they taught, not by chance."""
    wide = {
        "style_to_content": FloatDistribution(0.25, 10, log=True),
        "tv_to_content": FloatDistribution(0.001, 1, log=True),
    }
    with StudyStorage.open(str(path)) as storage:
        study = storage.load_study(NEW)
        assert IntersectionSearchSpace().calculate(study) == wide
        came_from = {trial.user_attrs.get(attributes.COPIED_FROM) for trial in study.get_trials()[:NUM_OLD]}
        assert came_from == {uuid_of(storage.read_study(NAME))}
        config = stored_config(study)
        trial = storage.optuna.get_trial(storage.optuna.create_new_trial(study_id_of(study)))
        sampler = build_sampler(config.search, seed=config.seed)
        assert sampler.infer_relative_search_space(study, trial) == wide
        assert set(sampler.sample_relative(study, trial, wide)) == set(wide)
