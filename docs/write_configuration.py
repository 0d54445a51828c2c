"""Write docs/configuration.md from the configuration's fields: `python docs/write_configuration.py`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from tuner.configuration.preset_files import list_presets, read_preset
from tuner.configuration.settings import StudyConfig

PAGE = Path(__file__).with_name("configuration.md")

HEAD = """# Configuration

Written by `python docs/write_configuration.py` from `tuner/configuration/` and the presets; a test holds it to them.

A study takes its settings from flags, over a YAML file, over the preset that it names, over these defaults. A dot in a
name is a level of the file: `network.width` is `network: {width: ...}`, or `--set network.width=24` as a flag.

`null` takes back what a preset says: the setting is its default again, or none where that means something (`preset`,
`style`, `loss.source`, `search.baseline`). A study is known by what its settings say, not by how: a default that is
written out, layers in another order, a multiple of the baseline, or rungs of the same images resume the same study.
"""


def page() -> str:
    """Return the page's text."""
    presets = {name: read_preset(name) for name in list_presets()}
    heads = ["setting", "meaning", "default", *presets]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, field in _fields(StudyConfig):
        cells = [f"`{name}`", field.description or "", _shown(field.get_default(call_default_factory=True))]
        cells += [_shown(_value(preset, name)) for preset in presets.values()]
        lines.append(f"| {' | '.join(cells)} |")
    return HEAD + "\n" + "\n".join(lines) + "\n"


def _fields(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def _value(preset: dict[str, Any], name: str) -> Any:
    value: Any = preset
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return ""
        value = value[part]
    return value


def _shown(value: Any) -> str:
    if value == "":
        return ""
    if isinstance(value, tuple):
        value = list(value)
    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
