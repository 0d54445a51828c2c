"""What Optuna and optuna-dashboard do not promise, as we use it: an update that changes it is seen here first."""

from pathlib import Path

import optuna
import sqlalchemy
from optuna_dashboard import save_note

from dashboards import optuna_dashboard_internals as internals
from studies.storage.study_storage import StudyStorage


def test_notes_lie_under_the_keys_that_we_know(tmp_path: Path) -> None:
    study = optuna.create_study(storage=f"sqlite:///{tmp_path / 'studies.db'}")
    study.add_trial(optuna.trial.create_trial(value=0.5))
    (trial,) = study.get_trials(deepcopy=False)
    long = "a" * 5000
    save_note(study, "short")
    save_note(optuna.Trial(study, trial._trial_id), long)
    expected = {
        internals.note_ver_key(None): 1,
        internals.note_ver_key(trial._trial_id): 1,
    }
    expected |= {f"{internals.note_str_key_prefix(None)}0": "short"}
    pieces = internals.split_body(long, trial._trial_id)
    assert list(pieces) == [f"{internals.note_str_key_prefix(trial._trial_id)}{number}" for number in range(3)]
    assert study._storage.get_study_system_attrs(study._study_id) == {**expected, **pieces}


def test_the_tables_have_the_columns_that_we_read_and_write() -> None:
    assert {"study_id", "key", "value_json"} <= set(internals.STUDY_SYSTEM_ATTRIBUTES.c.keys())
    constraints = internals.STUDY_SYSTEM_ATTRIBUTES.constraints
    unique = [constraint for constraint in constraints if isinstance(constraint, sqlalchemy.UniqueConstraint)]
    assert [[column.name for column in constraint.columns] for constraint in unique] == [["study_id", "key"]]


def test_artifacts_of_a_study_lie_under_the_prefix_that_we_know(tmp_path: Path) -> None:
    with StudyStorage.create(str(tmp_path / "studies.db")) as storage:
        study = optuna.create_study(storage=storage.optuna)
        artifact = storage.artifacts.upload_bytes(b"x", study, file_name="style.png")
        assert list(storage.optuna.get_study_system_attrs(study._study_id)) == [
            internals.ARTIFACTS_ATTR_PREFIX + artifact
        ]
