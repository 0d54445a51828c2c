"""The configuration that a study was made with, read back from it."""

import optuna

from studies.errors import StudyError
from studies.records.study_record import StudyRecord
from tuner.configuration.loading import validate_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError


def stored_config(study: optuna.Study) -> StudyConfig:
    """Return the configuration that a study was made with, without its pictures.

    Raises:
        StudyError: The study was not made by styletuner, or by a version whose configuration differs.
    """
    record = StudyRecord.parse(study.user_attrs)
    if not record.is_ours:
        raise StudyError(
            f"Study {study.study_name!r} was not made by styletuner. Name one that `styletuner study list` shows."
        )
    try:
        return validate_config(record.configuration, source=study.study_name)
    except ConfigError as error:
        reason = str(error).splitlines()[0]
        raise StudyError(
            f"Study {study.study_name!r} was made by another version of styletuner. {reason}\n"
            "Go on with it in that version, or start another one with --name."
        ) from error
