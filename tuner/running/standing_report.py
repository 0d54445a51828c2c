"""Telling an observer how far the study is, and what it is called now."""

from typing import final

from studies.records.scout_words import verdict_in_words
from tuner.running.observer import StudyObserver
from tuner.running.standing import Standing
from tuner.running.study_run import StudyRun


@final
class StandingReport:
    """Reads the study anew for each report: other machines run its trials, and people rename it."""

    def __init__(self, run: StudyRun, observer: StudyObserver) -> None:
        self._run = run
        self._observer = observer
        self._name = run.name
        self._standing: Standing | None = None
        self._has_told_verdict = False

    def tell(self) -> None:
        """Tell of a new name, if the study has one, and how far it is.

        Raises:
            StudyError: The study was deleted.
        """
        name = self._run.name
        if name != self._name:
            self._name = name
            self._observer.on_study(name, self._run.storage.name)
        self._standing = self._run.standing()
        self._observer.on_standing(self._standing)

    def tell_verdict(self) -> None:
        """Tell once what the study's scout was worth, as soon as what was told last has it."""
        finding = None if self._standing is None else self._standing.scout
        verdict = "" if finding is None else verdict_in_words(finding)
        if verdict and not self._has_told_verdict:
            self._has_told_verdict = True
            self._observer.say(f"The scout: {verdict[0].lower()}{verdict[1:]}")
