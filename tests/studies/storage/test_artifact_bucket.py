import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.artifacts.exceptions import ArtifactNotFound

from studies.checking.checking import check_storage
from studies.checking.lost_files import files_in_bucket, find_lost_files
from studies.errors import ArtifactGoneError, StorageError
from studies.records import attributes
from studies.storage import bucket_objects
from studies.storage.artifact_bucket import ArtifactBucket
from studies.storage.artifacts import Artifacts
from studies.storage.study_storage import StudyStorage
from tests.studies.conftest import PostgreSQLServer
from tests.studies.storage.bucket_servers import bucket_address, google_bucket_maker, s3_bucket_maker

__all__ = ["bucket_address", "google_bucket_maker", "s3_bucket_maker"]


@pytest.fixture
def bucket(bucket_address: str) -> ArtifactBucket:
    return ArtifactBucket(bucket_address)


@pytest.fixture
def kept(bucket: ArtifactBucket, study: optuna.Study, storage: StudyStorage) -> Artifacts:
    del study
    return Artifacts(bucket, storage=storage.optuna)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as created:
        yield created


def test_uploaded_file_is_found_again(kept: Artifacts, study: optuna.Study, bucket_address: str) -> None:
    artifact = kept.upload_bytes(b"swirls", study, file_name="style.png")
    assert kept.read(artifact) == b"swirls"
    assert kept.path_of(artifact).read_bytes() == b"swirls"
    assert kept.names(study) == {artifact: "style.png"}
    another = Artifacts(ArtifactBucket(bucket_address), storage=study._storage)
    assert another.read(artifact) == b"swirls"


def test_a_file_is_fetched_anew_each_time(kept: Artifacts) -> None:
    kept.write("sheet", b"old")
    assert kept.path_of("sheet").read_bytes() == b"old"
    kept.write("sheet", b"new")
    assert kept.path_of("sheet").read_bytes() == b"new"


def test_removed_artifact_is_missed(kept: Artifacts, study: optuna.Study) -> None:
    artifact = kept.upload_bytes(b"x", study, file_name="x.bin")
    kept.remove(artifact)
    kept.remove(artifact)
    assert not kept.has(artifact)
    for read in (kept.read, kept.path_of):
        with pytest.raises(ArtifactGoneError, match=f"{artifact} is not in .*://pictures-.*Set STYLETUNER_ARTIFACTS"):
            read(artifact)
    with pytest.raises(ArtifactGoneError, match=f"{artifact} is not in"):
        kept.link(artifact, "copy")
    with pytest.raises(ArtifactNotFound):
        kept.store.open_reader(artifact)


def test_either_name_of_a_copied_file_can_be_removed(kept: Artifacts, study: optuna.Study) -> None:
    artifact = kept.upload_bytes(b"swirls", study, file_name="sheet.png")
    kept.link(artifact, "copy")
    kept.remove(artifact)
    assert kept.read("copy") == b"swirls"


def test_names_are_those_under_the_prefix(bucket: ArtifactBucket, bucket_address: str) -> None:
    bucket.write("mine", io.BytesIO(b"x"))
    ArtifactBucket(bucket_address.removesuffix("/studies/of mine")).write("other", io.BytesIO(b"y"))
    assert bucket.names() == {"mine"}


def test_looking_whether_it_is_usable_leaves_nothing(bucket: ArtifactBucket) -> None:
    bucket.require_usable()
    assert bucket.names() == set()


@pytest.mark.parametrize("artifact", ["../other", "", "a/b", "."])
def test_an_id_stays_under_the_prefix(s3_bucket_maker: Callable[[], str], storage: StudyStorage, artifact: str) -> None:
    bucket = ArtifactBucket(f"s3://{s3_bucket_maker()}/mine")
    kept = Artifacts(bucket, storage=storage.optuna)
    bucket.write(artifact, io.BytesIO(b"x"))
    assert bucket.has(artifact)
    assert not kept.has(artifact)
    for read in (kept.read, kept.path_of):
        with pytest.raises(ArtifactGoneError, match="is not in"):
            read(artifact)


def test_a_name_that_begins_another_is_not_it(bucket: ArtifactBucket) -> None:
    bucket.write("sheet-2", io.BytesIO(b"x"))
    assert not bucket.has("sheet")


@pytest.mark.slow
def test_more_are_listed_and_removed_than_one_request_may_name(bucket: ArtifactBucket) -> None:
    at_once = bucket._objects.num_removed_at_once
    names = {f"picture-{number}" for number in range(at_once + 3)}
    for name in names:
        bucket.write(name, io.BytesIO(b""))
    assert bucket.names() == names
    bucket.remove_all([*sorted(names), "gone"])
    assert bucket.names() == set()


def test_reading_what_was_read_asks_nobody(bucket: ArtifactBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.write("sheet", io.BytesIO(b"swirls"))
    assert bucket.read("gone") is None
    assert bucket.read("sheet") == b"swirls"
    reads: list[str] = []
    monkeypatch.setattr(bucket._objects, "read", reads.append)
    assert bucket.read("sheet") == b"swirls"
    assert reads == []
    bucket.write("sheet", io.BytesIO(b"waves"))
    assert bucket.read("sheet") is None
    assert reads == ["studies/of mine/sheet"]


def _everything(bucket: ArtifactBucket) -> list[Callable[[], object]]:
    return [
        bucket.require_usable,
        bucket.names,
        lambda: bucket.has("sheet"),
        lambda: bucket.read("sheet"),
        lambda: bucket.local_file("sheet"),
        lambda: bucket.write("sheet", io.BytesIO(b"x")),
        lambda: bucket.link("sheet", "copy"),
        lambda: bucket.remove("sheet"),
    ]


def test_a_bucket_that_is_not_there_is_never_taken_for_one_without_the_file(bucket_address: str) -> None:
    scheme = bucket_address.partition("://")[0]
    for ask in _everything(ArtifactBucket(f"{scheme}://nobodys-pictures")):
        with pytest.raises(StorageError, match=rf"Cannot .* {scheme}://nobodys-pictures: .*Check the bucket's name"):
            ask()


@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_an_outage_is_told_once_the_time_for_it_is_over(
    scheme: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request.getfixturevalue({"s3": "s3_bucket_maker", "gs": "google_bucket_maker"}[scheme])
    monkeypatch.setattr(bucket_objects, "ASKING_SECONDS", 2.0)
    monkeypatch.setattr(bucket_objects, "WRITING_SECONDS", 3.0)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://someone:sesame@127.0.0.1:1")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://someone:sesame@127.0.0.1:1")
    bucket = ArtifactBucket(f"{scheme}://pictures")
    assert bucket._objects.errors  # its driver is loaded, which takes its time
    for ask in (lambda: bucket.has("a"), lambda: bucket.write("a", io.BytesIO())):
        started = time.monotonic()
        with pytest.raises(StorageError, match=r"://pictures: .*Check the bucket's name") as caught:
            ask()
        # Drivers wait at random between tries, and give up where the next wait would be too long.
        assert time.monotonic() - started < 60, "it does not try for ever"
        assert not isinstance(caught.value, ArtifactGoneError)
        assert "sesame" not in str(caught.value)
        assert len(str(caught.value)) < 450


def test_what_a_driver_says_is_shown_without_secrets(bucket: ArtifactBucket) -> None:
    said = "Could not reach http://me:sesame@host/a and https://host/b?X-Amz-Signature=cafe&x=y: no route"
    told = str(bucket.write_error(OSError(said)))
    assert "sesame" not in told
    assert "cafe" not in told
    assert "***@host/a" in told


@pytest.mark.parametrize("action", ["List", "Put", "Get", "Delete"])
def test_a_right_that_is_missing_is_named(s3_bucket_maker: Callable[[], str], action: str) -> None:
    bucket = ArtifactBucket(f"s3://{s3_bucket_maker()}")
    client: Any = bucket._objects._client  # type: ignore[attr-defined]

    def refuse(**_: object) -> tuple[Any, dict[str, Any]]:
        response = type("Response", (), {"status_code": 403})
        error = {"Code": "AccessDenied", "Message": f"Not authorized to perform: s3:{action}"}
        return response, {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 403}}

    operation = {"List": "ListObjectsV2", "Put": "PutObject", "Get": "GetObject", "Delete": "DeleteObjects"}[action]
    client.meta.events.register(f"before-call.s3.{operation}", refuse)
    attempt = {"List": "list", "Put": "write to", "Get": "read", "Delete": "remove from"}[action]
    with pytest.raises(StorageError, match=rf"Cannot {attempt} s3://pictures-.*s3:{action}"):
        bucket.require_usable()


def test_an_object_that_may_not_be_removed_is_told(
    s3_bucket_maker: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = ArtifactBucket(f"s3://{s3_bucket_maker()}")
    client: Any = bucket._objects._client  # type: ignore[attr-defined]
    answer = {"Errors": [{"Key": "sheet", "Code": "AccessDenied", "Message": "It is locked"}]}
    monkeypatch.setattr(client, "delete_objects", lambda **_: answer)
    with pytest.raises(StorageError, match=r"Cannot remove from s3://pictures-.*It is locked"):
        bucket.remove("sheet")


_LISTS_STUDIES = """
import sys
from tuner.running import run_study
from studies.checking.checking import check_storage
from studies.storage.study_storage import StudyStorage
with StudyStorage.create(sys.argv[1]) as storage:
    storage.study_names()
check_storage(sys.argv[1])
print([module for module in ("boto3", "google.cloud.storage", "optuna.artifacts") if module in sys.modules])
"""


def test_without_a_bucket_no_driver_is_loaded(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _LISTS_STUDIES, str(tmp_path / "studies.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("address", "extra"), [("s3://pictures", "s3"), ("gs://pictures/a", "gs")])
def test_a_missing_driver_is_named(address: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("boto3", "google.api_core.exceptions"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(StorageError, match=rf"pip install 'styletuner\[{extra}\]'"):
        ArtifactBucket(address).require_usable()


@pytest.mark.parametrize("address", ["s3://", "s3://A_b", "s3:pictures", "ftp://host/pictures", "gs://ab/x?y"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(StorageError, match=r"must be a folder, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX\. Received"):
        ArtifactBucket(address)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("s3://key:sesame@pictures", r"s3://\*\*\*@pictures"),
        ("s3:key:sesame@pictures", r"s3:\*\*\*@pictures"),
        ("s3://pictures/a?X-Amz-Signature=sesame", "s3://pictures/a"),
    ],
)
def test_a_key_in_an_address_is_not_shown(address: str, shown: str) -> None:
    with pytest.raises(StorageError, match=rf"Received '{shown}'") as caught:
        ArtifactBucket(address)
    assert "sesame" not in str(caught.value)


def test_a_study_is_not_looked_for_in_another_bucket(
    kept: Artifacts, bucket: ArtifactBucket, study: optuna.Study, storage: StudyStorage
) -> None:
    study.set_user_attr(attributes.CONFIGURATION, {"seed": 0})
    kept.note_place(study)
    kept.require_place_of(study)
    artifact = kept.upload_bytes(b"swirls", study, file_name="style.png")
    storage.artifacts = Artifacts(ArtifactBucket(f"{bucket.name}/other"), storage=storage.optuna)
    with pytest.raises(StorageError, match=r"'waves' keeps its files in .*/of mine, and .*/other\. Set it to"):
        storage.delete_study("waves")
    assert kept.has(artifact)
    (finding,) = find_lost_files(storage, "waves")[0]
    assert (finding.kind, finding.mend) == ("other place", None)
    storage.artifacts.write(artifact, b"swirls")
    study.set_user_attr(attributes.STYLE_IMAGE, artifact)
    (finding,) = find_lost_files(storage, "waves")[0]
    assert finding.mend is not None
    assert finding.mend() == f"noted that its files are in {bucket.name}/other"
    storage.delete_study("waves")
    assert not storage.artifacts.has(artifact)


def test_a_file_written_after_a_check_listed_the_bucket_is_not_gone(
    kept: Artifacts, study: optuna.Study, storage: StudyStorage
) -> None:
    storage.artifacts = kept
    listed = files_in_bucket(storage)
    study.set_user_attr(attributes.CONFIGURATION, {"seed": 0})
    kept.note_place(study)
    study.set_user_attr(attributes.STYLE_IMAGE, kept.upload_bytes(b"swirls", study, file_name="style.png"))
    assert listed == set()
    assert find_lost_files(storage, "waves", present=listed) == ([], 1)


def test_a_study_with_files_in_a_folder_is_not_looked_for_in_a_bucket(
    kept: Artifacts, study: optuna.Study, storage: StudyStorage
) -> None:
    kept.require_place_of(study)
    storage.artifacts.upload_bytes(b"swirls", study, file_name="style.png")
    storage.artifacts.note_place(study)
    storage.artifacts.require_place_of(study)
    with pytest.raises(StorageError, match="'waves' keeps its files in a folder, and STYLETUNER_ARTIFACTS is"):
        kept.require_place_of(study)


def test_a_picture_cannot_be_found_as_a_file_of_a_folder(kept: Artifacts) -> None:
    with pytest.raises(StorageError, match="is no folder"):
        kept.path.is_dir()


@pytest.fixture
def server_storage(postgresql_server: PostgreSQLServer, bucket_address: str) -> Iterator[tuple[str, StudyStorage]]:
    del bucket_address
    address = postgresql_server.new_database()
    with StudyStorage.create(address) as created:
        yield address, created
    postgresql_server.drop_database(address)


@pytest.mark.slow
def test_a_servers_studies_keep_their_files_in_the_bucket(
    server_storage: tuple[str, StudyStorage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, storage = server_storage
    monkeypatch.chdir(tmp_path)
    made = optuna.create_study(study_name="waves", storage=storage.optuna, direction="maximize")
    study = storage.load_study("waves")
    made.set_user_attr(attributes.CONFIGURATION, {"seed": 0})
    storage.artifacts.note_place(made)
    artifact = storage.artifacts.upload_bytes(b"swirls", study, file_name="style.png")
    gone = storage.artifacts.upload_bytes(b"swirls", study, file_name="style_picture.png")
    study.set_user_attr(attributes.STYLE_IMAGE, artifact)
    study.set_user_attr(attributes.STYLE_PICTURE, gone)
    assert storage.artifacts.name == os.environ["STYLETUNER_ARTIFACTS"]
    assert list(tmp_path.iterdir()) == []
    sound = check_storage(address)
    assert (sound.left, sound.num_files) == ((), 2)
    assert sound.not_looked_for is not None
    assert "damaged" in json.dumps(sound.as_dict())
    storage.artifacts.remove(gone)
    (finding,) = check_storage(address).left
    assert (finding.kind, finding.files) == ("gone files", (gone,))
    storage.delete_study("waves")
    assert not storage.artifacts.has(artifact)


@pytest.mark.slow
def test_nothing_is_made_where_the_bucket_cannot_be_used(
    postgresql_server: PostgreSQLServer, bucket_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme = bucket_address.partition("://")[0]
    address = postgresql_server.new_database()
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", f"{scheme}://nobodys-pictures")
    with pytest.raises(StorageError, match=r"Cannot list .*nobodys-pictures"):
        StudyStorage.create(address)
    assert not StudyStorage.exists(address)
    postgresql_server.drop_database(address)
