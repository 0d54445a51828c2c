"""A final of three trials: the second best by its own run wins it, and the best ties with it."""

from studies.records.final import FinalRun, StudyFinal

JUDGE = "4"
SEEDS = (1, 2)


def run_of(trial: int, seed: int, *photos: float, own: float = 0.5, diverged: str = "") -> FinalRun:
    return FinalRun(trial=trial, seed=seed, trial_quality=own, photo_qualities=photos, diverged=diverged, seconds=2.5)


FINAL = StudyFinal(
    judge_version=JUDGE,
    seeds=SEEDS,
    wanted=(1, 2, 0),
    runs=(
        run_of(0, 1, 0.15, 0.25, own=0.4),
        run_of(0, 2, 0.15, 0.25, own=0.4),
        run_of(1, 1, 0.4, 0.5, own=0.6),
        run_of(1, 2, 0.5, 0.5, own=0.6),
        run_of(2, 1, 0.5, 0.5, own=0.5),
        run_of(2, 2, 0.4, 0.6, own=0.5),
    ),
    versions={"keras": "3.15.0"},
)
"""Means .2, .475 and .5; the runs of trial 1 are .45 and .5, of the others alike."""
