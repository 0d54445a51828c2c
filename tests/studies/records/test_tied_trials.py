import optuna
import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import create_trial

from measures.ties import standard_error
from studies.records.summaries import summarise
from studies.records.tied_trials import tied_with
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, save_photo_quality
from tests.studies.waves import WAVES

NAME = "waves"
PHOTOS = ("a", "b", "c", "d")


def keep(storage: StudyStorage, trial: int, qualities: dict[str, float], *, rung: int = 80, version: str = "2") -> None:
    records = [
        PhotoQualityRecord(
            study_uuid=WAVES,
            trial_number=trial,
            rung=rung,
            judge_version=version,
            photo_sha256=photo,
            quality=quality,
            content_preservation=0.5,
            style_match=0.5,
            artefact_factor=1.0,
            terms={},
        )
        for photo, quality in qualities.items()
    ]
    save_photo_quality(storage.engine, records)


def ties(storage: StudyStorage, others: list[int], photos: tuple[str, ...] = PHOTOS) -> tuple[int, ...]:
    return tied_with(storage.engine, WAVES, 0, others=others, photos=photos, judge_version="2")


def of(*qualities: float) -> dict[str, float]:
    return dict(zip(PHOTOS, qualities, strict=True))


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=12))
def test_standard_error_is_that_of_the_bootstrap(values: list[float]) -> None:
    """All samples with replacement have exactly this variance of their mean, but for n / (n - 1)."""
    count = len(values)
    mean = sum(values) / count
    exact = (sum((value - mean) ** 2 for value in values) / count / count) ** 0.5
    assert standard_error(values) == pytest.approx(exact * (count / (count - 1)) ** 0.5, abs=1e-12)


def test_ties_by_hand(storage: StudyStorage) -> None:
    """Differences of 1: 0, .1, 0, .1, mean .05, error .029; of 2: .2, -.2, .1, 0, mean .025, error .085."""
    keep(storage, 0, of(0.5, 0.6, 0.7, 0.8))
    keep(storage, 1, of(0.5, 0.5, 0.7, 0.7))
    keep(storage, 2, of(0.3, 0.8, 0.6, 0.8))
    keep(storage, 3, of(0.5, 0.6, 0.7, 0.8))
    assert ties(storage, [3, 2, 1]) == (2, 3)


def test_the_last_rung_and_the_same_judge_count(storage: StudyStorage) -> None:
    keep(storage, 0, of(0.5, 0.6, 0.7, 0.8))
    keep(storage, 1, of(0.5, 0.6, 0.7, 0.8), rung=40)
    keep(storage, 1, of(0.1, 0.1, 0.1, 0.1), rung=80)
    keep(storage, 2, of(0.1, 0.1, 0.1, 0.1), rung=40)
    keep(storage, 2, of(0.5, 0.6, 0.7, 0.8), rung=80)
    keep(storage, 3, of(0.5, 0.6, 0.7, 0.8), version="1")
    assert ties(storage, [1, 2, 3]) == (2,)


def test_only_the_photos_that_rank_count(storage: StudyStorage) -> None:
    """Calibration photos are scored as well, and a trial may lack some photo."""
    keep(storage, 0, {**of(0.5, 0.6, 0.7, 0.8), "calibration": 0.9})
    keep(storage, 1, {**of(0.5, 0.6, 0.7, 0.8), "calibration": 0.1})
    keep(storage, 2, {"a": 0.5, "b": 0.6, "c": 0.7})
    assert ties(storage, [1, 2]) == (1,)
    assert ties(storage, [1, 2], photos=("a",)) == (), "one photo has no standard error"
    assert tied_with(storage.engine, WAVES, 9, others=[1], photos=PHOTOS, judge_version="2") == ()


def test_a_database_that_is_not_ours_has_no_ties() -> None:
    engine = sqlalchemy.create_engine("sqlite://")
    assert tied_with(engine, WAVES, 0, others=[1], photos=PHOTOS, judge_version="2") == ()


def test_the_summary_has_them(storage: StudyStorage, study: optuna.Study) -> None:
    study.set_user_attr("photos", {"rung": list(PHOTOS)})
    study.set_user_attr("judge_version", "2")
    for number, quality in enumerate((0.6, 0.65, 0.2)):
        study.add_trial(create_trial(value=quality))
        keep(storage, number, of(quality + 0.1, quality - 0.1, quality + (-0.2 if number else 0.2), quality))
    summary = summarise(storage, NAME)
    assert summary.best is not None
    assert (summary.best.number, summary.tied_with_best) == (1, (0,))
    assert summary.as_dict()["tied_with_best"] == [0]


def test_many_trials_take_one_statement_of_few_columns(storage: StudyStorage) -> None:
    for trial in range(20):
        keep(storage, trial, of(0.1, 0.1, 0.1, 0.1), rung=40)
        keep(storage, trial, of(0.5, 0.6, 0.7, 0.8), rung=80)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sqlalchemy.event.listen(storage.engine, "before_cursor_execute", note)
    assert ties(storage, list(range(1, 20))) == tuple(range(1, 20))
    sqlalchemy.event.remove(storage.engine, "before_cursor_execute", note)
    (about_scores,) = [statement for statement in statements if "photo_quality.quality" in statement]
    assert "terms" not in about_scores
