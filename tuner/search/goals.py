"""A study's goals, which it maximises: one quality, or content preservation and style match as a Pareto front.

Optuna calls them objectives, and so does the configuration; here that is a package, what a network is trained by.
"""

import warnings
from typing import Final

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning

from measures.quality import Quality
from tuner.configuration.field_types import Objectives

CONTENT: Final = "content"
STYLE: Final = "style"


def goal_names(objectives: Objectives) -> tuple[str, ...]:
    """Return the names of a study's goals, in the order of its trials' values."""
    return (CONTENT, STYLE) if objectives == "content_and_style" else ("quality",)


def goal_values(quality: Quality, objectives: Objectives) -> dict[str, float]:
    """Return how near a trial came to each goal, by name, each in [0, 1], higher is better.

    Content is the mean over photos of content preservation times artefact factor, style that of style match times
    artefact factor: a picture with faults gains on neither side.
    """
    if objectives == "quality":
        return {"quality": quality.quality}
    photos = quality.photos
    return {
        CONTENT: float(np.mean([photo.content_without_faults() for photo in photos])),
        STYLE: float(np.mean([photo.style_without_faults() for photo in photos])),
    }


def name_goals(study: optuna.Study, objectives: Objectives) -> None:
    """Have Optuna's plots and tables name the goals of a study that has several."""
    names = list(goal_names(objectives))
    if len(names) == 1 or study.metric_names == names:
        return
    with warnings.catch_warnings():
        # Names of metrics are marked experimental since Optuna 3.2.
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.set_metric_names(names)
