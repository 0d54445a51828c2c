"""Pruning: where a trial's quality is noted at its rungs, and whether it shall end there, and why in words.

Optuna prunes studies with one objective only. For others the same pruners are asked about the same study as if it
maximised our own quality alone, whose value at each rung stands in a user attribute.
"""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)
from optuna.trial import FrozenTrial, TrialState

from measures.quality import Quality
from studies.records import attributes
from studies.records.attribute_values import mapping_of
from studies.records.trial_qualities import quality_of, rung_qualities
from studies.records.trial_record import TrialRecord
from studies.storage.optuna_internals import storage_of, trial_id_of
from tuner.configuration.search_choice import pruner_of
from tuner.configuration.search_sections import SearchSection
from tuner.search.study_views import view

FEWEST_COMPLETE: Final = 4
"""Complete trials before the first is pruned: as many as the shortest study draws at random before it models any."""

KEPT_ONE_IN: Final = 2
"""Of the trials at a rung, by asha and hyperband: with tens of trials and a few rungs the usual 3 or 4 leaves none."""

WILCOXON_P: Final = 0.1
"""Optuna's default."""

BELOW_MEDIAN: Final = "pruned: below the median of complete trials at this rung"

PRUNED_BY_RULE: Final[Mapping[str, str]] = {
    "median": BELOW_MEDIAN,
    "asha": "pruned: not in the better half of the trials that came to this rung (asha)",
    "hyperband": "pruned: not in the better half of the trials of its bracket that came to this rung (hyperband)",
    "wilcoxon": f"pruned: worse than the best trial photo by photo at this rung (Wilcoxon's test, p < {WILCOXON_P:g})",
}
"""Why a trial ended at a rung, in words, by the pruner that ended it."""

_Builder = Callable[[Sequence[int], int], BasePruner]


def build_pruner(search: SearchSection, *, rungs: Sequence[int], seed: int) -> BasePruner:
    """Build the pruner that the search names, one of `PRUNERS`.

    Args:
        search: Names it.
        rungs: Images seen at each rung, rising.
        seed: The study's.
    """
    return PRUNERS[pruner_of(search)](rungs, seed)


def prune_reason(search: SearchSection) -> str:
    """Return why the study's pruner ends trials, in words."""
    return PRUNED_BY_RULE[pruner_of(search)]


def _median(_rungs: Sequence[int], _seed: int) -> BasePruner:
    """End what is below the median of the complete trials at the same rung, once there are enough of them.

    A re-scored trial has a quality at its last rung alone.
    """
    return PresentQualityPruner(MedianPruner(n_startup_trials=FEWEST_COMPLETE, n_min_trials=FEWEST_COMPLETE))


def _asha(rungs: Sequence[int], _seed: int) -> BasePruner:
    """End what is not in the better half of all that came to the same rung, from the second trial on."""
    return RungStepsPruner(SuccessiveHalvingPruner(min_resource=1, reduction_factor=KEPT_ONE_IN), rungs)


def _hyperband(rungs: Sequence[int], seed: int) -> BasePruner:
    """The same in brackets, as many as there are rungs: the first begins at the first rung, the last ends no trial.

    A trial's bracket follows from its number and the study's seed, not from its name, which people change. Optuna has
    samplers learn from a trial's own bracket alone; here they know all trials, of which there are few.
    """
    resources = HyperbandPruner(
        min_resource=1, max_resource=KEPT_ONE_IN ** (len(rungs) - 1), reduction_factor=KEPT_ONE_IN
    )
    return RungStepsPruner(resources, rungs, study_name=f"seed {seed}")


def _wilcoxon(_rungs: Sequence[int], _seed: int) -> BasePruner:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return PhotosPruner(WilcoxonPruner(p_threshold=WILCOXON_P))


def _none(_rungs: Sequence[int], _seed: int) -> BasePruner:
    return NopPruner()


PRUNERS: Final[Mapping[str, _Builder]] = {
    "asha": _asha,
    "hyperband": _hyperband,
    "median": _median,
    "wilcoxon": _wilcoxon,
    "none": _none,
}
"""What builds a pruner from the study's rungs and seed, by its name in `search.pruner`."""


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


@final
class RungStepsPruner(BasePruner):
    """Has a pruner of resources see the study's rungs as steps 1, 2, 4, 8 and so on, so that it judges at each of them.

    Optuna's halving judges at multiples of one another by its reduction factor; rungs at 1/4, 1/2 and 3/4 of a run are
    not, and it would pass over the last. Failed trials are not shown: of one that is run again both would count.
    """

    def __init__(self, pruner: BasePruner, rungs: Sequence[int], *, study_name: str | None = None) -> None:
        """Take the pruner that judges, images seen at each rung, and what it shall hold for the study's name."""
        self._pruner = pruner
        self._steps = {images: KEPT_ONE_IN**place for place, images in enumerate(rungs)}
        self._study_name = study_name

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Return whether the trial shall end."""
        return self._pruner.prune(view(study, self._show, name=self._study_name), self._in_steps(trial))

    def _show(self, trial: FrozenTrial) -> FrozenTrial | None:
        return None if trial.state is TrialState.FAIL else self._in_steps(trial)

    def _in_steps(self, trial: FrozenTrial) -> FrozenTrial:
        shown = copy.copy(trial)
        values = trial.intermediate_values
        shown.intermediate_values = {self._steps[images]: values[images] for images in values if images in self._steps}
        return shown


@final
class PhotosPruner(BasePruner):
    """Has a pruner compare trials photo by photo at one rung, where it looks for one value a step.

    At a rung it is shown the photos' qualities there as the steps of each trial, and as the best trial that of the
    highest quality at its end, of those whose photos' qualities at this rung are known: re-scored trials have none.
    """

    def __init__(self, pruner: BasePruner) -> None:
        """Take the pruner that compares."""
        self._pruner = pruner

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Return whether the trial shall end."""
        rung = trial.last_step
        present = None if rung is None else _with_photos(trial, rung)
        if rung is None or present is None:
            return False
        return self._pruner.prune(view(study, lambda other: _with_photos(other, rung)), present)


def _with_photos(trial: FrozenTrial, rung: int) -> FrozenTrial | None:
    """Return a trial with its photos' qualities at a rung as its intermediate values; None where it has none."""
    noted = mapping_of(mapping_of(trial.user_attrs).get(attributes.RUNG_PHOTO_QUALITIES)).get(str(rung))
    if not isinstance(noted, list) or not noted:
        return None
    shown = copy.copy(trial)
    shown.intermediate_values = dict(enumerate(noted))
    return shown


def report_quality(trial: optuna.Trial, quality: Quality | float, *, images_seen: int) -> None:
    """Note a trial's quality at a rung, and that of each photo where the study's pruner looks at them.

    Args:
        trial: The running trial.
        quality: In [0, 1], higher is better; a bare number has no photos.
        images_seen: The rung.
    """
    if isinstance(quality, Quality):
        if isinstance(trial.study.pruner, PhotosPruner):
            known = mapping_of(trial.user_attrs.get(attributes.RUNG_PHOTO_QUALITIES))
            photos = [photo.quality for photo in quality.photos]
            trial.set_user_attr(attributes.RUNG_PHOTO_QUALITIES, {**known, str(images_seen): photos})
        quality = quality.quality
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
    seen = view(study, _with_quality)
    return study.pruner.prune(seen, storage_of(seen).get_trial(trial_id_of(trial)))


def _with_quality(trial: FrozenTrial) -> FrozenTrial:
    """Return a trial as a study of quality alone has it: the last as its value, the others as intermediate values."""
    seen = copy.copy(trial)
    seen.intermediate_values = rung_qualities(trial)
    quality = quality_of(trial)
    ended = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    seen.values = [quality] if ended and quality is not None else None
    return seen
