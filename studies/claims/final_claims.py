"""Who trains which run of a study's final: one process at a time each, wherever it runs."""

import time
from collections.abc import Mapping
from typing import Any, Final, final

from optuna.samplers import RandomSampler

from studies.claims.processes import WorkerIdentity
from studies.records import attributes
from studies.records.attribute_values import mapping_of, number_of
from studies.records.final import RunKey, StudyFinal
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage

LEASE_SECONDS: Final = 900.0
"""After which another machine's run may be taken of whose process nothing has been heard: as long as a worker may stand
still before it counts as hung, far more than a step of training or two clocks that differ."""


@final
class FinalClaims:
    """One process's claims to runs of a final; they stand with the study, and each ends with its process."""

    def __init__(self, storage: StudyStorage, study_uuid: str) -> None:
        """Take the storage, opened for writing, and the study."""
        self._storage = storage
        self._uuid = study_uuid
        self._me = WorkerIdentity.current()

    def take(self) -> RunKey | None:
        """Claim the first run that is neither done nor anybody else's; None where there is none.

        Raises:
            StudyError: The study was deleted.
            StorageError: The database cannot be written.
        """
        with self._storage.exclusive(), storage_errors(self._storage.url):
            study = self._storage.load_by_uuid(self._uuid, sampler=RandomSampler())
            final = StudyFinal.parse(study.user_attrs.get(attributes.FINAL))
            missing = () if final is None else final.missing
            known = mapping_of(study.user_attrs.get(attributes.FINAL_CLAIMS))
            held = {name: claim for name, claim in known.items() if self._is_held(claim)}
            free = next((key for key in missing if _name(key) not in held), None)
            if free is not None:
                wanted = {_name(key) for key in missing}
                kept = {name: claim for name, claim in held.items() if name in wanted}
                study.set_user_attr(attributes.FINAL_CLAIMS, {**kept, _name(free): self._entry()})
        return free

    def renew(self, key: RunKey) -> None:
        """Say that this process still trains a run.

        Raises:
            StudyError: The study was deleted.
            StorageError: The database cannot be written.
        """
        self._write(key, self._entry())

    def release(self, key: RunKey) -> None:
        """Leave a run, done or not, to whom it may concern.

        Raises:
            StudyError: The study was deleted.
            StorageError: The database cannot be written.
        """
        self._write(key, None)

    def _write(self, key: RunKey, entry: Mapping[str, Any] | None) -> None:
        with self._storage.exclusive(), storage_errors(self._storage.url):
            study = self._storage.load_by_uuid(self._uuid, sampler=RandomSampler())
            known = mapping_of(study.user_attrs.get(attributes.FINAL_CLAIMS))
            # One that was silent for too long has lost its run to another.
            if not self._is_mine(known.get(_name(key))):
                return
            others = {name: claim for name, claim in known.items() if name != _name(key)}
            study.set_user_attr(attributes.FINAL_CLAIMS, others if entry is None else {**others, _name(key): entry})

    def _entry(self) -> dict[str, Any]:
        return {**self._me.as_attribute(), "renewed": time.time()}

    def _is_mine(self, claim: object) -> bool:
        return WorkerIdentity.from_attribute(claim) == self._me

    def _is_held(self, claim: object) -> bool:
        """Whether it is another process's that lives, as far as this machine can tell."""
        owner, renewed = WorkerIdentity.from_attribute(claim), number_of(mapping_of(claim).get("renewed"))
        return owner is not None and renewed is not None and owner != self._me and _lives(owner, renewed)


def live_finalist_trainers(storage: StudyStorage, study_uuid: str) -> list[WorkerIdentity]:
    """Processes that train runs of a study's final, as far as this machine can tell.

    Raises:
        StudyError: The study was deleted.
        StorageError: The database cannot be read.
    """
    study = storage.read_by_uuid(study_uuid)
    with storage_errors(storage.url):
        known = mapping_of(study.user_attrs.get(attributes.FINAL_CLAIMS))
    read = [
        (WorkerIdentity.from_attribute(claim), number_of(mapping_of(claim).get("renewed"))) for claim in known.values()
    ]
    return [owner for owner, renewed in read if owner is not None and renewed is not None and _lives(owner, renewed)]


def _lives(owner: WorkerIdentity, renewed: float) -> bool:
    # Of a process of this machine it is known; another one's is believed for as long as it gives signs of life.
    return owner.is_alive() and (owner.is_here or time.time() - renewed < LEASE_SECONDS)


def _name(key: RunKey) -> str:
    trial, seed = key
    return f"{trial}/{seed}"
