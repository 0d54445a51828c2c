"""Studies as a pruner is to see them: the same trials, shown otherwise."""

from collections.abc import Callable, Container
from typing import Any, cast, final

import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from studies.storage.optuna_internals import storage_of, study_id_of

Show = Callable[[FrozenTrial], FrozenTrial | None]
"""Takes a trial and returns it as it is shown; None where it is not."""


def view(study: optuna.Study, show: Show, *, name: str | None = None) -> optuna.Study:
    """Return a study of the same trials that maximises one value.

    Args:
        study: The study to look at; it may be a view itself.
        show: How its trials are shown.
        name: What it is called; by default as the study.
    """
    storage = cast("BaseStorage", _ViewedStorage(storage_of(study), study_id_of(study), show))
    return optuna.Study(name or study.study_name, storage, sampler=study.sampler, pruner=study.pruner)


@final
class _ViewedStorage:
    """A storage that shows the trials of a study otherwise; all else is the storage that it looks at.

    Optuna's pruners reach trials through the study or its storage (hyperband), and write notes to it (halving).
    """

    def __init__(self, storage: BaseStorage, study_id: int, show: Show) -> None:
        self._storage = storage
        self._study_id = study_id
        self._show = show

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def get_study_id_from_name(self, _study_name: str) -> int:
        """Return that of the study, whatever its view is called."""
        return self._study_id

    def get_study_directions(self, _study_id: int) -> list[StudyDirection]:
        """Return that of the one value."""
        return [StudyDirection.MAXIMIZE]

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return one trial as it is shown, or as it is if it is not."""
        trial = self._storage.get_trial(trial_id)
        return self._show(trial) or trial

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Return those trials that are shown."""
        trials = self._storage.get_all_trials(study_id, deepcopy=deepcopy, states=states)
        return [shown for trial in trials if (shown := self._show(trial)) is not None]

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """Return the complete trial of the highest value."""
        return BaseStorage.get_best_trial(cast("BaseStorage", self), study_id)
