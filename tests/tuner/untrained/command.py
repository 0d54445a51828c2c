"""The command line on studies that train nothing; its workers are `worker.py`."""

import sys

import tests.tuner.untrained.resources  # noqa: F401  before anything loads a network library
from tuner.command_line.main import main
from tuner.running.workers import worker_processes

WORKER = ("-m", "tests.tuner.untrained.worker")

if __name__ == "__main__":
    run_in_processes = worker_processes.run_in_processes
    worker_processes.run_in_processes = lambda *arguments: run_in_processes(*arguments, program=WORKER)  # type: ignore[assignment]
    sys.argv[0] = "styletuner"
    main()
