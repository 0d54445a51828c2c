"""A study that is wanted, and how much of it there is already."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from measures.versions import JUDGE_VERSION
from studies.records.study_record import StudyRecord
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tuner.configuration.settings import StudyConfig
from tuner.errors import WideningError
from tuner.running.finals.choosing import num_missing_runs
from tuner.running.own_scout import require_own_scout
from tuner.running.setup import default_study_name, num_finished
from tuner.running.widening import Widening, plan_widening
from tuner.running.workers.cluster_request import ClusterRequest
from tuner.scouting.scout_files import ScoutRecord
from tuner.search.study_pictures import StudyPictures
from tuner.starting.starter_copies import kept_starter


@final
@dataclass(frozen=True, kw_only=True)
class StudyRequest:
    """A study that is wanted.

    Attributes:
        config: Its configuration; the demo preset brings its own pictures where none are named.
        storage: SQLite file or database URL.
        name: Its name; by default made of preset, style image and a hash of the configuration.
        new: Start a study beside one that exists under this name.
        workers: Processes on this machine, or on the cluster, at least 1.
        cluster: The Ray cluster that the workers shall run on, of as many workers; None for this machine.
        widen: Go on beyond the ends of the ranges that the best trial of the study of this name lies near.
        total: With `widen`: finished trials that the wider study shall have; None for the default.
        scout: A trained scout that the trials shall start from; None for one that the study trains. The configuration
            says that they start from one, as `ScoutRecord.settings` has it.
        counts_trials: Whether `search.trials` ends the study; if not, there are as many as `search.stop.minutes` holds.
        owns_process: Whether this process is there for the study alone: if it hangs it is ended; told of otherwise.
        output: Folder for the best weights' config and the contact sheet; None to write neither.
    """

    config: StudyConfig
    storage: str
    name: str | None = None
    new: bool = False
    workers: int = 1
    widen: bool = False
    total: int | None = None
    scout: ScoutRecord | None = None
    counts_trials: bool = True
    owns_process: bool = False
    output: Path | None = None
    cluster: ClusterRequest | None = None

    @property
    def ends_at_total(self) -> bool:
        """Whether its trials end it: a grid has no more than its points, whatever the time."""
        return self.counts_trials or self.config.search.grid is not None


def finished_trials(request: StudyRequest, config: StudyConfig, pictures: StudyPictures) -> int | None:
    """Return how many trials of the wanted study are finished, None if there is no such study; changes nothing.

    Raises:
        StudyError: A study of this name has another configuration or other pictures.
    """
    if request.new or not StudyStorage.exists(request.storage):
        return None
    name = request.name or default_study_name(config, pictures)
    with StudyStorage.open_read_only(request.storage) as storage:
        return num_finished(storage, name, config=config, pictures=pictures, judge_version=JUDGE_VERSION)


def missing_final_runs(request: StudyRequest, config: StudyConfig, pictures: StudyPictures) -> tuple[int, bool]:
    """Return how many runs the wanted study's final needs as its trials are now, and whether it has begun.

    Returns:
        The number, 0 where there is no such study; and whether some of the runs that an earlier command chose are not
        done.

    Raises:
        StorageError: The database cannot be read.
    """
    if request.new or not StudyStorage.exists(request.storage):
        return 0, False
    name = request.name or default_study_name(config, pictures)
    with StudyStorage.open_read_only(request.storage) as storage:
        if name not in storage.study_names():
            return 0, False
        summary = summarise(storage, name)
    num_missing = num_missing_runs(summary, config)
    kept = summary.record.final
    return num_missing, num_missing > 0 and kept is not None and bool(kept.missing)


def has_start(request: StudyRequest, config: StudyConfig, pictures: StudyPictures) -> bool:
    """Return whether what the wanted study's trials start from is there, or given; changes nothing.

    Raises:
        StudyError: It has another scout than the one that is given, or its starter's file is gone or damaged.
    """
    if request.new or not StudyStorage.exists(request.storage):
        return request.scout is not None
    name = request.name or default_study_name(config, pictures)
    with StudyStorage.open_read_only(request.storage) as storage:
        if name not in storage.study_names():
            return request.scout is not None
        if request.scout is not None:
            require_own_scout(storage, name, request.scout)
        record = StudyRecord.parse(storage.read_study(name).user_attrs)
        has_starter = kept_starter(storage, name, record) is not None
        return has_starter or request.scout is not None or record.scout is not None


def wanted_widening(request: StudyRequest, config: StudyConfig, pictures: StudyPictures) -> Widening:
    """Return the wider study that is wanted; changes nothing.

    Raises:
        WideningError: There is nothing to widen; see `plan_widening`.
        StudyError: As `finished_trials`.
    """
    name = request.name or default_study_name(config, pictures)
    if not StudyStorage.exists(request.storage):
        raise WideningError(f"There is no study {name!r} to widen. Run it first, with the same command less --widen.")
    with StudyStorage.open_read_only(request.storage) as storage:
        return plan_widening(
            storage, name, config=config, pictures=pictures, total=request.total, judge_version=JUDGE_VERSION
        )
