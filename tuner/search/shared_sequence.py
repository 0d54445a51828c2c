"""Sequences of settings that all workers of a study, and all its resumptions, go through together: a grid, Sobol'."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from studies.records import attributes
from studies.records.attribute_values import mapping_of
from studies.records.study_scout import is_without_setting
from studies.storage.optuna_internals import storage_of, trial_id_of

Setting = Mapping[str, Any]
"""A trial's parameters by name."""

Settings = Callable[[int], Sequence[Setting]]
"""Takes how many settings of a sequence are needed; returns so many or more from its first on, or all that it has."""


def quasi_random(distributions: Mapping[str, BaseDistribution], *, seed: int) -> Settings:
    """Return the settings of a scrambled Sobol' sequence, evenly on each one's scale; it has no end.

    Optuna's `QMCSampler` goes through such a sequence too, but notes on the study how far it is: workers which begin
    together may get the same point there.
    """

    def first(count: int) -> list[Setting]:
        from scipy.stats import qmc

        exponent = max(1, math.ceil(math.log2(max(1, count))))
        return _at(qmc.Sobol(len(distributions), scramble=True, rng=seed).random_base2(exponent), distributions)

    return first


def grid(distributions: Mapping[str, BaseDistribution], *, num_points: Sequence[int], seed: int) -> Settings:
    """Return the settings of a grid with both ends of each range, in a random order; of one point its middle.

    Of what has choices it has all.

    They are what Optuna's `GridSampler` goes through, which leaves out points where trials are enqueued or run again,
    and draws from what is left, so that workers may get the same point.

    Args:
        distributions: Of each parameter.
        num_points: Points over each range, in their order.
        seed: Of the order.
    """
    counts = iter(num_points)
    sides = [
        _middles(len(one.choices)) if isinstance(one, CategoricalDistribution) else _spread(next(counts))
        for one in distributions.values()
    ]
    places = np.array(list(itertools.product(*sides)))
    settings = _at(np.random.default_rng(seed).permutation(places), distributions)
    return lambda _: settings


@final
class SharedSequenceSampler(BaseSampler):
    """Gives each trial that comes without a setting the first one of a sequence that no trial before it has.

    So none is left out and none comes twice, whatever was enqueued in between, whoever is killed: a trial whose worker
    dies is run again as another one with its setting, and one that dies before it has any leaves its point to the next.
    Two workers that begin together know of each other by their trials' numbers; only if a third one dies in just that
    moment, without a setting, may they take the same. Where the sequence has ended another sampler draws.
    """

    def __init__(self, settings: Settings, distributions: Mapping[str, BaseDistribution], rest: BaseSampler) -> None:
        """Take the sequence, what it samples, and the sampler of what comes after it."""
        self._settings = settings
        self._distributions = distributions
        self._rest = rest

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Tell the other sampler."""
        self._rest.before_trial(study, trial)

    def infer_relative_search_space(self, _study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what the sequence samples, unless the trial came with a setting."""
        return dict(self._distributions) if is_without_setting(trial) else {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Take the next setting of the sequence, and note on the trial which one it is."""
        if not search_space or not is_without_setting(trial):
            return {}
        index = self._next(study, trial)
        settings = self._settings(index + 1)
        if index >= len(settings):
            return {}
        setting = dict(settings[index])
        # Optuna writes one parameter after the other: a worker that is killed in between leaves it to be run again.
        noted = {attributes.DRAWN_INDEX: index, attributes.DRAWN_SETTING: setting}
        storage_of(study).set_trial_user_attr(trial_id_of(trial), attributes.DRAWN_POINT, noted)
        return setting

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Ask the other sampler."""
        return self._rest.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Tell the other sampler."""
        self._rest.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """Reseed the other sampler; the sequence is the same for all workers."""
        self._rest.reseed_rng()

    def _next(self, study: optuna.Study, trial: FrozenTrial) -> int:
        trials = [one for one in study.get_trials(deepcopy=False) if one.number < trial.number]
        settings = self._settings(len(trials))
        taken = {index for one in trials if (index := _index_of(one, settings)) is not None}
        free = (index for index in itertools.count() if index not in taken)
        # Of workers that begin together the later one knows what the earlier one takes, though it has not noted it.
        num_before = sum(is_without_setting(one) for one in trials)
        return next(itertools.islice(free, num_before, None))


def _index_of(trial: FrozenTrial, settings: Sequence[Setting]) -> int | None:
    """Return which setting of a sequence a trial has taken; None if none."""
    noted = mapping_of(trial.user_attrs.get(attributes.DRAWN_POINT))
    index = noted.get(attributes.DRAWN_INDEX)
    if not isinstance(index, int) or not 0 <= index < len(settings):
        return None
    # One of a study with other ranges, which this one goes on from, took a point of another sequence.
    setting = mapping_of(noted.get(attributes.DRAWN_SETTING))
    return index if setting.keys() == settings[index].keys() and _is_near(setting, settings[index]) else None


def _is_near(one: Setting, other: Setting) -> bool:
    """Whether two settings of the same parameters are one: another machine's logarithms differ in the last place."""
    return all(math.isclose(one[name], other[name], rel_tol=1e-9) for name in one)


def _spread(count: int) -> NDArray[np.float64]:
    return np.linspace(0.0, 1.0, count) if count > 1 else np.array([0.5])


def _middles(count: int) -> NDArray[np.float64]:
    """Return the middles of so many equal shares of the unit range: where each choice is."""
    return (np.arange(count) + 0.5) / count


def _at(places: NDArray[np.float64], distributions: Mapping[str, BaseDistribution]) -> list[Setting]:
    """Return the settings at places in the unit cube, shape (settings, parameters)."""
    columns = [_values_at(column, one) for column, one in zip(places.T, distributions.values(), strict=True)]
    return [dict(zip(distributions, row, strict=True)) for row in zip(*columns, strict=True)]


def _values_at(places: NDArray[np.float64], distribution: BaseDistribution) -> list[Any]:
    """Return one parameter's values at places in [0, 1]."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return [choices[min(int(place * len(choices)), len(choices) - 1)] for place in places]
    if isinstance(distribution, FloatDistribution):
        ends = np.array([distribution.low, distribution.high])
        low, high = np.log(ends) if distribution.log else ends
        values = low + places * (high - low)
        values = np.exp(values) if distribution.log else values
        return [float(np.clip(value, distribution.low, distribution.high)) for value in values]
    raise TypeError(f"Places are of numbers and choices. Received {distribution!r}.")
