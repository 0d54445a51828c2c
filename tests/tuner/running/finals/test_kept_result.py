"""A final that fails, or is interrupted, takes nothing from the search before it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast, final

import pytest
from optuna.trial import create_trial

from measures.versions import JUDGE_VERSION
from studies.errors import StudyError
from studies.records.exported_config import read_exported
from studies.records.final import StudyFinal
from studies.records.study_record import StudyRecord
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from tests.tuner.tiny_study import NAME
from tuner.configuration.loading import load_config
from tuner.running import run_study
from tuner.running.finals.final import begin_final
from tuner.running.observer import SilentObserver
from tuner.running.study_run import StudyRun
from tuner.search.study_pictures import StudyPictures


@pytest.fixture
def searched(tmp_path: Path) -> Iterator[StudyRun]:
    """A study of three complete trials, the second the best, whose pictures nobody looks at."""
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as storage:
        study = create_study(storage.optuna, NAME, num_objectives=1)
        study.set_user_attr("judge_version", JUDGE_VERSION)
        study.set_user_attr("configuration", {"seed": 0})
        study.set_user_attr("style_image", storage.artifacts.upload_bytes(b"a painting", study, file_name="waves.jpg"))
        for quality in (0.4, 0.6, 0.5):
            weights = {"content": quality, "style": 0.9 - quality, "total_variation": 0.1}
            study.add_trial(create_trial(value=quality, user_attrs={"weights": weights, "images_seen": 800}))
        config = load_config("quick", overrides={"search": {"finalists": 2}})
        yield StudyRun(storage=storage, uuid=uuid_of(study), config=config, pictures=cast("StudyPictures", None))


@final
class Told(SilentObserver):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def end_by(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(run_study, "run_final", fail)
    monkeypatch.setattr(run_study, "study_contact_sheet", lambda *_: b"sheet")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StudyError("The starter is gone.\nMore."), "The starter is gone."),
        (RuntimeError("out of memory"), "RuntimeError: out of memory"),
    ],
)
def test_a_final_that_fails_leaves_the_searchs_result(
    error: Exception, reason: str, searched: StudyRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    end_by(monkeypatch, error)
    told = Told()
    result = run_study._with_final(searched, told, output=tmp_path / "out")
    assert result.final_error == reason
    assert result.summary.best is not None
    assert result.summary.best.number == read_exported(result.exports[0]).trial == 1
    (line,) = told.lines
    assert line.startswith(f"The final failed, and what the search found stands: {reason} ")
    assert "--finalists 1" in line
    assert "\n" not in line


def test_an_interrupt_within_the_final_comes_after_the_searchs_result_is_written(
    searched: StudyRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    end_by(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run_study._with_final(searched, Told(), output=tmp_path / "out")
    assert read_exported(tmp_path / "out" / f"{NAME}.yaml").trial == 1
    assert (tmp_path / "out" / f"{NAME}.png").exists()


def test_finalists_are_kept_before_they_are_trained(searched: StudyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    end_by(monkeypatch, StudyError("Gone."))
    run_study._with_final(searched, Told(), output=None)
    kept = _final(searched)
    assert kept is not None
    assert kept.wanted == (1, 2)


def test_no_finalists_end_a_final_that_was_begun(searched: StudyRun) -> None:
    begin_final(searched)
    none = searched.config.model_copy(update={"search": searched.config.search.model_copy(update={"finalists": 1})})
    assert begin_final(replace(searched, config=none)) is None
    kept = _final(searched)
    assert kept is not None
    assert (kept.wanted, kept.missing) == ((), ())
    again = begin_final(searched)
    assert again is not None
    assert again.wanted == (1, 2)


def _final(run: StudyRun) -> StudyFinal | None:
    return StudyRecord.parse(run.storage.read_by_uuid(run.uuid).user_attrs).final
