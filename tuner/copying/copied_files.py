"""Files of a study and its trials kept once more for a study beside it, so that either study can be deleted."""

import mimetypes
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from studies.records.study_record import kept_file_name
from studies.storage.artifacts import ArtifactMeta, artifact_entry, artifact_metas
from studies.storage.optuna_internals import ARTIFACTS_ATTR_PREFIX
from studies.storage.study_storage import StudyStorage


@final
@dataclass(frozen=True, kw_only=True)
class CopiedFiles:
    """The files of a study or trial as its counterpart in the study beside it has them.

    Attributes:
        ids: New artifact id by old one; files that are gone are left out.
        entries: System attributes by which they belong to their new owner.
    """

    ids: Mapping[str, str]
    entries: Mapping[str, Any]

    def renamed(self, named: Mapping[str, str]) -> dict[str, str]:
        """Return names of artifacts with the new ids; what is gone is left out."""
        return {name: self.ids[artifact] for name, artifact in named.items() if artifact in self.ids}

    def owned_beside(self, system_attrs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the system attributes of the new owner, from the old one's, which own the old files."""
        others = {name: value for name, value in system_attrs.items() if not name.startswith(ARTIFACTS_ATTR_PREFIX)}
        return {**others, **self.entries}


@final
class FileCopier:
    """Keeps files a second time under ids that follow from the old ones: done again it changes nothing."""

    def __init__(self, storage: StudyStorage, target_uuid: str) -> None:
        """Take the storage, opened for writing, and the UUID of the study that gets the files."""
        self._storage = storage
        self._namespace = uuid.UUID(target_uuid)

    def copy(
        self, system_attrs: Mapping[str, Any], named: Mapping[str, str], *, redrawn: Mapping[str, bytes]
    ) -> CopiedFiles:
        """Copy everything that a study itself or a trial has.

        Args:
            system_attrs: Of the study or trial.
            named: Artifact id by name of what it says to have: optuna-dashboard loses Optuna's own note of a study's.
            redrawn: Content of those, by their old ids, that are others in the copy.

        Raises:
            StorageError: If the folder of artifacts cannot be written.
        """
        metas = {
            artifact: ArtifactMeta(
                artifact_id=artifact,
                filename=kept_file_name(name),
                mimetype=mimetypes.guess_type(kept_file_name(name))[0] or "application/octet-stream",
                encoding=None,
            )
            for name, artifact in named.items()
        } | {meta.artifact_id: meta for meta in artifact_metas(system_attrs)}
        ids: dict[str, str] = {}
        entries: dict[str, Any] = {}
        for artifact, meta in metas.items():
            copy_id = str(uuid.uuid5(self._namespace, artifact))
            if artifact in redrawn:
                self._storage.artifacts.write(copy_id, redrawn[artifact])
            elif self._storage.artifacts.has(artifact):
                self._storage.artifacts.link(artifact, copy_id)
            else:
                continue
            ids[artifact] = copy_id
            entries |= artifact_entry(meta, artifact_id=copy_id)
        return CopiedFiles(ids=ids, entries=entries)
