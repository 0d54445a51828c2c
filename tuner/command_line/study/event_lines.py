"""What happens in a study as lines of JSON, one event each, for the program that started the command."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

import click
from optuna.trial import FrozenTrial

from measures.loss_weights import LossWeights
from studies.records.final import FinalRun
from studies.records.trial_qualities import quality_of
from studies.records.trial_record import TrialRecord
from tuner.running.observer import StudyObserver
from tuner.running.standing import Standing
from tuner.search.trial_observer import RungEvent

if TYPE_CHECKING:
    from tuner.running.run_study import StudyEstimate, StudyResult
    from tuner.running.style_outcomes import StyleOutcome


@final
class EventLines(StudyObserver):
    """Prints events to standard output: "study" with its name, "trial" for each that ended, "end" with the results.

    In between "final_run" for each run of a finalist that this process has trained.

    A dry run prints one "estimate" instead (`print_estimate`). Several styles have these events each, and at the end
    "styles", or "estimate_of_all".

    People are told as ever, on standard error.
    """

    def __init__(self, display: StudyObserver) -> None:
        """Take who tells people."""
        self._display = display
        self._standing: Standing | None = None
        self._study: str | None = None

    def say(self, text: str) -> None:
        """Pass it on."""
        self._display.say(text)

    def on_study(self, name: str, place: str) -> None:
        """Print where the study is."""
        self._display.on_study(name, place)
        self._study = name
        _print("study", name=name, storage=place)

    def on_standing(self, standing: Standing) -> None:
        """Note it for the next trial's line."""
        self._display.on_standing(standing)
        self._standing = standing

    def on_start(self, number: int, weights: LossWeights) -> None:
        """Pass it on."""
        self._display.on_start(number, weights)

    def on_batch(self, num_images: int) -> None:
        """Pass it on."""
        self._display.on_batch(num_images)

    def on_rung(self, event: RungEvent) -> None:
        """Pass it on."""
        self._display.on_rung(event)

    def on_running(self, numbers: Sequence[int]) -> None:
        """Pass it on."""
        self._display.on_running(numbers)

    def on_trial(self, trial: FrozenTrial) -> None:
        """Print how the trial ended."""
        self._display.on_trial(trial)
        counts = (
            {}
            if self._standing is None
            else {"num_finished": self._standing.num_finished, "total": self._standing.total}
        )
        _print(
            "trial",
            study=self._study,
            number=trial.number,
            state=trial.state.name.lower(),
            quality=quality_of(trial),
            weights=dict(TrialRecord.parse(trial.user_attrs).weights) or None,
            params=dict(trial.params),
            **counts,
        )

    def on_final_run(self, run: FinalRun, *, num_done: int, num_runs: int) -> None:
        """Print what a finalist's run came to."""
        self._display.on_final_run(run, num_done=num_done, num_runs=num_runs)
        _print(
            "final_run",
            study=self._study,
            trial=run.trial,
            seed=run.seed,
            quality=run.quality,
            diverged=run.diverged or None,
            num_done=num_done,
            num_runs=num_runs,
        )

    def close(self) -> None:
        """Pass it on."""
        self._display.close()

    def end(self, result: "StudyResult") -> None:
        """Print what the study gave."""
        best = result.summary.best
        _print(
            "end",
            name=result.name,
            best=None if best is None else best.number,
            final=_final(result),
            near_ends=[near.as_dict() for near in result.summary.near_ends],
            exports=[str(path) for path in result.exports],
            sheet=None if result.sheet is None else str(result.sheet),
            scout=None if result.summary.scout is None else result.summary.scout.as_dict(),
            starter=None if result.summary.record.starter is None else result.summary.record.starter.to_attribute(),
            scout_sheet=None if result.scout_sheet is None else str(result.scout_sheet),
            final_sheet=None if result.final_sheet is None else str(result.final_sheet),
            published=result.summary.published_as_dicts(),
            stopped=result.stopped,
            final_error=result.final_error,
        )


def print_estimate(estimate: "StudyEstimate", *, widen: bool) -> None:
    """Print what a study would cost, or with `widen` what a wider one has still to train, as an event "estimate"."""
    _print(
        "estimate",
        study=estimate.name,
        widen=widen,
        num_trials=estimate.num_trials,
        num_images=estimate.num_images,
        num_final_runs=estimate.num_final_runs,
        start=estimate.start,
        start_images=estimate.start_images,
        seconds=estimate.cost.seconds,
        num_bytes=estimate.cost.num_bytes,
        num_finished=estimate.num_finished,
        num_fitting=None if estimate.plan is None else estimate.plan.num_trials,
    )


def _final(result: "StudyResult") -> dict[str, Any] | None:
    """What the study's final came to; None where it has none."""
    found = result.summary.record.final
    return None if found is None else {**found.as_dict(), "decides": result.summary.final is not None}


def print_sum(studies: Sequence[str], *, seconds: float, num_bytes: int) -> None:
    """Print what several studies would cost together, as an event "estimate_of_all"."""
    _print("estimate_of_all", studies=list(studies), seconds=seconds, num_bytes=num_bytes)


def print_styles(outcomes: Sequence["StyleOutcome"]) -> None:
    """Print what came of the studies of several styles, as an event "styles"."""
    _print("styles", studies=[outcome.as_dict() for outcome in outcomes])


def _print(event: str, **values: Any) -> None:
    click.echo(json.dumps({"event": event, **values}))
