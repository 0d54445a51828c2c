"""Trials and claims that workers left when they were killed."""

from typing import Final

from optuna.trial import FrozenTrial

from studies.checking.finding import Finding
from studies.claims.claiming import open_claims
from studies.claims.reaping import Reaped, foresee, reap
from studies.records.study_record import StudyRecord
from studies.records.trial_record import TrialRecord
from studies.records.trial_words import listed_trials
from studies.storage.database_errors import storage_errors
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage

_ADVICE: Final = "The next `study run` of it clears that away too, and runs such trials again."
_OF_ANOTHER_TOOL: Final = " A repair does not: {} may be run by a program that is not styletuner."


def find_dead_workers(storage: StudyStorage, name: str) -> list[Finding]:
    """Return what dead workers left in a study; one that styletuner did not make is left alone.

    Raises:
        StudyError: There is no such study.
        StorageError: The database cannot be read.
    """
    with storage_errors(storage.url):
        study = storage.read_study(name)
        study_uuid, trials = uuid_of(study), study.get_trials(deepcopy=False)
        is_ours = StudyRecord.parse(study.user_attrs).is_ours
    if not study_uuid or not is_ours:
        return []
    left = foresee(storage, study_uuid)
    if left == Reaped():
        return []
    claimed = {claim.trial_number for claim in open_claims(storage, study_uuid)}
    running = [trial for trial in trials if trial.number in left.failed]
    strangers = tuple(one.number for one in running if one.number not in claimed and not _has_worker(one))
    clauses = [
        f"the worker of {listed_trials(left.failed)} is dead" if left.failed else "",
        f"{listed_trials(_only_retried(left))} failed and was not run again" if _only_retried(left) else "",
        f"{_claims(left)} of dead workers" if left.num_claims else "",
    ]
    return [
        Finding(
            kind="dead workers",
            study=name,
            text="; ".join(filter(None, clauses)),
            advice=_ADVICE + (_OF_ANOTHER_TOOL.format(listed_trials(strangers)) if strangers else ""),
            trials=tuple(sorted({*left.failed, *left.retried})),
            mend=None if strangers else lambda: _clear_away(storage, study_uuid),
        )
    ]


def _has_worker(trial: FrozenTrial) -> bool:
    return bool(TrialRecord.parse(trial.user_attrs).worker)


def _only_retried(left: Reaped) -> tuple[int, ...]:
    return tuple(number for number in left.retried if number not in left.failed)


def _clear_away(storage: StudyStorage, study_uuid: str) -> str:
    done = reap(storage, study_uuid)
    clauses = [
        f"failed {listed_trials(done.failed)}" if done.failed else "",
        f"enqueued {listed_trials(done.retried)} once more" if done.retried else "",
        f"deleted {_claims(done)}" if done.num_claims else "",
    ]
    return ", ".join(filter(None, clauses)) or "nothing was left to do"


def _claims(reaped: Reaped) -> str:
    return f"{reaped.num_claims} claim{'' if reaped.num_claims == 1 else 's'}"
