import hashlib
from pathlib import Path

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial

from studies.errors import ExportError
from studies.preferences.content_ranking import rank_by_content
from studies.records.exported_config import read_exported
from studies.records.exports import export_config, write_exports
from studies.records.summaries import summarise
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, save_photo_quality

pytestmark = pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)

STYLE = b"a painting"
PHOTOS = ("photo-0", "photo-1")

PARTS = ((0.9, 0.2, 1.0), (0.6, 0.6, 1.0), (0.2, 0.9, 1.0), (0.5, 0.5, 1.0), (0.9, 0.9, 0.1))
"""Content preservation, style match and artefact factor of five trials; the first three are on the front."""


def fill(storage: StudyStorage, study: optuna.Study, *, parts: tuple[tuple[float, float, float], ...] = PARTS) -> None:
    """Complete trials whose two photos have these parts, but for a little that cancels, and a pruned trial."""
    study.set_user_attr("configuration", {"quality": {"content_exponent": 0.5}})
    study.set_user_attr("photos", {"rung": list(PHOTOS)})
    study.set_user_attr("judge_version", "1")
    study.set_user_attr("identity", {"style_sha256": hashlib.sha256(STYLE).hexdigest()})
    study.set_user_attr("style_image", storage.artifacts.upload_bytes(STYLE, study, file_name="style.jpg"))
    weights = {"weights": {"content": 0.5, "style": 0.4, "total_variation": 0.1}, "images_seen": 800}
    several = len(study.directions) > 1
    records = []
    for number, (content, style, factor) in enumerate(parts):
        quality = (content * style) ** 0.5 * factor
        values = [content * factor, style * factor] if several else [quality]
        attributes = {**weights, **({"rung_qualities": {"800": quality}} if several else {})}
        study.add_trial(create_trial(values=values, user_attrs=attributes))
        records += [
            PhotoQualityRecord(
                study_uuid=uuid_of(study),
                trial_number=number,
                rung=800,
                judge_version="1",
                photo_sha256=photo,
                quality=quality,
                content_preservation=content,
                style_match=style,
                artefact_factor=factor,
                terms={},
            )
            for photo in PHOTOS
        ]
    study.add_trial(create_trial(state=TrialState.PRUNED, user_attrs={**weights, "rung_qualities": {"320": 0.99}}))
    save_photo_quality(storage.engine, records)


@pytest.fixture
def front_study(storage: StudyStorage) -> optuna.Study:
    create_study(storage.optuna, "front", num_objectives=2)
    return storage.load_study("front", sampler=optuna.samplers.RandomSampler(seed=0))


@pytest.mark.parametrize(
    ("exponent", "order"), [(1.0, [0, 1, 2]), (0.75, [0, 1, 2]), (0.5, [1, 0, 2]), (0.25, [2, 1, 0]), (0.0, [2, 1, 0])]
)
def test_the_front_by_another_exponent(
    storage: StudyStorage, front_study: optuna.Study, exponent: float, order: list[int]
) -> None:
    fill(storage, front_study)
    qualities = rank_by_content(storage, summarise(storage, "front"), content_exponent=exponent)
    assert list(qualities) == order
    content, style, factor = PARTS[order[0]]
    assert qualities[order[0]] == pytest.approx(content**exponent * style ** (1 - exponent) * factor)


def test_at_its_own_exponent_it_is_the_judges_quality(storage: StudyStorage, front_study: optuna.Study) -> None:
    fill(storage, front_study)
    summary = summarise(storage, "front")
    qualities = rank_by_content(storage, summary, content_exponent=0.5)
    assert qualities == {trial.number: pytest.approx(trial.quality) for trial in summary.candidates()}


parts = st.tuples(st.floats(0.05, 1), st.floats(0.05, 1), st.floats(0.05, 1))


@given(trials=st.lists(parts, min_size=1, max_size=6), exponent=st.floats(0.01, 0.99))
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_complete_trial_is_better_than_the_preferred_one(
    storage: StudyStorage, trials: list[tuple[float, float, float]], exponent: float
) -> None:
    """Photos alike, nothing off the front is lost: the maximum over it is that over all trials."""
    name = f"study-{len(storage.study_names())}"
    study = create_study(storage.optuna, name, num_objectives=2)
    fill(storage, study, parts=tuple(trials))
    qualities = rank_by_content(storage, summarise(storage, name), content_exponent=exponent)
    best = max(content**exponent * style ** (1 - exponent) * factor for content, style, factor in trials)
    assert next(iter(qualities.values())) == pytest.approx(best)


def test_a_study_of_quality_ranks_all_complete_trials(storage: StudyStorage, study: optuna.Study) -> None:
    fill(storage, study)
    qualities = rank_by_content(storage, summarise(storage, "waves"), content_exponent=0.25)
    assert list(qualities) == [2, 1, 3, 0, 4]


def test_export_takes_the_front_by_the_studys_own_quality(storage: StudyStorage, front_study: optuna.Study) -> None:
    fill(storage, front_study)
    assert [content["trial"] for content in export_config(storage, "front", top=9)] == [1, 0, 2]


def test_export_follows_a_ranking(storage: StudyStorage, front_study: optuna.Study, tmp_path: Path) -> None:
    fill(storage, front_study)
    ranking = list(rank_by_content(storage, summarise(storage, "front"), content_exponent=0.0))
    paths = write_exports(storage, "front", tmp_path / "best.yaml", top=2, ranking=ranking)
    exported = [read_exported(path) for path in paths]
    assert [(config.trial, config.state) for config in exported] == [(2, "COMPLETE"), (1, "COMPLETE")]
    assert exported[0].quality == pytest.approx((0.2 * 0.9) ** 0.5)


def test_a_chosen_trial_may_be_off_the_front(storage: StudyStorage, front_study: optuna.Study) -> None:
    fill(storage, front_study)
    assert export_config(storage, "front", trial=3)[0]["trial"] == 3


@pytest.mark.parametrize("exponent", [-0.1, 1.1, float("nan")])
def test_an_exponent_outside_its_range(storage: StudyStorage, front_study: optuna.Study, exponent: float) -> None:
    fill(storage, front_study)
    with pytest.raises(ExportError, match=r"`content_exponent` must be in \[0, 1\]\. Received"):
        rank_by_content(storage, summarise(storage, "front"), content_exponent=exponent)


def test_nothing_to_rank(storage: StudyStorage, front_study: optuna.Study) -> None:
    with pytest.raises(ExportError, match="No trial of 'front' has finished yet"):
        rank_by_content(storage, summarise(storage, "front"), content_exponent=0.5)
    front_study.add_trial(create_trial(values=[0.5, 0.5], user_attrs={"rung_qualities": {"800": 0.5}}))
    with pytest.raises(ExportError, match="No trial of 'front' has the scores of its photos"):
        rank_by_content(storage, summarise(storage, "front"), content_exponent=0.5)


def test_export_follows_a_ranking_off_the_front(storage: StudyStorage, front_study: optuna.Study) -> None:
    """People may mind faults more than the judge does, and then like a trial best that the front leaves out."""
    fill(storage, front_study)
    summary = summarise(storage, "front")
    assert 3 not in {trial.number for trial in summary.candidates()}
    exported = export_config(storage, "front", top=2, ranking=[3, 1])
    assert [config["trial"] for config in exported] == [3, 1]
