"""A study whose trials start from one starter network: training it before the first trial."""

from collections.abc import Callable

from studies.records.study_record import StudyRecord
from tuner.running.files_beside_crops import files_beside_crops
from tuner.running.first_training import SettledElsewhereError, train_in_turn
from tuner.running.observer import StudyObserver
from tuner.running.shared_work import SharedWork
from tuner.running.study_run import StudyRun
from tuner.search.resources import StudyResources
from tuner.search.study_scale import as_measured
from tuner.starting.kept_starter import keep_starter
from tuner.starting.starter_copies import kept_starter
from tuner.starting.starter_training import COMMAND, starter_identity, train_starter


def settle_starter(run: StudyRun, *, observer: StudyObserver, shared: SharedWork) -> None:
    """Give the study its starter, unless it has it.

    Args:
        run: Of a study whose trials start from a starter.
        observer: Told what is done.
        shared: What earlier studies of this process have loaded already; the trials find here what is loaded now.

    Raises:
        ConfigError: There is no room for the crops.
        CheckpointError: What an interrupted training left cannot be read.
        OutputError: The starter cannot be written.
        DivergedError: The starter's loss is not finite any more.
        StudyError: The study was deleted, or its starter's file is gone or damaged.
        StorageError: The storage cannot be written.
        KeyboardInterrupt: After a checkpoint has been written.
    """
    if _has_starter(run):
        return
    trials = run.config.num_trials
    observer.say(
        f"Trials start from a starter, one network trained on {run.config.start_images:,} images at equal weights: the "
        f"price of one of {run.config.search.trials} trials; {trials} {'is' if trials == 1 else 'are'} left"
    )
    identity = starter_identity(run.config, run.pictures.identity())
    images = run.config.start_images
    files = files_beside_crops(run.config, run.pictures, "starter", identity=identity, images=images, command=COMMAND)

    def train(report: Callable[[str], None]) -> None:
        def load() -> StudyResources:
            return shared.resources(run.config, run.pictures, report=report, settle=as_measured)

        train_starter(run.config, run.pictures, files=files, load=load, report=report)

    try:
        train_in_turn(files, train, is_settled=lambda: _has_starter(run), observer=observer)
    except SettledElsewhereError:
        observer.say("Another process has trained the starter meanwhile")
    else:
        keep_starter(run.storage, run.uuid, files.network, images=run.config.start_images)


def _has_starter(run: StudyRun) -> bool:
    study = run.storage.read_by_uuid(run.uuid)
    return kept_starter(run.storage, study.study_name, StudyRecord.parse(study.user_attrs)) is not None
