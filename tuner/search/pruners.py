"""Pruning: where a trial's quality is noted at its rungs, and whether it shall end there.

Optuna prunes studies with one objective only. For others the same pruners are asked about the same study as if it
maximised our own quality alone, whose value at each rung stands in a user attribute.
"""

import copy
from collections.abc import Callable, Container, Mapping
from typing import Any, Final, cast, final

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from studies.records import attributes
from studies.records.trial_qualities import quality_of, rung_qualities
from studies.records.trial_record import TrialRecord
from studies.storage.optuna_internals import storage_of, trial_id_of
from tuner.configuration.settings import SearchSection

BELOW_MEDIAN: Final = "pruned: below the median of complete trials at this rung"

FEWEST_COMPLETE: Final = 4
"""Complete trials before the first is pruned: as many as the shortest study draws at random before it models any."""


def build_pruner(search: SearchSection) -> BasePruner:
    """Build the pruner that the search names, one of `PRUNERS`."""
    return PRUNERS[search.pruner](search)


def _median(_search: SearchSection) -> BasePruner:
    """End what is below the median of the complete trials at the same rung, once there are enough of them.

    A re-scored trial has a quality at its last rung alone.
    """
    return PresentQualityPruner(MedianPruner(n_startup_trials=FEWEST_COMPLETE, n_min_trials=FEWEST_COMPLETE))


def _none(_search: SearchSection) -> BasePruner:
    return NopPruner()


PRUNERS: Final[Mapping[str, Callable[[SearchSection], BasePruner]]] = {"median": _median, "none": _none}
"""What builds a pruner from the search's settings, by its name in `search.pruner`."""


@final
class PresentQualityPruner(BasePruner):
    """Has another pruner judge a running trial by its quality at this rung alone, so that one that collapses ends.

    Optuna's median and percentile pruners compare a trial's best so far with what the others had at this rung.
    """

    def __init__(self, pruner: BasePruner) -> None:
        """Take the pruner that judges."""
        self._pruner = pruner

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Return whether the trial shall end."""
        present = copy.copy(trial)
        rung = trial.last_step
        present.intermediate_values = {} if rung is None else {rung: trial.intermediate_values[rung]}
        return self._pruner.prune(study, present)


def report_quality(trial: optuna.Trial, quality: float, *, images_seen: int) -> None:
    """Note a trial's quality at a rung.

    Args:
        trial: The running trial.
        quality: In [0, 1], higher is better.
        images_seen: The rung.
    """
    if len(trial.study.directions) == 1:
        trial.report(quality, images_seen)
        return
    noted = {**TrialRecord.parse(trial.user_attrs).rung_qualities, images_seen: quality}
    trial.set_user_attr(attributes.RUNG_QUALITIES, {str(images): known for images, known in noted.items()})


def should_prune(trial: optuna.Trial) -> bool:
    """Return whether the study's pruner would end a trial now, judging by the qualities that were noted."""
    study = trial.study
    if len(study.directions) == 1:
        return trial.should_prune()
    storage = _QualityStorage(storage_of(study))
    view = optuna.Study(study.study_name, cast("BaseStorage", storage), sampler=study.sampler, pruner=study.pruner)
    return study.pruner.prune(view, storage.get_trial(trial_id_of(trial)))


@final
class _QualityStorage:
    """A storage in which each study maximises its trials' quality alone; all else is the storage that it looks at.

    Optuna's pruners reach trials through the study or its storage (hyperband), and write notes to it (halving).
    """

    def __init__(self, storage: BaseStorage) -> None:
        self._storage = storage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def get_study_directions(self, _study_id: int) -> list[StudyDirection]:
        """Return that of the quality."""
        return [StudyDirection.MAXIMIZE]

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return one trial with its quality as its value."""
        return _with_quality(self._storage.get_trial(trial_id))

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Return trials with their quality as their value."""
        trials = self._storage.get_all_trials(study_id, deepcopy=deepcopy, states=states)
        return [_with_quality(trial) for trial in trials]

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """Return the complete trial of the highest quality."""
        return BaseStorage.get_best_trial(cast("BaseStorage", self), study_id)


def _with_quality(trial: FrozenTrial) -> FrozenTrial:
    """Return a trial as a study of quality alone has it: the last as its value, the others as intermediate values."""
    seen = copy.copy(trial)
    seen.intermediate_values = rung_qualities(trial)
    quality = quality_of(trial)
    ended = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    seen.values = [quality] if ended and quality is not None else None
    return seen
