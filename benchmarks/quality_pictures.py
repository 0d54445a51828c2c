"""The pictures of `benchmarks/quality.py`: real outputs, pictures nobody painted, outputs made worse by degrees."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from quality_outside import find_picture
from quality_runs import SIZES, SWEEP_RATIOS
from quality_split import read_split
from scipy.ndimage import gaussian_filter

from models.pictures.images import Image, read_image, resize, resize_short_side
from objectives.judging.anchor_pictures import match_histograms, recolour, shuffle_tiles

JUDGED_SIDE = 256
"""Pixels: other people's pictures are brought to this shorter side. `styletuner score` leaves them as they are, which
moves only the artefacts: see `sweeps_at_own_size`."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The folders that hold the pictures: style images, other people's sweeps, single cases and our runs."""

    styles: Path
    sweeps: Path
    cases: Path
    runs: Path


@dataclass(frozen=True, kw_only=True)
class PictureSet:
    """Outputs of several networks for the same photos and style image; `acceptable` names those a person would take.

    The style image comes at its own size; `style_side` are the pixels of its shorter side when its strokes are as large
    as they should be on the photos.
    """

    name: str
    photos: list[Image]
    style: Image
    style_side: int
    outputs: dict[str, list[Image]]
    acceptable: tuple[str, ...] = ()

    @property
    def scaled_style(self) -> Image:
        """The style image with its strokes as large as they should be on the photos."""
        return resize_short_side(self.style, self.style_side)


def picture_sets(half: str, sources: Sources) -> list[PictureSet]:
    """Return the sweeps and cases of one half, other people's first; our sweeps only as far as their runs are done."""
    split = read_split()[half]
    sets = [_sweep_of_others(sources.sweeps, name, entry) for name, entry in split["sweeps_of_others"].items()]
    sets += [_case(sources.cases / name, entry) for name, entry in split["cases"].items()]
    for style, entry in split["own_sweeps"].items():
        if (sources.runs / f"pictures-sweep-{style}.npz").exists():
            sets.append(_own_sweep(sources, style, entry))
    return sets


def sweeps_at_own_size(half: str, sources: Sources) -> list[PictureSet]:
    """Return other people's sweeps of one half once more, their pictures as large as they were published."""
    entries = read_split()[half]["sweeps_of_others"]
    return [_sweep_of_others(sources.sweeps, name, entry, side=None) for name, entry in entries.items()]


def _sweep_of_others(root: Path, name: str, entry: dict, *, side: int | None = JUDGED_SIDE) -> PictureSet:
    described = json.loads((root / "sweeps.json").read_text(encoding="utf-8"))[name]
    outputs = {output["weight"]: [read_image(root / output["file"])] for output in described["outputs"]}
    if side is not None:
        outputs = {weight: [resize_short_side(images[0], side)] for weight, images in outputs.items()}
    height, width = next(iter(outputs.values()))[0].shape[:2]
    return PictureSet(
        name=name if side is not None else f"{name}, {min(height, width)} px",
        photos=[resize(read_image(root / described["content"]), height=height, width=width)],
        style=read_image(root / described["style"]),
        style_side=min(height, width),
        outputs=outputs,
        acceptable=tuple(entry["acceptable"]),
    )


def _case(root: Path, entry: dict) -> PictureSet:
    """Read a folder with `photos`, the style image, and one more folder for each network's outputs."""
    networks = sorted(folder for folder in root.iterdir() if folder.is_dir() and folder.name != "photos")
    photos = _read_folder(root / "photos")
    return PictureSet(
        name=root.name,
        photos=photos,
        style=read_image(find_picture(root, "style")),
        style_side=min(photos[0].shape[:2]),
        outputs={folder.name: _read_folder(folder) for folder in networks},
        acceptable=tuple(entry["acceptable"]),
    )


def _read_folder(folder: Path) -> list[Image]:
    return [read_image(path) for path in sorted(folder.iterdir())]


def _own_sweep(sources: Sources, style: str, entry: dict) -> PictureSet:
    outputs = {}
    for number, ratio in enumerate(SWEEP_RATIOS):
        path = sources.runs / f"sweep-{style}-{number:02d}-seed0.npz"
        if path.exists():
            outputs[f"{ratio:g}"] = last_outputs(path)
    return run_set(sources, style, outputs=outputs, acceptable=tuple(str(name) for name in entry["acceptable"]))


def run_set(
    sources: Sources, style: str, *, outputs: dict[str, list[Image]], acceptable: tuple[str, ...] = ()
) -> PictureSet:
    """Return a set of outputs for the photos on which our sweeps' networks were painted."""
    photos, _ = read_run_pictures(sources.runs, "sweep", style)
    return PictureSet(
        name=style,
        photos=photos,
        style=read_image(find_picture(sources.styles, style)),
        style_side=SIZES["sweep"]["data"]["style_size"],
        outputs=outputs,
        acceptable=acceptable,
    )


def read_run_pictures(runs: Path, size: str, style: str) -> tuple[list[Image], Image]:
    """Return the held-out photos and the style image of the runs of one style."""
    with np.load(runs / f"pictures-{size}-{style}.npz") as arrays:
        return _as_images(arrays["photos"]), _as_images(arrays["style"][None])[0]


def last_outputs(path: Path) -> list[Image]:
    """Return what a run painted at its last rung."""
    with np.load(path) as arrays:
        rungs = sorted((name for name in arrays if name.startswith("rung")), key=lambda name: int(name[4:]))
        return _as_images(arrays[rungs[-1]])


def rung_outputs(path: Path, *, painted: str = "rung") -> dict[int, list[Image]]:
    """Return what a run painted at each rung, with the averaged weights ("rung") or those as trained ("trained")."""
    with np.load(path) as arrays:
        names = [name for name in arrays if name.startswith(painted)]
        return {int(name.removeprefix(painted)): _as_images(arrays[name]) for name in names}


def describe_run(path: Path) -> dict:
    """Return a run's settings and losses."""
    with np.load(path) as arrays:
        return json.loads(str(arrays["description"]))


def _as_images(arrays: np.ndarray) -> list[Image]:
    return [array.astype(np.float32) / np.float32(255.0) for array in arrays]


def _clipped(picture: np.ndarray) -> Image:
    return np.clip(picture, 0.0, 1.0).astype(np.float32)


def _blur(picture: Image, pixels: float) -> Image:
    return gaussian_filter(picture, (pixels, pixels, 0.0), mode="nearest")


def gaming_pictures(photo: Image, style: Image, *, seed: int) -> dict[str, Image]:
    """Pictures that no network painted; the first eight are the issue's list, those with a plus go beyond it.

    Tiles of "half" and "quarter" size are of a style image that is so much smaller.
    """
    height, width = photo.shape[:2]
    generator = np.random.default_rng(seed)
    pasted = resize(style, height=height, width=width)
    recoloured = recolour(photo, style)
    tiles, half, quarter = (
        shuffle_tiles(
            resize_short_side(style, min(height, width) // parts), height=height, width=width, seed=seed + 1000
        )
        for parts in (1, 2, 4)
    )
    fitted = resize_short_side(style, min(height, width))
    tiny = shuffle_tiles(fitted, height=height, width=width, seed=seed + 1000, per_side=16)
    coarse = _blur(generator.normal(0.0, 1.0, photo.shape), 1.5)
    return {
        "photo itself": photo,
        "recoloured photo": recoloured,
        "style image itself": pasted,
        "shuffled style tiles": tiles,
        "half blend": 0.5 * photo + 0.5 * pasted,
        "noise": generator.random(photo.shape, dtype=np.float32),
        "grey": np.full_like(photo, 0.5),
        "blurred photo": _blur(photo, height / 60),
        "+ histogram-matched photo": match_histograms(photo, style),
        "+ recoloured photo with noise": _clipped(recoloured + generator.normal(0.0, 0.15, photo.shape)),
        "+ recoloured photo, blurred": _blur(recoloured, height / 80),
        "+ recoloured photo half tiles": 0.5 * recoloured + 0.5 * tiles,
        "+ recoloured photo, 30 % tiles": 0.7 * recoloured + 0.3 * tiles,
        "+ recoloured photo with coarse noise": _clipped(recoloured + 0.12 * coarse / coarse.std()),
        "+ recoloured photo, sharpened": _clipped(recoloured + (recoloured - _blur(recoloured, 1.0))),
        "+ tiles of half size": half,
        "+ recoloured photo, 30 % tiles of half size": 0.7 * recoloured + 0.3 * half,
        "+ tiles of quarter size": quarter,
        "+ recoloured photo, 30 % tiles of quarter size": 0.7 * recoloured + 0.3 * quarter,
        "+ recoloured photo, 30 % tiles a sixteenth wide": 0.7 * recoloured + 0.3 * tiny,
    }


def _checkered(picture: Image, amplitude: float) -> Image:
    signs = (np.indices(picture.shape[:2]).sum(axis=0) % 2) * 2.0 - 1.0
    return _clipped(picture + amplitude * signs[..., None])


def _compressed(picture: Image, quality: float) -> Image:
    buffer = io.BytesIO()
    PillowImage.fromarray(np.round(picture * 255).astype(np.uint8)).save(buffer, format="JPEG", quality=int(quality))
    return np.asarray(PillowImage.open(buffer), dtype=np.float32) / np.float32(255.0)


def _desaturated(picture: Image, share: float) -> Image:
    grey = picture @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return _clipped(picture + share * (grey[..., None] - picture))


def _noisy(picture: Image, amplitude: float) -> Image:
    return _clipped(picture + np.random.default_rng(3).normal(0.0, amplitude, picture.shape))


def _tiles_shuffled(picture: Image, share: float) -> Image:
    """So large a share of an 8 by 8 grid's cells trade places."""
    height, width = (side // 8 for side in picture.shape[:2])
    generator = np.random.default_rng(3)
    moved = generator.permutation(64)[: round(share * 64)]
    result = picture.copy()
    for target, source in zip(moved, np.roll(moved, 1), strict=True):
        (row, column), (from_row, from_column) = divmod(int(target), 8), divmod(int(source), 8)
        result[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture[
            from_row * height : (from_row + 1) * height, from_column * width : (from_column + 1) * width
        ]
    return result


def _border_darkened(picture: Image, share: float) -> Image:
    result = picture.copy()
    result[:4] *= 1 - share
    result[-4:] *= 1 - share
    result[4:-4, :4] *= 1 - share
    result[4:-4, -4:] *= 1 - share
    return result


DEGRADATIONS: dict[str, tuple[Callable[[Image, float], Image], tuple[float, ...]]] = {
    "noise, standard deviation": (_noisy, (0.05, 0.1, 0.2, 0.4)),
    "blur, pixels": (_blur, (0.7, 1.4, 2.8, 5.6)),
    "checkerboard, amplitude": (_checkered, (0.03, 0.06, 0.12, 0.24)),
    "JPEG quality": (_compressed, (40, 20, 10, 5)),
    "saturation lost": (_desaturated, (0.25, 0.5, 0.75, 1.0)),
    "tiles shuffled": (_tiles_shuffled, (0.1, 0.25, 0.5, 1.0)),
    "border darkened": (_border_darkened, (0.2, 0.4, 0.6, 0.8)),
}
"""Each turns a picture into a worse one, by four grades."""
