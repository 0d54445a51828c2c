import errno
import io
import os
import shutil
from pathlib import Path

import optuna
import pytest
from optuna.artifacts import get_all_artifact_meta
from optuna.artifacts.exceptions import ArtifactNotFound

from studies.errors import StorageError
from studies.storage.artifact_folder import AtomicArtifactStore
from studies.storage.artifacts import artifact_entry, artifact_metas
from studies.storage.optuna_internals import study_id_of
from studies.storage.study_storage import StudyStorage


def test_uploaded_file_is_found_again(storage: StudyStorage, study: optuna.Study, tmp_path: Path) -> None:
    file = tmp_path / "style.png"
    file.write_bytes(b"swirls")
    artifact_id = storage.artifacts.upload(file, study)
    assert storage.artifacts.path_of(artifact_id).read_bytes() == b"swirls"
    assert storage.artifacts.read(artifact_id) == b"swirls"
    assert storage.artifacts.names(study) == {artifact_id: "style.png"}


def test_bytes_belong_to_their_trial(storage: StudyStorage, study: optuna.Study) -> None:
    kept = []

    def objective(trial: optuna.Trial) -> float:
        kept.append(storage.artifacts.upload_bytes(b"sheet", trial, file_name="sheet.png"))
        return 1.0

    study.optimize(objective, n_trials=1)
    (artifact_id,) = kept
    assert storage.artifacts.names(study.trials[0]) == {artifact_id: "sheet.png"}
    assert storage.artifacts.names(study) == {}
    (meta,) = get_all_artifact_meta(study.trials[0], storage=storage.optuna)
    assert meta.mimetype == "image/png"


def test_removed_artifact_is_missed(storage: StudyStorage, study: optuna.Study) -> None:
    artifact_id = storage.artifacts.upload_bytes(b"x", study, file_name="x.bin")
    storage.artifacts.remove(artifact_id)
    storage.artifacts.remove(artifact_id)
    with pytest.raises(StorageError, match=f"{artifact_id} is not in .*Put the folder back"):
        storage.artifacts.path_of(artifact_id)


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("artifact_id", ["../studies.db", ".", "", "a/b"])
def test_path_of_stays_in_the_folder(storage: StudyStorage, artifact_id: str) -> None:
    with pytest.raises(StorageError, match="is not in"):
        storage.artifacts.path_of(artifact_id)


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_what_cannot_be_noted_is_not_kept(storage: StudyStorage, study: optuna.Study) -> None:
    study.add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError, match="Trial#0 has already finished"):
        storage.artifacts.upload_bytes(b"x", study.trials[0], file_name="x.bin")
    assert list(storage.artifacts.path.iterdir()) == []


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_full_disk_is_told_before_anything_is_noted(
    storage: StudyStorage, study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    total, used, _ = shutil.disk_usage(storage.artifacts.path.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(total, used, 0))  # type: ignore[attr-defined]
    with pytest.raises(StorageError, match=r"No space left.*Free some space"):
        storage.artifacts.upload_bytes(b"x", study, file_name="x.bin")
    assert storage.artifacts.names(study) == {}


class _BrokenStream(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().read(min(3, size or 3))


def test_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    store = AtomicArtifactStore(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        store.write("name", _BrokenStream(b"abcdef"))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ArtifactNotFound):
        store.open_reader("name")


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_file_in_place_of_the_folder_is_told(storage: StudyStorage, study: optuna.Study) -> None:
    storage.artifacts.path.write_text("in the way")
    with pytest.raises(StorageError, match="Cannot write to"):
        storage.artifacts.upload_bytes(b"x", study, file_name="x.bin")


def test_files_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        AtomicArtifactStore(tmp_path / "kept").write("name", io.BytesIO(b"x"))
    finally:
        os.umask(before)
    assert (tmp_path / "kept" / "name").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["name"]


def test_either_name_of_a_linked_file_can_be_removed(storage: StudyStorage, study: optuna.Study) -> None:
    for first, second in ((0, 1), (1, 0)):
        artifact = storage.artifacts.upload_bytes(b"swirls", study, file_name="sheet.png")
        copy = f"copy-{first}"
        storage.artifacts.link(artifact, copy)
        storage.artifacts.link(artifact, copy)
        storage.artifacts.remove((artifact, copy)[first])
        assert storage.artifacts.path_of((artifact, copy)[second]).read_bytes() == b"swirls"


def test_a_file_is_copied_where_it_cannot_have_two_names(
    storage: StudyStorage, study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    artifact = storage.artifacts.upload_bytes(b"swirls", study, file_name="sheet.png")
    storage.artifacts.link(artifact, "copy")
    assert storage.artifacts.path_of("copy").read_bytes() == b"swirls"
    assert storage.artifacts.path_of("copy").stat().st_ino != storage.artifacts.path_of(artifact).stat().st_ino


def test_a_note_is_read_by_optuna_as_its_own(storage: StudyStorage, study: optuna.Study) -> None:
    artifact = storage.artifacts.upload_bytes(b"x", study, file_name="notes.txt.gz")
    (found,) = get_all_artifact_meta(study)
    assert (found.artifact_id, found.filename) == (artifact, "notes.txt.gz")
    assert (found.mimetype, found.encoding) == ("text/plain", "gzip")


def test_a_file_that_is_gone_has_no_second_name(storage: StudyStorage) -> None:
    assert not storage.artifacts.has("gone")
    with pytest.raises(StorageError, match="gone is not in"):
        storage.artifacts.link("gone", "copy")


def test_an_entry_makes_a_study_own_a_file(storage: StudyStorage, study: optuna.Study) -> None:
    artifact = storage.artifacts.upload_bytes(b"swirls", study, file_name="sheet.png")
    (meta,) = artifact_metas(storage.optuna.get_study_system_attrs(study_id_of(study)))
    assert (meta.artifact_id, meta.filename, meta.mimetype) == (artifact, "sheet.png", "image/png")
    other = optuna.create_study(study_name="other", storage=storage.optuna)
    storage.artifacts.link(artifact, "copy")
    for key, entry in artifact_entry(meta, artifact_id="copy").items():
        storage.optuna.set_study_system_attr(study_id_of(other), key, entry)
    assert storage.artifacts.names(other) == {"copy": "sheet.png"}
    assert storage.artifacts.remove_all(other) == 1
    assert storage.artifacts.path_of(artifact).read_bytes() == b"swirls"


def test_a_written_artifact_replaces_what_was_there(storage: StudyStorage) -> None:
    storage.artifacts.write("sheet", b"old")
    storage.artifacts.write("sheet", b"new")
    assert storage.artifacts.path_of("sheet").read_bytes() == b"new"
