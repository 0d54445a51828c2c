"""One command's run of a study: the study, and what runs it needs."""

from dataclasses import dataclass
from typing import final

from studies.claims.reaping import reap
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage
from tuner.configuration.settings import StudyConfig
from tuner.running.standing import Standing
from tuner.running.stopping import StoppingRules, TimeLimit
from tuner.search.study_pictures import StudyPictures


@final
@dataclass(frozen=True, kw_only=True)
class StudyRun:
    """One command's run of a study.

    Attributes:
        storage: Opened for writing.
        uuid: What the study is, however it is called.
        config: Its configuration.
        pictures: Its pictures.
        limit: Until when the run lasts; None for as long as it takes.
        counts_trials: Whether `search.trials` ends it; if not, it is only what a run is planned with.
    """

    storage: StudyStorage
    uuid: str
    config: StudyConfig
    pictures: StudyPictures
    limit: TimeLimit | None = None
    counts_trials: bool = True

    @property
    def name(self) -> str:
        """The study's present name.

        Raises:
            StudyError: The study was deleted.
        """
        return self.storage.read_by_uuid(self.uuid).study_name

    def standing(self) -> Standing:
        """Return how far the study is.

        Raises:
            StudyError: The study was deleted.
            StorageError: The database cannot be read.
        """
        allowance = self.rules().allowance()
        study = self.storage.read_by_uuid(self.uuid)
        with storage_errors(self.storage.url):
            return Standing.of(
                study,
                total=allowance.total,
                stop=allowance.stop,
                seconds_left=None if self.limit is None else max(0.0, self.limit.seconds_left),
            )

    def rules(self) -> StoppingRules:
        """Return what ends the run."""
        return StoppingRules(
            self.storage, self.uuid, config=self.config, limit=self.limit, counts_trials=self.counts_trials
        )

    def is_done(self) -> bool:
        """Return whether the study has its trials or is stopped, once what dead workers left is cleared away."""
        reap(self.storage, self.uuid)
        return self.standing().is_done
