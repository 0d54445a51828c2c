"""A study's settings trained four times as long as its trials: the winner loses to the third."""

from studies.records.validation import Validation, ValidationRun

JUDGE = "4"


def run_of(trial: int, quality: float) -> ValidationRun:
    """One of the same quality all along, on two photos."""
    photos = dict.fromkeys((100, 200, 400), (quality, quality))
    return ValidationRun(
        trial=trial, style_to_content=1.0, tv_to_content=0.1, trial_quality=quality, photo_qualities=photos
    )


VALIDATION = Validation(
    judge_version=JUDGE,
    images=400,
    crop_size=32,
    short_run=100,
    wanted=(0, 1, 2),
    winner=0,
    baseline=1,
    runs=(
        ValidationRun(
            trial=0,
            style_to_content=1.5,
            tv_to_content=0.1,
            trial_quality=0.4,
            photo_qualities={100: (0.4, 0.4), 200: (0.4, 0.4), 400: (0.4, 0.4)},
            seconds=12.5,
        ),
        ValidationRun(
            trial=1,
            style_to_content=1.0,
            tv_to_content=0.1,
            trial_quality=0.3,
            photo_qualities={100: (0.3, 0.3), 200: (0.3, 0.3), 400: (0.25, 0.25)},
        ),
        ValidationRun(
            trial=2,
            style_to_content=4.0,
            tv_to_content=0.05,
            trial_quality=0.2,
            photo_qualities={100: (0.1, 0.1), 200: (0.2, 0.3), 400: (0.45, 0.55)},
            parts={"content_preservation": 0.4, "style_match": 0.6, "artefact_factor": 1.0},
            outputs="outputs-2",
        ),
    ),
    sheet="a-sheet",
    references={"content": {"relu2_1": 0.5}, "style": {"relu1_1": 0.01}, "total_variation": 0.1},
    versions={"keras": "3.15.0"},
)
