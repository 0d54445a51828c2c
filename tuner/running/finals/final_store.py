"""Where a final is kept: with its study, each run as soon as it is done."""

from collections.abc import Callable
from dataclasses import replace
from typing import final

import numpy as np
from numpy.typing import NDArray
from optuna.samplers import RandomSampler

from studies.records import attributes
from studies.records.final import FinalRun, StudyFinal
from studies.storage.database_errors import storage_errors
from studies.storage.picture_strips import encode_strip
from studies.storage.study_storage import StudyStorage


@final
class FinalStore:
    """The final of one study; several commands write into it, and lose nothing."""

    def __init__(self, storage: StudyStorage, study_uuid: str, planned: StudyFinal) -> None:
        """Take the storage, opened for writing, and what is planned; nothing is written yet."""
        self._storage = storage
        self._uuid = study_uuid
        self._planned = planned

    def begin(self) -> StudyFinal:
        """Have what is kept want the planned finalists; runs that are done stay.

        Raises:
            StudyError: The study was deleted.
            StorageError: The database cannot be written.
        """
        wanted = self._planned.wanted
        return self._change(
            lambda kept: replace(kept, wanted=wanted, sheet=kept.sheet if kept.wanted == wanted else None)
        )

    def known(self) -> StudyFinal:
        """Return what is kept, whoever wrote it last.

        Raises:
            StudyError: The study was deleted.
            StorageError: The database cannot be read.
        """
        study = self._storage.read_by_uuid(self._uuid)
        with storage_errors(self._storage.url):
            return self._comparable(study.user_attrs.get(attributes.FINAL))

    def keep_run(
        self, run: FinalRun, outputs: NDArray[np.float32] | None, *, photos: NDArray[np.float32]
    ) -> StudyFinal:
        """Keep a run that is done; the same trial's of the same seed that is there already stays.

        Args:
            run: What it came to.
            outputs: The report photos as it painted them, (photos, size, size, 3) in [0, 1]; None if it diverged.
            photos: These photos, of the same shape.

        Raises:
            StudyError: The study was deleted.
            StorageError: The database or the folder of artifacts cannot be written.
        """

        def add(kept: StudyFinal) -> StudyFinal:
            if any(done.key == run.key for done in kept.runs):
                return kept
            name = f"trial_{run.trial}_seed_{run.seed}"
            painted = None if outputs is None else self._upload(encode_strip(outputs), name)
            shown = kept.photos or self._upload(encode_strip(photos), "photos")
            return replace(kept.with_run(replace(run, outputs=painted)), photos=shown)

        return self._change(add)

    def keep_sheet(self, content: bytes) -> StudyFinal:
        """Keep the sheet of all runs.

        Raises:
            StudyError: The study was deleted.
            StorageError: The database or the folder of artifacts cannot be written.
        """
        return self._change(lambda kept: replace(kept, sheet=self._upload(content, "sheet")))

    def _change(self, change: Callable[[StudyFinal], StudyFinal]) -> StudyFinal:
        with self._storage.exclusive(), storage_errors(self._storage.url):
            study = self._storage.load_by_uuid(self._uuid, sampler=RandomSampler())
            value = study.user_attrs.get(attributes.FINAL)
            changed = change(self._comparable(value))
            if changed.to_attribute() != value:
                study.set_user_attr(attributes.FINAL, changed.to_attribute())
        return changed

    def _upload(self, content: bytes, what: str) -> str:
        study = self._storage.load_by_uuid(self._uuid, sampler=RandomSampler())
        return self._storage.artifacts.upload_bytes(content, study, file_name=f"final_{what}.png")

    def _comparable(self, value: object) -> StudyFinal:
        """What is kept, unless another judge scored it or it is of other seeds."""
        kept, planned = StudyFinal.parse(value), self._planned
        conditions = (planned.judge_version, planned.seeds)
        return planned if kept is None or (kept.judge_version, kept.seeds) != conditions else kept


def end_final(storage: StudyStorage, study_uuid: str) -> None:
    """Have a study's final, if it has one, want no more runs than are there.

    Raises:
        StudyError: The study was deleted.
        StorageError: The database cannot be written.
    """
    with storage.exclusive(), storage_errors(storage.url):
        study = storage.load_by_uuid(study_uuid, sampler=RandomSampler())
        kept = StudyFinal.parse(study.user_attrs.get(attributes.FINAL))
        if kept is not None and kept.missing:
            study.set_user_attr(attributes.FINAL, kept.without_missing().to_attribute())
