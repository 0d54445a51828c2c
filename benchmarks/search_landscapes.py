"""What any setting comes to on each style, from the recorded learning curves: the ground that search.py searches.

    .venv/bin/python benchmarks/search_landscapes.py     # how far off it is

At each number of images one Gaussian process over the logarithms of both ratios for all styles: a part that styles
share, a part of each style's own, and noise. So where a style was not measured it is taken to be like the others. Its
observations are the runs at 64 px of fidelity.csv, learning_curves.csv and fidelity_studies.csv, from noise or, for
studies whose trials start from a starter, from one; the long run is from noise in both. Its scales are those that make
the runs from noise likeliest, the same at all numbers of images. Luck is what runs of equal settings and other seeds
differ by: that of a run, which its photos share, and each photo's own, both with the covariance between rungs that the
recorded runs from noise have; of those from a starter there is one seed.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from fidelity_runs import STYLE_TO_CONTENT, TV_TO_CONTENT
from fidelity_runs import read_table as read_runs
from fidelity_studies import LONG_RUNS
from fidelity_studies import read as read_studies
from learning_curves import read_table as read_curves
from scipy.optimize import minimize

RUNGS = (160, 320, 480, 640)
"""Of a short run, as studies have them."""

RECORDED = (160, 320, 640)
LONG = 5120
"""Stands for the long run: eight short runs, on the two styles of learning_curves.csv four."""

LONGEST_CURVE = 2560
WAYS = ("noise", "starter")
"""What trials start from."""

STYLES = (
    *("wave_hokusai", "starry_night", "edtaonisl", "tahiti_gauguin"),
    *("sunflower", "composition_vii", "vg_wheat_field", "woman_with_hat"),
)
OF_STARTER = tuple(style for style in STYLES if style not in ("vg_wheat_field", "woman_with_hat"))
"""Styles of which runs from a starter are recorded."""

_LOW, _HIGH = np.log([STYLE_TO_CONTENT, TV_TO_CONTENT]).T
_NUM_SIDE = 61


@dataclass(frozen=True, kw_only=True)
class Run:
    """One recorded run: its style's number, seed, place in the square of both ratios, and scores by images seen."""

    style: int
    setting: str
    seed: str
    place: np.ndarray
    quality: dict[int, float]
    photos: dict[int, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Covariances between `RUNGS` of what differs from seed to seed, shape (rungs, rungs): of a trial's quality, which
    is its photos' mean, and of a single photo beyond that."""

    of_trial: np.ndarray
    of_photo: np.ndarray


def place_of(style_to_content: float, tv_to_content: float) -> np.ndarray:
    return (np.log([style_to_content, tv_to_content]) - _LOW) / (_HIGH - _LOW)


@cache
def recorded_runs(way: str) -> tuple[Run, ...]:
    """Runs of all styles, every seed."""
    found: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    for row in read_runs():
        if (row["scale"], row["way"]) == ("64", way):
            found[row["style"], row["setting"], row["seed"]].append(row)
    for row in read_curves() if way == "noise" else ():
        found[row["style"], row["setting"], row["seed"]].append(row)
    return tuple(_run(*key, rows) for key, rows in found.items())


def _run(style: str, setting: str, seed: str, rows: list[dict[str, str]]) -> Run:
    images = [
        LONG if int(row["images_seen"]) == LONGEST_CURVE and "kind" in row else int(row["images_seen"]) for row in rows
    ]
    return Run(
        style=STYLES.index(style),
        setting=setting,
        seed=seed,
        place=place_of(float(rows[0]["style_to_content"]), float(rows[0]["tv_to_content"])),
        quality={seen: float(row["quality"]) for seen, row in zip(images, rows, strict=True)},
        photos={seen: np.array(row["photo_qualities"].split(), float) for seen, row in zip(images, rows, strict=True)},
    )


def _observations(images: int, way: str) -> Iterator[tuple[int, np.ndarray, float]]:
    """Style, place and quality of what was measured at some images; single trials of whole studies too."""
    runs = recorded_runs(way)
    for run in runs:
        if run.seed == "0" and images in run.quality:
            same = [one.quality[images] for one in runs if _is_again(one, run) and images in one.quality]
            yield run.style, run.place, float(np.mean(same))
    for row in read_studies():
        if (row["scale"], row["way"]) == ("64", way) and row["style"] in STYLES:
            place = place_of(float(row["style_to_content"]), float(row["tv_to_content"]))
            if images == LONG and row[LONG_RUNS[0]]:
                yield (
                    STYLES.index(row["style"]),
                    place,
                    float(np.mean([float(row[name]) for name in LONG_RUNS if row[name]])),
                )
            elif int(row["images_seen"]) == images:
                yield STYLES.index(row["style"]), place, float(row["quality"])


def _is_again(one: Run, other: Run) -> bool:
    return (one.style, one.setting) == (other.style, other.setting)


@dataclass(frozen=True, kw_only=True)
class Scales:
    """Standard deviations of the parts of quality, of that at one number of images, and lengths in the square."""

    shared: float
    own: float
    level: float
    noise: float
    lengths: np.ndarray

    def covariance(self, styles: np.ndarray, places: np.ndarray, others: np.ndarray, at: np.ndarray) -> np.ndarray:
        apart = ((places[:, None] - at[None]) / self.lengths) ** 2
        near = np.exp(-0.5 * apart.sum(axis=2))
        same = styles[:, None] == others[None]
        return self.shared**2 * near + same * (self.own**2 * near + self.level**2)


class Surface:
    """Quality at one number of images, on all styles."""

    def __init__(self, images: int, scales: Scales, *, way: str) -> None:
        found = list(_observations(images, way))
        self.styles = np.array([style for style, _, _ in found])
        self.places = np.array([place for _, place, _ in found])
        self.values = np.array([value for _, _, value in found])
        self.mean, self.spread = self.values.mean(), self.values.std()
        self._scales = scales
        covariance = scales.covariance(self.styles, self.places, self.styles, self.places)
        self._inverse = np.linalg.inv(covariance + scales.noise**2 * np.eye(len(found)))
        self._weights = self._inverse @ ((self.values - self.mean) / self.spread)

    def at(self, style: int, places: np.ndarray) -> np.ndarray:
        styles = np.full(len(places), style)
        return (
            self.mean + self.spread * self._scales.covariance(styles, places, self.styles, self.places) @ self._weights
        )

    def left_out(self) -> np.ndarray:
        """Observed less foretold, each setting foretold from all others."""
        return self.spread * self._weights / np.diag(self._inverse)

    def likelihood(self) -> float:
        scaled = (self.values - self.mean) / self.spread
        return float(-0.5 * scaled @ self._weights + 0.5 * np.linalg.slogdet(self._inverse)[1])


SCALES = Scales(
    shared=0.9044718305204932,
    own=0.600059263402453,
    level=0.005500114070034057,
    noise=0.2855184028384499,
    lengths=np.array([0.22060572272142073, 0.7853223093599495]),
)
"""What `fitted_scales` found: kept here so that a table is the same wherever it is made."""


def fitted_scales() -> Scales:
    """Return the scales that make what was observed likeliest, at all numbers of images together."""

    def read(logs: np.ndarray) -> Scales:
        shared, own, level, noise, first, second = np.exp(logs)
        return Scales(shared=shared, own=own, level=level, noise=noise, lengths=np.array([first, second]))

    def cost(logs: np.ndarray) -> float:
        return -sum(Surface(images, read(logs), way="noise").likelihood() for images in (*RECORDED, LONG))

    start = np.log([0.8, 0.4, 0.4, 0.3, 0.2, 0.5])
    return read(minimize(cost, start, method="Nelder-Mead", options={"maxfev": 400}).x)


@cache
def noise() -> Noise:
    groups: dict[tuple[int, str], list[Run]] = defaultdict(list)
    for run in recorded_runs("noise"):
        groups[run.style, run.setting].append(run)
    trials: list[np.ndarray] = []
    photos: list[np.ndarray] = []
    for runs in groups.values():
        if len(runs) > 1:
            unbiased = (len(runs) / (len(runs) - 1)) ** 0.5
            each = np.array([np.stack([run.photos[images] for images in RECORDED], axis=-1) for run in runs])
            off = unbiased * (each - each.mean(axis=0))
            trials.extend(off.mean(axis=1))
            photos.extend((off - off.mean(axis=1, keepdims=True)).reshape(-1, len(RECORDED)))
    return Noise(of_trial=_at_all_rungs(np.array(trials)), of_photo=_at_all_rungs(np.array(photos)))


def _at_all_rungs(off: np.ndarray) -> np.ndarray:
    """Return the covariance between `RUNGS` of what was off at `RECORDED`, shape (runs, recorded rungs). At 480 images,
    which were not recorded, it is between that at 320 and at 640, as on a path which forgets steadily."""
    spread = np.sqrt((off**2).mean(axis=0))
    early_half, early_whole, half_whole = ((off / spread).T @ (off / spread) / len(off))[np.triu_indices(3, 1)]
    share = np.log2(480 / 320)
    correlation = np.eye(len(RUNGS))
    correlation[np.triu_indices(len(RUNGS), 1)] = (
        *(early_half, early_half + share * (early_whole - early_half), early_whole),
        *(half_whole**share, half_whole),
        half_whole ** (1 - share),
    )
    correlation += np.triu(correlation, 1).T
    spread = np.array([*spread[:2], spread[1] + share * (spread[2] - spread[1]), spread[2]])
    return correlation * np.outer(spread, spread)


@cache
def surfaces(way: str) -> dict[int, Surface]:
    """By images: at the rungs of a short run in a way, and at the end of the long run, which is from noise."""
    return {images: Surface(images, SCALES, way="noise" if images == LONG else way) for images in (*RECORDED, LONG)}


class Landscape:
    """One style: what a trial of some setting scores at its rungs, and what the setting comes to in the long run."""

    def __init__(self, style: str, *, way: str) -> None:
        self._style = STYLES.index(style)
        self._surfaces = surfaces(way)
        self._runs = [run for run in recorded_runs(way) if run.style == self._style and run.seed == "0"]
        self._places = np.array([run.place for run in self._runs])
        side = np.linspace(0, 1, _NUM_SIDE)
        self.best = float(self.truth(np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)).max())

    def truth(self, places: np.ndarray) -> np.ndarray:
        return self._surfaces[LONG].at(self._style, places)

    def trial(self, place: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Photos' qualities at each of `RUNGS`, shape (rungs, photos)."""
        early, half, whole = (float(self._surfaces[images].at(self._style, place[None])[0]) for images in RECORDED)
        third = half + (whole - half) * np.log2(480 / 320)
        profile = self._profile(place)
        none = np.zeros(len(RUNGS))
        means = np.array([early, half, third, whole]) + generator.multivariate_normal(none, noise().of_trial)
        beyond = generator.multivariate_normal(none, noise().of_photo, size=len(profile)).T
        return np.clip(means[:, None] * profile + beyond - beyond.mean(axis=1, keepdims=True), 0, 1)

    def _profile(self, place: np.ndarray) -> np.ndarray:
        """Each photo's quality as a multiple of the mean, by the recorded settings near by; shape (photos,)."""
        apart = (((self._places - place) / SCALES.lengths) ** 2).sum(axis=1)
        shares = np.exp(-0.5 * (apart - apart.min()))
        recorded = np.array([run.photos[RECORDED[-1]] / run.photos[RECORDED[-1]].mean() for run in self._runs])
        return shares @ recorded / shares.sum()


def errors_left_out(way: str) -> list[tuple[str, int, float, float]]:
    """Style (or all), images, root mean square of the left-out errors, and the spread between the style's settings."""
    rows = []
    for images, surface in surfaces(way).items():
        off = surface.left_out()
        for number, style in enumerate((*STYLES, "all")):
            chosen = surface.styles == number if style != "all" else np.full(len(off), True)
            if chosen.any():
                rows.append(
                    (style, images, float(np.sqrt((off[chosen] ** 2).mean())), float(surface.values[chosen].std()))
                )
    return rows


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print(fitted_scales())
    print(noise())
    for way in WAYS:
        for style, images, error, spread in errors_left_out(way):
            print(f"{way}, {style}, {images}: off by {error:.3f}, settings differ by {spread:.3f}")
    for style in STYLES:
        print(f"{style}: best {Landscape(style, way='noise').best:.3f}")


if __name__ == "__main__":
    main()
