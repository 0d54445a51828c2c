"""A storage's artifacts for optuna-dashboard, so that it answers with a reason where one cannot be had."""

from typing import BinaryIO, final

from bottle import HTTPError
from optuna.artifacts._protocol import ArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound

from studies.errors import StorageError


@final
class AnsweringStore:
    """An Optuna artifact store whose errors are answers: 404 of what is gone, 503 of what cannot be read now."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open an artifact for reading.

        Raises:
            HTTPError: It is gone, or cannot be read.
        """
        try:
            return self._store.open_reader(artifact_id)
        except ArtifactNotFound as error:
            raise HTTPError(404, "It has been deleted.") from error
        except StorageError as error:
            raise HTTPError(503, str(error)) from error

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Write an artifact.

        Raises:
            HTTPError: It cannot be written.
        """
        try:
            self._store.write(artifact_id, content_body)
        except StorageError as error:
            raise HTTPError(503, str(error)) from error

    def remove(self, artifact_id: str) -> None:
        """Remove an artifact.

        Raises:
            optuna.artifacts.exceptions.ArtifactNotFound: It is gone, which optuna-dashboard knows how to tell.
            HTTPError: It cannot be removed.
        """
        try:
            self._store.remove(artifact_id)
        except StorageError as error:
            raise HTTPError(503, str(error)) from error
