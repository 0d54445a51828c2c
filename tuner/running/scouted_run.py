"""A study whose trials start from a scout: training the scout, or taking a trained one, before the first trial."""

from pathlib import Path
from typing import Final

import filelock

from studies.records.study_record import StudyRecord
from tuner.checkpointed.network_files import NetworkFiles
from tuner.running.observer import StudyObserver
from tuner.running.study_run import StudyRun
from tuner.scouting.grid_sheet import draw_grid, grid_values
from tuner.scouting.kept_scout import keep_scout
from tuner.scouting.scout import load_scout
from tuner.scouting.scout_files import COMMAND
from tuner.scouting.scout_identity import scout_identity, space_of
from tuner.scouting.scout_training import train_scout
from tuner.scouting.sweeping import SUGGESTING_SETTINGS, best_apart, spread_positions, sweep
from tuner.search.crop_tables import CropTables
from tuner.search.judged_set import judged_set

SHEET_SHAPE: Final = (4, 8)
"""Rows and columns of the sheet that a study keeps of its scout; their settings are judged among the others."""

SECONDS_BETWEEN_REPORTS: Final = 30.0


def settle_scout(run: StudyRun, *, given: Path | None, observer: StudyObserver) -> None:
    """Give the study its scout and what that suggests, unless it has them.

    The scout is trained in this process, and goes on from its checkpoint if that was interrupted. Processes of one
    machine wait for each other; of several machines that begin at once each trains it, and the first to end counts.

    Args:
        run: Of a study whose trials start from a scout.
        given: A scout that is trained and fits, a .keras file; None to train one.
        observer: Told what is done.

    Raises:
        ConfigError: There is no room for the crops.
        DivergedError: The scout's loss is not finite any more.
        ScoutError: What it paints is not finite.
        StudyError: The study was deleted.
        StorageError: The storage cannot be written.
        KeyboardInterrupt: After a checkpoint has been written.
    """
    if _has_scout(run):
        return
    config, pictures = run.config, run.pictures
    price = config.scout_price
    observer.say(
        f"Trials start from a scout, whose {config.scout.images:,} images are the price of {price} of "
        f"{config.search.trials} trials: {config.num_trials} are left"
    )
    files = _train(run, observer) if given is None else NetworkFiles(given, command=COMMAND)
    if _has_scout(run):
        return
    scout = load_scout(files.network)
    judged = judged_set(config, pictures, pictures.split.rung)
    observer.say(f"judging {SUGGESTING_SETTINGS} settings as the scout paints them")
    space = space_of(config)
    grid = grid_values(space, shape=SHEET_SHAPE)
    spread = space.at(spread_positions(SUGGESTING_SETTINGS - len(grid)))
    found = sweep(scout, [*grid, *spread], judged)
    keep_scout(
        run.storage,
        run.uuid,
        files,
        suggestions=best_apart(space, found, config.scout.suggestions),
        num_judged=len(found),
        sheet=draw_grid(scout, pictures, judged, found[: len(grid)], shape=SHEET_SHAPE),
    )


def _has_scout(run: StudyRun) -> bool:
    return StudyRecord.parse(run.storage.read_by_uuid(run.uuid).user_attrs).scout is not None


def _train(run: StudyRun, observer: StudyObserver) -> NetworkFiles:
    """Train the study's scout beside its tables of crops, where it and its checkpoint stay as long as they do."""
    identity = scout_identity(run.config, run.pictures.identity())
    folder = CropTables(run.config, run.pictures).folder
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"scout-{identity[:16]}-{run.config.scout.images}"
    lock = filelock.FileLock(folder / f"{stem}.lock")
    while True:
        try:
            lock.acquire(timeout=SECONDS_BETWEEN_REPORTS)
            break
        except filelock.Timeout:
            observer.say("waiting for another process of this machine, which trains the study's scout")
    try:
        files = NetworkFiles(folder / f"{stem}.keras", command=COMMAND)
        train_scout(run.config, run.pictures, files=files, report=observer.say)
    finally:
        lock.release()
    return files
