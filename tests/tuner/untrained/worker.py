"""A worker process that trains nothing."""

import os
from typing import Final

import tests.tuner.untrained.resources  # noqa: F401  before anything loads a network library
from tuner.running.workers import in_process
from tuner.running.workers.worker_process import main

PATIENCE: Final = "UNTRAINED_PATIENCE_SECONDS"
"""Names the time after which a worker counts as hung, where that is wanted within a test."""

if __name__ == "__main__":
    in_process.HANG_SECONDS = float(os.environ.get(PATIENCE, "900"))  # type: ignore[misc]
    main()
