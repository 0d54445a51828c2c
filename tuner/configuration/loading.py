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
from tuner.configuration.style_files import find_styles, name_within
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
    values = read_settings(source, overrides=overrides)
    style = values.get("style")
    if isinstance(style, list) and len(style) > 1:
        raise ConfigError(
            f"Configuration `{source}`: `style` names {len(style)} pictures where one is wanted. "
            "`styletuner study run` alone takes several."
        )
    config = validate_config(
        {**values, "style": style[0]} if isinstance(style, list) and style else values, source=source
    )
    require_possible_final(config, asked=_asked(source, overrides), source=source)
    return config


def load_styles(source: str, *, overrides: Mapping[str, Any]) -> tuple[StudyConfig, ...]:
    """Read a configuration of one style image or of several: a file, a list, a folder or a pattern such as `*.jpg`.

    Args:
        source: As for `load_config`.
        overrides: As for `load_config`; the style image may be a list.

    Returns:
        A configuration for each picture, in the order in which they are named; the same but for that.

    Raises:
        ConfigError: As `load_config`; or a folder or pattern has no pictures, or a file is in it that cannot be read.
    """
    values = read_settings(source, overrides=overrides)
    named = values.get("style")
    if not (
        isinstance(named, str) or (isinstance(named, list) and named and all(isinstance(name, str) for name in named))
    ):
        configs: tuple[StudyConfig, ...] = (validate_config(values, source=source),)
    else:
        paths = find_styles([named] if isinstance(named, str) else named)
        configs = tuple(validate_config({**values, "style": str(path)}, source=source) for path in paths)
    for config in configs:
        require_possible_final(config, asked=_asked(source, overrides), source=source)
    return configs


def read_settings(source: str, *, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a configuration has, not checked yet: flags over file over preset.

    Args:
        source: As for `load_config`.
        overrides: As for `load_config`.

    Raises:
        ConfigError: The source does not exist or is no YAML.
    """
    if _is_file(source):
        values = _read_file(Path(source))
        preset = values.get("preset")
        if preset is not None:
            values = merge(_preset(str(preset)), values)
    else:
        values = _preset(source)
        values["preset"] = source
    return merge(values, overrides)


def _asked(source: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of file and flags, without those of the preset."""
    return merge(_read_file(Path(source)) if _is_file(source) else {}, overrides)


def _is_file(source: str) -> bool:
    return source.endswith((".yaml", ".yml")) or Path(source).is_file()


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
    style = values.get("style")
    if isinstance(style, str):
        values["style"] = name_within(folder, style)
    elif isinstance(style, list):
        values["style"] = [name_within(folder, picture) if isinstance(picture, str) else picture for picture in style]
    photos = values.get("photos")
    if isinstance(photos, str):
        photos = [photos]
    if isinstance(photos, list):
        values["photos"] = [str(folder / photo) if isinstance(photo, str) else photo for photo in photos]
    return values
