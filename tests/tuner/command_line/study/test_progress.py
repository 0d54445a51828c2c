import io
from datetime import datetime

import optuna
import pytest
from optuna.trial import TrialState
from rich.console import Console

from measures.loss_weights import LossWeights
from studies.records import attributes
from tuner.command_line.study.progress import StudyProgress, describe_trial
from tuner.configuration.search_sections import SearchSection
from tuner.configuration.settings import StudyConfig
from tuner.configuration.training_sections import TrainingSection
from tuner.running.standing import Standing

WEIGHTS = LossWeights.normalised(content=1, style=2, total_variation=1)


def _trial(number: int, *, state: TrialState, value: float | None) -> optuna.trial.FrozenTrial:
    return optuna.trial.FrozenTrial(
        number=number,
        state=state,
        value=value,
        values=None,
        datetime_start=datetime(2026, 1, 1),
        datetime_complete=datetime(2026, 1, 1),
        params={},
        distributions={},
        user_attrs={
            attributes.WEIGHTS: WEIGHTS.to_dict(),
            attributes.PARTS: {"content_preservation": 0.5, "style_match": 0.25, "artefact_factor": 1.0},
            attributes.SECONDS: 12.4,
        },
        system_attrs={},
        intermediate_values={400: 0.125},
        trial_id=number,
    )


def test_a_complete_trial_is_described_by_its_value() -> None:
    line = describe_trial(_trial(3, state=TrialState.COMPLETE, value=0.5))

    assert "trial   3 complete  quality 0.500" in line
    assert "(content 0.50, style 0.25, artefacts 1.00)" in line
    assert "weights 0.250 0.500 0.2500" in line


def test_a_pruned_trial_is_described_by_its_last_rung() -> None:
    assert "pruned    quality 0.125" in describe_trial(_trial(4, state=TrialState.PRUNED, value=None))


def test_progress_shows_where_the_study_stands(capsys: pytest.CaptureFixture[str]) -> None:
    config = StudyConfig(training=TrainingSection(images=8, batch_size=2))
    progress = StudyProgress(config)

    for number, state, value, num_finished in [
        (2, TrialState.COMPLETE, 0.3, 3),
        (3, TrialState.FAIL, None, 3),
        (4, TrialState.PRUNED, 0.9, 4),
    ]:
        progress.on_start(number, WEIGHTS)
        progress.on_batch(8)
        progress.on_standing(Standing(num_finished=num_finished, total=5, best=(0, 0.4)))
        progress.on_trial(_trial(number, state=state, value=value))

    lines = capsys.readouterr().err.splitlines()
    assert ["[3/5" in lines[0], "[3/5" in lines[1], "[4/5" in lines[2]] == [True, True, True]
    assert "best 0.400 (trial 0)" in lines[2]
    assert "left" in lines[2]


def test_time_left_is_that_of_the_trials_shared_by_the_workers(capsys: pytest.CaptureFixture[str]) -> None:
    """Four trials of 12.4 s are left for two workers; no batch of theirs is seen here."""
    progress = StudyProgress(StudyConfig(), num_workers=2)
    progress.on_running([0, 1])
    progress.on_standing(Standing(num_finished=1, total=5, best=(0, 0.3)))
    progress.on_trial(_trial(0, state=TrialState.COMPLETE, value=0.3))
    assert "[1/5, 25 s left, best 0.300 (trial 0)]" in capsys.readouterr().err


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    terminal = Console(file=written, force_terminal=True, width=200)
    monkeypatch.setattr("tuner.command_line.study.progress.Console", lambda **_: terminal)
    return written


HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.mark.parametrize("num_workers", [1, 2])
def test_live_line_is_taken_away_when_a_run_is_interrupted(terminal: io.StringIO, num_workers: int) -> None:
    progress = StudyProgress(StudyConfig(search=SearchSection(trials=5)), num_workers=num_workers)
    if num_workers == 1:
        progress.on_start(0, WEIGHTS)
    else:
        progress.on_running([0, 1])
    progress.close()
    text = terminal.getvalue()
    assert ("trial 0 (style:content 2)" if num_workers == 1 else "running trials 0, 1  [0/5]") in text
    assert text.rindex(SHOW_CURSOR) > text.rindex(HIDE_CURSOR)
    progress.close()
