import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from studies.claims.processes import WorkerIdentity


def test_this_process_is_alive() -> None:
    me = WorkerIdentity.current()
    assert me.is_alive()
    assert me == WorkerIdentity.current()
    assert me.pid == psutil.Process().pid


def test_another_start_is_another_process() -> None:
    me = WorkerIdentity.current()
    assert not replace(me, started=me.started - 3).is_alive()
    assert replace(me, started=me.started + 1).is_alive(), "the time of boot is known to a second"


def test_a_zombie_and_a_gone_process_are_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(process.pid).create_time() - psutil.boot_time()
    worker = WorkerIdentity("here", process.pid, started)
    assert worker.is_alive()
    process.kill()
    zombie = psutil.Process(process.pid)
    while zombie.status() != psutil.STATUS_ZOMBIE:
        pass
    assert not worker.is_alive()
    process.communicate()
    assert not worker.is_alive()


def test_process_that_may_not_be_looked_at_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> str:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "status", refuse)
    assert WorkerIdentity.current().is_alive()


def test_attribute_round_trip() -> None:
    me = WorkerIdentity.current()
    assert WorkerIdentity.from_attribute(me.as_attribute()) == me


@pytest.mark.parametrize("attribute", [None, "me", {}, {"host": "a", "pid": "x", "started": 1.0}])
def test_other_attributes_are_nobody(attribute: object) -> None:
    assert WorkerIdentity.from_attribute(attribute) is None
