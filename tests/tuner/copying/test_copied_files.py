"""Files of a study kept a second time for another one, in a real storage."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest

from studies.storage.optuna_internals import ARTIFACTS_ATTR_PREFIX, study_id_of
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.copying.copied_files import FileCopier


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as made:
        yield made


@pytest.fixture
def source(storage: StudyStorage) -> optuna.Study:
    return create_study(storage.optuna, "waves")


def owned(storage: StudyStorage, study: optuna.Study) -> dict[str, object]:
    return storage.optuna.get_study_system_attrs(study_id_of(study))


def test_a_copy_has_names_and_content_under_ids_that_follow_from_the_old_ones(
    storage: StudyStorage, source: optuna.Study
) -> None:
    kept = storage.artifacts.upload_bytes(b"a sheet", source, file_name="sheet.png")
    storage.optuna.set_study_system_attr(study_id_of(source), "other", 7)
    target = create_study(storage.optuna, "tides")
    copier = FileCopier(storage, uuid_of(target))
    files = copier.copy(owned(storage, source), {"sheet": kept}, redrawn={})
    copy_id = str(uuid.uuid5(uuid.UUID(uuid_of(target)), kept))
    assert files.renamed({"sheet": kept, "lost": "gone"}) == {"sheet": copy_id}
    attributes = files.owned_beside(owned(storage, source))
    assert attributes.keys() == {"other", ARTIFACTS_ATTR_PREFIX + copy_id}
    for key, value in attributes.items():
        storage.optuna.set_study_system_attr(study_id_of(target), key, value)
    assert storage.artifacts.names(target) == {copy_id: "sheet.png"}
    storage.delete_study("waves")
    assert storage.artifacts.path_of(copy_id).read_bytes() == b"a sheet"


def test_done_again_it_changes_nothing(storage: StudyStorage, source: optuna.Study) -> None:
    kept = storage.artifacts.upload_bytes(b"a sheet", source, file_name="sheet.png")
    copier = FileCopier(storage, str(uuid.uuid4()))
    once = copier.copy(owned(storage, source), {"sheet": kept}, redrawn={})
    assert copier.copy(owned(storage, source), {"sheet": kept}, redrawn={}) == once
    assert len(list(storage.artifacts.path.iterdir())) == 2


def test_what_is_gone_is_left_out_and_what_is_redrawn_is_another(storage: StudyStorage, source: optuna.Study) -> None:
    kept = storage.artifacts.upload_bytes(b"a sheet", source, file_name="sheet.png")
    gone = storage.artifacts.upload_bytes(b"outputs", source, file_name="outputs.png")
    storage.artifacts.remove(gone)
    named = {"sheet": kept, "outputs": gone}
    files = FileCopier(storage, str(uuid.uuid4())).copy(owned(storage, source), named, redrawn={kept: b"another"})
    assert files.ids.keys() == {kept}
    assert storage.artifacts.path_of(files.ids[kept]).read_bytes() == b"another"
    assert storage.artifacts.path_of(kept).read_bytes() == b"a sheet"
