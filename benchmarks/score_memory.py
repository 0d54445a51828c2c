"""What `styletuner score` takes for a folder of pictures: seconds, and the most memory at once.

    .venv/bin/python benchmarks/score_memory.py --photos photos/ --style painting.jpg
    .venv/bin/python benchmarks/score_memory.py --photos photos/ --style painting.jpg --sizes 4x6000x4000

Each case is a number of pictures and their width and height. Photos are taken in turn and cut to size; the pictures are
the same photos with their brightness turned by a quarter, which is as much work as any. Each case is one process of its
own. Prints a table in Markdown, as it stands in docs/performance.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from PIL import Image, ImageEnhance, ImageOps

CASES = ("10x432x288", "50x432x288", "200x432x288", "4x6000x4000")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="A folder of photos; they are taken in turn.")
    parser.add_argument("--style", type=Path, required=True)
    parser.add_argument("--sizes", nargs="+", default=CASES, metavar="NUMBERxWIDTHxHEIGHT")
    arguments = parser.parse_args()
    photos = sorted(path for path in arguments.photos.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    print("| pictures | size | seconds | of processor time | a picture | GB |")
    print("|---|---|---|---|---|---|")
    for case in arguments.sizes:
        number, width, height = map(int, case.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            _write_pictures(Path(folder), photos, number=number, size=(width, height))
            seconds, processor, gigabytes = _measure(Path(folder), arguments.style.resolve())
        cells = f"{seconds:.0f} | {processor:.0f} | {processor / number:.2f} | {gigabytes:.2f}"
        print(f"| {number} | {width} x {height} | {cells} |", flush=True)


def _write_pictures(folder: Path, photos: list[Path], *, number: int, size: tuple[int, int]) -> None:
    (folder / "photos").mkdir()
    (folder / "outputs").mkdir()
    for place, path in enumerate(islice(cycle(photos), number)):
        with Image.open(path) as opened:
            photo = ImageOps.fit(opened.convert("RGB"), size)
        if place >= len(photos):  # no two photos are the same
            photo = ImageEnhance.Brightness(photo).enhance(1.0 - 0.05 * (place // len(photos)))
        photo.save(folder / "photos" / f"{place:03d}.jpg", quality=95)
        ImageEnhance.Brightness(photo).enhance(0.75).save(folder / "outputs" / f"{place:03d}.jpg", quality=95)


def _measure(folder: Path, style: Path) -> tuple[float, float, float]:
    """Seconds, seconds of processor time and gigabytes at the most."""
    command = [sys.executable, "-m", "styletuner", "score", "--photo", "photos", "--style", str(style), "outputs"]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"`{' '.join(command)}` failed.")
    seconds = time.perf_counter() - started
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    main()
