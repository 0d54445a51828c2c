"""Types of the configuration's values, each with its bounds: a typo ends in a message, not in terabytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from groundwork.similar_names import did_you_mean
from measures.published_trainers import TRAINERS
from measures.style_tilt import MAX_TILT

LARGEST_RATIO: Final = 1e6
"""Of two loss weights, either way round: Adam in float32 does not see a term that is a millionth of another."""

MIN_SIDE: Final = 32
MAX_SIDE: Final = 4096
"""Pixels of a side of anything: a VGG's features of one such picture take 4 GB."""

MAX_RUNGS: Final = 100
MAX_LAYERS: Final = 16
"""VGG-19 has sixteen convolutions."""

MAX_PHOTO_PATHS: Final = 5000
"""They are stored and exported with the study; a folder is one path."""

MAX_GRID_RANGES: Final = 4
"""Both ratios, the tilt and the learning rate."""

MAX_GRID_POINTS: Final = 1000
"""Of one range: a grid over both then has as many as a study may have trials."""

FEWEST_CHOICES: Final = 2
MAX_CHOICES: Final = 32
"""Of one dimension: more than a study has trials for."""

_RANGE_SLACK: Final = 1e-9
"""A weight ratio at the very end of its range may be off by rounding."""


def holds(limits: tuple[float, float], ratio: float) -> bool:
    """Return whether a range of weight ratios has a ratio in it, its ends included."""
    low, high = limits
    return low * (1 - _RANGE_SLACK) <= ratio <= high * (1 + _RANGE_SLACK)


def _refuse_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004  Pydantic takes no TypeError
    return value


def _check_range(values: tuple[float, float]) -> tuple[float, float]:
    low, high = values
    if not 0 < low < high:
        raise ValueError("must be two positive numbers, the smaller first")
    if low < 1 / LARGEST_RATIO or high > LARGEST_RATIO:
        raise ValueError(f"must lie within {1 / LARGEST_RATIO:g} to {LARGEST_RATIO:g}")
    return values


def _check_tilts(values: tuple[float, float]) -> tuple[float, float]:
    low, high = values
    if not -MAX_TILT <= low < high <= MAX_TILT:
        raise ValueError(f"must be two numbers from {-MAX_TILT:g} to {MAX_TILT:g}, the smaller first")
    # -0.0 is another number to JSON alone, and so to a study's name.
    return low + 0.0, high + 0.0


def _check_rates(values: tuple[float, float]) -> tuple[float, float]:
    low, high = values
    if not 0 < low < high < 1:
        raise ValueError("must be two numbers above 0 and below 1, the smaller first")
    return values


def _check_sizes(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) < FEWEST_CHOICES:
        raise ValueError("must be two sizes or more; leave it out to have one size")
    return tuple(sorted(set(values)))


def _check_rungs(values: tuple[float, ...]) -> tuple[float, ...]:
    if list(values) != sorted(set(values)) or values[-1] != 1 or values[0] <= 0:
        raise ValueError("must be rising fractions of the run, above 0, the last of them 1")
    return values


def _check_weights(values: tuple[float, float, float]) -> tuple[float, float, float]:
    content, style, variation = values
    if content <= 0 or min(style, variation) < 0 or max(style, variation) > content * LARGEST_RATIO:
        raise ValueError(
            "must be weights of content (above 0), style and total variation (0 or more), the latter two at most "
            f"{LARGEST_RATIO:,.0f} times the first"
        )
    return values


def _check_path(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("must be a path without a NUL")
    return path


def _one_or_more(value: Any) -> Any:
    """A single path is a list of one."""
    return [value] if isinstance(value, str | Path) else value


def _check_names(values: Sequence[str]) -> Sequence[str]:
    if not all(values):
        raise ValueError("must name layers, such as relu3_1")
    return values


def _check_trainer(name: str) -> str:
    if name not in TRAINERS:
        similar = did_you_mean(name, TRAINERS, none="", listed=False)
        raise ValueError(
            f"`loss.trainer` must be one of {', '.join(TRAINERS)}. {similar} ".replace("  ", " ") + f"Received {name!r}"
        )
    return name


def _check_switch(value: Any) -> Any:
    if value not in (True, False, "auto") or (isinstance(value, int | float) and not isinstance(value, bool)):
        raise ValueError("must be auto, true or false")
    return value


Number = Annotated[float, BeforeValidator(_refuse_bool)]
Whole = Annotated[int, BeforeValidator(_refuse_bool)]
Side = Annotated[Whole, Field(ge=MIN_SIDE, le=MAX_SIDE)]
CropSide = Annotated[Side, Field(multiple_of=4)]
"""The style network halves a picture twice and doubles it twice: only a side of whole fours comes back as it was."""
"""Pixels."""
PositiveRange = Annotated[tuple[Number, Number], AfterValidator(_check_range)]
Rungs = Annotated[tuple[Number, ...], Field(min_length=1, max_length=MAX_RUNGS), AfterValidator(_check_rungs)]
GridPoints = Annotated[
    tuple[Annotated[Whole, Field(ge=1, le=MAX_GRID_POINTS)], ...], Field(min_length=2, max_length=MAX_GRID_RANGES)
]
Tilt = Annotated[Number, Field(ge=-MAX_TILT, le=MAX_TILT)]
TiltRange = Annotated[tuple[Number, Number], AfterValidator(_check_tilts)]
RateRange = Annotated[tuple[Number, Number], AfterValidator(_check_rates)]
StyleSizes = Annotated[tuple[Side, ...], Field(max_length=MAX_CHOICES), AfterValidator(_check_sizes)]
"""In pixels; rising, each once."""
Weights = Annotated[tuple[Number, Number, Number], AfterValidator(_check_weights)]
Layers = Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_LAYERS), AfterValidator(_check_names)]
PathValue = Annotated[Path, AfterValidator(_check_path)]
Paths = Annotated[tuple[PathValue, ...], Field(max_length=MAX_PHOTO_PATHS), BeforeValidator(_one_or_more)]
Switch = Annotated[bool | Literal["auto"], BeforeValidator(_check_switch)]
Trainer = Annotated[str, AfterValidator(_check_trainer)]
Objectives = Literal["quality", "content_and_style"]
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
