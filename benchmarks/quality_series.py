"""Tables of `benchmarks/quality.py` on series of pictures of which something is known before anybody looks.

`outside`: a network's strengths, which only go up. `sizes`: one setting with the style image at three sizes, each of
them in its style. `photos`: outputs of one network, which restyles every photo alike.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from quality_outside import STRENGTHS, find_picture, output_path, photo_path
from quality_pictures import PictureSet, Sources, last_outputs, run_set
from quality_runs import IDENTIFICATION_RATIO, SIZED_STYLES, SIZES, STYLE_SIZES, SWEEP_RATIOS
from quality_split import read_split
from quality_tables import judge_of, print_row

from measures.quality import PART_NAMES, PhotoQuality, Quality
from models.pictures.images import Image, centre_crop, read_image, resize_short_side

WANTED_STEPS = 0.9
"""Of the steps from one strength to the next, so many shall go up."""

WANTED_OF_BEST = 0.6
"""Each style size shall reach so much of the quality of the best of them."""


@dataclass(frozen=True, kw_only=True)
class _Steps:
    """Which steps from one strength to the next go up."""

    style: list[bool]
    quality: list[bool]

    @property
    def both(self) -> list[bool]:
        return [style and quality for style, quality in zip(self.style, self.quality, strict=True)]


def outside(half: str, sources: Sources, folder: Path) -> None:
    """An outside network's strengths: style match shall rise step by step, and quality too, for no photo is lost."""
    split = read_split()
    names = split["outside_photos"]
    alone, together, means = [], [], []
    print_row("style, photo", ["quality", "content", "style match", "style up", "quality up"])
    print_row("---", ["---"] * 5)
    for style in split[half]["styles"]:
        every = _strengths(style, sources, folder)
        for index, name in enumerate(names):
            single = _scored(_only(every, index))
            alone.append(_print_steps(f"{style}, {name}", [scored.photos[0] for scored in single]))
        pooled = _scored(every)
        for index, name in enumerate(names):
            photos = [scored.photos[index] for scored in pooled]
            together.append(_print_steps(f"{style}, {name} of the set", photos))
        means.append(_print_steps(f"{style}, the set", pooled))
    print()
    for label, steps in {"Photo by photo": alone, "Photos of a set": together, "Sets": means}.items():
        print(f"{label}: {_count_steps(steps)}.")
    print(f"Wanted: {WANTED_STEPS:.0%}.")


def _strengths(style: str, sources: Sources, folder: Path) -> PictureSet:
    names = read_split()["outside_photos"]
    photos = [read_image(photo_path(folder, name)) for name in names]
    outputs = {
        f"{strength:g}": [read_image(output_path(folder, style, photo=name, strength=strength)) for name in names]
        for strength in STRENGTHS
    }
    return PictureSet(
        name=style,
        photos=photos,
        style=read_image(find_picture(sources.styles, style)),
        style_side=min(photos[0].shape[:2]),
        outputs=outputs,
    )


def _only(picture_set: PictureSet, index: int) -> PictureSet:
    """Return the set with one of its photos."""
    outputs = {name: [pictures[index]] for name, pictures in picture_set.outputs.items()}
    return replace(picture_set, photos=[picture_set.photos[index]], outputs=outputs)


def _scored(picture_set: PictureSet) -> list[Quality]:
    scorer = judge_of(picture_set)
    return [scorer.score(outputs) for outputs in picture_set.outputs.values()]


def _print_steps(label: str, scored: Sequence[PhotoQuality | Quality]) -> _Steps:
    steps = _Steps(style=_rises([one.style_match for one in scored]), quality=_rises([one.quality for one in scored]))
    parts = [
        " ".join(f"{getattr(one, name):.3f}" for one in scored)
        for name in ("quality", "content_preservation", "style_match")
    ]
    print_row(label, [*parts, str(sum(steps.style)), str(sum(steps.quality))])
    return steps


def _rises(values: Sequence[float]) -> list[bool]:
    return [after > before for before, after in itertools.pairwise(values)]


def _count_steps(every: Sequence[_Steps]) -> str:
    counts = []
    for name in ("style", "quality", "both"):
        steps = [step for one in every for step in getattr(one, name)]
        counts.append(f"{name} up in {sum(steps)} of {len(steps)} steps ({np.mean(steps):.0%})")
    return ", ".join(counts)


def sizes(half: str, sources: Sources) -> None:
    """Networks trained with the style image at three sizes: each is in its style, whatever the strokes' size."""
    print_row(
        "style image, its size in training", [*(name.replace("_", " ") for name in PART_NAMES), "quality", "of best"]
    )
    print_row("---", ["---"] * 5)
    shares = []
    for style in _sized_styles(half):
        picture_set = run_set(sources, style, outputs=_sized_outputs(style, sources.runs))
        scored = dict(zip(picture_set.outputs, _scored(picture_set), strict=True))
        best = max((one.quality for one in scored.values()), default=0.0)
        for size, one in scored.items():
            shares.append(one.quality / best)
            parts = [f"{getattr(one, name):.3f}" for name in (*PART_NAMES, "quality")]
            print_row(f"{style}, {size} px", [*parts, f"{shares[-1]:.2f}"])
    if shares:
        low = sum(share < WANTED_OF_BEST for share in shares)
        print(f"\n{low} of {len(shares)} below {WANTED_OF_BEST:g} of the best; the lowest {min(shares):.2f}.")


def sheet_of_sizes(half: str, sources: Sources) -> Image:
    """Draw the pictures of the table `sizes`: for each style photos and style image, then a row for each size."""
    blocks = []
    for style in _sized_styles(half):
        picture_set = run_set(sources, style, outputs=_sized_outputs(style, sources.runs))
        side = picture_set.photos[0].shape[0]
        painting = centre_crop(resize_short_side(picture_set.style, side), height=side, width=side)
        rows = [[*picture_set.photos, painting]]
        rows += [[*outputs, np.ones_like(painting)] for outputs in picture_set.outputs.values()]
        blocks += [np.concatenate(row, axis=1) for row in rows]
    return np.concatenate(blocks, axis=0)


def _sized_styles(half: str) -> list[str]:
    return [style for style in read_split()[half]["styles"] if style in SIZED_STYLES]


def _sized_outputs(style: str, runs: Path) -> dict[str, list[Image]]:
    """Return what the networks painted, by the style image's size in training, as far as the runs are done."""
    number = SWEEP_RATIOS.index(IDENTIFICATION_RATIO)
    paths = {size: runs / f"sizes-{style}-{size}-seed0.npz" for size in STYLE_SIZES}
    paths[SIZES["sweep"]["data"]["style_size"]] = runs / f"sweep-{style}-{number:02d}-seed0.npz"
    return {str(size): last_outputs(path) for size, path in sorted(paths.items()) if path.exists()}


def photos(sets: list[PictureSet]) -> None:
    """Spread over the photos of what one network painted: style match shall not depend much on the photo."""
    heads = ["quality", "standard error", "style match by photo", "deviation", "content by photo", "deviation"]
    print_row("set, network", heads)
    print_row("---", ["---"] * len(heads))
    for picture_set in sets:
        if len(picture_set.photos) > 1:
            for name, scored in zip(picture_set.outputs, _scored(picture_set), strict=True):
                spreads = [_spread(scored, part) for part in ("style_match", "content_preservation")]
                acceptable = " (acceptable)" if name in picture_set.acceptable else ""
                head = f"{picture_set.name}, {name}{acceptable}"
                print_row(head, [f"{scored.quality:.3f}", f"{scored.standard_error:.3f}", *spreads[0], *spreads[1]])


def _spread(scored: Quality, part: str) -> tuple[str, str]:
    values = [getattr(photo, part) for photo in scored.photos]
    return " ".join(f"{value:.2f}" for value in values), f"{np.std(values, ddof=1):.2f}"
