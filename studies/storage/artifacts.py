"""Pictures, checkpoints and style images of studies, known to Optuna by artifact id: in a folder or in a bucket."""

import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, final

import optuna
from optuna.artifacts import ArtifactMeta, upload_artifact
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import BaseStorage

from studies.errors import StorageError
from studies.storage.optuna_internals import ARTIFACTS_ATTR_PREFIX, study_id_of, trial_id_of

if TYPE_CHECKING:
    from optuna.artifacts._protocol import ArtifactStore


class ArtifactPlace(Protocol):
    """Where artifacts lie.

    Attributes:
        name: What messages call it.
        folder: The folder that it is; None where it is none.
        restoring: What to do about one that is gone, as a sentence.
    """

    name: str
    folder: Path | None
    restoring: str

    @property
    def store(self) -> "ArtifactStore":
        """What Optuna and its dashboard read and write it through; each artifact is whole or absent."""

    def require_usable(self) -> None:
        """Raise StorageError if nothing can be kept here, as far as can be found out before there is anything."""

    def require_space(self, num_bytes: int) -> None:
        """Raise OSError if so much cannot be written."""

    def has(self, artifact_id: str) -> bool:
        """Whether an artifact is there."""

    def read(self, artifact_id: str) -> bytes:
        """Read an artifact that is there."""

    def local_file(self, artifact_id: str) -> Path:
        """Where the file lies, on this machine, of an artifact that is there."""

    def link(self, artifact_id: str, copy_id: str) -> bool:
        """Give a file a second name; return whether that is possible here."""

    def write_error(self, error: OSError) -> StorageError:
        """Say what to do about an artifact that could not be written."""


@final
class Artifacts:
    """The artifacts of every study in one storage."""

    def __init__(self, place: ArtifactPlace, *, storage: BaseStorage) -> None:
        self.place = place
        self.store = place.store
        self._storage = storage

    @property
    def name(self) -> str:
        """Where they lie, for messages."""
        return self.place.name

    @property
    def path(self) -> Path:
        """The folder that they lie in.

        Raises:
            StorageError: They lie in none.
        """
        if self.place.folder is None:
            raise StorageError(f"{self.name} is no folder. Set STYLETUNER_ARTIFACTS to one for this.")
        return self.place.folder

    def upload(
        self,
        file: Path,
        study_or_trial: optuna.Study | optuna.Trial | optuna.trial.FrozenTrial,
        *,
        mimetype: str | None = None,
    ) -> str:
        """Keep a file with a study or an unfinished trial, under the file's own name.

        Args:
            file: The file to copy.
            study_or_trial: What it belongs to; a trial must not have been told yet, Optuna refuses finished ones.
            mimetype: Guessed from the suffix when not given.

        Returns:
            The artifact id.

        Raises:
            StorageError: If the place cannot be written or its disk is full; the trial then has no such artifact.
        """
        try:
            self.place.require_space(file.stat().st_size)
            return upload_artifact(
                artifact_store=self.store,
                file_path=str(file),
                study_or_trial=study_or_trial,
                storage=self._storage,
                mimetype=mimetype,
            )
        except OSError as error:
            raise self.place.write_error(error) from error

    def upload_bytes(
        self,
        content: bytes,
        study_or_trial: optuna.Study | optuna.Trial | optuna.trial.FrozenTrial,
        *,
        file_name: str,
        mimetype: str | None = None,
    ) -> str:
        """Keep bytes with a study or an unfinished trial, under `file_name`; see `upload`."""
        with tempfile.TemporaryDirectory(prefix="styletuner-") as folder:
            file = Path(folder) / file_name
            try:
                file.write_bytes(content)
            except OSError as error:
                raise self.place.write_error(error) from error
            return self.upload(file, study_or_trial, mimetype=mimetype)

    def write(self, artifact_id: str, content: bytes) -> None:
        """Write a file under an id that its owner notes with `artifact_entry`; what is there is replaced.

        Raises:
            StorageError: If the place cannot be written or its disk is full.
        """
        try:
            self.place.require_space(len(content))
            self.store.write(artifact_id, io.BytesIO(content))
        except OSError as error:
            raise self.place.write_error(error) from error

    def link(self, artifact_id: str, copy_id: str) -> None:
        """Keep a file under a second id too, that its owner notes with `artifact_entry`; removing one leaves the other.

        Where the disk can, both are names of one file, which nothing ever writes into: it takes no room.

        Raises:
            StorageError: If the file is gone, or the place cannot be written.
        """
        self._require(artifact_id)
        if not self.has(copy_id) and not self.place.link(artifact_id, copy_id):
            self.write(copy_id, self.place.read(artifact_id))

    def path_of(self, artifact_id: str) -> Path:
        """A file of this machine that holds an artifact; of a bucket, a copy that goes with this process.

        Raises:
            StorageError: If the file is gone.
        """
        self._require(artifact_id)
        return self.place.local_file(artifact_id)

    def read(self, artifact_id: str) -> bytes:
        """Read an artifact.

        Raises:
            StorageError: If the file is gone.
        """
        self._require(artifact_id)
        return self.place.read(artifact_id)

    def has(self, artifact_id: str) -> bool:
        """Whether an artifact is there."""
        return bool(artifact_id) and Path(artifact_id).name == artifact_id and self.place.has(artifact_id)

    def names(self, study_or_trial: optuna.Study | optuna.trial.FrozenTrial) -> dict[str, str]:
        """File name by artifact id for everything kept with a study itself (not its trials) or with a trial."""
        if isinstance(study_or_trial, optuna.Study):
            attrs = self._storage.get_study_system_attrs(study_id_of(study_or_trial))
        else:
            attrs = self._storage.get_trial_system_attrs(trial_id_of(study_or_trial))
        return {meta.artifact_id: meta.filename for meta in artifact_metas(attrs)}

    def remove(self, artifact_id: str) -> None:
        """Remove one artifact's file; a file that is gone already is fine."""
        try:
            self.store.remove(artifact_id)
        except ArtifactNotFound:
            return

    def remove_all(self, study: optuna.Study) -> int:
        """Remove the files of a study and of its trials.

        Returns:
            How many artifacts they had.
        """
        owners: list[Any] = [study, *study.get_trials(deepcopy=False)]
        artifact_ids = [artifact_id for owner in owners for artifact_id in self.names(owner)]
        for artifact_id in artifact_ids:
            self.remove(artifact_id)
        return len(artifact_ids)

    def _require(self, artifact_id: str) -> None:
        if not self.has(artifact_id):
            raise StorageError(f"Artifact {artifact_id} is not in {self.name}. {self.place.restoring}")


def artifact_metas(system_attrs: Mapping[str, Any]) -> list[ArtifactMeta]:
    """Return what system attributes, which somebody has read, say of the files of their study or trial.

    A file that somebody removed on the dashboard has left an empty note, which Optuna's own reader breaks over.
    """
    notes = [json.loads(entry) for key, entry in system_attrs.items() if key.startswith(ARTIFACTS_ATTR_PREFIX)]
    return [ArtifactMeta(**note) for note in notes if note is not None]


def artifact_entry(meta: ArtifactMeta, *, artifact_id: str) -> dict[str, str]:
    """Return the system attribute by which a study or trial owns a file under another id than the one that is noted."""
    return {ARTIFACTS_ATTR_PREFIX + artifact_id: json.dumps(asdict(replace(meta, artifact_id=artifact_id)))}
