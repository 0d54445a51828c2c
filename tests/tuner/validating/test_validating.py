"""What is found before the first long run rather than after the last."""

import pytest

from measures.versions import JUDGE_VERSION
from studies.errors import StorageError
from studies.records.study_record import StudyRecord
from studies.storage.study_storage import StudyStorage
from tests.tuner.tiny_study import NAME
from tuner.validating import validating
from tuner.validating.plan import ValidationRequest
from tuner.validating.validating import ValidatingObserver, validate_study

SILENT = ValidatingObserver(say=lambda _: None, on_images=lambda *_: None)


@pytest.mark.parametrize("picture", ["rung_photos", "style_picture"])
def test_a_picture_of_the_sheet_that_is_gone(
    picture: str, scored: StudyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validating, "_train", lambda *_, **__: pytest.fail("trained"))
    record = StudyRecord.parse(scored.read_study(NAME).user_attrs)
    scored.artifacts.path_of(getattr(record, picture)).unlink()
    with pytest.raises(StorageError, match=r"Put the folder back|Restore the folder"):
        validate_study(scored, ValidationRequest(name=NAME), judge_version=JUDGE_VERSION, observer=SILENT)
