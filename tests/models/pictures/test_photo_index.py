import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from models.pictures.photo_index import KEPT_DAYS, KnownPhoto, PhotoIndex, is_settled, photo_key

MANY = 80_000


def _known(number: int = 0) -> KnownPhoto:
    return KnownPhoto(sha256=f"{number:064x}", height=number + 1, width=2 * number + 1)


def _status(**changed: int) -> os.stat_result:
    values = {"st_size": 10, "st_mtime_ns": 20, "st_ctime_ns": 30, "st_ino": 40, **changed}
    nanoseconds = {"st_atime_ns": 0, "st_mtime_ns": values["st_mtime_ns"], "st_ctime_ns": values["st_ctime_ns"]}
    return os.stat_result((0o100644, values["st_ino"], 0, 1, 0, 0, values["st_size"], 0, 0, 0), nanoseconds)


def test_what_is_added_is_found_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "new" / "index"
    first = PhotoIndex(path)
    assert first.find(b"0" * 16) is None
    first.add(b"0" * 16, _known(7))
    first.save()
    assert PhotoIndex(path).find(b"0" * 16) == _known(7)
    assert PhotoIndex(path).find(b"1" * 16) is None


def test_any_change_of_a_file_gives_another_key() -> None:
    keys = {
        photo_key("a", _status()),
        photo_key("b", _status()),
        photo_key("a", _status(), member=0),
        photo_key("a", _status(), member=1),
        *(photo_key("a", _status(**{name: 99})) for name in ("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")),
    }
    assert len(keys) == 8
    assert photo_key("a", _status()) in keys
    assert len(photo_key(b"caf\xe9".decode(errors="surrogateescape"), _status())) == 16


def test_a_file_that_just_changed_is_not_settled() -> None:
    second = 1_000_000_000
    status = _status(st_mtime_ns=10 * second, st_ctime_ns=20 * second)
    assert [is_settled(status, now=now * second) for now in (19, 21, 23)] == [False, False, True]


def test_entries_that_nobody_asks_for_are_dropped_after_a_month(tmp_path: Path) -> None:
    for day, names in ((100, "ab"), (100 + KEPT_DAYS, "a"), (100 + KEPT_DAYS + 1, "c")):
        index = PhotoIndex(tmp_path / "index", today=day)
        for name in names:
            index.find(name.encode() * 16) or index.add(name.encode() * 16, _known())
        index.save()
    last = PhotoIndex(tmp_path / "index")
    assert [last.find(name.encode() * 16) is not None for name in "abc"] == [True, False, True]


def test_nothing_is_written_where_nothing_is_new(tmp_path: Path) -> None:
    index = PhotoIndex(tmp_path / "index")
    index.add(b"0" * 16, _known())
    index.save()
    before = (tmp_path / "index").stat()
    again = PhotoIndex(tmp_path / "index")
    again.find(b"0" * 16)
    again.save()
    assert (tmp_path / "index").stat() == before


def test_any_damage_makes_it_empty_and_the_next_writes_it_anew(tmp_path: Path) -> None:
    index = PhotoIndex(tmp_path / "index")
    for number in range(3):
        index.add(bytes([number]) * 16, _known(number))
    index.save()
    whole = (tmp_path / "index").read_bytes()
    damages = [whole[:size] for size in range(0, len(whole), 7)]
    damages += [whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :] for place in range(len(whole))]
    for damaged in [*damages, whole + b"x", whole.replace(b"index 1", b"index 0")]:
        (tmp_path / "index").write_bytes(damaged)
        assert PhotoIndex(tmp_path / "index").find(bytes(16)) is None
    index.add(bytes([9]) * 16, _known(9))
    index.save()
    assert PhotoIndex(tmp_path / "index").find(bytes([9]) * 16) == _known(9)


def test_a_cache_that_cannot_be_read_or_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "index", tmp_path):
        index = PhotoIndex(path)
        index.add(bytes(16), _known())
        index.save()
        assert index.find(bytes(16)) == _known()


def test_two_that_write_in_turn_keep_each_others_entries(tmp_path: Path) -> None:
    one, other = PhotoIndex(tmp_path / "index"), PhotoIndex(tmp_path / "index")
    one.add(b"1" * 16, _known(1))
    other.add(b"2" * 16, _known(2))
    one.save()
    other.save()
    both = PhotoIndex(tmp_path / "index")
    assert (both.find(b"1" * 16), both.find(b"2" * 16)) == (_known(1), _known(2))


def _write_often(path: Path, name: bytes) -> None:
    for number in range(30):
        index = PhotoIndex(path)
        index.add(name * 15 + bytes([number]), _known(number))
        index.save()


@pytest.mark.slow
def test_processes_that_write_at_once_never_leave_a_broken_index(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_often, args=(tmp_path / "index", name)) for name in (b"a", b"b", b"c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    left = PhotoIndex(tmp_path / "index")
    assert any(left.find(name * 15 + bytes([29])) == _known(29) for name in (b"a", b"b", b"c"))


def test_eighty_thousand_photos_are_known_again(tmp_path: Path) -> None:
    index = PhotoIndex(tmp_path / "index")
    keys = [photo_key(f"/photos/{number}.jpg", _status(st_ino=number)) for number in range(MANY)]
    for number, key in enumerate(keys):
        index.add(key, _known(number))
    index.save()
    again = PhotoIndex(tmp_path / "index")
    for number in np.random.default_rng(0).integers(MANY, size=1000):
        assert again.find(keys[number]) == _known(int(number))
    assert (tmp_path / "index").stat().st_size < 64 * MANY
