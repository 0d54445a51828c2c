"""The table `faults` of `benchmarks/quality.py`: what a frame, a strip or a woven texture costs an acceptable output.

All of them are plain to see and spoil little: a frame is trimmed in a second, a faint weave looks like canvas. They
should cost something like the share of the picture that they cover.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from quality_pictures import PictureSet
from quality_tables import judge_of, print_row

from models.pictures.images import Image

FRAME_SHARE = 10 / 640
"""Of the shorter side: the strip that halved an output's quality by judge version 3."""

COLOURS = {"black": (0.0, 0.0, 0.0), "grey": (0.5, 0.5, 0.5), "white": (1.0, 1.0, 1.0), "red": (0.8, 0.1, 0.1)}
ALL_SIDES = ("top", "bottom", "left", "right")

WEAVE_PERIOD = 6
"""Pixels, about what networks with two strided convolutions paint into plain areas."""

Draw = Callable[[Image], Image]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something drawn over an output; `on_photos` says that the photo shows it too, so that it is no fault."""

    name: str
    draw: Draw
    on_photos: bool = False

    def covered(self, picture: Image) -> float:
        """Share of the picture that it changes, a texture all of it."""
        # Grey of one third is none of the frames' colours.
        return float(np.any(self.draw(np.full_like(picture, 1 / 3)) != np.float32(1 / 3), axis=2).mean())


def drawn_faults() -> Iterator[Fault]:
    """Frames, strips and weaves, and a frame that follows the photo's own."""
    for colour in COLOURS:
        yield Fault(name=f"frame, 10 of 640 px, {colour}", draw=_frame(colour))
    for times in (2, 4):
        yield Fault(name=f"frame, {10 * times} of 640 px, white", draw=_frame("white", share=times * FRAME_SHARE))
    for side, colour in zip(ALL_SIDES, COLOURS, strict=True):
        yield Fault(name=f"strip at the {side}, 10 of 640 px, {colour}", draw=_frame(colour, sides=(side,)))
    for colour in ("black", "white"):
        name = f"frame, 10 of 640 px, {colour}, the photo's own"
        yield Fault(name=name, draw=_frame(colour), on_photos=True)
    for amplitude in (0.01, 0.02, 0.04):
        yield Fault(name=f"weave, amplitude {amplitude:g}", draw=_weave(amplitude))


def _frame(colour: str, *, share: float = FRAME_SHARE, sides: tuple[str, ...] = ALL_SIDES) -> Draw:
    def draw(picture: Image) -> Image:
        width = max(1, round(share * min(picture.shape[:2])))
        strips = {
            "top": np.s_[:width],
            "bottom": np.s_[-width:],
            "left": np.s_[:, :width],
            "right": np.s_[:, -width:],
        }
        framed = picture.copy()
        for side in sides:
            framed[strips[side]] = COLOURS[colour]
        return framed

    return draw


def _weave(amplitude: float) -> Draw:
    """Threads that go over and under one another, at the same place in every output, as networks paint them."""

    def draw(picture: Image) -> Image:
        rows, columns = (np.indices(picture.shape[:2]) + 0.5) * (2.0 * np.pi / WEAVE_PERIOD)
        threads = np.sin(rows) * np.sin(columns)
        return np.clip(picture + amplitude * threads[..., None], 0.0, 1.0).astype(np.float32)

    return draw


def faults(sets: list[PictureSet]) -> None:
    """Share of its quality that an acceptable output keeps, against the share of the picture that is covered."""
    print_row("drawn over acceptable outputs", ["covered", *(picture_set.name for picture_set in sets), "lowest"])
    print_row("---", ["---"] * (len(sets) + 2))
    plain = [_qualities(picture_set) for picture_set in sets]
    excesses: dict[str, float] = {}
    for fault in drawn_faults():
        kept = [_kept(fault, picture_set, before) for picture_set, before in zip(sets, plain, strict=True)]
        covered = float(np.mean([fault.covered(picture_set.photos[0]) for picture_set in sets]))
        lowest = min(min(shares) for shares in kept)
        excesses[fault.name] = 1.0 - lowest - (0.0 if fault.on_photos else covered)
        cells = [f"{np.mean(shares):.0%}" for shares in kept]
        print_row(fault.name, [f"{covered:.0%}", *cells, f"{lowest:.0%}"])
    frames = {name: excess for name, excess in excesses.items() if not name.startswith("weave")}
    worst = max(frames, key=lambda name: frames[name])
    print(f"\nBeyond the share covered, frames and strips cost at most {frames[worst]:.0%} ({worst}).")


def _qualities(picture_set: PictureSet) -> list[float]:
    scorer = judge_of(picture_set)
    return [scorer.score(picture_set.outputs[name]).quality for name in picture_set.acceptable]


def _kept(fault: Fault, picture_set: PictureSet, before: list[float]) -> list[float]:
    """Quality with the fault, of that without, of each acceptable output."""
    spoilt = replace(
        picture_set,
        photos=[fault.draw(photo) for photo in picture_set.photos] if fault.on_photos else picture_set.photos,
        outputs={name: [fault.draw(output) for output in picture_set.outputs[name]] for name in picture_set.acceptable},
    )
    return [after / one for after, one in zip(_qualities(spoilt), before, strict=True)]
