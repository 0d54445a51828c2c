"""Where a validation is kept: with its study, each run as soon as it is done."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from optuna.samplers import RandomSampler

from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.records.summaries import TrialSummary
from studies.records.validation import Validation, ValidationRun, parse_validations, put_last
from studies.storage.database_errors import storage_errors
from studies.storage.picture_strips import encode_strip
from studies.storage.study_storage import StudyStorage
from tuner.search.study_scale import StudyScale, require_same_scale, scale_of
from tuner.validating.plan import ValidationPlan


@final
class ValidationStore:
    """The validation of one plan; two commands of the same plan write into the same one, and lose nothing."""

    def __init__(self, storage: StudyStorage, plan: ValidationPlan) -> None:
        """Take the storage, opened for writing; nothing is written yet."""
        self._storage = storage
        self._uuid = plan.study_uuid
        self._planned = plan.validation
        self._references: dict[str, Any] = {}
        self._has_own_crops = plan.config.data.crop_size == plan.own_config.data.crop_size

    def known(self) -> Validation | None:
        """Return what is kept under these conditions.

        Raises:
            StudyError: The study was deleted.
        """
        study = self._storage.read_by_uuid(self._uuid)
        with storage_errors(self._storage.url):
            found = parse_validations(study.user_attrs.get(attributes.VALIDATIONS))
        return next((one for one in found if one.conditions == self._planned.conditions), None)

    def has(self, trial: TrialSummary) -> bool:
        """Return whether a trial's run is kept.

        Raises:
            StudyError: The study was deleted.
        """
        kept = self.known()
        return kept is not None and any(run.trial == trial.number for run in kept.runs)

    def begin(self) -> Validation:
        """Have what is kept want the trials of the plan; runs that are done stay."""
        return self._change(lambda kept: kept)

    def settle(self, measured: StudyScale) -> StudyScale:
        """Return the scale of the long runs: the study's with its own crops, else what was measured for the first one.

        Raises:
            StudyError: Another one is measured here, or through another loss network; names both.
        """
        study = self._storage.read_by_uuid(self._uuid)
        record, owner = StudyRecord.parse(study.user_attrs), f"Study {study.study_name!r}"
        network = record.identity.get("loss_network")
        own = scale_of(record.references, network, owner=owner)
        if own is not None:
            wanted = own if self._has_own_crops else own.on_crops_of(measured)
            measured = require_same_scale(wanted, measured, owner=owner)
        kept, owner = self.known(), f"The validation of study {study.study_name!r}"
        before = None if kept is None else scale_of(kept.references, dict(measured.loss_network), owner=owner)
        settled = measured if before is None else require_same_scale(before, measured, owner=owner)
        self._references = settled.to_attribute()
        return settled

    def keep_run(self, run: ValidationRun, outputs: NDArray[np.float32] | None) -> Validation:
        """Keep a run that is done, with what it painted; the same trial's that is there already stays."""
        content = None if outputs is None else encode_strip(outputs)

        def add(kept: Validation) -> Validation:
            if any(done.trial == run.trial for done in kept.runs):
                return kept
            artifact = None if content is None else self._upload(content, f"trial_{run.trial}")
            runs = sorted((*kept.runs, replace(run, outputs=artifact)), key=lambda done: done.trial)
            return replace(kept, runs=tuple(runs), sheet=None, references=kept.references or self._references)

        return self._change(add)

    def keep_sheet(self, content: bytes) -> Validation:
        """Keep the sheet of all runs."""
        return self._change(lambda kept: replace(kept, sheet=self._upload(content, "sheet")))

    def _change(self, change: Callable[[Validation], Validation]) -> Validation:
        planned = self._planned
        with self._storage.exclusive(), storage_errors(self._storage.url):
            study = self._storage.load_by_uuid(self._uuid, sampler=RandomSampler())
            found = parse_validations(study.user_attrs.get(attributes.VALIDATIONS))
            kept = next((one for one in found if one.conditions == planned.conditions), planned)
            wanted = replace(kept, wanted=planned.wanted, winner=planned.winner, baseline=planned.baseline)
            # The sheet shows all runs that are there; of a validation it marks what these are held against.
            shows_it = wanted == kept or (planned.is_extension and wanted.winner == kept.winner)
            changed = change(wanted if shows_it else replace(wanted, sheet=None))
            entries = [one.to_attribute() for one in put_last(found, changed)]
            study.set_user_attr(attributes.VALIDATIONS, entries)
        return changed

    def _upload(self, content: bytes, what: str) -> str:
        study = self._storage.load_by_uuid(self._uuid, sampler=RandomSampler())
        return self._storage.artifacts.upload_bytes(content, study, file_name=f"{self._planned.name}_{what}.png")
