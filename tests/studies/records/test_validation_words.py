from dataclasses import replace

import pytest

from studies.records.validation import Validation, ValidationRun
from studies.records.validation_words import loss_in_words, validation_in_words
from tests.studies.records.long_runs import VALIDATION, run_of

BEGUN = "Validated over 400 images, crops of 32 px: trial 0, the study's best, "


def with_runs(*qualities: float) -> Validation:
    """Runs of trials 0, 1, ... of the same quality in short and long runs."""
    runs = tuple(run_of(trial, quality) for trial, quality in enumerate(qualities))
    return replace(VALIDATION, runs=runs, wanted=tuple(range(len(runs))))


def test_a_winner_that_loses() -> None:
    first, second, third = validation_in_words(VALIDATION, best=0)
    assert first == f"{BEGUN}loses with 0.400, 0.100 ± 0.050 behind trial 2"
    assert second == (
        "Order of 3 settings against that of their trials: Kendall's tau-b -0.33 (95 %: -0.93 to 0.74; 3 settings tell "
        "little)"
    )
    assert third == "Best style : content by length: 1.5 at 100 to 200 images, 4 at 400 images"
    assert loss_in_words(VALIDATION) == (
        "Warning: over 400 images at 32 px trial 0, the study's best, loses with 0.400, 0.100 ± 0.050 behind trial 2. "
        "For that one: --trial 2"
    )


@pytest.mark.parametrize(
    ("validation", "told"),
    [
        (with_runs(0.5, 0.4), "still wins with 0.500, 0.100 ± 0.000 ahead of trial 1"),
        (with_runs(0.5, 0.5), "has 0.500 and cannot be told from trial 1 with 0.500"),
    ],
)
def test_a_winner_that_does_not(validation: Validation, told: str) -> None:
    assert validation_in_words(validation, best=0)[0] == BEGUN + told
    assert loss_in_words(validation) == ""


def diverged(run: ValidationRun) -> ValidationRun:
    return replace(run, photo_qualities={}, diverged="diverged before image 100")


@pytest.mark.parametrize(
    ("which", "told"),
    [
        ({0}, "diverged; trial 2 has 0.500"),
        ({1, 2}, "has 0.400; all others diverged"),
        ({0, 1, 2}, "diverged, and so did all others"),
    ],
)
def test_runs_that_diverged(which: set[int], told: str) -> None:
    runs = tuple(diverged(run) if run.trial in which else run for run in VALIDATION.runs)
    assert validation_in_words(replace(VALIDATION, runs=runs), best=0)[0] == BEGUN + told


def test_another_trial_is_the_best_by_now() -> None:
    assert validation_in_words(VALIDATION, best=7)[0].endswith("; trial 7 is the best by now, validate again")


def test_one_that_is_not_done() -> None:
    begun = replace(VALIDATION, wanted=(0, 1, 2, 7))
    told = "Validation over 400 images, crops of 32 px: 3 of 4 settings done. Validate again to go on."
    assert validation_in_words(begun, best=0) == [told]
    assert loss_in_words(begun) == ""


def test_an_order_of_all_alike_has_no_correlation() -> None:
    assert "has no value" in validation_in_words(with_runs(0.5, 0.5), best=0)[1]


def test_many_settings_are_not_called_few() -> None:
    many = with_runs(*(0.9 - number / 20 for number in range(10)))
    assert validation_in_words(many, best=0)[1].endswith("tau-b 1.00 (95 %: 0.13 to 1.00)")
