"""Cores by the quotas of control groups, in trees of files as the kernel shows them."""

from pathlib import Path

import pytest

from tuner.running.workers.core_quotas import core_quota


def quota_of(folder: Path, own_groups: str, files: dict[str, str]) -> int | None:
    for name, content in files.items():
        path = folder / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    listed = folder / "own"
    listed.write_text(own_groups)
    return core_quota(folder / "groups", listed)


@pytest.mark.parametrize(
    ("own_groups", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/pod/box\n", {"cpu.max": "max 100000\n", "pod/cpu.max": "300000 100000\n"}, 3),
        ("0::/pod/box\n", {"pod/cpu.max": "300000 100000\n", "pod/box/cpu.max": "max 100000\n"}, 3),
        ("0::/a/host/path\n", {"cpu.max": "400000 100000\n"}, 4),
        (
            "4:cpu,cpuacct:/box\n0::/\n",
            {"cpu,cpuacct/box/cpu.cfs_quota_us": "250000\n", "cpu,cpuacct/box/cpu.cfs_period_us": "100000\n"},
            2,
        ),
        ("1:cpu:/\n0::/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ("1:cpu:/\n0::/\n", {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ("3:cpuset:/\n", {"cpuset/cpu.cfs_quota_us": "100000\n", "cpuset/cpu.cfs_period_us": "100000\n"}, None),
    ],
)
def test_the_smallest_quota_of_all_groups_around(
    tmp_path: Path, own_groups: str, files: dict[str, str], cores: int | None
) -> None:
    assert quota_of(tmp_path, own_groups, files) == cores


def test_a_system_without_control_groups(tmp_path: Path) -> None:
    assert core_quota(tmp_path / "none", tmp_path / "neither") is None
