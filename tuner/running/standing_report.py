"""Telling an observer how far the study is, and what it is called now."""

from typing import final

from tuner.running.observer import StudyObserver
from tuner.running.study_run import StudyRun


@final
class StandingReport:
    """Reads the study anew for each report: other machines run its trials, and people rename it."""

    def __init__(self, run: StudyRun, observer: StudyObserver) -> None:
        self._run = run
        self._observer = observer
        self._name = run.name

    def tell(self) -> None:
        """Tell of a new name, if the study has one, and how far it is.

        Raises:
            StudyError: The study was deleted.
        """
        name = self._run.name
        if name != self._name:
            self._name = name
            self._observer.on_study(name, self._run.storage.name)
        self._observer.on_standing(self._run.standing())
