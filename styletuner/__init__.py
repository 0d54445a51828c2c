"""Finds the loss weights of style networks: what a notebook or a script imports.

    import styletuner

    running = styletuner.start_study("quick", style="starry_night.jpg", photos=["photos/"], trials=16)
    study = running.wait()               # or look at running.study while it runs
    study.summary().best                 # trial, quality, weights
    study.sheet()                        # the contact sheet; a notebook shows it
    study.export("best.yaml")
    study.table()                        # one row a trial, for pandas

Importing this package loads neither TensorFlow nor Torch, nor anything else of ours; see docs/notebook.md.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

from styletuner._own_packages import claim_names

if TYPE_CHECKING:
    from measures.loss_weights import LossWeights as LossWeights
    from studies.errors import StorageError as StorageError
    from studies.errors import StudyError as StudyError
    from studies.records.summaries import StudySummary as StudySummary
    from studies.records.summaries import TrialSummary as TrialSummary
    from styletuner.errors import StudyProcessError as StudyProcessError
    from styletuner.study import Study as Study
    from styletuner.study import list_studies as list_studies
    from styletuner.study_here import RungEvent as RungEvent
    from styletuner.study_here import run_study as run_study
    from styletuner.study_process import StudyProcess as StudyProcess
    from styletuner.study_process import start_study as start_study

_HOMES: Final = {
    "LossWeights": "measures.loss_weights",
    "RungEvent": "styletuner.study_here",
    "StorageError": "studies.errors",
    "Study": "styletuner.study",
    "StudyError": "studies.errors",
    "StudyProcess": "styletuner.study_process",
    "StudyProcessError": "styletuner.errors",
    "StudySummary": "studies.records.summaries",
    "TrialSummary": "studies.records.summaries",
    "list_studies": "styletuner.study",
    "run_study": "styletuner.study_here",
    "start_study": "styletuner.study_process",
}
"""Where each public name is defined; it is imported when it is first asked for."""

__all__ = [
    "LossWeights",
    "RungEvent",
    "StorageError",
    "Study",
    "StudyError",
    "StudyProcess",
    "StudyProcessError",
    "StudySummary",
    "TrialSummary",
    "list_studies",
    "run_study",
    "start_study",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("styletuner")
    if name not in _HOMES:
        raise AttributeError(f"module 'styletuner' has no attribute {name!r}")
    claim_names()
    found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
