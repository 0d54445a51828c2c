"""Remembers what the judge measures of a picture, so that a changed constant costs only what it touches."""

import hashlib
import pickle
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from models.pictures.images import Image
from objectives.judging import content_preservation, copying, judge, measuring, set_faults, style_match, style_reference
from objectives.judging import faults as artefacts
from objectives.judging.perceptual_network import PerceptualNetwork, PictureFeatures

MEASUREMENTS: Mapping[ModuleType | None, tuple[str, ...]] = {
    None: ("resize", "resize_short_side", "recolour", "match_histograms", "shuffle_tiles", "blurred", "grained"),
    artefacts: ("measure_levels",),
    set_faults: ("measure_set",),
    content_preservation: ("gradient_maps", "gradient_correlation"),
    copying: ("fine_detail", "copied_layout"),
    style_match: ("feature_quantiles", "colour_quantiles", "sharpness", "sharpened"),
}
"""Functions that the judge calls, by the module on whose constants they depend."""

CALLERS = (judge, measuring, style_reference)
"""The judge's modules that measure pictures."""


@contextmanager
def remembered(constants: Mapping[ModuleType, Collection[str]]) -> Iterator[dict[Any, Any]]:
    """While the block lasts, judges measure nothing twice under the same constants.

    Args:
        constants: Names of the constants that may change in the block, by module.

    Yields:
        The memory, for `forgotten_after`.
    """
    memory: dict[Any, Any] = {}
    targets: list[tuple[Any, str, ModuleType | None]] = [
        (caller, name, module)
        for module, names in MEASUREMENTS.items()
        for name in names
        for caller in CALLERS
        if hasattr(caller, name)
    ]
    targets.append((copying.StylePatches, "best_correlation", copying))
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in targets]
    before += [(PerceptualNetwork, name, getattr(PerceptualNetwork, name)) for name in ("features", "distance")]
    for owner, name, module in targets:
        setattr(owner, name, _remembering(getattr(owner, name), memory, module, constants.get(module, ())))
    PerceptualNetwork.features = _remembering_features(PerceptualNetwork.features, memory)
    PerceptualNetwork.distance = _remembering_distance(PerceptualNetwork.distance, memory)
    try:
        yield memory
    finally:
        for owner, name, function in before:
            setattr(owner, name, function)


@contextmanager
def forgotten_after(memory: dict[Any, Any]) -> Iterator[None]:
    """Forget after the block what was first measured in it, which else would fill gigabytes and never be asked for."""
    num_known = len(memory)
    try:
        yield
    finally:
        for key in list(memory)[num_known:]:
            del memory[key]


def _remembering(
    function: Callable[..., Any], memory: dict[Any, Any], module: ModuleType | None, constants: Collection[str]
) -> Callable[..., Any]:
    def remember(*arguments: Any, **options: Any) -> Any:
        values = tuple(str(getattr(module, name)) for name in constants)
        key = (function.__qualname__, values, _digest((arguments, options)))
        if key not in memory:
            memory[key] = function(*arguments, **options)
        return memory[key]

    return remember


def _remembering_features(function: Callable[..., Any], memory: dict[Any, Any]) -> Callable[..., Any]:
    def features(network: PerceptualNetwork, images: Sequence[Image]) -> list[PictureFeatures]:
        keys = [("features", _digest(image)) for image in images]
        missing = {key: image for key, image in zip(keys, images, strict=True) if key not in memory}
        memory.update(zip(missing, function(network, list(missing.values())), strict=True))
        return [memory[key] for key in keys]

    return features


def _remembering_distance(function: Callable[..., Any], memory: dict[Any, Any]) -> Callable[..., Any]:
    """What LPIPS compares of features lives as long as the memory, so that its identity names it."""

    def distance(network: PerceptualNetwork, first: PictureFeatures, second: PictureFeatures) -> float:
        key = ("distance", id(first.normalised), id(second.normalised))
        if key not in memory:
            memory[key] = function(network, first, second)
        return memory[key]

    return distance


def _digest(value: Any) -> bytes:
    return hashlib.blake2b(pickle.dumps(value, protocol=5), digest_size=16).digest()
