"""What makes a scout that scout, and what a study must share with it."""

from collections.abc import Mapping
from typing import Any, Final

from measures.ratio_space import RatioSpace
from tuner.configuration.field_types import holds
from tuner.configuration.identity import defining_values, digest
from tuner.configuration.settings import StudyConfig
from tuner.errors import ScoutError

SHARED_SECTIONS: Final = ("network", "loss", "data", "seed")
"""Of the configuration: what a scout sees and is. A study's trials, its sampler, pruner and rungs are their own."""


def space_of(config: StudyConfig) -> RatioSpace:
    """Return the ranges that the study searches: what its scout knows."""
    return RatioSpace(style_to_content=config.search.style_to_content, tv_to_content=config.search.tv_to_content)


def scout_identity(config: StudyConfig, pictures: Mapping[str, str]) -> str:
    """Return what a scout's training must share with one that it goes on from; the number of images may grow.

    Args:
        config: With the scout's section.
        pictures: Hashes of its pictures, as `StudyPictures.identity` gives them.
    """
    training = config.scout.model_dump(mode="json", exclude={"images", "suggestions", "checkpoint_every"})
    precision = config.training.precision
    return digest(
        {**_shared(config), "space": space_of(config).to_dict(), "scout": training, "precision": precision, **pictures}
    )


def require_fitting(
    scout: StudyConfig,
    scout_pictures: Mapping[str, str],
    study: StudyConfig,
    study_pictures: Mapping[str, str],
    *,
    owner: str,
) -> None:
    """See that what a scout knows is what a study asks.

    Args:
        scout: The configuration that the scout was trained with.
        scout_pictures: Hashes of the pictures that it was trained with.
        study: The study's configuration.
        study_pictures: Hashes of the study's pictures.
        owner: The scout, as a sentence begins with it: "Scout waves.scout.keras".

    Raises:
        ScoutError: It was trained with other pictures, another network, loss, crops or seed, or not for all of the
            study's ranges; names the first of these.
    """
    advice = "Train one for this study: styletuner scout train"
    for key, what in (("style_sha256", "another style image"), ("photos_digest", "other photos")):
        if scout_pictures.get(key) != study_pictures.get(key):
            raise ScoutError(f"{owner} was trained with {what}. {advice}")
    theirs, ours = _shared(scout), _shared(study)
    for section in SHARED_SECTIONS:
        if theirs[section] != ours[section]:
            name, before, now = _first_difference(section, theirs[section], ours[section])
            raise ScoutError(f"{owner} was trained with `{name}` {before}; the study has {now}. {advice}")
    for name, known in space_of(scout).to_dict().items():
        wanted = space_of(study).to_dict()[name]
        if not all(holds(known, end) for end in wanted):
            raise ScoutError(
                f"{owner} was trained for `{name}` from {known[0]:g} to {known[1]:g}; the study searches "
                f"{wanted[0]:g} to {wanted[1]:g}. {advice}"
            )


def _shared(config: StudyConfig) -> dict[str, Any]:
    values = defining_values(config)
    return {section: values[section] for section in SHARED_SECTIONS}


def _first_difference(name: str, theirs: Any, ours: Any) -> tuple[str, Any, Any]:
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        for key in ours:
            if theirs.get(key) != ours[key]:
                return _first_difference(f"{name}.{key}", theirs.get(key), ours[key])
    return name, theirs, ours
