"""One command's run of a study: the study, and what runs it needs."""

from dataclasses import dataclass
from typing import final

from studies.claims.reaping import reap
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage
from tuner.configuration.settings import StudyConfig
from tuner.running.standing import Standing
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
    """

    storage: StudyStorage
    uuid: str
    config: StudyConfig
    pictures: StudyPictures

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
        study = self.storage.read_by_uuid(self.uuid)
        with storage_errors(self.storage.url):
            return Standing.of(study, total=self.config.num_trials)

    def is_done(self) -> bool:
        """Return whether the study has its total of finished trials, once what dead workers left is cleared away."""
        reap(self.storage, self.uuid)
        return self.standing().is_done
