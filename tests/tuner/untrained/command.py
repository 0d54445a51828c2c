"""The command line on studies that train nothing; its workers are `worker.py` or, on a cluster, `cluster_worker.py`."""

import functools
import sys

import tests.tuner.untrained.resources  # noqa: F401  before anything loads a network library
from tests.tuner.untrained.cluster_worker import run_untrained
from tuner.command_line.main import main
from tuner.running.workers import worker_processes
from tuner.running.workers.cluster import Cluster

WORKER = ("-m", "tests.tuner.untrained.worker")

if __name__ == "__main__":
    run_in_processes = worker_processes.run_in_processes
    worker_processes.run_in_processes = lambda *arguments: run_in_processes(*arguments, program=WORKER)  # type: ignore[assignment]
    Cluster.run = functools.partialmethod(Cluster.run, loop=run_untrained)  # type: ignore[assignment]
    sys.argv[0] = "styletuner"
    main()
