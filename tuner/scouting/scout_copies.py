"""Copies of the scout that a study keeps, as files of their own; loads no network."""

from groundwork.errors import OutputError
from groundwork.whole_files import write_whole
from studies.errors import StudyError
from studies.records.study_record import StudyRecord
from studies.storage.study_storage import StudyStorage
from tuner.checkpointed.network_files import NetworkFiles


def write_kept_scout(storage: StudyStorage, name: str, files: NetworkFiles) -> None:
    """Copy a study's scout and the record of its training.

    Args:
        storage: Where the study lives.
        name: The study.
        files: Where they go; what is there is replaced.

    Raises:
        StudyError: There is no such study, or it has no scout.
        StorageError: The scout's files are gone.
        OutputError: They cannot be written.
    """
    artifacts = storage.artifacts
    network, record = (artifacts.path_of(artifact).read_bytes() for artifact in require_kept_scout(storage, name))
    try:
        # First, as `NetworkFiles.save` has it: a network without its record could not be told from a foreign one.
        write_whole(files.record, record)
        write_whole(files.network, network)
    except OSError as error:
        raise OutputError(
            f"The scout {files.network} cannot be written: {error.strerror or error}. Choose another place."
        ) from error


def require_kept_scout(storage: StudyStorage, name: str) -> tuple[str, str]:
    """Return the artifact ids of a study's scout and of its record.

    Raises:
        StudyError: There is no such study, or it has no scout.
    """
    record = StudyRecord.parse(storage.read_study(name).user_attrs)
    if record.scout_network is None or record.scout_record is None:
        raise StudyError(f"Study {name!r} has no scout: its trials start from noise, or it has not got so far.")
    return record.scout_network, record.scout_record
