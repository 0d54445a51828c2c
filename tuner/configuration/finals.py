"""Whether a study can have the final that is asked for; where a preset alone asks and it cannot, it has none."""

from collections.abc import Mapping
from typing import Any

from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError


def require_possible_final(config: StudyConfig, *, asked: Mapping[str, Any], source: str) -> None:
    """Refuse a final that is asked for and cannot be.

    Args:
        config: The whole configuration.
        asked: Nested values of file and flags, without those of the preset.
        source: What the configuration is called in messages.

    Raises:
        ConfigError: Finalists are asked for in a study of two objectives or without report photos, or more than it has
            trials.
    """
    search = asked.get("search")
    is_asked = isinstance(search, Mapping) and search.get("finalists") is not None
    if not is_asked or config.search.finalists == 1:
        return
    if reason := _why_not(config):
        raise ConfigError(f"Configuration `{source}`: `search.finalists` is {config.search.finalists}, and {reason}.")


def _why_not(config: StudyConfig) -> str:
    num_trials = config.num_trials
    if config.search.objectives != "quality":
        return "a study of two objectives has a front and no single winner; leave it out, or take --finalists 1"
    if not config.data.held_out.report:
        return "`data.held_out.report` is 0: finalists are judged on report photos; take some, or --finalists 1"
    # Where time alone ends a study, its trials are not known yet.
    if config.search.stop.minutes is None and config.search.finalists > num_trials:
        price = config.start_price
        less = f" ({config.search.trials} less {price} for its {config.search.start})" if price else ""
        trials = f"{num_trials} trial{'' if num_trials == 1 else 's'}{less}"
        return f"the study has {trials}; take fewer finalists or more trials"
    return ""
