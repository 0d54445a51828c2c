"""Reads `quality_split.yaml`: which pictures the judge was tuned on, and which it is reported on."""

from pathlib import Path

from groundwork.yaml_files import read_yaml

SPLIT = Path(__file__).with_name("quality_split.yaml")


def read_split() -> dict[str, dict]:
    """Return the two halves, `tune` and `report`, and what both share."""
    return read_yaml(SPLIT)
