"""Pictures, checkpoints and style images of studies, known to Optuna by artifact id: in a folder or in a bucket."""

import io
import json
import mimetypes
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, final

import optuna
from optuna.storages import BaseStorage

from studies.errors import ArtifactGoneError, StorageError
from studies.storage.optuna_internals import ARTIFACTS_ATTR_PREFIX, study_id_of, trial_id_of

if TYPE_CHECKING:
    from optuna.artifacts._protocol import ArtifactStore

STUDY_BUCKET: Final = "artifact_bucket"
"""User attribute of a study: the bucket that its files are kept in; absent or null where that is a folder."""

_Owner = optuna.Study | optuna.Trial | optuna.trial.FrozenTrial


@final
@dataclass(frozen=True, kw_only=True)
class ArtifactMeta:
    """What Optuna notes of a file; with its own class of the same fields come the drivers of all buckets.

    Attributes:
        artifact_id: What the file is kept under.
        filename: What it was called.
        mimetype: Of its content.
        encoding: Of its content, such as "gzip"; None for none.
    """

    artifact_id: str
    filename: str
    mimetype: str
    encoding: str | None


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

    def read(self, artifact_id: str) -> bytes | None:
        """Read an artifact; None if it is not there."""

    def local_file(self, artifact_id: str) -> Path | None:
        """Where, on this machine, the file of an artifact lies; None if it is not there."""

    def link(self, artifact_id: str, copy_id: str) -> bool:
        """Give a file a second name; return whether there is one now."""

    def remove_all(self, artifact_ids: Sequence[str]) -> None:
        """Remove artifacts; what is not there is fine."""

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

    def note_place(self, study: optuna.Study) -> None:
        """Have a study say which bucket its files are in; a folder may be moved, and is not noted."""
        present = self.name if self.place.folder is None else None
        if study.user_attrs.get(STUDY_BUCKET) != present:
            study.set_user_attr(STUDY_BUCKET, present)

    def require_place_of(self, study: optuna.Study) -> None:
        """Make sure that a study's files are looked for where they were kept: a wrong bucket is as good as empty.

        Raises:
            StorageError: They are in another bucket, or in one of both a folder and a bucket.
        """
        noted = study.user_attrs.get(STUDY_BUCKET)
        present = self.name if self.place.folder is None else None
        if noted != present and (noted is not None or self.names(study)):
            raise StorageError(
                f"Study {study.study_name!r} keeps its files in {noted or 'a folder'}, and STYLETUNER_ARTIFACTS is "
                f"{self.name}. Set it to where they are; once they are moved there: styletuner study check --repair"
            )

    def upload(
        self,
        file: Path,
        study_or_trial: _Owner,
        *,
        mimetype: str | None = None,
    ) -> str:
        """Keep a file with a study or an unfinished trial, under the file's own name; see `upload_bytes`.

        Raises:
            StorageError: If the file cannot be read.
        """
        try:
            content = file.read_bytes()
        except OSError as error:
            raise self.place.write_error(error) from error
        return self.upload_bytes(content, study_or_trial, file_name=file.name, mimetype=mimetype)

    def upload_bytes(
        self, content: bytes, study_or_trial: _Owner, *, file_name: str, mimetype: str | None = None
    ) -> str:
        """Keep bytes with a study or an unfinished trial: first written, then noted as Optuna notes what it uploads.

        Args:
            content: What to keep.
            study_or_trial: What it belongs to; a trial must not have been told yet, Optuna refuses finished ones.
            file_name: What people see it called.
            mimetype: Guessed from the suffix when not given.

        Returns:
            The artifact id.

        Raises:
            StorageError: If the place cannot be written or its disk is full; the trial then has no such artifact.
        """
        guessed, encoding = mimetypes.guess_type(file_name)
        meta = ArtifactMeta(
            artifact_id=str(uuid.uuid4()),
            filename=file_name,
            mimetype=mimetype or guessed or "application/octet-stream",
            encoding=encoding,
        )
        self.write(meta.artifact_id, content)
        try:
            self._note(meta, study_or_trial)
        except BaseException:
            self.remove(meta.artifact_id)
            raise
        return meta.artifact_id

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
            ArtifactGoneError: If the file is gone.
            StorageError: If the place cannot be read or written.
        """
        if not self.has(copy_id) and not self.place.link(artifact_id, copy_id):
            self.write(copy_id, self.read(artifact_id))

    def path_of(self, artifact_id: str) -> Path:
        """A file of this machine that holds an artifact; of a bucket, a copy that goes with this process.

        Raises:
            ArtifactGoneError: If the file is gone.
            StorageError: If the place cannot be read.
        """
        file = self.place.local_file(artifact_id) if _is_name(artifact_id) else None
        if file is None:
            raise self._gone(artifact_id)
        return file

    def read(self, artifact_id: str) -> bytes:
        """Read an artifact.

        Raises:
            ArtifactGoneError: If the file is gone.
            StorageError: If the place cannot be read.
        """
        content = self.place.read(artifact_id) if _is_name(artifact_id) else None
        if content is None:
            raise self._gone(artifact_id)
        return content

    def has(self, artifact_id: str) -> bool:
        """Whether an artifact is there."""
        return _is_name(artifact_id) and self.place.has(artifact_id)

    def names(self, study_or_trial: optuna.Study | optuna.trial.FrozenTrial) -> dict[str, str]:
        """File name by artifact id for everything kept with a study itself (not its trials) or with a trial."""
        if isinstance(study_or_trial, optuna.Study):
            attrs = self._storage.get_study_system_attrs(study_id_of(study_or_trial))
        else:
            attrs = self._storage.get_trial_system_attrs(trial_id_of(study_or_trial))
        return {meta.artifact_id: meta.filename for meta in artifact_metas(attrs)}

    def remove(self, artifact_id: str) -> None:
        """Remove one artifact's file; a file that is gone already is fine."""
        self.place.remove_all([artifact_id])

    def remove_all(self, study: optuna.Study) -> int:
        """Remove the files of a study and of its trials.

        Returns:
            How many artifacts they had.
        """
        owners: list[Any] = [study, *study.get_trials(deepcopy=False)]
        artifact_ids = [artifact_id for owner in owners for artifact_id in self.names(owner)]
        self.place.remove_all(artifact_ids)
        return len(artifact_ids)

    def _note(self, meta: ArtifactMeta, owner: _Owner) -> None:
        for key, entry in artifact_entry(meta, artifact_id=meta.artifact_id).items():
            if isinstance(owner, optuna.Study):
                self._storage.set_study_system_attr(study_id_of(owner), key, entry)
            else:
                self._storage.set_trial_system_attr(trial_id_of(owner), key, entry)

    def _gone(self, artifact_id: str) -> ArtifactGoneError:
        return ArtifactGoneError(f"Artifact {artifact_id} is not in {self.name}. {self.place.restoring}")


def _is_name(artifact_id: str) -> bool:
    return bool(artifact_id) and Path(artifact_id).name == artifact_id


def artifact_metas(system_attrs: Mapping[str, Any]) -> list[ArtifactMeta]:
    """Return what system attributes, which somebody has read, say of the files of their study or trial.

    A file that somebody removed on the dashboard has left an empty note, which Optuna's own reader breaks over.
    """
    notes = [json.loads(entry) for key, entry in system_attrs.items() if key.startswith(ARTIFACTS_ATTR_PREFIX)]
    return [ArtifactMeta(**note) for note in notes if note is not None]


def artifact_entry(meta: ArtifactMeta, *, artifact_id: str) -> dict[str, str]:
    """Return the system attribute by which a study or trial owns a file under another id than the one that is noted."""
    return {ARTIFACTS_ATTR_PREFIX + artifact_id: json.dumps(asdict(replace(meta, artifact_id=artifact_id)))}
