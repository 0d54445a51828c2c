import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from studies.claims import processes
from studies.claims.processes import WorkerIdentity, this_machine
from tests.studies.claims.staging import dead_worker


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
    worker = replace(WorkerIdentity.current(), pid=process.pid, started=started)
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


def test_what_an_earlier_version_wrote_is_of_no_machine() -> None:
    attribute = WorkerIdentity.current().as_attribute()
    del attribute["machine"]
    worker = WorkerIdentity.from_attribute(attribute)
    assert worker == replace(WorkerIdentity.current(), machine="")
    assert not worker.is_here
    assert replace(worker, pid=2**22 + 1).is_alive(), "nobody here can tell"


@pytest.mark.parametrize("attribute", [None, "me", {}, {"host": "a", "pid": "x", "started": 1.0}])
def test_other_attributes_are_nobody(attribute: object) -> None:
    assert WorkerIdentity.from_attribute(attribute) is None


def test_a_machine_is_a_boot_and_a_namespace_of_processes() -> None:
    boot, _, namespace = this_machine().partition("/")
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert Path("/proc/self/ns/pid").readlink() == Path(f"pid:[{namespace}]")


def test_a_system_without_proc_is_one_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "_BOOT_ID", tmp_path / "none")
    assert this_machine.__wrapped__() == this_machine.__wrapped__() != this_machine()


def test_another_machines_process_counts_as_alive() -> None:
    dead = dead_worker()
    assert dead.is_here
    assert not dead.is_alive()
    assert replace(dead, machine="another").is_alive()
