"""What a running study prints: a line for each trial that ended, and on a terminal one live line below them."""

import time
from collections.abc import Sequence
from typing import Final, final

import click
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from measures.loss_weights import LossWeights
from measures.quality import PART_SHORT_LABELS
from studies.records import attributes
from studies.records.trial_qualities import quality_of
from tuner.configuration.settings import StudyConfig
from tuner.search.trial import RungEvent

STATE_WORDS: Final = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
SECONDS_PER_MINUTE: Final = 60
REFRESH_SECONDS: Final = 0.5


@final
class StudyProgress:
    """Keeps count of a run of a study and prints it."""

    def __init__(
        self,
        config: StudyConfig,
        *,
        finished: int,
        total: int,
        best: tuple[int, float] | None,
        num_workers: int = 1,
    ) -> None:
        """Begin.

        Args:
            config: The study's configuration.
            finished: Trials that had finished before this run.
            total: Finished trials that the study shall have.
            best: Number and quality of the best trial so far.
            num_workers: Processes that run trials at the same time.
        """
        self._images = config.rungs[-1]
        self._finished = finished
        self._total = total
        self._best = best
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
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            self._finished += 1
            if attributes.SECONDS in trial.user_attrs:
                self._seconds_of_ended.append(trial.user_attrs[attributes.SECONDS])
        quality = quality_of(trial)
        if trial.state is TrialState.COMPLETE and quality is not None:
            self._best = max(self._best or (trial.number, quality), (trial.number, quality), key=lambda best: best[1])
        self.say(f"{describe_trial(trial)}  {self._state()}")

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
        return f"[{self._finished}/{self._total}{self._eta()}{self._best_words()}]"

    def _best_words(self) -> str:
        return "" if self._best is None else f", best {self._best[1]:.3f} (trial {self._best[0]})"

    def _eta(self) -> str:
        """What is left at the pace of this run's trials, pruning included; before one ends, of its batches."""
        remaining = self._total - self._finished
        if remaining <= 0:
            return ""
        if self._seconds_of_ended:
            seconds = sum(self._seconds_of_ended) / len(self._seconds_of_ended)
        elif self._images_trained:
            seconds = self._seconds_training / self._images_trained * self._images
        else:
            return ""
        return f", {format_seconds(seconds * remaining / self._num_workers)} left"


def describe_trial(trial: FrozenTrial) -> str:
    """Return one line about a trial that ended: number, state, quality, parts, weights, seconds."""
    attrs = trial.user_attrs
    words = [f"trial {trial.number:>3} {STATE_WORDS.get(trial.state, trial.state.name.lower()):<8}"]
    quality = quality_of(trial)
    words.append("quality   -  " if quality is None else f"quality {quality:.3f}")
    parts = attrs.get(attributes.PARTS)
    if parts:
        words.append(f"({', '.join(f'{label} {parts[name]:.2f}' for name, label in PART_SHORT_LABELS.items())})")
    weights = attrs.get(attributes.WEIGHTS)
    if weights:
        words.append(
            f"weights {weights['content']:.3f} {weights['style']:.3f} {weights['total_variation']:.4f}",
        )
    if attributes.SECONDS in attrs:
        words.append(f"{attrs[attributes.SECONDS]:.0f} s")
    failure = attrs.get(attributes.FAILURE)
    if failure:
        words.append(failure.splitlines()[0])
    return "  ".join(words)


def format_seconds(seconds: float) -> str:
    """Return a duration in words: "45 s", "12 min", "2 h 05 min"."""
    if seconds < SECONDS_PER_MINUTE:
        return f"{seconds:.0f} s"
    minutes = round(seconds / SECONDS_PER_MINUTE)
    if minutes < SECONDS_PER_MINUTE:
        return f"{minutes} min"
    return f"{minutes // SECONDS_PER_MINUTE} h {minutes % SECONDS_PER_MINUTE:02d} min"
