"""What a check finds in real databases with real files, what a repair makes of it, and what neither touches."""

import os
import time
import uuid
from pathlib import Path

import numpy as np
import optuna
import pytest
import sqlalchemy
from optuna.trial import TrialState, create_trial

from groundwork.file_hashes import sha256_of
from studies.checking.checking import Checked, check_storage
from studies.checking.stray_files import UNFINISHED_SECONDS, aside_folder
from studies.claims import claiming
from studies.errors import StorageError, StudyError
from studies.records import attributes
from studies.storage.addresses import parse_storage, sqlite_path
from studies.storage.artifacts import ArtifactMeta, artifact_entry
from studies.storage.optuna_internals import optuna_schema_of, optuna_schemas, study_id_of, trial_id_of
from studies.storage.picture_strips import encode_strip
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import ClaimRow, PhotoQualityRecord, load_photo_quality, save_photo_quality
from tests.studies.claims.staging import ME, dead_worker, granted, new_trial
from tests.studies.storage.old_databases.restoring import restore
from tests.studies.waves import WAVES

ONLY_SQLITE = pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
PICTURE = encode_strip(np.linspace(0, 1, 2 * 8 * 8 * 3, dtype=np.float32).reshape(2, 8, 8, 3))


@pytest.fixture
def painted(storage: StudyStorage, study: optuna.Study) -> optuna.Study:
    """A study of ours with three complete trials that keep their outputs and scores."""
    study.set_user_attr(attributes.CONFIGURATION, {"seed": 0})
    for number in range(3):
        add_trial(storage, study, number)
    return study


def add_trial(storage: StudyStorage, study: optuna.Study, number: int) -> None:
    artifact = str(uuid.uuid4())
    storage.artifacts.write(artifact, PICTURE)
    meta = ArtifactMeta(artifact_id=artifact, filename="outputs.png", mimetype="image/png", encoding=None)
    weights = {"content": 0.5, "style": 0.4, "total_variation": 0.1}
    attrs = {attributes.WEIGHTS: weights, attributes.PICTURES: {attributes.OUTPUT_PICTURES: artifact}}
    entry = artifact_entry(meta, artifact_id=artifact)
    study.add_trial(create_trial(value=0.5, user_attrs=attrs, system_attrs=entry))
    score(storage, WAVES, number)


def score(storage: StudyStorage, study_uuid: str, number: int) -> None:
    record = PhotoQualityRecord(
        study_uuid=study_uuid,
        trial_number=number,
        rung=8,
        judge_version="1",
        photo_sha256="a",
        quality=0.5,
        content_preservation=0.5,
        style_match=0.5,
        artefact_factor=1.0,
    )
    save_photo_quality(storage.engine, [record])


def outputs_of(storage: StudyStorage, study: optuna.Study, number: int) -> Path:
    return storage.artifacts.path / study.trials[number].user_attrs["pictures"]["outputs"]


def make_old(path: Path) -> None:
    os.utime(path, (0, 0))


def kinds(checked: Checked) -> list[str]:
    return sorted(finding.kind for finding in checked.left)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written a moment ago is old: nothing can set back when a file was changed."""
    now = time.time
    monkeypatch.setattr("studies.checking.stray_files.time.time", lambda: now() + 2 * UNFINISHED_SECONDS)


@pytest.mark.usefixtures("painted", "later")
def test_nothing_is_wrong_with_a_sound_study(storage_url: str) -> None:
    for repair in (False, True):
        checked = check_storage(storage_url, repair=repair)
        assert (checked.left, checked.done, checked.studies, checked.num_files) == ((), (), ("waves",), 3)


def test_lost_and_damaged_pictures_are_told_with_what_they_mean(
    storage: StudyStorage, storage_url: str, painted: optuna.Study
) -> None:
    outputs_of(storage, painted, 0).unlink()
    broken = bytearray(PICTURE)
    broken[len(broken) // 2] ^= 255
    outputs_of(storage, painted, 2).write_bytes(broken)
    damaged, gone = sorted(check_storage(storage_url).left, key=lambda finding: finding.kind)
    assert (gone.study, gone.text, gone.trials) == ("waves", "gone: outputs of trial 0", (0,))
    assert (damaged.text, damaged.trials) == ("damaged: outputs of trial 2", (2,))
    assert "`study rescore` leaves out" in gone.advice
    assert gone.mend is damaged.mend is None
    assert kinds(check_storage(storage_url, repair=True)) == ["damaged files", "gone files"]


@pytest.mark.usefixtures("later")
@ONLY_SQLITE
def test_orphans_go_aside_and_come_back_where_something_names_them(
    storage: StudyStorage, storage_url: str, painted: optuna.Study
) -> None:
    orphan = str(uuid.uuid4())
    storage.artifacts.write(orphan, b"nobody's")
    (storage.artifacts.path / f".writing-{uuid.uuid4().hex}").write_bytes(b"half")
    (storage.artifacts.path / "README").write_bytes(b"somebody's own")
    assert kinds(check_storage(storage_url)) == ["orphaned files", "unfinished files"]
    assert check_storage(storage_url, "waves").left == (), "what is no study's is not asked for"
    checked = check_storage(storage_url, repair=True)
    assert (checked.left, len(checked.done)) == ((), 2)
    assert (aside_folder(storage) / orphan).read_bytes() == b"nobody's"
    assert len(list(storage.artifacts.path.iterdir())) == 4
    outputs = outputs_of(storage, painted, 1)
    outputs.rename(aside_folder(storage) / outputs.name)
    checked = check_storage(storage_url, "waves", repair=True)
    assert (checked.left, [finding.kind for finding, _ in checked.done]) == ((), ["gone files"])
    assert outputs.read_bytes() == PICTURE


@pytest.mark.usefixtures("painted")
def test_what_was_written_a_moment_ago_is_left_alone(storage: StudyStorage, storage_url: str) -> None:
    young = storage.artifacts.path / str(uuid.uuid4())
    young.write_bytes(b"on its way")
    make_old(young)  # as a hard link to an old file has it
    assert check_storage(storage_url, repair=True).left == ()
    assert young.exists()


@pytest.mark.usefixtures("painted", "later")
@ONLY_SQLITE
def test_files_of_a_database_that_shares_the_folder_are_its_own(storage: StudyStorage, storage_url: str) -> None:
    sibling = Path(storage_url).with_suffix(".sqlite")
    with StudyStorage.create(str(sibling)) as other:
        kept = other.artifacts.upload_bytes(b"x", optuna.create_study(storage=other.optuna), file_name="x.bin")
    assert storage.artifacts.has(kept)
    assert check_storage(storage_url).left == ()
    sibling.unlink()
    assert kinds(check_storage(storage_url)) == ["orphaned files"]


@pytest.mark.slow
@pytest.mark.usefixtures("painted", "later")
@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_a_servers_orphans_may_be_another_databases(storage: StudyStorage, storage_url: str) -> None:
    orphan = str(uuid.uuid4())
    storage.artifacts.write(orphan, b"nobody's")
    (finding,) = check_storage(storage_url, repair=True).left
    assert (finding.files, finding.mend) == ((orphan,), None)
    assert storage.artifacts.has(orphan)


def test_dead_workers_are_cleared_away_and_live_ones_left(
    storage: StudyStorage, storage_url: str, painted: optuna.Study
) -> None:
    held = granted(storage, total=9, worker=dead_worker())
    dead = new_trial(storage)
    claiming.attach(storage, held, trial_number=dead)
    held = granted(storage, total=9, worker=ME)
    live = new_trial(storage)
    claiming.attach(storage, held, trial_number=live)
    (finding,) = check_storage(storage_url).left
    assert (finding.kind, finding.trials) == ("dead workers", (dead,))
    assert painted.trials[dead].state is TrialState.RUNNING
    ((_, told),) = check_storage(storage_url, repair=True).done
    assert told == f"failed trial {dead}, enqueued trial {dead} once more, deleted 1 claim"
    assert [painted.trials[number].state.name for number in (dead, live)] == ["FAIL", "RUNNING"]
    assert [claim.trial_number for claim in claiming.open_claims(storage, WAVES)] == [live]


@pytest.mark.usefixtures("painted", "later")
@ONLY_SQLITE
def test_what_cannot_be_mended_keeps_nothing_else_from_it(storage: StudyStorage, storage_url: str) -> None:
    orphan = str(uuid.uuid4())
    storage.artifacts.write(orphan, b"nobody's")
    aside_folder(storage).write_text("a file where the folder should be")
    score(storage, WAVES, 77)
    checked = check_storage(storage_url, repair=True)
    assert [finding.kind for finding, _ in checked.done] == ["stray rows"]
    (left,) = checked.left
    assert left.kind == "orphaned files"
    assert "It failed: " in left.advice
    assert storage.artifacts.has(orphan)


def test_a_study_of_another_tool_is_not_reaped(storage: StudyStorage, storage_url: str) -> None:
    other = optuna.create_study(study_name="other", storage=storage.optuna)
    storage.optuna.create_new_trial(study_id_of(other))
    assert check_storage(storage_url, repair=True).left == ()
    assert other.trials[0].state is TrialState.RUNNING


def test_running_trials_files_are_not_missed(storage: StudyStorage, storage_url: str, painted: optuna.Study) -> None:
    claiming.attach(storage, granted(storage, total=9), trial_number=new_trial(storage, pictures={"outputs": "soon"}))
    assert painted.trials[3].state is TrialState.RUNNING
    assert check_storage(storage_url).left == ()


def test_a_killed_upload_leaves_a_note_that_is_told(
    storage: StudyStorage, storage_url: str, painted: optuna.Study
) -> None:
    trial_number = new_trial(storage, failure="its worker died")
    trial = painted.trials[trial_number]
    artifact = storage.artifacts.upload_bytes(PICTURE, trial, file_name="outputs.png")
    storage.artifacts.remove(artifact)
    storage.optuna.set_trial_state_values(trial_id_of(trial), TrialState.FAIL)
    found = [finding for finding in check_storage(storage_url).left if finding.kind == "unwritten files"]
    assert [(finding.trials, finding.files) for finding in found] == [((trial_number,), (artifact,))]
    assert check_storage(storage_url, repair=True).left == (found[0],)
    assert list(storage.artifacts.names(painted.trials[trial_number])) == [artifact], "somebody may have it elsewhere"


def test_files_of_another_tool_are_not_looked_for(storage: StudyStorage, storage_url: str) -> None:
    other = optuna.create_study(study_name="other", storage=storage.optuna)
    other.set_user_attr(attributes.STYLE_IMAGE, "cat.jpg")
    trial_id = storage.optuna.create_new_trial(study_id_of(other))
    artifact = storage.artifacts.upload_bytes(PICTURE, other.trials[0], file_name="mine.png")
    storage.artifacts.remove(artifact)
    storage.optuna.set_trial_state_values(trial_id, TrialState.FAIL)
    assert check_storage(storage_url, repair=True).left == ()
    assert list(storage.artifacts.names(other.trials[0])) == [artifact]


def test_a_trial_that_another_program_asked_for_is_left_to_it(
    storage: StudyStorage, storage_url: str, painted: optuna.Study
) -> None:
    number = new_trial(storage)
    (finding,) = check_storage(storage_url, repair=True).left
    assert (finding.trials, finding.mend) == ((number,), None)
    assert "may be run by a program that is not styletuner" in finding.advice
    assert painted.trials[number].state is TrialState.RUNNING


def test_rows_of_very_many_studies_that_are_gone(storage: StudyStorage, storage_url: str) -> None:
    """SQLite refuses a condition of a thousand alternatives."""
    for _ in range(1001):
        score(storage, str(uuid.uuid4()), 0)
    assert check_storage(storage_url, repair=True).left == ()


def test_complete_trials_that_keep_no_outputs(storage_url: str, painted: optuna.Study) -> None:
    painted.add_trial(create_trial(value=0.1, user_attrs={attributes.WEIGHTS: painted.trials[0].user_attrs["weights"]}))
    (finding,) = check_storage(storage_url).left
    assert (finding.kind, finding.text) == ("no outputs", "no outputs are kept of trial 3")


def test_rows_of_no_study_or_trial_are_deleted(storage: StudyStorage, storage_url: str, painted: optuna.Study) -> None:
    del painted
    score(storage, WAVES, 77)
    score(storage, str(uuid.uuid4()), 0)
    with storage.engine.begin() as connection:
        values = {"token": "t", "study_uuid": "gone", "machine": "", "host": "h", "pid": 1, "started": 0.0}
        connection.execute(sqlalchemy.insert(ClaimRow).values(**values, claimed_at=sqlalchemy.func.now()))
    (finding,) = check_storage(storage_url).left
    assert finding.text == "1 claim, 2 scores of photos: of no study or trial"
    assert check_storage(storage_url, repair=True).left == ()
    assert [record.trial_number for record in load_photo_quality(storage.engine, WAVES)] == [0, 1, 2]


def test_a_lost_folder_is_told_once(storage: StudyStorage, storage_url: str, painted: optuna.Study) -> None:
    del painted
    storage.artifacts.path.rename(storage.artifacts.path.with_name("elsewhere"))
    (finding,) = check_storage(storage_url, repair=True).left
    assert finding.kind == "lost folder"
    assert "STYLETUNER_ARTIFACTS" in finding.advice


def test_the_style_image_is_taken_from_where_it_was_found(
    storage: StudyStorage, storage_url: str, painted: optuna.Study, tmp_path: Path
) -> None:
    style = tmp_path / "style.jpg"
    style.write_bytes(PICTURE)
    painted.set_user_attr(attributes.STYLE_IMAGE, storage.artifacts.upload(style, painted))
    painted.set_user_attr(attributes.IDENTITY, {"style_sha256": sha256_of(style)})
    painted.set_user_attr(attributes.STYLE_PATH, str(style))
    kept = storage.artifacts.path_of(painted.user_attrs[attributes.STYLE_IMAGE])
    kept.write_bytes(b"other bytes")
    assert kinds(check_storage(storage_url)) == ["damaged files"]
    assert check_storage(storage_url, repair=True).left == ()
    assert kept.read_bytes() == PICTURE


def test_our_old_tables_are_upgraded(storage_url: str, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    restore(storage_url, tmp_path / "scratch")
    assert "old schema" in kinds(check_storage(storage_url))
    done = [told for _, told in check_storage(storage_url, repair=True).done]
    assert done[0] == "upgraded styletuner's tables to version 0002"
    assert "old schema" not in kinds(check_storage(storage_url))


def test_optunas_old_tables_are_upgraded_from_a_copy(storage_url: str) -> None:
    """Its newest revision changes no column: a database that says the one before is one of that time."""
    with StudyStorage.create(storage_url) as storage:
        optuna.create_study(study_name="waves", storage=storage.optuna)
    set_optunas_version(storage_url, optuna_schemas()[1])
    (finding,) = check_storage(storage_url).left
    assert finding.kind == "old schema"
    checked = check_storage(storage_url, repair=True)
    assert (checked.left, checked.studies) == ((), ("waves",))
    path = sqlite_path(parse_storage(storage_url))
    assert path is None or path.with_name(f"{path.name}.optuna-{optuna_schemas()[1]}").is_file()


@ONLY_SQLITE
def test_opening_optunas_old_tables_names_the_check(storage_url: str) -> None:
    StudyStorage.create(storage_url).close()
    set_optunas_version(storage_url, optuna_schemas()[1])
    with pytest.raises(StorageError, match=r"another version of Optuna.*study check"):
        StudyStorage.open(storage_url)


def set_optunas_version(storage_url: str, version: str) -> None:
    engine = sqlalchemy.create_engine(parse_storage(storage_url), poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP INDEX IF EXISTS trials_study_id_key"))
        connection.execute(sqlalchemy.text("DROP INDEX IF EXISTS ix_trials_study_id"))
        connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = :v"), {"v": version})
        assert optuna_schema_of(connection) == version


def test_a_later_optuna_is_named(storage_url: str) -> None:
    StudyStorage.create(storage_url).close()
    set_optunas_version(storage_url, "v99.0.0.a")
    with pytest.raises(StorageError, match=r"later Optuna.*v99\.0\.0\.a.*Update Optuna"):
        check_storage(storage_url)


@pytest.mark.usefixtures("painted")
def test_an_unknown_study_and_a_missing_storage(storage_url: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"Received 'wave'.*waves"):
        check_storage(storage_url, "wave")
    with pytest.raises(StorageError, match="There is no study database at"):
        check_storage(str(tmp_path / "none.db"))
    (tmp_path / "text.db").write_text("no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(StorageError, match="not a database"):
        check_storage(str(tmp_path / "text.db"))


def test_a_file_removed_on_the_dashboard_leaves_a_note_that_breaks_nothing(
    storage: StudyStorage, study: optuna.Study
) -> None:
    artifact = storage.artifacts.upload_bytes(b"x", study, file_name="x.bin")
    storage.artifacts.remove(artifact)
    storage.optuna.set_study_system_attr(study_id_of(study), f"artifacts:{artifact}", "null")
    assert storage.artifacts.names(study) == {}
    storage.delete_study("waves")
