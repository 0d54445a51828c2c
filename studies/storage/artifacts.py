"""Pictures, checkpoints and style images of studies: files in a folder, known to Optuna by artifact id."""

import errno
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any, BinaryIO, final

import optuna
from optuna.artifacts import ArtifactMeta, FileSystemArtifactStore, upload_artifact
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import BaseStorage

from groundwork.whole_files import written_whole
from studies.errors import StorageError
from studies.storage.optuna_internals import ARTIFACTS_ATTR_PREFIX, study_id_of, trial_id_of

_SPARE_BYTES = 16 * 2**20
"""Space left free beside an artifact, so that the database can still write: four logs of 1,000 pages of 4 KiB."""


@final
class AtomicArtifactStore:
    """An Optuna artifact store on a folder in which a file is either whole or absent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = FileSystemArtifactStore(base_path=folder)

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open an artifact for reading.

        Raises:
            optuna.artifacts.exceptions.ArtifactNotFound: If there is no such artifact.
        """
        return self._files.open_reader(artifact_id)

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Write an artifact under a temporary name and move it into place.

        Raises:
            OSError: If the folder cannot be written, for instance because the disk is full.
        """
        with written_whole(self._folder / artifact_id) as temporary, temporary.open("wb") as stream:
            shutil.copyfileobj(content_body, stream)

    def remove(self, artifact_id: str) -> None:
        """Remove an artifact.

        Raises:
            optuna.artifacts.exceptions.ArtifactNotFound: If there is no such artifact.
        """
        self._files.remove(artifact_id)


@final
class ArtifactFolder:
    """The folder that holds the artifacts of every study in one storage; made when the first one is written."""

    def __init__(self, path: Path, *, storage: BaseStorage) -> None:
        self.path = path
        self.store = AtomicArtifactStore(path)
        self._storage = storage

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
            StorageError: If the folder cannot be written or its disk is full; the trial then has no such artifact.
        """
        try:
            self._require_space(file.stat().st_size)
            return upload_artifact(
                artifact_store=self.store,
                file_path=str(file),
                study_or_trial=study_or_trial,
                storage=self._storage,
                mimetype=mimetype,
            )
        except OSError as error:
            raise self._write_error(error) from error

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
                raise self._write_error(error) from error
            return self.upload(file, study_or_trial, mimetype=mimetype)

    def write(self, artifact_id: str, content: bytes) -> None:
        """Write a file under an id that its owner notes with `artifact_entry`; what is there is replaced.

        Raises:
            StorageError: If the folder cannot be written or its disk is full.
        """
        try:
            self._require_space(len(content))
            self.store.write(artifact_id, io.BytesIO(content))
        except OSError as error:
            raise self._write_error(error) from error

    def link(self, artifact_id: str, copy_id: str) -> None:
        """Keep a file under a second id too, that its owner notes with `artifact_entry`; removing one leaves the other.

        Where the disk can, both are names of one file, which nothing ever writes into: it takes no room.

        Raises:
            StorageError: If the file is gone, or the folder cannot be written.
        """
        source, copy = self.path_of(artifact_id), self.path / copy_id
        if copy.exists():
            return
        try:
            os.link(source, copy)
        except OSError:
            self.write(copy_id, source.read_bytes())

    def path_of(self, artifact_id: str) -> Path:
        """Where an artifact lies.

        Raises:
            StorageError: If the file is gone.
        """
        if not self.has(artifact_id):
            raise StorageError(
                f"Artifact {artifact_id} is not in {self.path}. Put the folder back beside its database, or set "
                "STYLETUNER_ARTIFACTS to where it is."
            )
        return self.path / artifact_id

    def has(self, artifact_id: str) -> bool:
        """Whether an artifact's file is there."""
        return Path(artifact_id).name == artifact_id and (self.path / artifact_id).is_file()

    def open(self, artifact_id: str) -> IO[bytes]:
        """Open an artifact for reading; raises StorageError if the file is gone."""
        return self.path_of(artifact_id).open("rb")

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

    def _require_space(self, num_bytes: int) -> None:
        # Optuna notes the artifact before it writes the file, so a full disk is better found first.
        self.path.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.path).free < num_bytes + _SPARE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _write_error(self, error: OSError) -> StorageError:
        return StorageError(
            f"Cannot write to {self.path}: {error.strerror or error}. Free some space or mend its permissions and run "
            "the same command again; finished trials are kept."
        )


def artifact_metas(system_attrs: Mapping[str, Any]) -> list[ArtifactMeta]:
    """Return what system attributes, which somebody has read, say of the files of their study or trial.

    A file that somebody removed on the dashboard has left an empty note, which Optuna's own reader breaks over.
    """
    notes = [json.loads(entry) for key, entry in system_attrs.items() if key.startswith(ARTIFACTS_ATTR_PREFIX)]
    return [ArtifactMeta(**note) for note in notes if note is not None]


def artifact_entry(meta: ArtifactMeta, *, artifact_id: str) -> dict[str, str]:
    """Return the system attribute by which a study or trial owns a file under another id than the one that is noted."""
    return {ARTIFACTS_ATTR_PREFIX + artifact_id: json.dumps(asdict(replace(meta, artifact_id=artifact_id)))}
