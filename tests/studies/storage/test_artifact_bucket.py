import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
from optuna.artifacts.exceptions import ArtifactNotFound

from studies.checking.checking import check_storage
from studies.errors import StorageError
from studies.records import attributes
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
    with pytest.raises(StorageError, match=f"{artifact} is not in .*://pictures-.*Set STYLETUNER_ARTIFACTS"):
        kept.read(artifact)
    with pytest.raises(ArtifactNotFound):
        kept.store.open_reader(artifact)


def test_either_name_of_a_copied_file_can_be_removed(kept: Artifacts, study: optuna.Study) -> None:
    artifact = kept.upload_bytes(b"swirls", study, file_name="sheet.png")
    kept.link(artifact, "copy")
    kept.remove(artifact)
    assert kept.read("copy") == b"swirls"


def test_names_are_those_under_the_prefix(bucket: ArtifactBucket, bucket_address: str) -> None:
    bucket.store.write("mine", io.BytesIO(b"x"))
    ArtifactBucket(bucket_address.removesuffix("/studies/of mine")).store.write("other", io.BytesIO(b"y"))
    assert bucket.names() == {"mine"}


def test_looking_whether_it_is_usable_leaves_nothing(bucket: ArtifactBucket) -> None:
    bucket.require_usable()
    assert bucket.names() == set()


@pytest.mark.parametrize("artifact", ["../other", "", "a/b"])
def test_an_id_stays_under_the_prefix(kept: Artifacts, artifact: str) -> None:
    assert not kept.has(artifact)


def test_a_bucket_that_is_not_there_is_told(bucket_address: str) -> None:
    scheme = bucket_address.partition("://")[0]
    absent = ArtifactBucket(f"{scheme}://nobodys-pictures")
    with pytest.raises(StorageError, match=rf"Cannot use {scheme}://nobodys-pictures: .*Check the bucket's name"):
        absent.require_usable()


def test_a_server_that_does_not_answer_is_told(
    s3_bucket_maker: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del s3_bucket_maker
    monkeypatch.setattr("studies.storage.artifact_bucket.MAX_ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(StorageError, match=r"Cannot use s3://pictures: Could not connect .*Check the bucket's name"):
        ArtifactBucket("s3://pictures").require_usable()


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


def test_a_key_in_an_address_is_not_shown() -> None:
    with pytest.raises(StorageError, match=r"Received 's3://\*\*\*@pictures'") as caught:
        ArtifactBucket("s3://key:sesame@pictures")
    assert "sesame" not in str(caught.value)


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
    with pytest.raises(StorageError, match=r"Cannot use .*nobodys-pictures"):
        StudyStorage.create(address)
    assert not StudyStorage.exists(address)
    postgresql_server.drop_database(address)
