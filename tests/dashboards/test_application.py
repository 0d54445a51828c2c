"""The dashboard while studies are renamed, deleted and made again, in it or beside it."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy

from dashboards.note_saving import save_notes
from studies.storage.study_storage import StudyStorage
from tests.dashboards.noted_study import NAME, make_noted_study
from tests.dashboards.serving import running_dashboard


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    """A study with its notes."""
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        make_noted_study(opened)
        save_notes(opened)
        yield opened


@pytest.fixture
def url(storage: StudyStorage) -> Iterator[str]:
    with running_dashboard(storage) as address:
        yield address


def ask(url: str, *, method: str = "GET", body: dict[str, Any] | None = None) -> tuple[int, bytes]:
    """Status and content of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def studies(url: str) -> dict[str, int]:
    """Id by name."""
    found = json.loads(ask(f"{url}api/studies")[1])["study_summaries"]
    return {study["study_name"]: study["study_id"] for study in found}


def study_page(url: str, study_id: int) -> dict[str, Any]:
    status, content = ask(f"{url}api/studies/{study_id}")
    assert status == 200
    page: dict[str, Any] = json.loads(content)
    return page


def pictures_of_notes(page: dict[str, Any]) -> list[str]:
    """Addresses of all pictures in the notes of a study and its trials."""
    texts = [page["note"]["body"], *(trial["note"]["body"] for trial in page["trials"])]
    return [address for text in texts for address in re.findall(r"!\[[^]]*\]\(/([^)]*)\)", text)]


def test_notes_and_their_pictures_follow_a_study_renamed_in_the_dashboard(url: str) -> None:
    before = pictures_of_notes(study_page(url, studies(url)[NAME]))
    status, _ = ask(f"{url}api/studies/{studies(url)[NAME]}/rename", method="POST", body={"study_name": "ocean"})
    assert (status, list(studies(url))) == (201, ["ocean"])
    page = study_page(url, studies(url)["ocean"])
    pictures = pictures_of_notes(page)
    assert len(pictures) == 1 + 3
    assert {ask(url + address)[0] for address in pictures} == {200}
    assert "study export ocean" in page["note"]["body"]
    assert NAME not in page["note"]["body"] + "".join(trial["note"]["body"] for trial in page["trials"])
    assert {ask(url + address)[0] for address in before} == {404}


def test_a_name_that_is_taken_stays_refused(url: str, storage: StudyStorage) -> None:
    optuna.create_study(storage=storage.optuna, study_name="others")
    answer = ask(f"{url}api/studies/{studies(url)[NAME]}/rename", method="POST", body={"study_name": "others"})
    assert answer[0] == 400


def test_a_renamed_study_of_others_gets_no_notes(url: str, storage: StudyStorage) -> None:
    optuna.create_study(storage=storage.optuna, study_name="others")
    status, _ = ask(f"{url}api/studies/{studies(url)['others']}/rename", method="POST", body={"study_name": "theirs"})
    assert status == 201
    assert study_page(url, studies(url)["theirs"])["note"]["body"] == ""


def test_a_study_deleted_beside_the_dashboard_is_not_found(url: str, storage: StudyStorage) -> None:
    study_id = studies(url)[NAME]
    addresses = pictures_of_notes(study_page(url, study_id))
    storage.delete_study(NAME)
    addresses += [f"api/studies/{study_id}", f"api/studies/{study_id}/plot/edf"]
    assert {ask(url + address)[0] for address in addresses} == {404}
    assert ask(f"{url}api/studies/{study_id}/rename", method="POST", body={"study_name": "ocean"})[0] == 404
    assert studies(url) == {}


def test_a_picture_whose_file_is_gone_is_not_found(url: str, storage: StudyStorage) -> None:
    (first, *_) = pictures_of_notes(study_page(url, studies(url)[NAME]))
    storage.artifacts.remove(first.rpartition("/")[2])
    assert ask(url + first)[0] == 404


@pytest.mark.parametrize("num_trials", [1, 5])
def test_a_study_made_again_under_its_name_shows_its_own_trials(
    url: str, storage: StudyStorage, num_trials: int
) -> None:
    """Case (a) of the identities: their ids are given again, and the dashboard remembered the old trials."""
    study_id = studies(url)[NAME]
    assert len(study_page(url, study_id)["trials"]) == 3
    with StudyStorage.open(storage.url) as other:
        other.delete_study(NAME)
        again = optuna.create_study(storage=other.optuna, study_name=NAME, direction="maximize")
        again.optimize(lambda _: 0.75, n_trials=num_trials)
    assert studies(url) == {NAME: study_id}
    assert [trial["values"] for trial in study_page(url, study_id)["trials"]] == [[0.75]] * num_trials


def test_a_trial_whose_value_is_lost_does_not_break_the_page(storage: StudyStorage) -> None:
    with storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE trial_values SET value = NULL WHERE value = 0.5"))
    with running_dashboard(storage) as url:
        values = [trial.get("values") for trial in study_page(url, studies(url)[NAME])["trials"]]
    assert values == [[0.25], [0.1], ["-inf"]]


def test_a_database_that_breaks_while_it_is_shown_is_told(url: str, storage: StudyStorage) -> None:
    with storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("ALTER TABLE trials RENAME TO lost"))
    status, content = ask(f"{url}api/studies")
    assert status == 503
    assert storage.name in json.loads(content)["reason"]


@pytest.fixture
def locked_url(storage: StudyStorage, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A dashboard on studies that cannot be written; file modes do not stop the user root."""
    monkeypatch.setattr(StudyStorage, "is_writable", staticmethod(lambda _: False))
    with running_dashboard(storage) as address:
        yield address


def test_studies_that_cannot_be_written_are_shown_and_not_changed(locked_url: str) -> None:
    study_id = studies(locked_url)[NAME]
    assert len(study_page(locked_url, study_id)["trials"]) == 3
    status, content = ask(f"{locked_url}api/studies/{study_id}/rename", method="POST", body={"study_name": "ocean"})
    assert (status, b"cannot be written" in content) == (403, True)
    assert ask(f"{locked_url}api/studies/{study_id}", method="DELETE")[0] == 403
