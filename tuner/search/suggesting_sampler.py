"""A sampler that takes the settings of some trials from a scout, and has another one draw the rest."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from measures.errors import SampledValuesError
from measures.foretold_landscape import ForetoldLandscape
from measures.ratio_space import Positions, RatioSpace
from measures.sampled_values import SampledValues
from studies.records import attributes
from studies.records.study_scout import (
    ForetoldSetting,
    StudyScout,
    foretold_settings,
    is_without_setting,
    num_suggestions_begun,
)
from studies.records.trial_parameters import parameters_of
from studies.records.trial_qualities import quality_of, rung_qualities
from studies.records.trial_record import TrialRecord
from studies.storage.optuna_internals import storage_of, trial_id_of
from tuner.configuration.search_sections import SearchSection
from tuner.search.pruners import PRUNED_BY_RULE
from tuner.search.space import distributions, ratio_ranges


@final
class SuggestingSampler(BaseSampler):
    """Chooses the settings of the first trials that come without one, as the scout suggests; another draws the rest.

    A setting is chosen when its trial begins: that of the scout's sweep which promises most by what the scout foretells
    and what the trials before came to. Trials that still run, wait or have failed are taken to come to what is expected
    of them, so that several workers try several settings, and none is tried again; of one that is run again only the
    second run counts, so that the study goes on as if there had been no other.
    """

    def __init__(self, drawing: BaseSampler, search: SearchSection) -> None:
        """Take the sampler of all other trials, and the ranges of the search."""
        self._drawing = drawing
        self._distributions = distributions(search)
        self._ranges = ratio_ranges(search)
        self._space = RatioSpace(style_to_content=search.style_to_content, tv_to_content=search.tv_to_content)

    def __str__(self) -> str:
        """Return the name of the sampler that draws."""
        return str(self._drawing)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Tell the other sampler."""
        self._drawing.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return both ratios if the scout suggests, else what the other sampler samples together."""
        if _is_suggested(study, trial):
            return dict(self._distributions)
        return self._drawing.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Take the scout's next setting, and note on the trial what is foretold of it; else ask the other sampler."""
        if not _is_suggested(study, trial):
            return self._drawing.sample_relative(study, trial, search_space)
        foretold = self._next(study, trial)
        if foretold is None:
            return self._drawing.sample_relative(study, trial, search_space)
        known = foretold.values.to_dict()
        setting = {name: float(np.clip(known[name], low, high)) for name, (low, high) in self._ranges.items()}
        noted = {
            "quality": foretold.quality,
            "standard_error": foretold.standard_error,
            # Optuna writes one parameter after the other: a worker that is killed in between leaves it to be run again.
            attributes.FORETOLD_SETTING: setting,
        }
        storage_of(study).set_trial_user_attr(trial_id_of(trial), attributes.FORETOLD, noted)
        return setting

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Ask the other sampler."""
        return self._drawing.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Tell the other sampler."""
        self._drawing.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """Reseed the other sampler; nothing here is random."""
        self._drawing.reseed_rng()

    def _next(self, study: optuna.Study, trial: FrozenTrial) -> ForetoldSetting | None:
        """Return what to try; None without a sweep, or if all of it was tried."""
        sweep = foretold_settings(study.user_attrs.get(attributes.SCOUT_SWEEP))
        sweep = [one for one in sweep if self._place(one.values.to_dict()) is not None]
        if not sweep:
            return None
        trials = study.get_trials(deepcopy=False)
        worth = {one.number: quality for one, quality in _worth(trials)}
        run_again = {TrialRecord.parse(one.user_attrs).retry_of for one in trials}
        places = {
            one.number: place
            for one in trials
            if one.number not in run_again and (place := self._place(parameters_of(one))) is not None
        }
        done = [number for number in places if number in worth]
        # Of workers that begin together the later one knows what the earlier one takes, though it has not written it.
        num_before = sum(is_without_setting(one) and one.number < trial.number for one in trials)
        chosen = ForetoldLandscape(
            self._space.positions([one.values for one in sweep]), np.array([one.quality for one in sweep])
        ).next_settings(
            _stacked([places[number] for number in done]),
            np.array([worth[number] for number in done]),
            awaited=_stacked([place for number, place in places.items() if number not in worth]),
            count=num_before + 1,
        )
        return sweep[chosen[-1]] if chosen else None

    def _place(self, parameters: Mapping[str, Any]) -> Positions | None:
        """Return where in the square some parameters are; None if one is missing, or is outside its range."""
        try:
            return np.asarray(self._space.positions([SampledValues.from_dict(parameters)])[0])
        except SampledValuesError:
            return None


def _is_suggested(study: optuna.Study, trial: FrozenTrial) -> bool:
    """Whether the scout shall suggest a trial's setting: it comes without one, and so few before it did."""
    known = study.user_attrs
    scout = StudyScout.parse(known.get(attributes.SCOUT))
    if scout is None or not is_without_setting(trial):
        return False
    before = [one for one in study.get_trials(deepcopy=False) if one.number < trial.number]
    return num_suggestions_begun(before) < scout.num_suggested


def _worth(trials: Sequence[FrozenTrial]) -> Iterator[tuple[FrozenTrial, float]]:
    """Give the finished trials with what they came to.

    One that the pruner ended counts as if it had gained what others did from there; one that diverged, nothing.
    """
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE and quality_of(trial) is not None]
    for trial in complete:
        yield trial, quality_of(trial) or 0.0
    for trial in trials:
        if trial.state is TrialState.PRUNED:
            rungs = rung_qualities(trial)
            if not rungs or TrialRecord.parse(trial.user_attrs).reason not in PRUNED_BY_RULE.values():
                yield trial, 0.0
                continue
            last = max(rungs)
            gains = [
                (quality_of(other) or 0.0) - known[last]
                for other in complete
                if last in (known := rung_qualities(other))
            ]
            yield trial, rungs[last] + (float(np.median(gains)) if gains else 0.0)


def _stacked(positions: Sequence[Positions]) -> Positions:
    return np.array(positions).reshape(-1, 2)
