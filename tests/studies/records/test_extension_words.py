"""What trials came to that were trained on."""

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from studies.records import attributes
from studies.records.extension_words import extension_in_words
from studies.records.study_record import StudyRecord
from studies.records.summaries import StudySummary, summarise
from studies.records.validation import Validation, ValidationRun
from studies.storage.study_storage import StudyStorage
from tests.studies.records.long_runs import VALIDATION, run_of


@pytest.fixture
def summary(tmp_path: Path) -> StudySummary:
    """Trials 0 and 1 are complete with .4 and .3, trial 2 was pruned at 50 of 100 images with .2."""
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as storage:
        study = optuna.create_study(storage=storage.optuna, study_name="waves", direction="maximize")
        for quality in (0.4, 0.3):
            study.add_trial(create_trial(value=quality, user_attrs={attributes.IMAGES_SEEN: 100}))
        pruned = {"state": TrialState.PRUNED, "intermediate_values": {50: 0.2}}
        study.add_trial(create_trial(**pruned, user_attrs={attributes.IMAGES_SEEN: 50}))
        return summarise(storage, "waves")


def extension(*runs: ValidationRun) -> Validation:
    return replace(VALIDATION, runs=runs, wanted=tuple(run.trial for run in runs), is_extension=True)


def pruned_run(**qualities: float) -> ValidationRun:
    photos = {int(images.removeprefix("at_")): (quality, quality) for images, quality in qualities.items()}
    return replace(run_of(2, 0.2), photo_qualities=photos)


def test_a_pruned_trial_that_would_have_led(summary: StudySummary) -> None:
    assert extension_in_words(extension(pruned_run(at_50=0.2, at_100=0.45, at_400=0.6)), summary) == [
        "Trial 2, trained on to 400 images, has 0.600; pruned at 50 with 0.200, it has 0.450 after a whole "
        "trial's 100, place 1 beside the 2 complete ones; for its weights: styletuner study export waves --trial 2"
    ]


def test_pruned_rightly(summary: StudySummary) -> None:
    (line,) = extension_in_words(extension(pruned_run(at_50=0.2, at_100=0.35, at_400=0.6)), summary)
    assert line.endswith("it has 0.350 after a whole trial's 100, place 2 beside the 2 complete ones")


def test_complete_ones_are_told_best_first(summary: StudySummary) -> None:
    other = replace(run_of(1, 0.3), photo_qualities={100: (0.3, 0.3), 400: (0.7, 0.7)})
    assert extension_in_words(extension(run_of(0, 0.4), other), summary) == [
        "Trial 1, trained on to 400 images, has 0.700",
        "Trial 0, trained on to 400 images, has 0.400",
    ]


def test_scores_that_are_not_those_of_the_study(summary: StudySummary) -> None:
    (line,) = extension_in_words(extension(pruned_run(at_50=0.23, at_100=0.3, at_400=0.6)), summary)
    assert line.endswith(
        "; after 50 images it had 0.200 in the study and 0.230 now: another machine, other versions of the "
        "libraries, or a GPU, whose sums vary"
    )


def test_one_that_diverged(summary: StudySummary) -> None:
    run = replace(pruned_run(at_50=0.2), diverged="diverged: the style loss is not finite before image 100")
    assert extension_in_words(extension(run), summary) == [
        "Trial 2, trained on to 400 images, diverged: the style loss is not finite before image 100"
    ]


def test_an_extension_may_have_no_best_trial_beside_it() -> None:
    """Of a study in which none is complete; a validation without one is not whole."""
    extended = replace(extension(run_of(2, 0.5)), winner=None)
    assert Validation.parse(extended.to_attribute()) == extended
    assert Validation.parse({**VALIDATION.to_attribute(), "winner": None}) is None


def test_an_extension_is_no_validation() -> None:
    extended = extension(run_of(2, 0.5))
    entries = [VALIDATION.to_attribute(), extended.to_attribute()]
    record = StudyRecord.parse({attributes.JUDGE_VERSION: VALIDATION.judge_version, attributes.VALIDATIONS: entries})
    assert record.validation == VALIDATION
    assert record.extensions == (extended,)
    assert extended.outcome() is None
    assert extended.name == "extension_400_images_32_px"
