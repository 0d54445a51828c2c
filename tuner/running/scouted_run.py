"""A study whose trials start from a scout: training the scout, or taking a trained one, before the first trial."""

import math
from collections.abc import Callable

from studies.records.study_record import StudyRecord
from tuner.running.files_beside_crops import files_beside_crops
from tuner.running.first_training import SettledElsewhereError, train_in_turn
from tuner.running.observer import StudyObserver
from tuner.running.own_scout import require_own_scout
from tuner.running.study_run import StudyRun
from tuner.scouting.grid_sheet import draw_grid
from tuner.scouting.kept_scout import keep_scout
from tuner.scouting.scout import load_scout
from tuner.scouting.scout_copies import restore_kept_scout
from tuner.scouting.scout_files import COMMAND, ScoutRecord, read_scout_record
from tuner.scouting.scout_identity import scout_identity, space_of
from tuner.scouting.scout_training import train_scout
from tuner.scouting.sweeping import SHEET_SHAPE, suggesting_positions, sweep
from tuner.search.judged_set import judged_set


def settle_scout(run: StudyRun, *, given: ScoutRecord | None, observer: StudyObserver) -> None:
    """Give the study its scout and the trials that it suggests, unless it has them.

    The scout is trained in this process, and goes on from its checkpoint if that was interrupted. Processes of one
    machine wait for each other; of several machines that begin at once each trains it until the first has ended.

    Args:
        run: Of a study whose trials start from a scout.
        given: A scout that is trained and fits; None to train one.
        observer: Told what is done.

    Raises:
        ConfigError: There is no room for the crops.
        DivergedError: The scout's loss is not finite any more.
        NetworkFileError: The scout that is given is damaged.
        ScoutError: What the scout paints is not finite.
        StudyError: The study was deleted, has got another scout meanwhile than the one that is given, or its scout's
            files are gone or damaged and it is not given again.
        StorageError: The storage cannot be written.
        KeyboardInterrupt: After a checkpoint has been written.
    """
    if _has_scout(run):
        _require_own(run, given)
        restore_kept_scout(run.storage, run.name, given)
        return
    scout, trials = run.config.scout, run.config.num_trials
    observer.say(
        f"Trials start from a scout, whose {scout.images:,} images are the price of {run.config.start_price} of "
        f"{run.config.search.trials} trials; {trials} {'is' if trials == 1 else 'are'} left"
    )
    try:
        _give(run, _train(run, observer) if given is None else given, observer)
    except SettledElsewhereError:
        observer.say("Another machine has trained the scout meanwhile")
    _require_own(run, given)


def _give(run: StudyRun, trained: ScoutRecord, observer: StudyObserver) -> None:
    scout, space = load_scout(trained.path), space_of(run.config)
    judged = judged_set(run.config, run.pictures, run.pictures.split.rung)
    values = space.at(suggesting_positions())
    observer.say(f"judging {len(values)} settings as the scout paints them")
    found = sweep(scout, values, judged)
    keep_scout(
        run.storage,
        run.uuid,
        trained,
        foretold=found,
        num_suggested=run.config.scout.suggestions,
        sheet=draw_grid(scout, run.pictures, judged, found[: math.prod(SHEET_SHAPE)], shape=SHEET_SHAPE),
    )


def _train(run: StudyRun, observer: StudyObserver) -> ScoutRecord:
    identity = scout_identity(run.config, run.pictures.identity())
    images = run.config.start_images
    files = files_beside_crops(run.config, run.pictures, "scout", identity=identity, images=images, command=COMMAND)

    def train(report: Callable[[str], None]) -> None:
        train_scout(run.config, run.pictures, files=files, report=report)

    train_in_turn(files, train, is_settled=lambda: _has_scout(run), observer=observer)
    return read_scout_record(files.network)


def _require_own(run: StudyRun, given: ScoutRecord | None) -> None:
    """Refuse to go on from another scout than the one that is given: somebody who began at the same time was first."""
    if given is not None:
        require_own_scout(run.storage, run.name, given)


def _has_scout(run: StudyRun) -> bool:
    return StudyRecord.parse(run.storage.read_by_uuid(run.uuid).user_attrs).scout is not None
