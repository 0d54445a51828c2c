"""Entry point of a worker process.

Arguments: the study's UUID, what ends the run (`RunEnding` in JSON), the photos as this machine finds them. The
storage's URL comes in the environment; standard input ends when the process that started this one does. All else stands
in the study.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tuner.running.workers.worker_ends import BAD_INPUT, GAVE_BACK, GAVE_UP

if TYPE_CHECKING:
    from studies.storage.study_storage import StudyStorage
    from tuner.running.workers.run_ending import RunEnding


def run_worker(
    storage: "StudyStorage",
    study_uuid: str,
    *,
    ending: "RunEnding",
    photos: Sequence[str],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Run trials of an existing study in this process until something ends it.

    Args:
        storage: Opened for writing.
        study_uuid: The study.
        ending: What ends it.
        photos: Where its photos lie on this machine.
        check: Raises KeyboardInterrupt where somebody else wants it to end.

    Raises:
        StudyError: There is no such study, or it was made by another version.
        PhotosError: The photos are not there.
    """
    from tuner.installation.environment import load_networks

    load_networks()
    from studies.records.study_record import StudyRecord
    from tuner.configuration.loading import merge, validate_config
    from tuner.running.observer import SilentObserver
    from tuner.running.study_run import StudyRun
    from tuner.running.workers.in_process import run_here
    from tuner.search.stored_config import stored_config
    from tuner.search.study_pictures import open_pictures

    study = storage.load_by_uuid(study_uuid)
    style = storage.artifacts.path_of(StudyRecord.parse(study.user_attrs).style_image or "")
    here = {"style": str(style), "photos": list(photos), **ending.settings()}
    config = validate_config(merge(stored_config(study).model_dump(mode="json"), here), source=study.study_name)
    run = StudyRun(
        storage=storage,
        uuid=study_uuid,
        config=config,
        pictures=open_pictures(config),
        limit=ending.limit,
        counts_trials=ending.counts_trials,
    )
    run_here(run, SilentObserver(), check=check)


RunWorker = Callable[..., None]
"""Runs trials as `run_worker` does, whose arguments it takes."""


def main(run: RunWorker = run_worker) -> None:
    """Run a worker as the arguments say, and end with 0, or as `worker_ends` says."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end_at_once)
    try:
        threading.Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()
        _run_quietly(*sys.argv[1:3], photos=sys.argv[3:], run=run)
    except KeyboardInterrupt:
        sys.exit(GAVE_BACK)
    except Exception as error:
        from tuner.error_messages import explain

        message, status = explain(error)
        sys.stderr.write(f"styletuner worker {os.getpid()}: {message}\n")
        sys.exit(status if status == BAD_INPUT else GAVE_UP)


def _run_quietly(study_uuid: str, ending: str, *, photos: Sequence[str], run: RunWorker) -> None:
    """The parent prints what is finished."""
    from studies.storage.study_storage import StudyStorage
    from tuner.running.workers.run_ending import RunEnding
    from tuner.running.workers.worker_processes import STORAGE_VARIABLE

    with (
        Path(os.devnull).open("w") as nowhere,
        redirect_stderr(nowhere),
        StudyStorage.open(os.environ[STORAGE_VARIABLE]) as storage,
    ):
        run(storage, study_uuid, ending=RunEnding.from_json(ending), photos=photos)


def _end_with_parent() -> None:
    """Give the trial back when the process that started this one is gone, however it ended."""
    with open(0, "rb", closefd=False, buffering=0) as standard_input:
        standard_input.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _end_at_once(_signal: int, _frame: FrameType | None) -> None:
    """Outside of trials, where `groundwork.interrupts` holds signals back, there is nothing to give back.

    An exception would be lost here and there: what the libraries call at garbage collection swallows it.
    """
    os._exit(GAVE_BACK)


if __name__ == "__main__":
    main()
