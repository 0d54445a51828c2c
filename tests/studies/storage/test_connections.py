"""What our connections do that Optuna's own do not."""

from typing import Any

import optuna
import pytest
import sqlalchemy
from optuna.trial import create_trial

from studies.storage.optuna_internals import TRIAL_ATTRIBUTES, study_id_of, trial_id_of
from studies.storage.study_storage import StudyStorage


def test_deleting_what_is_not_there_is_an_error(storage: StudyStorage, study: optuna.Study) -> None:
    storage.optuna.delete_study(study_id_of(study))
    with pytest.raises(KeyError):
        storage.optuna.delete_study(study_id_of(study))


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_a_study_is_deleted_while_a_worker_writes_to_it(storage: StudyStorage, study: optuna.Study) -> None:
    """Optuna lists what hangs on the trials first, and then cannot delete trials on which more hangs."""
    study.add_trial(create_trial(value=1.0))
    row = {"trial_id": trial_id_of(study.trials[0]), "key": "worker", "value_json": "1"}
    written: list[str] = []

    def write_once(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE FROM trials") and not written:
            written.append(statement)
            with storage.engine.begin() as connection:
                connection.execute(sqlalchemy.insert(TRIAL_ATTRIBUTES).values(row))

    with StudyStorage.open_read_only(storage.url) as pages:
        sqlalchemy.event.listen(pages.optuna.engine, "before_cursor_execute", write_once)
        pages.optuna.delete_study(study_id_of(study))
    assert written
    assert storage.study_names() == []
