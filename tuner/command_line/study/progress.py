"""What a running study prints: a line for each trial that ended, and on a terminal one live line below them."""

import time
from collections.abc import Sequence
from typing import Final, final

import click
from optuna.trial import FrozenTrial
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from measures.loss_weights import TERMS, LossWeights
from measures.quality import PART_SHORT_LABELS
from studies.claims.trial_states import FINISHED_STATES
from studies.records.final import FinalRun
from studies.records.trial_qualities import quality_of
from studies.records.trial_record import TrialRecord
from studies.records.trial_words import further_in_words, origin_in_words, state_word
from tuner.command_line.durations import format_seconds
from tuner.configuration.settings import StudyConfig
from tuner.running.observer import StudyObserver
from tuner.running.standing import Standing
from tuner.search.trial_observer import RungEvent

REFRESH_SECONDS: Final = 0.5


@final
class StudyProgress(StudyObserver):
    """Prints what a run of a study does to standard error."""

    def __init__(self, config: StudyConfig, *, num_workers: int = 1) -> None:
        """Begin.

        Args:
            config: The study's configuration.
            num_workers: Processes that run trials at the same time.
        """
        self.study_name: str | None = None
        self._images = config.rungs[-1]
        self._standing = Standing(num_finished=0, total=config.num_trials, best=None)
        self._console = Console(stderr=True)
        self._status: Status | None = None
        self._seconds_training = 0.0
        self._images_trained = 0
        self._num_workers = num_workers
        self._seconds_of_ended: list[float] = []
        self._current = ""
        self._seen = 0
        self._last = time.monotonic()
        self._shown = 0.0

    def say(self, text: str) -> None:
        """Print a line of its own, above the live line."""
        if self._console.is_terminal:
            self._console.print(text, highlight=False, markup=False)
        else:
            click.echo(text, err=True)

    def on_study(self, name: str, place: str) -> None:
        """Name the study and where it lives, or its new name."""
        renamed = self.study_name is not None
        self.say(f"Study {self.study_name} is called {name} now" if renamed else f"Study {name} in {place}")
        self.study_name = name

    def on_standing(self, standing: Standing) -> None:
        """Show these counts from now on."""
        self._standing = standing

    def on_start(self, number: int, weights: LossWeights) -> None:
        """A trial begins."""
        self._current = f"trial {number} (style:content {weights.style / weights.content:.3g})"
        self._seen = 0
        self._last = time.monotonic()
        self._show(f"{self._current}: 0/{self._images} images")

    def on_batch(self, num_images: int) -> None:
        """A batch was trained on."""
        now = time.monotonic()
        self._seconds_training += now - self._last
        self._last = now
        self._images_trained += num_images
        self._seen += num_images
        if now - self._shown > REFRESH_SECONDS:
            self._shown = now
            self._show(f"{self._current}: {self._seen}/{self._images} images")

    def on_running(self, numbers: Sequence[int]) -> None:
        """These trials run in other processes."""
        named = ", ".join(map(str, numbers))
        self._show(f"running trial{'s' if len(numbers) > 1 else ''} {named}" if numbers else "starting workers")

    def on_rung(self, event: RungEvent) -> None:
        """A trial was scored."""
        self._current = f"trial {event.number} (quality {event.quality:.3f} after {event.images_seen} images)"

    def on_trial(self, trial: FrozenTrial) -> None:
        """A trial ended."""
        self.close()
        seconds = TrialRecord.parse(trial.user_attrs).seconds
        if seconds is not None and trial.state in FINISHED_STATES:
            self._seconds_of_ended.append(seconds)
        self.say(f"{describe_trial(trial)}  {self._state()}")

    def on_final_run(self, run: FinalRun, *, num_done: int, num_runs: int) -> None:
        """A finalist was trained again, which the run itself has told."""
        del run, num_done, num_runs
        self.close()

    def close(self) -> None:
        """Take the live line away, which also brings the cursor back."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _show(self, text: str) -> None:
        if not self._console.is_terminal:
            return
        line = f"{text}  {self._state()}"
        if self._status is None:
            self._status = self._console.status(escape(line))
            self._status.start()
        else:
            self._status.update(escape(line))

    def _state(self) -> str:
        standing = self._standing
        best = "" if standing.best is None else f", best {standing.best[1]:.3f} (trial {standing.best[0]})"
        of_all = (
            f"/{standing.total}" if standing.total is not None else f" trial{'' if standing.num_finished == 1 else 's'}"
        )
        seconds = [left for left in (self._seconds_to_total(), standing.seconds_left) if left is not None]
        eta = f", {format_seconds(min(seconds))} left" if seconds and not standing.is_done else ""
        return f"[{standing.num_finished}{of_all}{eta}{best}]"

    def _seconds_to_total(self) -> float | None:
        """What is left at the pace of this run's trials, pruning included; before one ends, of its batches."""
        if self._standing.total is None:
            return None
        remaining = self._standing.total - self._standing.num_finished
        if self._seconds_of_ended:
            seconds = sum(self._seconds_of_ended) / len(self._seconds_of_ended)
        elif self._images_trained:
            seconds = self._seconds_training / self._images_trained * self._images
        else:
            return None
        return seconds * remaining / self._num_workers


def describe_trial(trial: FrozenTrial) -> str:
    """Return one line about a trial that ended: number, state, quality, parts, weights, seconds."""
    record = TrialRecord.parse(trial.user_attrs)
    words = [f"trial {trial.number:>3} {state_word(trial.state.name):<8}"]
    quality = quality_of(trial)
    words.append("quality   -  " if quality is None else f"quality {quality:.3f}")
    parts = [f"{label} {record.parts[name]:.2f}" for name, label in PART_SHORT_LABELS.items() if name in record.parts]
    if parts:
        words.append(f"({', '.join(parts)})")
    if record.weights:
        content, style, variation = (record.weights[term] for term in TERMS)
        words.append(f"weights {content:.3f} {style:.3f} {variation:.4f}")
    if further := further_in_words(trial.params):
        words.append(further)
    if record.seconds is not None:
        words.append(f"{record.seconds:.0f} s")
    if origin := origin_in_words(
        is_baseline=record.is_baseline,
        foretold=record.foretold,
        published=record.published,
        taken_from=record.taken_from,
    ):
        words.append(origin)
    if record.failure:
        words.append(record.failure.splitlines()[0])
    return "  ".join(words)
