"""A setting that a study begins with because a study of another style found it best."""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, final

from optuna.trial import FrozenTrial, TrialState

from studies.records.attribute_values import count_of, mapping_of, number_of, text_of
from studies.records.attributes import RETRY_OF, TAKEN_FROM
from studies.records.trial_parameters import parameters_of


@final
@dataclass(frozen=True, kw_only=True)
class TakenFrom:
    """The trial of another study whose setting a trial runs.

    Attributes:
        uuid: What that study is.
        study: What it was called then.
        trial: The trial's number in it.
        quality: That the trial had there, by another style image: in [0, 1], higher is better.
    """

    uuid: str
    study: str
    trial: int
    quality: float

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read the attribute; None where it is missing or of another type."""
        known = mapping_of(value)
        uuid, study = text_of(known.get("uuid")), text_of(known.get("study"))
        trial, quality = count_of(known.get("trial")), number_of(known.get("quality"))
        if uuid is None or study is None or trial is None or quality is None:
            return None
        return cls(uuid=uuid, study=study, trial=trial, quality=quality)

    def to_attribute(self) -> dict[str, Any]:
        """Return the value of a trial's attribute, from which `parse` makes the same again."""
        return asdict(self)

    def in_words(self) -> str:
        """Return where the setting comes from; the trial first, where the end may be cut off."""
        return f"from trial {self.trial} of {self.study}"


@final
@dataclass(frozen=True, kw_only=True)
class Winner:
    """What another study found best.

    Attributes:
        origin: Which trial of which study.
        params: Its parameters by name.
    """

    origin: TakenFrom
    params: Mapping[str, Any]

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read one of an attribute's; None where it is of another type."""
        known = mapping_of(value)
        origin, params = TakenFrom.parse(known.get("origin")), mapping_of(known.get("params"))
        return None if origin is None or not params else cls(origin=origin, params=params)

    def to_attribute(self) -> dict[str, Any]:
        """Return plain values, from which `parse` makes the same again."""
        return {"origin": self.origin.to_attribute(), "params": dict(self.params)}


def parse_winners(value: object) -> tuple[Winner, ...]:
    """Read a study's attribute; what is not understood is left out."""
    read = map(Winner.parse, value if isinstance(value, list | tuple) else ())
    return tuple(winner for winner in read if winner is not None)


def origins_in(trials: Iterable[FrozenTrial]) -> set[tuple[str, int]]:
    """Return which trials of other studies, by UUID and number, these run the settings of."""
    found = (TakenFrom.parse(trial.user_attrs.get(TAKEN_FROM)) for trial in trials)
    return {(origin.uuid, origin.trial) for origin in found if origin is not None}


def taken_marks(trials: Iterable[FrozenTrial]) -> list[int]:
    """Return a number for each setting of another style's study that a study began with, the same however far it is."""
    taken = (trial for trial in trials if TAKEN_FROM in trial.user_attrs and RETRY_OF not in trial.user_attrs)
    return [zlib.crc32(json.dumps(parameters_of(trial), sort_keys=True).encode()) for trial in taken]


def num_taken(trials: Iterable[FrozenTrial]) -> int:
    """Return how many finished (complete or pruned) trials run settings of other styles' studies."""
    finished = (TrialState.COMPLETE, TrialState.PRUNED)
    return sum(trial.state in finished and TAKEN_FROM in trial.user_attrs for trial in trials)
