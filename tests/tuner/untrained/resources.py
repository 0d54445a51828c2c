"""Stands in for networks and judge, so that a study's processes start in a second: NumPy paints, a formula scores.

Everything else is real: command line, claims, reports, artifacts, worker processes. Puts itself into the place of the
modules that load a network library when it is imported.
"""

import sys
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from measures.loss_weights import TERMS
from measures.quality import PhotoQuality, Quality
from measures.sampled_values import SampledValues
from tests.tuner.untrained.accidents import happen, let_writing_go_wrong

BATCH_SECONDS = 0.02
NUM_PHOTOS = 2


@final
class UntrainedJudge:
    """The brighter the better."""

    def score(self, outputs: Sequence[NDArray[np.float32]]) -> Quality:
        happen("scoring")
        parts = [float(np.mean(output)) for output in outputs]
        photos = tuple(
            PhotoQuality(quality=part, content_preservation=part, style_match=part, artefact_factor=1.0, terms={})
            for part in parts
        )
        mean = float(np.mean(parts))
        return Quality(
            quality=mean,
            content_preservation=mean,
            style_match=mean,
            artefact_factor=1.0,
            standard_error=0.01,
            photos=photos,
            terms={},
        )


@final
class UntrainedSet:
    """Photos that are judged."""

    def __init__(self, num_photos: int) -> None:
        self.photos = np.full((num_photos, 16, 16, 3), 0.5, np.float32)
        self.sha256s = [f"{number:064x}" for number in range(num_photos)]
        self.judge = UntrainedJudge()

    def __len__(self) -> int:
        return len(self.photos)


@final
class UntrainedResources:
    """What `StudyResources` is to a trial."""

    def __init__(self, config: Any, _pictures: object, *, report: Callable[[str], None], settle: object) -> None:
        del settle
        report("painting without a network")
        happen("loading")
        self.config, self.scale = config, None
        self.rung, self.calibration = UntrainedSet(NUM_PHOTOS), UntrainedSet(0)
        self._level = 0.0

    def start(self, sampled: SampledValues, *, weights: object = None) -> None:
        del weights
        self._level = float(1.0 / (1.0 + abs(np.log(sampled.loss_weights().style / sampled.loss_weights().content))))

    def train_and_paint(
        self, start: int, stop: int, *, on_batch: Callable[[int], None]
    ) -> tuple[dict[str, float], NDArray[np.float32]]:
        size = self.config.training.batch_size
        for _ in range(start, stop, size):
            happen("training", meanwhile=lambda: on_batch(0))
            time.sleep(BATCH_SECONDS)
            on_batch(size)
        return dict.fromkeys(TERMS, 0.5), self.paint()

    def paint(self) -> NDArray[np.float32]:
        levels = self._level * np.linspace(0.4, 0.9, NUM_PHOTOS, dtype=np.float32)
        return np.broadcast_to(levels[:, None, None, None], self.rung.photos.shape).astype(np.float32)


def _stand_in(name: str, **contents: object) -> None:
    module = ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module


def _nothing(*_: object, **__: object) -> None:
    pass


_stand_in("tuner.search.resources", StudyResources=UntrainedResources)
_stand_in("tuner.running.measurements", settle_scale=_nothing, keep_judged_photos=_nothing)
_stand_in("tuner.running.published_trials", queue_published=_nothing)
_stand_in("tuner.configuration.network_checks", check_networks=_nothing)

from tuner.installation import environment  # noqa: E402

environment.load_networks = _nothing
let_writing_go_wrong()
