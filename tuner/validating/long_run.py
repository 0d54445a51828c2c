"""One setting trained longer, from noise, and judged on the way as the study's trials are."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from measures.sampled_values import SampledValues
from objectives.errors import CheckpointError, DivergedError
from objectives.training.checkpoints import Checkpoint
from studies.records.summaries import TrialSummary
from studies.records.validation import ValidationRun
from tuner.checkpointed.checkpointed_run import CheckpointedRun, RunLength, find_checkpoint
from tuner.configuration.identity import digest, training_values
from tuner.running.files_beside_crops import files_beside_crops
from tuner.search.resources import StudyResources
from tuner.search.study_pictures import StudyPictures
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
        self._plan = plan
        self._sampled = SampledValues.from_dict(trial.params)
        self._on_batch = on_batch
        self._say = say
        training = {**training_values(plan.config), **pictures.identity()}
        self._identity = digest({"study": plan.study_uuid, "sampled": self._sampled.to_dict(), **training})
        self._images = plan.rungs[-1]
        self._files = files_beside_crops(
            plan.config, pictures, "long_run", identity=self._identity, images=self._images, command=COMMAND
        )
        self._photos: dict[int, tuple[float, ...]] = {}
        self._seconds_before = self._started = 0.0
        self._taken_up = 0

    @property
    def checkpoint(self) -> Path:
        """Where it is, if the run was interrupted."""
        return self._files.checkpoint

    @property
    def lock(self) -> Path:
        """For one process of the machine at a time to train it."""
        return self._files.network.with_suffix(".lock")

    def check(self) -> None:
        """Find out, before hours of training, whether the checkpoint can be read, if there is one.

        Raises:
            CheckpointError: It cannot.
        """
        self._find()

    def train(self, resources: StudyResources) -> tuple[ValidationRun, NDArray[np.float32] | None]:
        """Train to the end, or to where it diverges.

        Args:
            resources: Of the study, with the length and crops of the long runs.

        Returns:
            What came of it, and what it painted at its end, (photos, size, size, 3); None if it diverged.

        Raises:
            CheckpointError: The checkpoint cannot be read.
            ConfigError: It is of another version.
            OutputError: Interrupted, and no checkpoint can be written.
            KeyboardInterrupt: After a checkpoint has been written, if training had begun.
        """
        self._started = time.monotonic()
        training = self._begin(resources)
        parts: dict[str, float] = {}
        outputs: NDArray[np.float32] | None = None
        for rung in (rung for rung in self._plan.rungs if rung >= training.seen):
            try:
                training.train(resources.batches, until=rung, on_batch=self._count)
                outputs = resources.paint_rung()
            except DivergedError as error:
                reason = f"{error} before image {rung}"
                self._tell(reason)
                return self._result(diverged=reason), None
            quality = resources.rung.judge.score(list(outputs))
            self._photos[rung], parts = tuple(photo.quality for photo in quality.photos), quality.parts()
            self._tell(f"quality {quality.quality:.3f} at {rung:,} images")
        return self._result(parts=parts), outputs

    def forget(self) -> None:
        """Remove the checkpoint: what the run came to is kept elsewhere now."""
        self.checkpoint.unlink(missing_ok=True)

    def _begin(self, resources: StudyResources) -> CheckpointedRun:
        checkpoint, before = self._find()
        batch_size, short_run = self._plan.config.training.batch_size, self._plan.validation.short_run
        resources.start(self._sampled)
        training = CheckpointedRun(
            resources.trainer,
            files=self._files,
            identity=self._identity,
            length=RunLength(images=self._images, batch_size=batch_size, checkpoint_every=short_run),
            report=self._tell,
            notes=self._notes,
        )
        if checkpoint is not None and before is not None:
            training.go_on_from(checkpoint)
            self._photos, self._seconds_before = dict(before.photo_qualities), before.seconds or 0.0
            self._taken_up = training.seen
        return training

    def _count(self, num_images: int) -> None:
        # Not before the first batch, which takes long: the time left would be told from it.
        taken_up, self._taken_up = self._taken_up, 0
        self._on_batch(taken_up + num_images)

    def _notes(self) -> str:
        """What a checkpoint keeps of the run beside its training."""
        return json.dumps(self._result().to_attribute())

    def _find(self) -> tuple[Checkpoint | None, ValidationRun | None]:
        """Return the checkpoint and how the run did until then; None and None if there is none."""
        checkpoint = find_checkpoint(self._files, identity=self._identity, images=self._images)
        if checkpoint is None:
            return None, None
        try:
            before = ValidationRun.parse(json.loads(checkpoint.notes))
        except ValueError:
            before = None
        if before is None:
            raise CheckpointError(
                f"Checkpoint {self.checkpoint} does not say how its run did. Delete it to start over."
            )
        return checkpoint, before

    def _result(self, *, parts: dict[str, float] | None = None, diverged: str = "") -> ValidationRun:
        return ValidationRun(
            trial=self.trial.number,
            style_to_content=self._sampled.style_to_content,
            tv_to_content=self._sampled.tv_to_content,
            trial_quality=self.trial.quality or 0.0,
            photo_qualities=self._photos,
            diverged=diverged,
            seconds=round(self._seconds_before + time.monotonic() - self._started, 2),
            parts=parts or {},
        )

    def _tell(self, text: str) -> None:
        self._say(f"trial {self.trial.number}: {text}")
