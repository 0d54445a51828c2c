"""One setting trained longer, from noise, and judged on the way as the study's trials are."""

import time
from collections.abc import Callable
from typing import final

import numpy as np
from numpy.typing import NDArray

from measures.sampled_values import SampledValues
from objectives.errors import DivergedError
from studies.records.summaries import TrialSummary
from studies.records.validation import ValidationRun
from tuner.search.resources import StudyResources


@final
class LongRuns:
    """Trains settings of one study, one after another."""

    def __init__(
        self,
        resources: StudyResources,
        rungs: tuple[int, ...],
        *,
        on_batch: Callable[[int], None],
        say: Callable[[str], None],
    ) -> None:
        """Take what the runs share.

        Args:
            resources: Of the study, with the length and crops of the long runs.
            rungs: Images seen where they are judged, the last one their end.
            on_batch: Told the number of images in each batch; may raise.
            say: Told in a few words how a run does.
        """
        self._resources = resources
        self._rungs = rungs
        self._on_batch = on_batch
        self._say = say

    def run(self, trial: TrialSummary) -> tuple[ValidationRun, NDArray[np.float32] | None]:
        """Train a trial's setting to the end, or to where it diverges.

        Returns:
            What came of it, and what it painted at its end, (photos, size, size, 3); None if it diverged.

        Raises:
            SampledValuesError: The trial's parameters were edited into what no trial has.
        """
        sampled = SampledValues.from_dict(trial.params)
        started = time.monotonic()
        self._resources.start(sampled)
        photos: dict[int, tuple[float, ...]] = {}
        parts: dict[str, float] = {}
        outputs: NDArray[np.float32] | None = None
        seen, diverged = 0, ""
        for rung in self._rungs:
            try:
                _, outputs = self._resources.train_and_paint(seen, rung, on_batch=self._on_batch)
            except DivergedError as error:
                parts, outputs, diverged = {}, None, f"{error} before image {rung}"
                self._say(f"trial {trial.number}: {diverged}")
                break
            seen = rung
            quality = self._resources.rung.judge.score(list(outputs))
            photos[rung], parts = tuple(photo.quality for photo in quality.photos), quality.parts()
            self._say(f"trial {trial.number}: quality {quality.quality:.3f} at {rung:,} images")
        run = ValidationRun(
            trial=trial.number,
            style_to_content=sampled.style_to_content,
            tv_to_content=sampled.tv_to_content,
            trial_quality=trial.quality or 0.0,
            photo_qualities=photos,
            diverged=diverged,
            seconds=round(time.monotonic() - started, 2),
            parts=parts,
        )
        return run, outputs
