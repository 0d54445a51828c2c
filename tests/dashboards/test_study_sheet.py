import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from PIL import Image

from dashboards import study_sheet
from dashboards.contact_sheet import SheetRow
from dashboards.errors import SheetError
from dashboards.study_sheet import study_contact_sheet
from studies.records import attributes
from studies.records.summaries import summarise
from studies.storage.picture_strips import encode_strip
from studies.storage.study_storage import StudyStorage

RED, GREEN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def _pictures(colour: tuple[float, float, float]) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.float32), (2, 16, 16, 3))


@pytest.fixture
def storage(tmp_path: Path) -> StudyStorage:
    return StudyStorage.create(str(tmp_path / "studies.db"))


def _study(storage: StudyStorage) -> optuna.Study:
    study = optuna.create_study(storage=storage.optuna, study_name="s", direction="maximize")
    study.set_user_attr(attributes.PHOTOS, {"rung": ["a", "b"]})
    return study


def test_sheet_shows_the_better_trial_above_the_worse(storage: StudyStorage) -> None:
    study = _study(storage)
    photos = storage.artifacts.upload_bytes(encode_strip(_pictures((0, 0, 0))), study, file_name="rung_photos.png")
    study.set_user_attr(attributes.RUNG_PHOTOS, photos)
    study.set_user_attr(attributes.STYLE_IMAGE, photos)

    def objective(trial: optuna.Trial) -> float:
        colour = RED if trial.number == 0 else GREEN
        strip = storage.artifacts.upload_bytes(encode_strip(_pictures(colour)), trial, file_name="outputs.png")
        trial.set_user_attr(attributes.PICTURES, {"outputs": strip})
        trial.set_user_attr(attributes.WEIGHTS, {"content": 0.5, "style": 0.4, "total_variation": 0.1})
        return 0.2 if trial.number == 0 else 0.8

    study.optimize(objective, n_trials=2)

    sheet = np.asarray(Image.open(io.BytesIO(study_contact_sheet(storage, summarise(storage, "s")))))
    first_red = np.argwhere((sheet == (255, 0, 0)).all(axis=2))[0][0]
    first_green = np.argwhere((sheet == (0, 255, 0)).all(axis=2))[0][0]
    assert first_green < first_red


def test_study_without_pictures_is_an_error(storage: StudyStorage) -> None:
    _study(storage)

    with pytest.raises(SheetError, match="no pictures yet"):
        study_contact_sheet(storage, summarise(storage, "s"))


def test_rows_of_two_objectives_say_what_is_on_the_front(
    storage: StudyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(storage=storage.optuna, study_name="s", directions=["maximize", "maximize"])
    photos = storage.artifacts.upload_bytes(encode_strip(_pictures(RED)), study, file_name="rung_photos.png")
    known = {attributes.PHOTOS: {"rung": ["a", "b"]}, attributes.RUNG_PHOTOS: photos, attributes.STYLE_IMAGE: photos}
    for key, value in known.items():
        study.set_user_attr(key, value)
    weights = {attributes.WEIGHTS: {"content": 0.5, "style": 0.4, "total_variation": 0.1}}
    for values, quality in (([0.2, 0.9], 0.4), ([0.5, 0.5], 0.5), ([0.4, 0.4], 0.3)):
        noted = {**weights, attributes.RUNG_QUALITIES: {"16": quality}}
        study.add_trial(optuna.trial.create_trial(values=values, user_attrs=noted))
    drawn: list[SheetRow] = []

    def contact_sheet(*arguments: Any, **_: Any) -> bytes:
        drawn.extend(arguments[2])
        return b""

    monkeypatch.setattr(study_sheet, "contact_sheet", contact_sheet)
    study_contact_sheet(storage, summarise(storage, "s"))
    assert [(row.number, row.note) for row in drawn] == [(1, "on the front"), (0, "on the front"), (2, "")]


def test_rows_of_complete_trials_say_what_ties_and_what_lowered_the_quality(
    storage: StudyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = optuna.create_study(storage=storage.optuna, study_name="s", direction="maximize")
    photos = storage.artifacts.upload_bytes(encode_strip(_pictures(RED)), study, file_name="rung_photos.png")
    known = {attributes.PHOTOS: {"rung": ["a", "b"]}, attributes.RUNG_PHOTOS: photos, attributes.STYLE_IMAGE: photos}
    for key, value in known.items():
        study.set_user_attr(key, value)
    reasons = [{"name": "content", "text": "over-stylised: content 0.21", "cost": 0.2}]
    for quality in (0.5, 0.49, 0.2):
        study.add_trial(optuna.trial.create_trial(value=quality, user_attrs={attributes.LOWERED_BY: reasons}))
    study.add_trial(
        optuna.trial.create_trial(
            state=optuna.trial.TrialState.PRUNED,
            intermediate_values={8: 0.1},
            user_attrs={attributes.LOWERED_BY: reasons, attributes.IMAGES_SEEN: 8},
        )
    )
    drawn: list[SheetRow] = []

    def contact_sheet(*arguments: Any, **_: Any) -> bytes:
        drawn.extend(arguments[2])
        return b""

    monkeypatch.setattr(study_sheet, "contact_sheet", contact_sheet)
    study_contact_sheet(storage, replace(summarise(storage, "s"), tied_with_best=(1,)))
    reason = "over-stylised: content 0.21"
    assert [row.note for row in drawn] == [reason, "tied with the best", reason, "after 8 images"]


@pytest.mark.parametrize("num_objectives", [1, 2])
def test_a_sheet_of_many_trials_has_the_best_rows_and_counts_the_others(
    storage: StudyStorage, monkeypatch: pytest.MonkeyPatch, num_objectives: int
) -> None:
    """With two objectives the worst trial by quality is the one on the front, next to the best."""
    study = optuna.create_study(storage=storage.optuna, study_name="s", directions=["maximize"] * num_objectives)
    photos = storage.artifacts.upload_bytes(encode_strip(_pictures(RED)), study, file_name="rung_photos.png")
    known = {attributes.PHOTOS: {"rung": ["a", "b"]}, attributes.RUNG_PHOTOS: photos, attributes.STYLE_IMAGE: photos}
    for key, value in known.items():
        study.set_user_attr(key, value)
    for number in range(9):
        quality = 0.9 - number / 10
        values = [quality, 1.0 if number == 8 else quality][:num_objectives]
        study.add_trial(
            optuna.trial.create_trial(values=values, user_attrs={attributes.RUNG_QUALITIES: {"16": quality}})
        )
    drawn: list[SheetRow] = []
    subtitles: list[str] = []

    def contact_sheet(*arguments: Any, subtitle: str, **_: Any) -> bytes:
        drawn.extend(arguments[2])
        subtitles.append(subtitle)
        return b""

    monkeypatch.setattr(study_sheet, "contact_sheet", contact_sheet)
    monkeypatch.setattr(study_sheet, "MAX_ROWS", 4)
    study_contact_sheet(storage, summarise(storage, "s"))
    assert [row.number for row in drawn] == ([0, 1, 2, 3] if num_objectives == 1 else [0, 1, 2, 8])
    assert subtitles == ["9 trials, best first, 5 of them left out"]
