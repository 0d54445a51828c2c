"""The worker processes of one command: who lives, who takes a dead one's place, and how all of them are stopped."""

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, final

from groundwork.interrupts import UndisturbedWork
from studies.claims.deaths import bury, give_back
from studies.claims.processes import WorkerIdentity
from studies.claims.trial_states import FINISHED_STATES
from studies.errors import StudiesError
from studies.records import attributes
from tuner.running.study_run import StudyRun
from tuner.running.workers.watchdog import HANG_SECONDS
from tuner.running.workers.worker_ends import GAVE_BACK, INTERRUPTED, SAID_WHY, death_in_words

MAX_DEATHS: Final = 3
"""Deaths in a row, without a finished trial in between, after which nobody takes a worker's place any more: what kills
it kills the next one too. It is as many as the trials that may fail one after another before a worker gives up."""

START_SECONDS: Final = 0.5
"""Pause before another try where a process could not be started."""

LOOK_SECONDS: Final = 0.05
"""Pause between two looks at workers that give their trials back, which takes them a training step or two."""


@final
class Crew:
    """Worker processes, each of which is replaced when it dies."""

    def __init__(
        self,
        run: StudyRun,
        num_workers: int,
        *,
        start: Callable[[int], subprocess.Popen[bytes]],
        say: Callable[[str], None],
    ) -> None:
        """Start the workers.

        Args:
            run: The study that they run.
            num_workers: At least 1.
            start: Starts one, told its place from 0.
            say: Told in a line what becomes of them.
        """
        self._run = run
        self._start = start
        self._say = say
        self._places: list[_Place] = []
        try:
            for number in range(num_workers):
                self._places.append(_Place(number=number, process=start(number)))
        except BaseException:
            self.stop(at_once=True)
            raise

    @property
    def is_running(self) -> bool:
        """Whether a worker lives, or another one took its place."""
        return any(not place.has_ended for place in self._places)

    @property
    def has_succeeded(self) -> bool:
        """Whether a worker ended because the study has its trials or is stopped."""
        return any(place.has_ended and place.process.returncode == 0 for place in self._places)

    def look(self, *, replaces: bool = True) -> None:
        """See who has ended; have others take the place of those that died, while there is something to do.

        Args:
            replaces: Whether anybody takes a place; false once the command is to end.

        Raises:
            StudyError: The study was deleted.
            StorageError: The database fails.
        """
        for place in self._places:
            if place.has_ended or place.process.poll() is None:
                continue
            place.close()
            if place.process.returncode == GAVE_BACK and replaces:
                self._say(f"Worker {place.number} was asked to end, and nobody takes its place.")
            if place.has_died:
                words = self._bury(place)
                if replaces and not self._run.standing().is_done:
                    self._replace(place, words)

    def stop(self, *, at_once: bool) -> None:
        """Have the workers give their trials back and end.

        Args:
            at_once: Kill them instead, as a signal does that comes meanwhile; their trials are given back for them.
        """
        living = [place for place in self._places if not place.has_ended]
        with UndisturbedWork() as work:
            for place in living:
                place.process.terminate()
            while not at_once and any(place.process.poll() is None for place in living):
                time.sleep(LOOK_SECONDS)
                at_once = work.has_come
            killed = [place for place in living if place.process.poll() is None]
            for place in killed:
                place.process.kill()
            for place in living:
                place.process.wait()
                place.close()
            # The database may be why they are stopped; the next run then finds them dead.
            with suppress(StudiesError):
                if killed:
                    identities = [place.identity for place in killed]
                    give_back(self._run.storage, self._run.uuid, identities, reason=INTERRUPTED)
                for place in living:
                    if place.has_died and place not in killed:
                        self._bury(place)

    def _bury(self, place: "_Place") -> str:
        """Clear away what a dead worker left; return in words what became of it."""
        words = death_in_words(place.process.returncode, patience_seconds=HANG_SECONDS)
        bury(self._run.storage, self._run.uuid, place.identity, reason=f"its worker {words}")
        return words

    def _replace(self, place: "_Place", words: str) -> None:
        """Have another worker take a place, unless too many have died there."""
        place.num_deaths = 1 if self._has_finished_a_trial(place.identity) else place.num_deaths + 1
        while place.num_deaths < MAX_DEATHS:
            try:
                process = self._start(place.number)
            except OSError as error:  # no memory, or no process more
                words = f"{words}; another one cannot be started ({error.strerror or error})"
                place.num_deaths += 1
                time.sleep(START_SECONDS)
                continue
            place.begin(process)
            self._say(f"Worker {place.number} {words}. Another one takes its place.")
            return
        others = "; the others go on" if self.is_running else ""
        self._say(
            f"Worker {place.number} {words}. That was {MAX_DEATHS} times in a row without a finished trial: "
            f"nobody takes its place any more{others}."
        )

    def _has_finished_a_trial(self, worker: WorkerIdentity) -> bool:
        trials = self._run.storage.read_by_uuid(self._run.uuid).get_trials(deepcopy=False, states=FINISHED_STATES)
        return any(WorkerIdentity.from_attribute(trial.user_attrs.get(attributes.WORKER)) == worker for trial in trials)


@final
@dataclass(kw_only=True)
class _Place:
    """A place that one worker after another takes.

    Attributes:
        number: The place, from 0.
        process: Who has it, or had it last.
        identity: Of that process.
        num_deaths: Workers in a row that died here without a finished trial.
        has_ended: Whether the process has ended.
    """

    number: int
    process: subprocess.Popen[bytes]
    identity: WorkerIdentity = field(init=False)
    num_deaths: int = 0
    has_ended: bool = False

    def __post_init__(self) -> None:
        self.begin(self.process)

    @property
    def has_died(self) -> bool:
        """Whether the process, which has ended, neither came to its end nor said why."""
        return self.process.returncode not in {0, GAVE_BACK, *SAID_WHY}

    def begin(self, process: subprocess.Popen[bytes]) -> None:
        """Have a process that was just started take the place."""
        self.process, self.has_ended = process, False
        self.identity = WorkerIdentity.of(process.pid)

    def close(self) -> None:
        """Let go of a process that has ended."""
        self.has_ended = True
        if self.process.stdin is not None:
            self.process.stdin.close()
