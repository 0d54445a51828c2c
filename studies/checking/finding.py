"""What `study check` finds: each thing that is wrong, what it means, and how it can be mended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, final

MENDED_BY: Final = "styletuner study check --repair"

Mend = Callable[[], str]
"""Mends what was found, looking again first, and returns what it did as a clause."""


@final
@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: What it is, in a word or two, for scripts.
        study: Name of the study that it is about; None if it is about the storage.
        text: What is wrong, as a clause.
        advice: What that means and what to do, as sentences.
        trials: Numbers of the trials that it is about.
        files: Names of the files that it is about.
        mend: Mends it; None where nothing but the user can.
    """

    kind: str
    study: str | None
    text: str
    advice: str
    trials: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    mend: Mend | None = field(default=None, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return {
            "kind": self.kind,
            "study": self.study,
            "text": self.text,
            "advice": self.advice,
            "trials": list(self.trials),
            "files": list(self.files),
            "can_be_repaired": self.mend is not None,
        }
