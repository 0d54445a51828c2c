"""What ends a run of a study, as a worker process is told it: by one argument, in JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, final

from tuner.running.stopping import TimeLimit
from tuner.running.study_run import StudyRun


@final
@dataclass(frozen=True, kw_only=True)
class RunEnding:
    """What ends a run.

    Attributes:
        trials: `search.trials`, the price of what trials start from included.
        stop: `search.stop`.
        limit: Until when the run lasts; None for as long as it takes.
        counts_trials: Whether the trials end it.
    """

    trials: int
    stop: Mapping[str, Any]
    limit: TimeLimit | None = None
    counts_trials: bool = True

    def settings(self) -> dict[str, Any]:
        """Return what of it is a study's configuration, to be laid over what the study was made with."""
        return {"search": {"trials": self.trials, "stop": dict(self.stop)}}

    def to_json(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        limit = values.pop("limit")
        return cls(**values, limit=None if limit is None else TimeLimit(**limit))


def ending_of(run: StudyRun) -> RunEnding:
    """Return what ends a run."""
    search = run.config.search
    return RunEnding(
        trials=search.trials,
        stop=search.stop.model_dump(mode="json"),
        limit=run.limit,
        counts_trials=run.counts_trials,
    )
