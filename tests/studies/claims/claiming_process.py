"""A worker with quick trials, run as a process by test_claiming_processes.py.

Called as `claiming_process.py ADDRESS TOTAL SEED [hang|hang-before-attach|hang-before-trial|interrupt]`.
It is the reference for how a worker uses claims. With a last argument it stops at that place of its first trial.
"""

import os
import signal
import sys
import time

import optuna

from studies.claims import claiming as claims
from studies.claims.processes import WorkerIdentity
from studies.claims.reaping import reap, release
from studies.claims.retries import mark_interrupted
from studies.errors import ClaimLostError
from studies.storage.study_storage import StudyStorage
from tests.studies.waves import WAVES


def hang() -> None:
    """Say where we are, and wait to be killed."""
    print("hanging", flush=True)
    time.sleep(600)


class Worker:
    """Claims and runs trials until the study has its total."""

    def __init__(self, storage: StudyStorage, *, total: int, seed: int, accident: str) -> None:
        self._storage = storage
        self._total = total
        self._accident = accident
        self._study = storage.load_study("waves", sampler=optuna.samplers.RandomSampler(seed=seed))
        self._claim: claims.Claim | None = None
        self._trial_number: int | None = None

    def run(self) -> None:
        while (claim := self._next()) is not claims.NoClaim.DONE:
            if isinstance(claim, claims.NoClaim):
                reap(self._storage, WAVES, total=self._total)
                time.sleep(0.05)
                continue
            self._claim, self._trial_number = claim, None
            if self._accident == "hang-before-trial":
                hang()
            self._run_trial(claim)

    def _next(self) -> claims.Claim | claims.NoClaim:
        return claims.claim(self._storage, WAVES, total=self._total, worker=WorkerIdentity.current())

    def _run_trial(self, claim: claims.Claim) -> None:
        try:
            self._study.optimize(self._objective, n_trials=1, catch=(ClaimLostError,))
        except KeyboardInterrupt:
            release(self._storage, claim, trial_number=self._trial_number, reason="interrupted")
            raise
        claims.close(self._storage, claim)

    def _objective(self, trial: optuna.Trial) -> float:
        assert self._claim is not None
        self._trial_number = trial.number
        if self._accident == "hang-before-attach":
            hang()
        trial.set_user_attr("worker", WorkerIdentity.current().as_attribute())
        claims.attach(self._storage, self._claim, trial_number=trial.number)
        value = trial.suggest_float("x", 0, 1)
        try:
            if self._accident == "hang":
                hang()
            if self._accident == "interrupt":
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(600)
        except KeyboardInterrupt:
            mark_interrupted(trial, "interrupted by the user")
            raise
        trial.report(value, 1)
        if trial.number % 3 == 0:
            raise optuna.TrialPruned
        return value


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    address, total, seed, *accidents = sys.argv[1:]
    with StudyStorage.open(address) as opened:
        Worker(opened, total=int(total), seed=int(seed), accident=accidents[0] if accidents else "").run()
