"""Pictures of a study in a bucket on its dashboard, and what it answers where they cannot be had."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studies.records.study_record import StudyRecord
from studies.storage.artifact_bucket import ArtifactBucket
from studies.storage.artifacts import Artifacts
from studies.storage.optuna_internals import study_id_of
from studies.storage.study_storage import StudyStorage
from tests.dashboards.noted_study import make_noted_study, png
from tests.dashboards.serving import running_dashboard
from tests.studies.storage.bucket_servers import s3_bucket_maker

__all__ = ["s3_bucket_maker"]


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as created:
        yield created


def _ask(address: str, *, data: bytes | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(address, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def _keep_files_in(address: str, storage: StudyStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """As STYLETUNER_ARTIFACTS does, where a server keeps the studies."""
    monkeypatch.setattr("studies.storage.study_storage._artifact_place", lambda _: ArtifactBucket(address))
    storage.artifacts = Artifacts(ArtifactBucket(address), storage=storage.optuna)


def test_a_picture_in_a_bucket_is_shown(
    storage: StudyStorage, s3_bucket_maker: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _keep_files_in(f"s3://{s3_bucket_maker()}/kept", storage, monkeypatch)
    study = make_noted_study(storage, num_trials=1)
    shown, unread = (storage.artifacts.upload_bytes(png((1, 2, 3)), study, file_name="a.png") for _ in range(2))
    storage.artifacts.remove(unread)
    with running_dashboard(storage) as url:
        assert _ask(f"{url}artifacts/{study_id_of(study)}/{shown}") == (200, png((1, 2, 3)))
        assert _ask(f"{url}artifacts/{study_id_of(study)}/{unread}")[0] == 404


def test_a_place_that_cannot_be_used_is_told(storage: StudyStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_noted_study(storage, num_trials=1)
    picture = StudyRecord.parse(study.user_attrs).style_image
    monkeypatch.setitem(sys.modules, "boto3", None)
    _keep_files_in("s3://pictures", storage, monkeypatch)
    upload = json.dumps({"file": "data:image/png;base64,AAAA", "filename": "a.png"}).encode()
    with running_dashboard(storage) as url:
        status, page = _ask(f"{url}artifacts/{study_id_of(study)}/{picture}")
        assert status == 503
        assert b"Cannot use s3://pictures" in page
        status, page = _ask(f"{url}api/artifacts/{study_id_of(study)}", data=upload)
        assert status == 503
        assert json.loads(page)["reason"].startswith("Cannot use s3://pictures")
