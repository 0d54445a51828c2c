"""Published trainers' default weights in a study's loss, and which of them the study tries."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, final

from measures.errors import MatchingError
from measures.published_trainers import TRAINERS, PublishedTrainer, have_same_defaults
from models.errors import PretrainedError
from objectives.training.references import LossReferences
from studies.records.published_defaults import PublishedDefaults, PublishedSetting, UntriedDefaults
from tuner.configuration.settings import StudyConfig
from tuner.converting.compared_losses import NativeSizes, OwnLoss, measure_own_loss
from tuner.converting.conversion_words import why_approximate
from tuner.search.study_pictures import StudyPictures

ONE_SETTING: Final = 1.25
"""Ratios by less than this factor apart are one setting: a conversion is no better (docs/trainers.md)."""

FEW_PICTURES: Final = 4
"""Pictures on which a study converts: it waits for that, and what it tries is no better than `ONE_SETTING`."""


@final
@dataclass(frozen=True, kw_only=True)
class ChosenDefaults:
    """What a study tries of the published defaults.

    Attributes:
        settings: One a trial, the study's own trainer's first.
        untried: The others.
    """

    settings: tuple[PublishedSetting, ...]
    untried: tuple[UntriedDefaults, ...]


def convert_published(
    config: StudyConfig, pictures: StudyPictures, *, references: LossReferences, report: Callable[[str], None]
) -> tuple[list[PublishedSetting], list[UntriedDefaults]]:
    """Find every trainer's published weights in a study's loss; only its own trainer's where the study wants no others.

    Args:
        config: The study's configuration.
        pictures: Its pictures.
        references: What its losses are divided by.
        report: Told in a few words what is being done.

    Returns:
        Those that were found, and those that cannot be: a loss network that can neither be read nor fetched.

    Raises:
        PretrainedError: That is the study's own one.
        MatchingError: A term of the study's loss pulls at no pixel of some picture.
    """
    report("measuring what published weights are in this loss")
    own = measure_own_loss(config, pictures, references=references, num_pictures=FEW_PICTURES)
    found: dict[str, PublishedSetting] = {}
    untried: list[UntriedDefaults] = []
    for trainer in _wanted(config):
        twin = next((name for name in found if have_same_defaults(TRAINERS[name], trainer)), None)
        if twin is not None:
            (defaults,) = found[twin].defaults
            found[trainer.name] = replace(found[twin], defaults=(replace(defaults, trainer=trainer.name),))
            continue
        report(f"measuring the loss of {trainer.name}")
        try:
            found[trainer.name] = _converted(own, trainer)
        except (PretrainedError, MatchingError) as error:
            if trainer.name == config.loss.trainer:
                raise
            untried.append(UntriedDefaults(trainer=trainer.name, why=str(error).splitlines()[0].rstrip(".")))
    return list(found.values()), untried


def choose_defaults(
    found: Sequence[PublishedSetting], untried: Sequence[UntriedDefaults], config: StudyConfig
) -> ChosenDefaults:
    """Choose what a study tries: its own trainer's defaults, whatever they are, and the nearest of the others.

    The others have to lie in what is searched; on total variation, which does nothing below its range, no lower end
    holds. Those that come to one setting share a trial.

    Args:
        found: As `convert_published` has them.
        untried: What could not be converted.
        config: Of the study.
    """
    own = config.loss.trainer
    settings = [setting for setting in found if setting.defaults[0].trainer == own]
    left_out = list(untried)
    others = [setting for setting in found if setting.defaults[0].trainer != own]
    num_others = 0
    for setting in sorted(others, key=lambda one: -one.defaults[0].cosine):
        (defaults,) = setting.defaults
        same = next((place for place, other in enumerate(settings) if _is_one(setting, other, config)), None)
        if same is not None:
            settings[same] = replace(settings[same], defaults=(*settings[same].defaults, defaults))
        elif outside := _outside(setting, config):
            left_out.append(UntriedDefaults(trainer=defaults.trainer, why=outside))
        elif num_others == config.most_published:
            why = f"{config.most_published} of {config.num_trials} trials go to such defaults, to the nearest losses"
            left_out.append(UntriedDefaults(trainer=defaults.trainer, why=why))
        else:
            settings.append(setting)
            num_others += 1
    return ChosenDefaults(settings=tuple(settings), untried=tuple(left_out))


def _wanted(config: StudyConfig) -> Iterator[PublishedTrainer]:
    if config.loss.trainer is not None:
        yield TRAINERS[config.loss.trainer]
    if config.most_published:
        yield from (trainer for name, trainer in TRAINERS.items() if name != config.loss.trainer)


def _converted(own: OwnLoss, trainer: PublishedTrainer) -> PublishedSetting:
    matched = own.against(trainer, sizes=NativeSizes.of(trainer)).to_own(trainer.published)
    defaults = PublishedDefaults(
        trainer=trainer.name, cosine=matched.cosine, reasons=tuple(why_approximate(trainer, matched))
    )
    return PublishedSetting(
        defaults=(defaults,),
        style_to_content=matched.weights["style"],
        tv_to_content=matched.weights["total_variation"],
    )


def _is_one(one: PublishedSetting, other: PublishedSetting, config: StudyConfig) -> bool:
    lowest = config.search.tv_to_content[0]
    ratios = [
        (one.style_to_content, other.style_to_content),
        (max(lowest, one.tv_to_content), max(lowest, other.tv_to_content)),
    ]
    return all(max(pair) <= ONE_SETTING * min(pair) for pair in ratios)


def _outside(setting: PublishedSetting, config: StudyConfig) -> str:
    """Return which ratio lies outside of what is searched; empty if none does."""
    low, high = config.search.style_to_content
    if not low / ONE_SETTING <= setting.style_to_content <= high * ONE_SETTING:
        return f"style : content {setting.style_to_content:.3g} lies outside of {low:g} to {high:g}"
    low, high = config.search.tv_to_content
    if setting.tv_to_content > high * ONE_SETTING:
        return f"tv : content {setting.tv_to_content:.3g} lies outside of {low:g} to {high:g}"
    return ""
