"""What studies of other styles found best, for a study that begins: which of it is worth a trial."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import optuna
from optuna.trial import TrialState

from measures.sampled_values import RATIOS
from studies.records import attributes
from studies.records.summaries import StudySummary
from studies.records.taken_from import TakenFrom, Winner, origins_in, parse_winners
from tuner.configuration.search_choice import sampler_of
from tuner.configuration.settings import StudyConfig
from tuner.search.space import LEARNING_RATE, STYLE_TILT, further_within

MOST_WINNERS: Final = 3
"""Settings that a study takes from others: of `quick`'s fifteen trials a fifth."""

SHARE_OF_TRIALS: Final = 4
"""And at most a quarter of its trials, but one at least: the search itself has to find what is this style's own."""

ALIKE_FACTOR: Final = 1.5
"""Two settings are one if their ratios and learning rates differ by less, and by their tilts each style layer's share
of the next one, and all else is equal: ranges span factors of hundreds, and another trial so near tells little."""


def chosen_winners(
    summaries: Sequence[StudySummary], config: StudyConfig, *, baseline: Mapping[str, float] | None
) -> tuple[Winner, ...]:
    """Return the best settings of earlier studies that differ, of the latest studies first.

    Args:
        summaries: Of studies that search the same space with other style images, in the order in which they were run.
        config: Of the study that begins.
        baseline: Parameters of its baseline, which is run anyway; None where it has none.
    """
    chosen: list[Winner] = []
    for summary in reversed(summaries):
        if len(chosen) == num_winners(config):
            break
        winner = winner_of(summary, config)
        others = [known.params for known in chosen] + ([] if baseline is None else [baseline])
        if winner is not None and not any(are_alike(winner.params, other) for other in others):
            chosen.append(winner)
    return tuple(chosen)


def num_winners(config: StudyConfig) -> int:
    """Return how many settings of others a study takes at most; none where it draws their points anyway."""
    trials = config.num_trials
    if sampler_of(config.search) in {"grid", "qmc"}:
        return 0
    return max(0, min(MOST_WINNERS, max(1, trials // SHARE_OF_TRIALS), trials - 1))


def winner_of(summary: StudySummary, config: StudyConfig) -> Winner | None:
    """Return what a study found best; None without a complete trial, or where a setting that all begin with is.

    Such are the baseline and published defaults, which each study converts for its own style. What is searched besides
    the ratios is the winner's where the study that begins searches it there, else its own.
    """
    best = summary.best
    if best is None or best.is_baseline or best.published is not None or best.quality is None or not summary.uuid:
        return None
    origin = TakenFrom(uuid=summary.uuid, study=summary.name, trial=best.number, quality=best.quality)
    ratios = {name: value for name, value in best.params.items() if name in RATIOS}
    return Winner(origin=origin, params={**ratios, **further_within(best.params, config)})


def take_winners(study: optuna.Study, winners: Sequence[Winner], config: StudyConfig) -> None:
    """Enqueue winners in a study that nobody has begun to run; where published defaults go before them, note them.

    Args:
        study: Whose baseline is queued already, where it has one of its own.
        winners: What studies of other styles found best.
        config: The study's.
    """
    if not winners or not _may_take(study):
        return
    if config.loss.trainer is None and not config.most_published:
        _enqueue(study, winners)
    elif attributes.WINNERS not in study.user_attrs:
        study.set_user_attr(attributes.WINNERS, [winner.to_attribute() for winner in winners])


def enqueue_noted(study: optuna.Study, *, others: Sequence[Mapping[str, Any]]) -> None:
    """Enqueue the winners that are noted, less those alike to settings that the study tries anyway.

    Args:
        study: Whose published defaults are queued.
        others: These, by parameters' names.
    """
    noted = parse_winners(study.user_attrs.get(attributes.WINNERS))
    if noted and _may_take(study):
        _enqueue(study, [one for one in noted if not any(are_alike(one.params, other) for other in others)])


def _may_take(study: optuna.Study) -> bool:
    """Whether no trial has begun and none of other styles is queued, as after a kill: later winners are not added."""
    trials = study.get_trials(deepcopy=False)
    return all(trial.state is TrialState.WAITING for trial in trials) and not origins_in(trials)


def _enqueue(study: optuna.Study, winners: Sequence[Winner]) -> None:
    for winner in winners:
        study.enqueue_trial(dict(winner.params), user_attrs={attributes.TAKEN_FROM: winner.origin.to_attribute()})


def are_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two settings are as good as one: factors within `ALIKE_FACTOR` of each other, all else equal."""
    return one.keys() == other.keys() and all(_is_alike(name, value, other[name]) for name, value in one.items())


def _is_alike(name: str, value: Any, other: Any) -> bool:
    numbers = [number for number in (value, other) if isinstance(number, int | float)]
    if len(numbers) == 2 and name == STYLE_TILT:  # noqa: PLR2004 (both)
        return abs(numbers[0] - numbers[1]) < math.log2(ALIKE_FACTOR)
    if len(numbers) == 2 and min(numbers) > 0 and name in {*RATIOS, LEARNING_RATE}:  # noqa: PLR2004
        return abs(math.log(numbers[0] / numbers[1])) < math.log(ALIKE_FACTOR)
    return bool(value == other)
