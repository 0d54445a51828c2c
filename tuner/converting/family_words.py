"""What is said of a study in a trainer's own loss: what of it is not the trainer's, and where its weights lie."""

import math
from typing import Final

from measures.gradient_matching import MatchedWeights, Nearness
from measures.published_trainers import TRAINERS, PublishedTrainer, VariationForm
from studies.records.published_defaults import PublishedSetting
from tuner.configuration.settings import StudyConfig

NEAR_END: Final = 3.0
"""Factor from an end of a range within which the search can look at one side of a ratio only."""

_LITTLE_VARIATION: Final = "[0.00001,0.0001]"
_LITTLE_BELOW: Final = 1e-3
"""Total variation does next to nothing here: a third of the lowest ratio of any preset (decision 4)."""


def loss_in_words(config: StudyConfig) -> list[str]:
    """Return a line for each thing that is not the trainer's in a study of its loss; none in other studies."""
    if config.loss.trainer is None:
        return []
    trainer = TRAINERS[config.loss.trainer]
    lines = [f"The loss of {trainer.name}: {trainer.stand_in}"] if trainer.stand_in else []
    if config.search.tv_to_content[1] > _LITTLE_BELOW and trainer.variation in _OTHER_VARIATION:
        lines.append(f"{_OTHER_VARIATION[trainer.variation].format(name=trainer.name)}; {_little_variation()}")
    return lines


def ranges_in_words(setting: PublishedSetting, config: StudyConfig) -> list[str]:
    """Return a line for each ratio of a trainer's published weights that the search can hardly look around.

    A total variation below its range does next to nothing, and so is none of these.

    Args:
        setting: The published weights in the study's loss, of the study's own trainer.
        config: The study's configuration.
    """
    lines = []
    for name, ratio in setting.ratios().items():
        low, high = getattr(config.search, name)
        is_low = ratio < low * NEAR_END and name == "style_to_content"
        if not is_low and ratio <= high / NEAR_END:
            continue
        where = "beyond" if ratio > high or ratio < low else "near an end of"
        half = math.sqrt(high / low)
        around = f"[{_rounded(ratio / half)},{_rounded(ratio * half)}]"
        lines.append(
            f"{setting.defaults[0].possessive} {name.replace('_to_', ' : ')} {ratio:.3g} lies {where} what is "
            f"searched, {low:g} to {high:g}; a study around it: --set 'search.{name}={around}'"
        )
    return lines


def export_in_words(trainer: PublishedTrainer, matched: MatchedWeights) -> str:
    """Return a line on what a trainer cannot take of a trial that was found in its own loss; empty if it takes all.

    Content and style are its own there, up to what stands in: what differs is total variation.
    """
    if matched.nearness is Nearness.SAME:
        return (
            f"{trainer.name} has no total variation loss: this trial's is left out, which changes little."
            if matched.left_out
            else ""
        )
    lacks = (
        f"{trainer.name} has no total variation loss, so that this trial's has no place there: what it trains is less "
        "smooth than here"
        if matched.left_out
        else f"{trainer.name} has another total variation than ours, which is strong in this trial"
    )
    reasons = "; ".join(filter(None, [lacks, trainer.stand_in]))
    return f"Approximate: {reasons}. In a new study of its loss: {_little_variation()}."


_OTHER_VARIATION: Final = {
    VariationForm.NONE: "{name} has no total variation loss: ours is searched all the same, and left out by "
    "`study export --as`",
    VariationForm.SUM_OF_ABSOLUTES: "{name} has a total variation of absolute differences, and ours of squares is "
    "searched",
}


def _little_variation() -> str:
    return f"for next to none, --set 'search.tv_to_content={_LITTLE_VARIATION}'"


def _rounded(value: float) -> str:
    """Two digits without an exponent, which YAML would take for text."""
    return f"{float(f'{value:.2g}'):.8f}".rstrip("0").rstrip(".")
