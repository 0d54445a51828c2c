"""Training a finalist again: its setting, start, length and photos, with another seed, judged on the report photos."""

from collections.abc import Callable
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from measures.sampled_values import SampledValues
from studies.errors import StudyError
from studies.records.final import FinalRun, RunKey
from studies.records.study_record import StudyRecord
from studies.records.summaries import TrialSummary, summarise
from tuner.configuration.identity import digest, training_values
from tuner.configuration.settings import StudyConfig
from tuner.running.files_beside_crops import files_beside_crops
from tuner.running.initial_weights import initial_weights
from tuner.running.judged_run import JudgedRun, JudgedRunPlan
from tuner.running.study_run import StudyRun
from tuner.search.judged_set import judged_set
from tuner.search.resources import StudyResources
from tuner.search.study_scale import StudyScale, require_same_scale, scale_of

COMMAND: Final = "study run"

_NUM_CHECKPOINTS: Final = 4
"""As many as the rungs of a trial by default: an interrupt loses nothing, a kill a quarter at most."""


@final
class FinalTraining:
    """Trains finalists with further seeds, one run after another; what a seed needs is made when it is first met.

    A seed changes the crops, their order and, where trials start from noise, the initial weights. What a study keeps
    for its trials to start from stays, and so do its scale, its style image and its sets of photos.
    """

    def __init__(self, run: StudyRun, *, say: Callable[[str], None]) -> None:
        """Load what all runs share.

        Args:
            run: Of the study.
            say: Told in a few words what is being done.

        Raises:
            StudyError: What the study's trials start from is gone.
            ScoutError: Its scout is of another version.
        """
        self._run = run
        self._say = say
        self._weights = initial_weights(run)
        self._report = judged_set(run.config, run.pictures, run.pictures.split.report)
        self._resources: StudyResources | None = None

    def sampled(self, key: RunKey) -> SampledValues:
        """Return the setting of a run.

        Raises:
            SampledValuesError: The trial's parameters were edited into what no trial has.
        """
        return SampledValues.from_dict(self._trial(key).values_run)

    @property
    def photos(self) -> NDArray[np.float32]:
        """The report photos, (photos, size, size, 3) in [0, 1]."""
        return self._report.photos

    def train(self, key: RunKey, *, on_batch: Callable[[int], None]) -> tuple[FinalRun, NDArray[np.float32] | None]:
        """Train one run to its end, or to where it diverges, going on from its checkpoint if it was interrupted.

        Args:
            key: The trial and the seed.
            on_batch: Told the images of each batch.

        Returns:
            What came of it, and the report photos as it painted them, (photos, size, size, 3); None if it diverged.

        Raises:
            CheckpointError: The checkpoint cannot be read.
            ConfigError: It is of another version, or the seed's crops have no room.
            StudyError: The study's losses are divided by what cannot be used here.
            OutputError: Interrupted, and no checkpoint can be written.
            KeyboardInterrupt: After a checkpoint has been written, if training had begun.
        """
        number, seed = key
        trial, sampled = self._trial(key), self.sampled(key)
        judged = self._judged_run(key, on_batch=on_batch)
        result, outputs = judged.train(
            self._resources_of(seed),
            self._report,
            weights=None if self._weights is None else self._weights(sampled),
        )
        run = FinalRun(
            trial=number,
            seed=seed,
            trial_quality=trial.quality or 0.0,
            photo_qualities=result.photo_qualities.get(self._run.config.rungs[-1], ()),
            diverged=result.diverged,
            seconds=result.seconds,
            parts=result.parts,
        )
        return run, outputs

    def forget(self, key: RunKey) -> None:
        """Remove the checkpoint of a run: what it came to is kept with the study now."""
        self._judged_run(key, on_batch=lambda _: None).forget()

    def _trial(self, key: RunKey) -> TrialSummary:
        # Not once and for all: another command may have chosen other finalists meanwhile.
        return summarise(self._run.storage, self._run.name).trials[key[0]]

    def _judged_run(self, key: RunKey, *, on_batch: Callable[[int], None]) -> JudgedRun:
        run, sampled = self._run, self.sampled(key)
        config = _with_seed(run.config, key[1])
        training = {**training_values(config), **run.pictures.identity()}
        identity = digest({"final_of": run.uuid, "sampled": sampled.to_dict(), **training})
        images = config.rungs[-1]
        plan = JudgedRunPlan(
            sampled=sampled,
            files=files_beside_crops(config, run.pictures, "final", identity=identity, images=images, command=COMMAND),
            identity=identity,
            rungs=(images,),
            batch_size=config.training.batch_size,
            checkpoint_every=max(1, images // _NUM_CHECKPOINTS),
        )
        number, seed = key
        return JudgedRun(
            plan, on_batch=on_batch, say=lambda text: self._say(f"final: trial {number}, seed {seed}: {text}")
        )

    def _resources_of(self, seed: int) -> StudyResources:
        if self._resources is None or self._resources.config.seed != seed:
            self._resources = None  # one seed's crops and networks at a time
            config = _with_seed(self._run.config, seed)
            self._resources = StudyResources(config, self._run.pictures, report=self._say, settle=self._settle)
        return self._resources

    def _settle(self, measured: StudyScale) -> StudyScale:
        """Return the study's own scale, whatever other crops come to: weights mean what they mean in its trials."""
        study = self._run.storage.read_by_uuid(self._run.uuid)
        record, owner = StudyRecord.parse(study.user_attrs), f"Study {study.study_name!r}"
        own = scale_of(record.references, record.identity.get("loss_network"), owner=owner)
        if own is None:
            raise StudyError(f"{owner} does not say what its losses are divided by. Start another one with --new.")
        require_same_scale(own.on_crops_of(measured), measured, owner=owner)
        return own


def _with_seed(config: StudyConfig, seed: int) -> StudyConfig:
    return config.model_copy(update={"seed": seed})
