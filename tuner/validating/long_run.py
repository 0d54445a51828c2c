"""One setting trained longer, and judged on the way as the study's trials are."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from measures.sampled_values import RATIOS, SampledValues
from studies.records.summaries import TrialSummary
from studies.records.validation import ValidationRun
from tuner.configuration.identity import digest, training_values
from tuner.running.files_beside_crops import files_beside_crops
from tuner.running.judged_run import JudgedRun, JudgedRunPlan
from tuner.search.resources import StudyResources
from tuner.search.study_pictures import StudyPictures
from tuner.search.trial import InitialWeights
from tuner.validating.plan import ValidationPlan

COMMAND: Final = "study validate"


@final
class LongRun:
    """Trains one setting, going on from its checkpoint if it was interrupted.

    The checkpoint lies beside the crops of the long runs. It is written after as many images as a trial has, wherever
    the run is judged, and at an interrupt.
    """

    def __init__(
        self,
        trial: TrialSummary,
        plan: ValidationPlan,
        pictures: StudyPictures,
        *,
        on_batch: Callable[[int], None],
        say: Callable[[str], None],
    ) -> None:
        """Take what is trained.

        Args:
            trial: Whose setting it is.
            plan: The validation.
            pictures: Of the study.
            on_batch: Told the images of each batch; the first call counts those that the checkpoint has seen too.
            say: Told in a few words how the run does.

        Raises:
            SampledValuesError: The trial's parameters were edited into what no trial has.
        """
        self.trial = trial
        self._sampled = SampledValues.from_dict(trial.values_run)
        training = {**training_values(plan.config), **pictures.identity()}
        # From noise it is told from what the study's trials start from by nothing else.
        start = {"start": plan.own_config.search.start} if plan.validation.is_extension else {}
        identity = digest({"study": plan.study_uuid, "sampled": self._sampled.to_dict(), **training, **start})
        self._files = files_beside_crops(
            plan.config, pictures, "long_run", identity=identity, images=plan.rungs[-1], command=COMMAND
        )
        run = JudgedRunPlan(
            sampled=self._sampled,
            files=self._files,
            identity=identity,
            rungs=plan.rungs,
            batch_size=plan.config.training.batch_size,
            checkpoint_every=plan.validation.short_run,
        )
        self._run = JudgedRun(run, on_batch=on_batch, say=lambda text: say(f"trial {trial.number}: {text}"))
        # What the run is checked for, and forgotten by, is its checkpoint alone.
        self.check, self.forget = self._run.check, self._run.forget

    @property
    def checkpoint(self) -> Path:
        """Where it is, if the run was interrupted."""
        return self._run.checkpoint

    @property
    def lock(self) -> Path:
        """For one process of the machine at a time to train it."""
        return self._files.network.with_suffix(".lock")

    def train(
        self, resources: StudyResources, *, initial_weights: InitialWeights | None = None
    ) -> tuple[ValidationRun, NDArray[np.float32] | None]:
        """Train to the end, or to where it diverges.

        Args:
            resources: Of the study, with the length and crops of the long runs.
            initial_weights: What the network begins with; noise by default.

        Returns:
            What came of it, and what it painted at its end, (photos, size, size, 3); None if it diverged.

        Raises:
            CheckpointError: The checkpoint cannot be read.
            ConfigError: It is of another version.
            OutputError: Interrupted, and no checkpoint can be written.
            KeyboardInterrupt: After a checkpoint has been written, if training had begun.
        """
        weights = None if initial_weights is None else initial_weights(self._sampled)
        result, outputs = self._run.train(resources, resources.rung, weights=weights)
        run = ValidationRun(
            trial=self.trial.number,
            style_to_content=self._sampled.style_to_content,
            tv_to_content=self._sampled.tv_to_content,
            trial_quality=self.trial.quality or 0.0,
            photo_qualities=result.photo_qualities,
            diverged=result.diverged,
            seconds=result.seconds,
            parts=result.parts,
            further={name: value for name, value in self._sampled.to_dict().items() if name not in RATIOS},
        )
        return run, outputs
