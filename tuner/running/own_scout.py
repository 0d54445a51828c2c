"""That a study has one scout; loads no network."""

import shlex

from studies.errors import StudyError
from studies.records.study_record import StudyRecord
from studies.storage.study_storage import StudyStorage
from tuner.scouting.scout_files import ScoutRecord


def require_own_scout(storage: StudyStorage, name: str, given: ScoutRecord) -> None:
    """Refuse a scout for a study that has got another one.

    Raises:
        StudyError: It has.
    """
    kept = StudyRecord.parse(storage.read_study(name).user_attrs).scout
    if kept is not None and kept.sha256 != given.network_sha256:
        raise StudyError(
            f"Study {name!r} has a scout already, another one than {given.path}. Write its own with `styletuner study "
            f"export {shlex.quote(name)} --scout FILE` and name that, or start a study beside it with --new."
        )
