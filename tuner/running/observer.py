"""Whom a running study tells what happens."""

from collections.abc import Sequence
from typing import Protocol, final

from optuna.trial import FrozenTrial

from measures.loss_weights import LossWeights
from studies.records.final import FinalRun
from tuner.running.standing import Standing
from tuner.search.trial_observer import RungEvent


class StudyObserver(Protocol):
    """Told of everything in the thread that runs the study.

    What it raises ends the run as an interrupt does: finished trials are kept.
    """

    def say(self, text: str) -> None:
        """Something worth a line of its own."""

    def on_study(self, name: str, place: str) -> None:
        """The study was found or made under this name in this storage, or has this new name."""

    def on_standing(self, standing: Standing) -> None:
        """So far is the study, other machines' trials included: at the beginning, and before each of the following."""

    def on_start(self, number: int, weights: LossWeights) -> None:
        """A trial of this process begins, or is trained again in the final."""

    def on_batch(self, num_images: int) -> None:
        """This process trained on a batch."""

    def on_rung(self, event: RungEvent) -> None:
        """A trial of this process was scored."""

    def on_trial(self, trial: FrozenTrial) -> None:
        """A trial ended; in a run with worker processes also those of other machines."""

    def on_running(self, numbers: Sequence[int]) -> None:
        """These trials run in worker processes; none while they load."""

    def on_final_run(self, run: FinalRun, *, num_done: int, num_runs: int) -> None:
        """A finalist was trained again by this process: so many of the final's runs are done now."""

    def close(self) -> None:
        """The run is over, whichever way."""


@final
class SilentObserver:
    """Keeps everything to itself; a `StudyObserver`."""

    def say(self, text: str) -> None:
        """Do nothing."""

    def on_study(self, name: str, place: str) -> None:
        """Do nothing."""

    def on_standing(self, standing: Standing) -> None:
        """Do nothing."""

    def on_start(self, number: int, weights: LossWeights) -> None:
        """Do nothing."""

    def on_batch(self, num_images: int) -> None:
        """Do nothing."""

    def on_rung(self, event: RungEvent) -> None:
        """Do nothing."""

    def on_trial(self, trial: FrozenTrial) -> None:
        """Do nothing."""

    def on_running(self, numbers: Sequence[int]) -> None:
        """Do nothing."""

    def on_final_run(self, run: FinalRun, *, num_done: int, num_runs: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
