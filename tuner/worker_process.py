"""Entry point of a worker process: everything it needs stands in the study, the storage's URL in the environment."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

from studies import attributes
from studies.errors import StudiesError
from studies.storage import StudyStorage
from tuner.config import StudyConfig, merge
from tuner.environment import load_networks
from tuner.pictures import open_pictures
from tuner.study_run import STORAGE_VARIABLE, StudyRun


def run_worker(storage: StudyStorage, name: str, *, total: int) -> None:
    """Run trials of an existing study in this process until it has its total.

    Raises:
        StudyError: There is no such study.
        PhotosError: The photos are no longer where they were.
    """
    study = storage.load_study(name)
    attrs = study.user_attrs
    style = storage.artifacts.path_of(attrs[attributes.STYLE_IMAGE])
    values = merge(
        attrs[attributes.CONFIGURATION],
        {"style": str(style), "photos": attrs[attributes.PHOTOS]["paths"], "search": {"trials": total}},
    )
    config = StudyConfig.model_validate(values)
    run = StudyRun(storage=storage, name=name, config=config, pictures=open_pictures(config))
    run.run_here(run.progress())


def main() -> None:
    """Run a worker for the study and the total named in the arguments."""
    name, total = sys.argv[1], int(sys.argv[2])
    signal.signal(signal.SIGTERM, _interrupt)
    load_networks()
    # The parent prints what is finished.
    with Path(os.devnull).open("w") as nowhere:
        errors, sys.stderr = sys.stderr, nowhere
        try:
            with StudyStorage.open(os.environ[STORAGE_VARIABLE]) as storage:
                run_worker(storage, name, total=total)
        except KeyboardInterrupt:
            sys.exit(1)
        except (StudiesError, ValueError, OSError) as error:
            errors.write(f"styletuner worker {os.getpid()}: {error}\n")
            sys.exit(2)
        finally:
            sys.stderr = errors


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
