"""Which sampler and pruner find good weights, and at what price? Studies replayed on recorded learning curves.

    .venv/bin/python benchmarks/search.py --jobs 2     # into search.csv; minutes, what is in it is not done again
    .venv/bin/python benchmarks/search_tables.py       # the tables of docs/search.md, in Markdown

Needs no network and no picture: the samplers and pruners of `study run` ask and end trials whose qualities come from
search_landscapes.py, with the noise of another seed each. Trials start from noise or, on the styles of which that is
recorded, from a starter. A study of 8, 16 or 64 trials begins with the baseline and has rungs at 160, 320, 480 and 640
images. What leads at its end is held against the long run of the best setting.

`top_k` is simulated: every trial to the first rung, then the best quarter of them from there to the end. Its sampler
sees the qualities at the first rung.
"""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import optuna
from fidelity_runs import STYLE_TO_CONTENT, TV_TO_CONTENT, Row, append, read_table
from search_landscapes import OF_STARTER, RUNGS, STYLES, WAYS, Landscape, place_of
from threadpoolctl import threadpool_limits

from measures.quality import PhotoQuality, Quality, average_photos
from tuner.configuration.search_sections import SearchSection
from tuner.search.pruners import build_pruner, report_quality, should_prune
from tuner.search.samplers import build_sampler
from tuner.search.space import suggest_values

TABLE = Path(__file__).with_name("search.csv")
SAMPLERS = ("random", "grid", "qmc", "tpe", "gp")
PRUNERS = ("none", "median", "asha", "hyperband", "wilcoxon", "top_k")
GRIDS = {8: (4, 2), 16: (4, 4), 64: (8, 8)}
BUDGETS = (2, 4, 8, 16, 32, 64)
"""In short runs' images."""

LONG_STUDY = 64
REPLAYS_OF_GP = 7
"""And none of 64 trials, which take it ten seconds each."""
BASELINE = {"style_to_content": 1.0, "tv_to_content": 0.1}
COLUMNS = (
    *("style", "start", "sampler", "pruner", "trials", "replays", "regret", "regret_error", "worst_tenth"),
    *("images", "complete", "lost_best", "lost_chosen"),
    *(f"regret_at_{budget}" for budget in BUDGETS),
)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What is replayed: a style, what trials start from, a sampler, a pruner, how many trials a study has and how many
    studies."""

    style: str
    start: str
    sampler: str
    pruner: str
    trials: int
    replays: int

    @property
    def key(self) -> tuple[str, ...]:
        return self.style, self.start, self.sampler, self.pruner, str(self.trials)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a trial came to.

    Attributes:
        quality: At its last rung.
        truth: Long run of its setting.
        is_complete: Whether it was not ended before the end.
        images: Trained in the study until then.
        unpruned: Quality at the end of a short run, had it gone on to there.
    """

    quality: float
    truth: float
    is_complete: bool
    images: int
    unpruned: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replays", type=int, default=25, help="of each style, sampler, pruner and size of study")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    done = {tuple(row[name] for name in ("style", "start", "sampler", "pruner", "trials")) for row in read_table(TABLE)}
    cells = [cell for cell in _cells(arguments.replays) if cell.key not in done]
    with ProcessPoolExecutor(arguments.jobs, initializer=threadpool_limits, initargs=(1,)) as pool:
        for row in pool.map(_replay_cell, cells):
            append([row], table=TABLE, columns=COLUMNS)
            print(*(row[name] for name in COLUMNS[:7]), flush=True)


def _cells(replays: int) -> Iterator[Cell]:
    """What is quick comes first."""
    for start, sampler, trials, pruner, style in itertools.product(WAYS, SAMPLERS, GRIDS, PRUNERS, STYLES):
        is_gp = sampler == "gp"
        is_recorded = start != "starter" or style in OF_STARTER
        if is_recorded and not (is_gp and trials == LONG_STUDY):
            yield Cell(
                style=style,
                start=start,
                sampler=sampler,
                pruner=pruner,
                trials=trials,
                replays=min(replays, REPLAYS_OF_GP) if is_gp else replays,
            )


@cache
def _landscape(style: str, start: str) -> Landscape:
    return Landscape(style, way=start)


def _replay_cell(cell: Cell) -> Row:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    landscape = _landscape(cell.style, cell.start)
    studies = [_replay(cell, landscape, seed) for seed in range(cell.replays)]
    regrets = np.array([1 - _leader(trials).truth / landscape.best for trials in studies])
    lost = np.mean([not max(trials, key=lambda one: one.truth).is_complete for trials in studies])
    chosen = np.mean([not max(trials, key=lambda one: one.unpruned).is_complete for trials in studies])
    at = {
        f"regret_at_{budget}": np.mean(
            [1 - _leader(_spent(trials, budget)).truth / landscape.best for trials in studies]
        )
        for budget in BUDGETS
        if budget <= cell.trials
    }
    numbers = {
        "regret": regrets.mean(),
        "regret_error": regrets.std(ddof=1) / len(regrets) ** 0.5,
        "worst_tenth": np.sort(regrets)[-max(1, len(regrets) // 10) :].mean(),
        "images": np.mean([trials[-1].images for trials in studies]) / (cell.trials * RUNGS[-1]),
        "complete": np.mean([sum(one.is_complete for one in trials) for trials in studies]),
        "lost_best": lost,
        "lost_chosen": chosen,
        **at,
    }
    named = {"style": cell.style, "start": cell.start, "sampler": cell.sampler, "pruner": cell.pruner}
    counts = {"trials": str(cell.trials), "replays": str(cell.replays)}
    empty = dict.fromkeys(COLUMNS, "")
    return {**empty, **named, **counts, **{name: f"{value:.4f}" for name, value in numbers.items()}}


def _leader(trials: Sequence[Trial]) -> Trial:
    """Return what a study would choose: the best complete trial, or while there is none the best so far."""
    complete = [one for one in trials if one.is_complete] or list(trials)
    return max(complete, key=lambda one: one.quality)


def _spent(trials: Sequence[Trial], budget: int) -> Sequence[Trial]:
    """Return what was done by some short runs' images, at least the first trial."""
    return [one for one in trials if one.images <= budget * RUNGS[-1]] or trials[:1]


def _replay(cell: Cell, landscape: Landscape, seed: int) -> list[Trial]:
    search = SearchSection(
        sampler=cell.sampler,
        pruner="none" if cell.pruner == "top_k" else cell.pruner,
        trials=cell.trials,
        grid=GRIDS[cell.trials] if cell.sampler == "grid" else None,
        style_to_content=STYLE_TO_CONTENT,
        tv_to_content=TV_TO_CONTENT,
    )
    study = optuna.create_study(
        direction="maximize",
        sampler=build_sampler(search, seed=seed),
        pruner=build_pruner(search, rungs=RUNGS, seed=seed),
    )
    study.enqueue_trial(dict(BASELINE))
    return (
        _top_k(study, search, landscape, seed)
        if cell.pruner == "top_k"
        else _one_by_one(study, search, landscape, seed)
    )


def _draw(
    study: optuna.Study, search: SearchSection, landscape: Landscape, seed: int
) -> tuple[optuna.Trial, list[Quality], float]:
    """Begin a trial: also what it would score at each rung, and its setting's long run."""
    trial = study.ask()
    values = suggest_values(trial, search)
    place = place_of(values.style_to_content, values.tv_to_content)
    curve = landscape.trial(place, np.random.default_rng([seed, trial.number]))
    return trial, [_quality(photos) for photos in curve], float(landscape.truth(place[None])[0])


def _one_by_one(study: optuna.Study, search: SearchSection, landscape: Landscape, seed: int) -> list[Trial]:
    done: list[Trial] = []
    images = 0
    for _ in range(search.trials):
        trial, curve, truth = _draw(study, search, landscape, seed)
        for rung, quality in zip(RUNGS, curve, strict=True):
            report_quality(trial, quality, images_seen=rung)
            if rung < RUNGS[-1] and should_prune(trial):
                break
        images += rung
        is_complete = rung == RUNGS[-1]
        if is_complete:
            study.tell(trial, quality.quality)
        else:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        done.append(
            Trial(
                quality=quality.quality, truth=truth, is_complete=is_complete, images=images, unpruned=curve[-1].quality
            )
        )
    return done


def _top_k(study: optuna.Study, search: SearchSection, landscape: Landscape, seed: int) -> list[Trial]:
    begun: list[Trial] = []
    for number in range(search.trials):
        trial, curve, truth = _draw(study, search, landscape, seed)
        early, late = curve[0].quality, curve[-1].quality
        study.tell(trial, early)
        images = (number + 1) * RUNGS[0]
        begun.append(Trial(quality=early, truth=truth, is_complete=False, images=images, unpruned=late))
    ranked = sorted(begun, key=lambda one: -one.quality)
    kept, left = ranked[: search.trials // 4], ranked[search.trials // 4 :]
    spent = begun[-1].images
    ended = [
        Trial(
            quality=one.unpruned,
            truth=one.truth,
            is_complete=True,
            images=spent + number * (RUNGS[-1] - RUNGS[0]),
            unpruned=one.unpruned,
        )
        for number, one in enumerate(kept, start=1)
    ]
    return [*sorted(left, key=lambda one: one.images), *ended]


def _quality(photos: np.ndarray) -> Quality:
    return average_photos(
        [
            PhotoQuality(quality=one, content_preservation=one, style_match=one, artefact_factor=1.0, terms={})
            for one in photos.tolist()
        ]
    )


if __name__ == "__main__":
    main()
