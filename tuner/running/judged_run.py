"""One setting of a study trained anew, from its checkpoint if it was interrupted, and judged on the way."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from measures.sampled_values import SampledValues
from objectives.errors import CheckpointError, DivergedError
from objectives.training.checkpoints import Checkpoint
from studies.records.attribute_values import mapping_of, number_of, numbers_of, text_of
from tuner.checkpointed.checkpointed_run import CheckpointedRun, RunLength, find_checkpoint
from tuner.checkpointed.network_files import NetworkFiles
from tuner.search.judged_set import JudgedSet
from tuner.search.resources import StudyResources


@final
@dataclass(frozen=True, kw_only=True)
class JudgedRunPlan:
    """What is trained, and where it is judged.

    Attributes:
        sampled: The setting.
        files: Whose checkpoint is its own.
        identity: What tells it from other runs.
        rungs: Images seen where it is judged, the last one its end.
        batch_size: Images of a batch.
        checkpoint_every: Images between two checkpoints.
    """

    sampled: SampledValues
    files: NetworkFiles
    identity: str
    rungs: tuple[int, ...]
    batch_size: int
    checkpoint_every: int


@final
@dataclass(frozen=True, kw_only=True)
class JudgedResult:
    """How a run did.

    Attributes:
        photo_qualities: By images seen, the quality of each photo that it was judged on.
        diverged: Why it ended early, in words; empty if it did not.
        seconds: How long it took.
        parts: Parts of the quality at its end by name, in [0, 1]; none if it diverged.
    """

    photo_qualities: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    diverged: str = ""
    seconds: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_notes(cls, notes: str) -> Self:
        """Read what a checkpoint keeps of a run.

        Raises:
            ValueError: It keeps nothing of one.
        """
        known = mapping_of(json.loads(notes))
        if "photo_qualities" not in known:
            raise ValueError("no qualities by photo")
        photos = mapping_of(known["photo_qualities"])
        return cls(
            photo_qualities={int(images): numbers_of(qualities) for images, qualities in photos.items()},
            diverged=text_of(known.get("diverged")) or "",
            seconds=number_of(known.get("seconds")) or 0.0,
        )

    def to_notes(self) -> str:
        """Return it as a checkpoint keeps it."""
        photos = {str(images): list(qualities) for images, qualities in self.photo_qualities.items()}
        return json.dumps(asdict(self) | {"photo_qualities": photos})


@final
class JudgedRun:
    """Trains one setting, going on from its checkpoint if it was interrupted."""

    def __init__(self, plan: JudgedRunPlan, *, on_batch: Callable[[int], None], say: Callable[[str], None]) -> None:
        """Take what is trained.

        Args:
            plan: The run.
            on_batch: Told the images of each batch; the first call counts those that the checkpoint has seen too.
            say: Told in a few words how the run does.
        """
        self._plan = plan
        self._on_batch = on_batch
        self._say = say
        self._photos: dict[int, tuple[float, ...]] = {}
        self._seconds_before = self._started = 0.0
        self._taken_up = 0

    @property
    def checkpoint(self) -> Path:
        """Where it is, if the run was interrupted."""
        return self._plan.files.checkpoint

    def check(self) -> None:
        """Find out, before hours of training, whether the checkpoint can be read, if there is one.

        Raises:
            CheckpointError: It cannot.
        """
        self._find()

    def train(
        self, resources: StudyResources, judged: JudgedSet, *, weights: Sequence[NDArray[np.float32]] | None = None
    ) -> tuple[JudgedResult, NDArray[np.float32] | None]:
        """Train to the end, or to where it diverges.

        Args:
            resources: Of the study, with the length and crops of the run.
            judged: The photos that it is judged on.
            weights: Of the network, to begin with; its initial ones by default.

        Returns:
            What came of it, and what it painted at its end, (photos, size, size, 3); None if it diverged.

        Raises:
            CheckpointError: The checkpoint cannot be read.
            ConfigError: It is of another version.
            OutputError: Interrupted, and no checkpoint can be written.
            KeyboardInterrupt: After a checkpoint has been written, if training had begun.
        """
        self._started = time.monotonic()
        training = self._begin(resources, weights)
        parts: dict[str, float] = {}
        outputs: NDArray[np.float32] | None = None
        for rung in (rung for rung in self._plan.rungs if rung >= training.seen):
            try:
                training.train(resources.batches, until=rung, on_batch=self._count)
                outputs = resources.paint_finite(judged.photos)
            except DivergedError as error:
                reason = f"{error} before image {rung}"
                self._say(reason)
                return self._result(diverged=reason), None
            quality = judged.judge.score(list(outputs))
            self._photos[rung], parts = tuple(photo.quality for photo in quality.photos), quality.parts()
            self._say(f"quality {quality.quality:.3f} at {rung:,} images")
        return self._result(parts=parts), outputs

    def forget(self) -> None:
        """Remove the checkpoint: what the run came to is kept elsewhere now."""
        self.checkpoint.unlink(missing_ok=True)

    def _begin(self, resources: StudyResources, weights: Sequence[NDArray[np.float32]] | None) -> CheckpointedRun:
        plan = self._plan
        checkpoint, before = self._find()
        resources.start(plan.sampled, weights=weights)
        training = CheckpointedRun(
            resources.trainer,
            files=plan.files,
            identity=plan.identity,
            length=RunLength(images=plan.rungs[-1], batch_size=plan.batch_size, checkpoint_every=plan.checkpoint_every),
            report=self._say,
            notes=lambda: self._result().to_notes(),
        )
        if checkpoint is not None and before is not None:
            training.go_on_from(checkpoint)
            self._photos, self._seconds_before = dict(before.photo_qualities), before.seconds
            self._taken_up = training.seen
        return training

    def _count(self, num_images: int) -> None:
        # Not before the first batch, which takes long: the time left would be told from it.
        taken_up, self._taken_up = self._taken_up, 0
        self._on_batch(taken_up + num_images)

    def _find(self) -> tuple[Checkpoint | None, JudgedResult | None]:
        """Return the checkpoint and how the run did until then; None and None if there is none."""
        plan = self._plan
        checkpoint = find_checkpoint(plan.files, identity=plan.identity, images=plan.rungs[-1])
        if checkpoint is None:
            return None, None
        try:
            return checkpoint, JudgedResult.from_notes(checkpoint.notes)
        except ValueError as error:
            raise CheckpointError(
                f"Checkpoint {self.checkpoint} does not say how its run did. Delete it to start over."
            ) from error

    def _result(self, *, parts: Mapping[str, float] | None = None, diverged: str = "") -> JudgedResult:
        return JudgedResult(
            photo_qualities=dict(self._photos),
            diverged=diverged,
            seconds=round(self._seconds_before + time.monotonic() - self._started, 2),
            parts=parts or {},
        )
