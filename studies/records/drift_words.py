"""What the length of full training means for weights that short runs have chosen, in words."""

import math
import shlex
from typing import Final

from measures.length_drift import FACTORS, NUM_STYLES, TIMES_LONGER
from studies.records.attribute_values import count_of, mapping_of, number_of
from studies.records.exported_config import ExportedConfig

_STARTS: Final = (*FACTORS, "scout")
"""What trials start from, measured or not."""


def exported_drift_in_words(exported: ExportedConfig) -> str:
    """Return what `drift_in_words` says of an exported trial; empty where it does not say how long it trains."""
    configuration = exported.configuration
    search, trial, full = (mapping_of(configuration.get(name)) for name in ("search", "training", "full_training"))
    ratio = number_of(exported.params.get("style_to_content"))
    trial_images, full_images = count_of(trial.get("images")), count_of(full.get("images"))
    start = search.get("start", "noise")
    if ratio is None or not trial_images or not full_images or start not in _STARTS:
        return ""
    return drift_in_words(
        style_to_content=ratio, trial_images=trial_images, full_images=full_images, study=exported.study, start=start
    )


def drift_in_words(
    *, style_to_content: float, trial_images: int, full_images: int, study: str, start: str = "noise"
) -> str:
    """Return where the best ratio may lie in full training, by what the benchmark measured of other styles.

    Args:
        style_to_content: That of the exported trial.
        trial_images: Images that a whole trial is trained on.
        full_images: Images of full training.
        study: The study's name.
        start: What the trial started from.

    Returns:
        Two or three sentences, which say so where trials from `start` were not measured; empty where full training is
        no longer than a trial, or where a ratio is no number.
    """
    if full_images <= trial_images or not 0 < style_to_content < math.inf:
        return ""
    times = full_images / trial_images
    longer = f"Full training of {full_images:,} images is {times:.3g} times a trial."
    validate = f"For this style: styletuner study validate {shlex.quote(study)} --images {TIMES_LONGER}x"
    if start not in FACTORS:
        return (
            f"{longer} Where the best style : content lies then was not measured of trials from a {start}. {validate}"
        )
    share = min(1.0, math.log(times) / math.log(TIMES_LONGER))
    low, high = (style_to_content * factor**share for factor in FACTORS[start])
    beyond = f"; what comes after {TIMES_LONGER} times was not measured" if times > TIMES_LONGER else ""
    measured = "{:.2f} to {:.2f} times that of trials".format(*FACTORS[start])
    trials = "" if start == "noise" else f" from a {start}"
    return (
        f"{longer} The best style : content was at {TIMES_LONGER} times, on {NUM_STYLES} styles at 64 px, {measured}"
        f"{trials} (docs/fidelity.md); from {style_to_content:.2g} that is {_range(low, high)}{beyond}. {validate}"
    )


def _range(low: float, high: float) -> str:
    ends = [f"{end:.2g}" for end in (low, high)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
