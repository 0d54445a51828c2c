"""A worker process that trains nothing."""

import tests.tuner.untrained.resources  # noqa: F401  before anything loads a network library
from tuner.running.workers import in_process
from tuner.running.workers.worker_process import main

HANG_SECONDS = 3.0

if __name__ == "__main__":
    in_process.HANG_SECONDS = HANG_SECONDS  # type: ignore[misc]
    main()
