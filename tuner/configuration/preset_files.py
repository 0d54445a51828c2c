"""Presets: configurations that come with the package, as plain values."""

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, cast

from groundwork.similar_names import did_you_mean
from groundwork.yaml_files import parse_yaml
from tuner.errors import PresetError

_SUFFIX = ".yaml"


def list_presets() -> list[str]:
    """Names of all presets, sorted."""
    names = [entry.name for entry in _folder().iterdir()]
    return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))


def read_preset(name: str) -> dict[str, Any]:
    """A preset's values, nested as in its file; unchecked.

    Raises:
        PresetError: If there is none of that name; names the most similar one.
    """
    known = list_presets()
    if name not in known:
        raise PresetError(
            f"`preset` must be one of {', '.join(known)}. Received {name!r}. "
            + did_you_mean(name, known, none="The package has none: install it again.")
        )
    text = (_folder() / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
    return cast("dict[str, Any]", parse_yaml(text, name=f"Preset {name}"))


def _folder() -> Traversable:
    return resources.files("tuner.configuration") / "presets"
