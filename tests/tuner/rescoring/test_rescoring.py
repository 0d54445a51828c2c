"""Re-scoring a study of drawn outputs that an old judge scored."""

import shutil
import signal
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy
from optuna.trial import FrozenTrial, TrialState

from measures.versions import JUDGE_VERSION
from studies.claims.claiming import NoClaim, attach, claim, close
from studies.claims.processes import WorkerIdentity
from studies.claims.reaping import reap
from studies.errors import StudyError
from studies.preferences.answers import FIRST, Preference, load_preferences, save_preferences
from studies.preferences.calibrated_ranking import load_choices, load_parts
from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.records.summaries import summarise
from studies.storage.optuna_internals import study_id_of, trial_id_of
from studies.storage.picture_strips import decode_strip
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, load_photo_quality
from tests.dashboards.serving import running_dashboard
from tests.studies.records.long_runs import VALIDATION
from tests.tuner.judged_study import (
    DIVERGED,
    FAILED,
    NUM_TRIALS,
    OLD,
    RUNNING,
    SHARES,
    WAITING,
    last_rung,
    make_judged_study,
    old_quality,
    tiny_config,
)
from tests.tuner.tiny_study import NAME
from tuner.errors import RescoringError
from tuner.rescoring import trial_rescorer
from tuner.rescoring.rescoring import Rescoring, rescore_study
from tuner.rescoring.trial_rescorer import JudgedTrial, TrialRescorer
from tuner.running.deletion import delete_idle_study
from tuner.running.setup import num_finished, start_or_resume
from tuner.search.enqueueing import enqueue_weights
from tuner.search.judged_set import judged_set
from tuner.search.study_pictures import open_pictures

NEW = f"{NAME}-judge-{JUDGE_VERSION}"
FINISHED = [*SHARES, DIVERGED]


def rescore(storage: StudyStorage, name: str = NAME, **options: Any) -> Rescoring:
    return rescore_study(storage, name, **{"judge_version": JUDGE_VERSION, "report": lambda *_: None, **options})


@pytest.fixture(scope="module")
def judged_folder(drawn_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` with an old study of drawn outputs; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("judged"), dirs_exist_ok=True))
    with StudyStorage.create(str(folder / "styletuner.db")) as storage:
        make_judged_study(storage, folder)
        make_judged_study(storage, folder, name="front", objectives="content_and_style")
    return folder


@pytest.fixture(scope="module")
def rescored_folder(judged_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of that in which both studies are re-scored; leave it as it is."""
    folder = Path(shutil.copytree(judged_folder, tmp_path_factory.mktemp("rescored"), dirs_exist_ok=True))
    with StudyStorage.open(str(folder / "styletuner.db")) as storage:
        rescore(storage)
        rescore(storage, "front")
    return folder


@pytest.fixture
def judged(judged_folder: Path, tmp_path: Path) -> Iterator[StudyStorage]:
    """The old studies in a folder to work in."""
    shutil.copytree(judged_folder, tmp_path, dirs_exist_ok=True)
    with StudyStorage.open(str(tmp_path / "styletuner.db")) as storage:
        for name in (NAME, "front"):
            study = storage.load_study(name)
            photos = {**study.user_attrs[attributes.PHOTOS], "paths": [str(tmp_path / "photos")]}
            study.set_user_attr(attributes.PHOTOS, photos)
            study.set_user_attr(attributes.STYLE_PATH, str(tmp_path / "style.png"))
        yield storage


@pytest.fixture
def rescored(rescored_folder: Path, tmp_path: Path) -> Iterator[StudyStorage]:
    """The old and the new studies in a folder to work in."""
    shutil.copytree(rescored_folder, tmp_path, dirs_exist_ok=True)
    with StudyStorage.open(str(tmp_path / "styletuner.db")) as storage:
        yield storage


def rows(storage: StudyStorage, name: str) -> list[Any]:
    """Everything that the database and the folder of artifacts hold about a study but its notes, which name a place."""
    study = storage.read_study(name)
    system = storage.optuna.get_study_system_attrs(study_id_of(study))
    found: list[Any] = [study.user_attrs, study.get_trials()]
    found += [(key, value) for key, value in system.items() if not key.startswith("dashboard:")]
    found += load_photo_quality(storage.engine, uuid_of(study))
    found += load_preferences(storage.engine, study_uuid=uuid_of(study))
    artifacts = [artifact for owner in (study, *study.get_trials()) for artifact in storage.artifacts.names(owner)]
    return found + [(artifact, storage.artifacts.path_of(artifact).read_bytes()) for artifact in artifacts]


def test_trials_keep_all_but_their_scores(rescored: StudyStorage) -> None:
    old, new = rescored.read_study(NAME).get_trials(), rescored.read_study(NEW).get_trials()
    assert [trial.number for trial in new] == list(range(NUM_TRIALS))
    for before, after in zip(old, new, strict=True):
        assert (after.params, after.distributions) == (before.params, before.distributions)
        for name in (attributes.WEIGHTS, attributes.IMAGES_SEEN, attributes.SECONDS, attributes.REASON):
            assert after.user_attrs.get(name) == before.user_attrs.get(name)
        if before.number != RUNNING:
            assert (after.state, after.datetime_start) == (before.state, before.datetime_start)
            assert after.datetime_complete == before.datetime_complete
    assert new[WAITING].system_attrs == old[WAITING].system_attrs
    assert new[FAILED].user_attrs[attributes.FAILURE] == "ValueError: it broke"


def test_what_the_old_judge_said_of_longer_runs_stays_with_the_old_study(judged: StudyStorage) -> None:
    study = judged.load_study(NAME)
    sheet = judged.artifacts.upload_bytes(b"a sheet", study, file_name="validation.png")
    validation = replace(VALIDATION, judge_version=OLD, sheet=sheet)
    study.set_user_attr(attributes.VALIDATIONS, [validation.to_attribute()])
    rescore(judged)
    new = judged.read_study(NEW)
    assert StudyRecord.parse(study.user_attrs).validation == validation
    assert attributes.VALIDATIONS not in new.user_attrs
    assert "validation.png" in judged.artifacts.names(study).values()
    assert "validation.png" not in judged.artifacts.names(new).values()


def test_qualities_are_those_of_the_judge_for_the_kept_outputs(rescored: StudyStorage, tmp_path: Path) -> None:
    """The photos as they were judged, not as they are kept."""
    config = tiny_config(tmp_path)
    pictures = open_pictures(config)
    judged = judged_set(config, pictures, pictures.split.rung)
    for number in SHARES:
        trial = rescored.read_study(NEW).get_trials()[number]
        kept = rescored.artifacts.path_of(trial.user_attrs[attributes.PICTURES][attributes.OUTPUT_PICTURES])
        quality = judged.judge.score(list(decode_strip(kept.read_bytes(), num_pictures=2)))
        assert trial.values == [pytest.approx(quality.quality, abs=1e-9)]
        assert trial.intermediate_values == {last_rung(number): pytest.approx(quality.quality, abs=1e-9)}
        parts = trial.user_attrs[attributes.PARTS]
        assert parts["content_preservation"] == pytest.approx(quality.content_preservation, abs=1e-9)
        assert parts["losses"] == {"content": 0.5}
        assert "old reason" not in str(trial.user_attrs[attributes.LOWERED_BY])


def test_no_score_of_the_old_judge_is_left_in_the_new_study(rescored: StudyStorage) -> None:
    study = rescored.read_study(NEW)
    trials = study.get_trials()
    for number in (DIVERGED, FAILED, RUNNING):
        assert not trials[number].intermediate_values
        assert not set(trials[number].user_attrs) & {attributes.PARTS, attributes.LOWERED_BY}
    records = load_photo_quality(rescored.engine, uuid_of(study))
    assert {record.judge_version for record in records} == {JUDGE_VERSION}
    rung, calibration = map(set, _photos(study))
    assert {(record.trial_number, record.photo_sha256) for record in records} == {
        (number, photo) for number in SHARES for photo in rung | (calibration if number != 2 else set())
    }
    summary = summarise(rescored, NEW)
    assert summary.record.judge_version == JUDGE_VERSION
    assert [trial.number for trial in summary.ranked()][-1] == 2, "pruned ones come last, and 3 has no quality"
    assert len(summary.ranked()) == len(SHARES)


def _photos(study: optuna.Study) -> tuple[tuple[str, ...], tuple[str, ...]]:
    photos = StudyRecord.parse(study.user_attrs).photos
    return photos.rung, photos.calibration


def test_the_new_study_says_where_it_comes_from(rescored: StudyStorage) -> None:
    old, new = rescored.read_study(NAME), rescored.read_study(NEW)
    assert uuid_of(old) != uuid_of(new)
    came_from = StudyRecord.parse(new.user_attrs).rescored_from
    assert came_from is not None
    assert (came_from.uuid, came_from.name, came_from.judge_version) == (uuid_of(old), NAME, OLD)
    assert came_from.num_trials == NUM_TRIALS
    for name in (attributes.CONFIGURATION, attributes.CONFIGURATION_HASH, attributes.IDENTITY, attributes.PHOTOS):
        assert new.user_attrs[name] == old.user_attrs[name]


def test_the_old_study_stays_as_it_is(judged: StudyStorage) -> None:
    before = rows(judged, NAME)
    rescore(judged)
    assert rows(judged, NAME) == before


def test_pictures_of_either_study_outlive_the_other(rescored: StudyStorage) -> None:
    files = len(list(rescored.artifacts.path.iterdir()))
    new = rows(rescored, NEW)
    delete_idle_study(rescored, uuid_of(rescored.read_study(NAME)))
    assert rows(rescored, NEW) == new
    old = rows(rescored, "front")
    delete_idle_study(rescored, uuid_of(rescored.read_study(f"front-judge-{JUDGE_VERSION}")))
    assert rows(rescored, "front") == old
    assert len(list(rescored.artifacts.path.iterdir())) == files // 2
    for name in ("front", NEW):
        delete_idle_study(rescored, uuid_of(rescored.read_study(name)))
    assert list(rescored.artifacts.path.iterdir()) == []


def test_sheets_are_drawn_with_the_new_quality(rescored: StudyStorage) -> None:
    for number in SHARES:
        pictures = rescored.read_study(NEW).get_trials()[number].user_attrs[attributes.PICTURES]
        content = rescored.artifacts.path_of(pictures[attributes.SHEET_PICTURE]).read_bytes()
        assert content.startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_dashboard_serves_the_pictures_of_the_new_study(rescored: StudyStorage) -> None:
    study = rescored.read_study(NEW)
    addresses = [f"{study_id_of(study)}/{artifact}" for artifact in rescored.artifacts.names(study)]
    for number in SHARES:
        trial = study.get_trials()[number]
        pictures = trial.user_attrs[attributes.PICTURES].values()
        addresses += [f"{study_id_of(study)}/{trial_id_of(trial)}/{picture}" for picture in pictures]
    with running_dashboard(rescored) as url:
        for address in addresses:
            with urllib.request.urlopen(f"{url}artifacts/{address}", timeout=30) as response:
                assert response.read(4) == b"\x89PNG", address


def test_both_goals_are_scored(rescored: StudyStorage) -> None:
    study = rescored.read_study(f"front-judge-{JUDGE_VERSION}")
    assert study.metric_names == ["content", "style"]
    for number in SHARES:
        trial = study.get_trials()[number]
        goals = list(trial.user_attrs[attributes.PARTS]["objectives"].values())
        assert trial.values == (None if trial.state is TrialState.PRUNED else goals)
        assert list(trial.user_attrs[attributes.RUNG_QUALITIES]) == [str(last_rung(number))]
        assert goals[0] != pytest.approx(old_quality(number))
        assert not trial.intermediate_values
    quality = {trial.number: trial.quality for trial in summarise(rescored, NEW).ranked()}
    assert {trial.number: trial.quality for trial in summarise(rescored, study.study_name).ranked()} == quality


def test_again_does_nothing(rescored: StudyStorage) -> None:
    before = rows(rescored, NEW)
    done = rescore(rescored, report=lambda *_: pytest.fail("a trial was scored"))
    assert done.was_done
    assert done.target is not None
    assert done.target.name == NEW
    assert rows(rescored, NEW) == before
    again = rescore(rescored, target_name="another")
    assert again.target is not None
    assert again.target.name == NEW
    assert again.notes == (
        f"It was begun as {NEW} and stays so. To have it as another, delete {NEW} and re-score again.",
    )
    assert rescore(rescored, target_name=NEW).notes == ()


def test_trials_that_the_old_study_got_since_are_counted(rescored: StudyStorage) -> None:
    rescored.load_study(NAME).enqueue_trial({"style_to_content": 1.0})
    done = rescore(rescored)
    assert done.notes == (f"{NAME} has got 1 more trials since. To have them too, delete {NEW} and re-score again.",)
    assert len(rescored.read_study(NEW).get_trials()) == NUM_TRIALS


def test_a_study_of_the_installed_version_is_left_alone(rescored: StudyStorage) -> None:
    names = rescored.study_names()
    assert rescore(rescored, NEW).target is None
    assert rescored.study_names() == names


def test_a_rescored_study_is_rescored_by_the_next_version(rescored: StudyStorage) -> None:
    done = rescore(rescored, NEW, judge_version="next")
    assert done.target is not None
    assert done.target.name == f"{NAME}-judge-next"
    assert {trial.number: trial.quality for trial in done.target.ranked()} == {
        trial.number: trial.quality for trial in done.source.ranked()
    }


@pytest.mark.slow
def test_an_interrupted_one_goes_on(judged: StudyStorage) -> None:
    """Ctrl-C during each trial; none is doubled or scored twice."""
    reported: list[int] = []
    for number in range(NUM_TRIALS - 1):

        def press(done: int, _: int) -> None:
            reported.append(done)
            signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            rescore(judged, report=press)
        assert len(judged.read_study(NEW).get_trials()) == number + 1
        missing = NUM_TRIALS - number - 1
        with pytest.raises(StudyError, match=f"{missing} of {NUM_TRIALS} trials are missing.*rescore waves"):
            enqueue_weights(judged, NEW, (1, 1, 0.1))
    rescore(judged, report=lambda number, _: reported.append(number))
    assert reported == [*range(NUM_TRIALS), NUM_TRIALS]
    assert [trial.number for trial in judged.read_study(NEW).get_trials()] == list(range(NUM_TRIALS))


def test_a_command_killed_before_the_study_says_what_it_is(judged: StudyStorage) -> None:
    optuna.create_study(study_name=NEW, storage=judged.optuna, direction="maximize")
    done = rescore(judged)
    assert done.target is not None
    assert (done.target.name, len(done.target.trials)) == (NEW, NUM_TRIALS)


@pytest.mark.slow
def test_a_trial_that_another_process_added_meanwhile_is_not_added_twice(judged: StudyStorage) -> None:
    others = iter([True])

    def other(number: int, _: int) -> None:
        if number == 1 and next(others, False):
            rescore(judged)

    rescore(judged, report=other)
    assert [trial.number for trial in judged.read_study(NEW).get_trials()] == list(range(NUM_TRIALS))


@pytest.mark.slow
def test_a_trial_that_another_process_added_after_it_was_scored_is_not_kept_twice(
    judged: StudyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL two writers of one photo's score meet, and one of them fails."""
    judge, save = TrialRescorer.judge, trial_rescorer.save_photo_quality
    others = iter([True])
    saved: list[tuple[int, str]] = []

    def judge_slowly(rescorer: TrialRescorer, trial: FrozenTrial) -> JudgedTrial:
        made = judge(rescorer, trial)
        if trial.number == 1 and next(others, False):
            rescore(judged)
        return made

    def count(engine: sqlalchemy.Engine, records: Sequence[PhotoQualityRecord]) -> None:
        saved.extend((record.trial_number, record.photo_sha256) for record in records)
        save(engine, records)

    monkeypatch.setattr(TrialRescorer, "judge", judge_slowly)
    monkeypatch.setattr(trial_rescorer, "save_photo_quality", count)
    rescore(judged)
    assert [trial.number for trial in judged.read_study(NEW).get_trials()] == list(range(NUM_TRIALS))
    assert saved
    assert len(set(saved)) == len(saved)


def test_the_old_study_is_deleted_meanwhile(judged: StudyStorage) -> None:
    """Its outputs are not taken for lost."""

    def delete(number: int, _: int) -> None:
        if number == 1:
            delete_idle_study(judged, uuid_of(judged.read_study(NAME)))

    with pytest.raises(StudyError, match="was deleted"):
        rescore(judged, report=delete)
    assert [trial.state.name for trial in judged.read_study(NEW).get_trials()] == ["COMPLETE"]


def outputs_of(storage: StudyStorage, number: int, kind: str = attributes.OUTPUT_PICTURES) -> Path:
    pictures = storage.read_study(NAME).get_trials()[number].user_attrs[attributes.PICTURES]
    return storage.artifacts.path_of(pictures[kind])


def test_trials_whose_outputs_are_gone_or_damaged_fail_and_say_so(judged: StudyStorage) -> None:
    outputs_of(judged, 0).unlink()
    damaged = outputs_of(judged, 1)
    damaged.write_bytes(damaged.read_bytes()[:-200])
    outputs_of(judged, 6, attributes.CALIBRATION_PICTURES).unlink()
    outputs_of(judged, 6, attributes.SHEET_PICTURE).unlink()
    rescore(judged)
    trials = judged.read_study(NEW).get_trials()
    assert [trial.state.name for trial in trials[:3]] == ["FAIL", "FAIL", "PRUNED"]
    assert trials[0].user_attrs[attributes.FAILURE] == "not re-scored: its outputs are gone"
    assert trials[1].user_attrs[attributes.FAILURE] == "not re-scored: its outputs are damaged"
    assert [trial.number for trial in summarise(judged, NEW).ranked()] == [6, 2]
    assert set(trials[6].user_attrs[attributes.PICTURES]) == {attributes.OUTPUT_PICTURES, attributes.SHEET_PICTURE}


def test_a_study_without_any_output_left_is_refused(judged: StudyStorage) -> None:
    for number in SHARES:
        outputs_of(judged, number).unlink()
    with pytest.raises(RescoringError, match=r"All outputs of study 'waves' are gone .*Put the folder back"):
        rescore(judged)
    assert NEW not in judged.study_names()


def test_photos_that_are_gone_are_taken_from_the_study(judged: StudyStorage, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "photos")
    done = rescore(judged)
    assert "rounded to 8 bits" in done.notes[0]
    assert done.target is not None
    assert len(done.target.ranked()) == len(SHARES)


def test_pictures_that_are_gone_for_good(judged: StudyStorage, tmp_path: Path) -> None:
    record = StudyRecord.parse(judged.read_study(NAME).user_attrs)
    shutil.rmtree(tmp_path / "photos")
    judged.artifacts.path_of(str(record.calibration_photos)).unlink()
    done = rescore(judged)
    assert done.notes[-1].startswith("The calibration photos are gone")
    judged.delete_study(NEW)
    judged.artifacts.path_of(str(record.rung_photos)).unlink()
    with pytest.raises(RescoringError, match="rung photos of study 'waves' are neither"):
        rescore(judged)


@pytest.mark.slow
def test_the_style_image_is_told_by_its_hash(judged: StudyStorage, tmp_path: Path) -> None:
    record = StudyRecord.parse(judged.read_study(NAME).user_attrs)
    kept = judged.artifacts.path_of(str(record.style_image))
    kept.write_bytes((tmp_path / "photos" / "photo_00.png").read_bytes())
    before = rescore(judged, judge_version="x").target
    assert before is not None
    shutil.copy(tmp_path / "photos" / "photo_00.png", tmp_path / "style.png")
    with pytest.raises(StudyError, match=r"style image of study 'waves' is not, unchanged, at .* nor at"):
        rescore(judged)


def test_a_study_that_is_being_run_is_refused(judged: StudyStorage) -> None:
    running = judged.read_study(NAME).get_trials()[RUNNING]
    me = WorkerIdentity.current()
    held = claim(judged, uuid_of(judged.read_study(NAME)), total=100, worker=me)
    assert not isinstance(held, NoClaim)
    attach(judged, held, trial_number=RUNNING)
    judged.optuna.set_trial_user_attr(trial_id_of(running), attributes.WORKER, me.as_attribute())
    with pytest.raises(StudyError, match=rf"is being run by process {me.pid} .*trial {RUNNING}"):
        rescore(judged)
    close(judged, held)
    rescore(judged)
    copied = judged.read_study(NEW).get_trials()[RUNNING]
    assert (copied.state, copied.user_attrs[attributes.FAILURE]) == (TrialState.FAIL, "its worker died")
    assert reap(judged, uuid_of(judged.read_study(NEW))).retried == (RUNNING,)


def test_what_is_no_study_to_rescore(judged: StudyStorage) -> None:
    optuna.create_study(study_name="foreign", storage=judged.optuna)
    with pytest.raises(StudyError, match="not made by styletuner"):
        rescore(judged, "foreign")
    with pytest.raises(StudyError, match="Did you mean"):
        rescore(judged, "wavez")
    with pytest.raises(RescoringError, match="'front' exists and is another one than 'waves' re-scored"):
        rescore(judged, target_name="front")
    for trial in judged.load_study("front").get_trials():
        with judged.engine.begin() as connection:
            connection.execute(sqlalchemy.text("DELETE FROM trials WHERE trial_id = :id"), {"id": trial_id_of(trial)})
    with pytest.raises(RescoringError, match="no finished trial with outputs"):
        rescore(judged, "front")


def answer(storage: StudyStorage, minute: int) -> Preference:
    study = storage.read_study(NAME)
    return Preference(
        who="anna",
        answered_at=datetime(2026, 1, 1, 12, minute, tzinfo=UTC),
        study_uuid=uuid_of(study),
        photo_sha256=_photos(study)[1][0],
        first_trial=0,
        second_trial=6,
        left_trial=6,
        answer=FIRST,
        judge_version=OLD,
    )


def test_peoples_answers_are_carried_over_once(judged: StudyStorage) -> None:
    save_preferences(judged.engine, [answer(judged, 0), answer(judged, 1)])
    assert rescore(judged).num_answers == 2
    save_preferences(judged.engine, [answer(judged, 2)])
    assert rescore(judged).num_answers == 1
    assert rescore(judged).num_answers == 0
    for name in (NAME, NEW):
        summary = summarise(judged, name)
        choices = load_choices(judged, summary, load_parts(judged, summary), rater="anna")
        assert (len(choices.usable), choices.notes) == (3, ())


def test_the_new_study_is_resumed_and_the_old_one_not(rescored: StudyStorage, tmp_path: Path) -> None:
    config = tiny_config(tmp_path)
    same: dict[str, Any] = {"config": config, "pictures": open_pictures(config), "judge_version": JUDGE_VERSION}
    resumed = start_or_resume(rescored, NEW, **same)
    assert len(resumed.get_trials()) == NUM_TRIALS
    assert num_finished(rescored, NEW, **same) == len(FINISHED)
    with pytest.raises(StudyError, match=rf"judge version 0, .* has version {JUDGE_VERSION}.*\n.*--name {NEW}"):
        start_or_resume(rescored, NAME, **same)
    rescored.delete_study(NEW)
    with pytest.raises(StudyError, match="`styletuner study rescore waves`"):
        num_finished(rescored, NAME, **same)
