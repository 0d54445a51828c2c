"""Published defaults are queued once, before a new study's first trial, whoever is killed or comes second."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from objectives.training.references import LossReferences
from studies.claims.retries import enqueue_retry
from studies.records import attributes
from studies.records.published_defaults import PublishedDefaults, PublishedSetting, UntriedDefaults, published_setting
from studies.records.taken_from import TakenFrom, Winner
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.loading import load_config
from tuner.converting import published_settings
from tuner.running.published_trials import queue_published
from tuner.running.setup import start_or_resume
from tuner.running.study_run import StudyRun
from tuner.running.winners import take_winners
from tuner.search.space import suggest_values
from tuner.search.study_pictures import open_pictures
from tuner.search.study_scale import StudyScale

SCALE = StudyScale(references=LossReferences(content={}, style={}, total_variation=1.0), loss_network={})

FOUND = [
    PublishedSetting(
        defaults=(PublishedDefaults(trainer=trainer, cosine=cosine),), style_to_content=style, tv_to_content=tv
    )
    for trainer, cosine, style, tv in (
        ("lengstrom", 1.0, 50.0, 0.1),
        ("jcjohnson", 0.9, 4.0, 0.0),
        ("magenta", 0.8, 2.0, 0.2),
        ("gordicaleksa", 0.7, 600.0, 0.2),
    )
]
FAILED = [UntriedDefaults(trainer="pytorch-examples", why="VGG-16 is not here")]


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stand for the conversion, which trains nothing and takes long; returns what it was asked for."""
    asked: list[int] = []

    def convert(*_: Any, **__: Any) -> tuple[list[PublishedSetting], list[UntriedDefaults]]:
        asked.append(threading.get_ident())
        return list(FOUND), list(FAILED)

    monkeypatch.setattr(published_settings, "convert_published", convert)
    return asked


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as made:
        yield made


def new_study(folder: Path, storage: StudyStorage, *, trainer: str | None = None, **search: Any) -> StudyRun:
    lines = (folder / "tiny.yaml").read_text().replace("baseline: [1, 1, 0.1], ", "").splitlines()
    (folder / "other.yaml").write_text("\n".join(line for line in lines if trainer is None or line[:5] != "loss:"))
    overrides = {"search": {"trials": 12, **search}, "loss": {"trainer": trainer}}
    config = load_config(str(folder / "other.yaml"), overrides=overrides)
    pictures = open_pictures(config)
    study = start_or_resume(storage, "waves", config=config, pictures=pictures, judge_version="1")
    return StudyRun(storage=storage, uuid=uuid_of(study), config=config, pictures=pictures)


def queue(run: StudyRun) -> None:
    queue_published(run, SCALE, report=lambda _: None)


def queued(run: StudyRun) -> list[tuple[str, ...]]:
    """Whose defaults each trial tries, by number."""
    settings = [published_setting(trial.user_attrs) for trial in trials_of(run)]
    return [() if one is None else tuple(who.trainer for who in one.defaults) for one in settings]


def trials_of(run: StudyRun) -> list[optuna.trial.FrozenTrial]:
    return run.storage.read_by_uuid(run.uuid).get_trials()


def test_in_a_trainers_family_its_defaults_are_trial_0(
    folder: Path, storage: StudyStorage, conversions: list[int]
) -> None:
    run = new_study(folder, storage, trainer="lengstrom")
    assert trials_of(run) == []
    queue(run)
    assert queued(run) == [("lengstrom",), ("jcjohnson",), ("magenta",)]
    assert [trial.user_attrs.get(attributes.BASELINE) for trial in trials_of(run)] == [True, None, None]
    untried = storage.read_by_uuid(run.uuid).user_attrs[attributes.UNTRIED_DEFAULTS]
    assert [one["trainer"] for one in untried] == ["pytorch-examples", "gordicaleksa"]
    queue(run)
    assert len(queued(run)) == 3
    assert len(conversions) == 1


def test_published_weights_beyond_the_ranges_are_told_in_their_own_family(
    folder: Path, storage: StudyStorage, conversions: list[int]
) -> None:
    told: list[str] = []
    queue_published(new_study(folder, storage, trainer="lengstrom"), SCALE, report=told.append)
    assert conversions
    assert told[-1] == (
        "lengstrom's style : content 50 lies beyond what is searched, 0.01 to 10; a study around it: "
        "--set 'search.style_to_content=[1.6,1600]'"
    )


def test_a_trial_runs_the_defaults_and_optuna_has_the_nearest_end(
    folder: Path, storage: StudyStorage, conversions: list[int]
) -> None:
    run = new_study(folder, storage, trainer="lengstrom")
    queue(run)
    assert conversions
    study = storage.load_by_uuid(run.uuid)
    tried: list[dict[str, float]] = []

    def objective(trial: optuna.Trial) -> float:
        tried.append(suggest_values(trial, run.config.search).to_dict())
        return 0.5

    study.optimize(objective, n_trials=2)
    assert tried == [
        {"style_to_content": 50.0, "tv_to_content": 0.1},
        {"style_to_content": 4.0, "tv_to_content": 0.0},
    ]
    assert [trial.params for trial in trials_of(run)[:2]] == [
        {"style_to_content": 10.0, "tv_to_content": 0.1},
        {"style_to_content": 4.0, "tv_to_content": 0.001},
    ]
    enqueue_retry(study, study.get_trials()[0], num_kills=1)
    last = study.get_trials()[-1]
    assert published_setting(last.user_attrs) == FOUND[0]
    assert last.user_attrs[attributes.BASELINE] is True


def test_other_styles_winners_come_after_them(folder: Path, storage: StudyStorage, conversions: list[int]) -> None:
    """One that is alike to what a trial of published defaults runs, magenta's, is left out."""
    run = new_study(folder, storage, trainer="lengstrom")
    winners = [
        Winner(
            origin=TakenFrom(uuid="1-2", study="night", trial=trial, quality=0.4),
            params={"style_to_content": ratio, "tv_to_content": tv},
        )
        for trial, ratio, tv in ((7, 3.0, 0.01), (8, 2.5, 0.25), (9, 0.5, 0.05))
    ]
    study = storage.load_by_uuid(run.uuid)
    take_winners(study, winners, run.config)
    assert trials_of(run) == []
    for _ in range(2):
        queue(run)
    assert conversions
    assert queued(run) == [("lengstrom",), ("jcjohnson",), ("magenta",), (), ()]
    assert [(taken.trial if (taken := origin_of(trial)) else None) for trial in trials_of(run)] == [
        *[None] * 3,
        7,
        9,
    ]


def origin_of(trial: optuna.trial.FrozenTrial) -> TakenFrom | None:
    return TakenFrom.parse(trial.user_attrs.get(attributes.TAKEN_FROM))


def test_other_studies_keep_their_baseline_before_them(
    folder: Path, storage: StudyStorage, conversions: list[int]
) -> None:
    run = new_study(folder, storage)
    queue(run)
    assert queued(run) == [(), ("jcjohnson",), ("magenta",)]
    assert trials_of(run)[0].user_attrs[attributes.BASELINE] is True
    assert len(conversions) == 1


def test_they_have_the_configurations_own_style_size(
    folder: Path, storage: StudyStorage, conversions: list[int]
) -> None:
    run = new_study(folder, storage, style_size=[32, 48, 64])
    queue(run)
    fixed = [trial.system_attrs["fixed_params"] for trial in trials_of(run)]
    assert [params["style_size"] for params in fixed] == [48, 48, 48]
    assert len(conversions) == 1


@pytest.mark.parametrize("search", [{"trials": 11}, {"published_baselines": False}], ids=str)
def test_a_small_study_and_one_that_wants_none_convert_nothing(
    folder: Path, storage: StudyStorage, conversions: list[int], search: dict[str, Any]
) -> None:
    run = new_study(folder, storage, **search)
    queue(run)
    assert queued(run) == [()]
    assert conversions == []


def test_a_study_that_has_begun_gets_none(folder: Path, storage: StudyStorage, conversions: list[int]) -> None:
    """One of an earlier version, or that had fewer trials at first."""
    run = new_study(folder, storage)
    study = storage.load_by_uuid(run.uuid)
    study.optimize(lambda _: 0.5, n_trials=1)
    queue(run)
    assert [trial.state for trial in trials_of(run)] == [TrialState.COMPLETE]
    assert conversions == []


def test_a_kill_in_between_leaves_the_rest_to_the_next(
    folder: Path, storage: StudyStorage, conversions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_study(folder, storage, trainer="lengstrom")
    enqueue, calls = optuna.Study.enqueue_trial, []

    def killed(study: optuna.Study, *arguments: Any, **options: Any) -> None:
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(arguments)
        enqueue(study, *arguments, **options)

    monkeypatch.setattr(optuna.Study, "enqueue_trial", killed)
    with pytest.raises(KeyboardInterrupt):
        queue(run)
    assert queued(run) == [("lengstrom",), ("jcjohnson",)]
    monkeypatch.undo()
    monkeypatch.setattr(published_settings, "convert_published", lambda *_, **__: (list(FOUND), list(FAILED)))
    queue(run)
    assert queued(run) == [("lengstrom",), ("jcjohnson",), ("magenta",)]
    assert len(conversions) == 1


def test_workers_that_begin_together_convert_and_queue_once(
    folder: Path, storage: StudyStorage, conversions: list[int]
) -> None:
    run = new_study(folder, storage)
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        queue(run)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queued(run) == [(), ("jcjohnson",), ("magenta",)]
    assert len(conversions) == 1
