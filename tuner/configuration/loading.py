"""Loading a configuration: how flags, files and presets are laid over each other, and what is wrong with them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from pydantic import ValidationError

from groundwork.errors import YamlError
from groundwork.similar_names import did_you_mean
from groundwork.wrong_fields import describe_wrong_fields
from groundwork.yaml_files import parse_yaml, read_yaml
from tuner.configuration.finals import require_possible_final
from tuner.configuration.preset_files import list_presets, read_preset
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError

DEEPEST_SETTING: Final = 3
"""Levels of a setting's name: `data.held_out.rung`."""

LONGEST_VALUE: Final = 60
"""Characters of a value in a message."""


def load_config(source: str, *, overrides: Mapping[str, Any]) -> StudyConfig:
    """Read a configuration: flags over file over preset over defaults.

    Args:
        source: A preset's name, or the path of a YAML file (which may name a preset itself).
        overrides: Nested values from flags, only those that were given.

    Raises:
        ConfigError: The source does not exist, is no YAML, or has unknown keys or values of the wrong type or range; or
            a final is asked for, by flags or file, that there cannot be.
    """
    own: Mapping[str, Any] = {}
    if source.endswith((".yaml", ".yml")) or Path(source).is_file():
        own = values = _read_file(Path(source))
        preset = values.get("preset")
        if preset is not None:
            values = merge(_preset(str(preset)), values)
    else:
        values = _preset(source)
        values["preset"] = source
    config = validate_config(merge(values, overrides), source=source)
    require_possible_final(config, asked=merge(own, overrides), source=source)
    return config


def merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one nested mapping over another; a None replaces a value, but a section without content leaves it all."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = merge(below, value)
        elif value is not None or not isinstance(below, Mapping):
            merged[key] = value
    return merged


def given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of nested values what is None: a flag that was not given."""
    nested = {key: given(value) if isinstance(value, Mapping) else value for key, value in flags.items()}
    return {key: value for key, value in nested.items() if value is not None}


def validate_config(values: Mapping[str, Any], *, source: str) -> StudyConfig:
    """Check plain values against the fields of `StudyConfig`.

    Raises:
        ConfigError: One line for each field that is wrong: its name, its value, and what it must be.
    """
    try:
        return StudyConfig.model_validate(values)
    except ValidationError as error:
        lines = describe_wrong_fields(error, StudyConfig)
        raise ConfigError(f"Configuration `{source}`: " + "\n".join(lines)) from error


def parse_setting(text: str) -> dict[str, Any]:
    """Turn "network.width=8" into {"network": {"width": 8}}; the value is read as YAML.

    Raises:
        ConfigError: There is no "=", or it would set the preset, whose values are laid below the file's before.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ConfigError(f"`--set` must be name=value. Received {text!r}. Example: --set network.width=16")
    if name == "preset":
        raise ConfigError(f"`--set preset` comes too late. Name the preset first: styletuner study run {value} ...")
    parts = name.split(".")
    if len(parts) > DEEPEST_SETTING:
        raise ConfigError(f"`--set {name[:60]}` is no setting: names have at most {DEEPEST_SETTING} parts.")
    try:
        nested: Any = parse_yaml(value, name=f"The value of `--set {name}`")
    except YamlError as error:
        raise ConfigError(f"{error} Received {value[:LONGEST_VALUE]!r}.") from error
    for part in reversed(parts):
        nested = {part: nested}
    return cast("dict[str, Any]", nested)


def _preset(name: str) -> dict[str, Any]:
    known = list_presets()
    if name not in known:
        similar = did_you_mean(name, known, none="", listed=False)
        raise ConfigError(
            f"{name!r} is neither a preset nor a file. {similar}".rstrip()
            + f"\nPresets: {', '.join(known)}; a file's name ends in .yaml."
        )
    return read_preset(name)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = read_yaml(path)
    except YamlError as error:
        raise ConfigError(f"Configuration {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"Configuration {path} must be a mapping of settings. Received {_shortened(values)}.")
    return _relative_to(path.parent, cast("dict[str, Any]", values))


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _relative_to(folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Paths inside a file are relative to the file, not to where the command is run."""
    if isinstance(values.get("style"), str):
        values["style"] = str(folder / values["style"])
    photos = values.get("photos")
    if isinstance(photos, str):
        photos = [photos]
    if isinstance(photos, list):
        values["photos"] = [str(folder / photo) if isinstance(photo, str) else photo for photo in photos]
    return values
