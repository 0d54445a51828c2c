"""Which photos are restyled, under which name, and that none of them is overwritten or forgotten."""

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from models.networks.style_network import build_style_network
from models.networks.style_network_options import StyleNetworkOptions
from models.pictures.images import read_image, write_image
from tests.objectives.drawn_pictures import draw_photo
from tests.tuner.conftest import RunCli
from tuner.finished.stylising import load_network

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("network") / "net.keras"
    build_style_network(StyleNetworkOptions(width=4, num_residual_blocks=0)).save(path)
    return path


@pytest.fixture
def mine(folder: Path) -> Path:
    """A folder with two photos that differ and one that is broken behind its header."""
    path = folder / "mine"
    path.mkdir()
    write_image(path / "a.png", draw_photo(1, height=40, width=48))
    write_image(path / "b.png", draw_photo(2, height=40, width=48))
    whole = (path / "b.png").read_bytes()
    (path / "broken.png").write_bytes(whole[: len(whole) // 2])
    return path


def test_loaded_network_is_not_compiled_for_each_size(saved: Path) -> None:
    """Keras' own choice is to compile where there is a GPU, or with JAX."""
    assert load_network(saved).jit_compile is False


def test_photos_are_not_overwritten(saved: Path, mine: Path, run_cli: RunCli) -> None:
    (mine / "broken.png").unlink()
    before = {path: path.read_bytes() for path in mine.iterdir()}
    outcome = run_cli("stylize", saved, ".", "-o", ".", cwd=mine).require_success()
    assert outcome.stdout.split() == ["a-2.png", "b-2.png"]
    assert {path: path.read_bytes() for path in before} == before
    assert {path.name for path in mine.iterdir()} == {"a.png", "b.png", "a-2.png", "b-2.png"}


def test_a_photo_that_is_named_by_a_link_is_not_overwritten(saved: Path, mine: Path, run_cli: RunCli) -> None:
    (mine.parent / "link").symlink_to(mine)
    before = (mine / "a.png").read_bytes()
    run_cli("stylize", saved, "link/a.png", "-o", "mine").require_success()
    assert (mine / "a.png").read_bytes() == before


@pytest.mark.usefixtures("mine")
def test_an_earlier_picture_is_replaced(saved: Path, run_cli: RunCli) -> None:
    for _ in range(2):
        outcome = run_cli("stylize", saved, "mine/a.png", "-o", "out").require_success()
        assert outcome.stdout.split() == ["out/a.png"]


def test_a_broken_photo_is_skipped_and_named(saved: Path, mine: Path, run_cli: RunCli) -> None:
    outcome = run_cli("stylize", saved, mine, "-o", "out").require_success()
    assert outcome.stdout.split() == ["out/a.png", "out/b.png"]
    assert "Skipped: mine/broken.png is truncated" in outcome.stderr
    assert "2 pictures in out; 1 photo skipped" in outcome.stderr


def test_a_photo_that_is_too_small_is_skipped_unless_resized(saved: Path, mine: Path, run_cli: RunCli) -> None:
    write_image(mine / "broken.png", draw_photo(3, height=15, width=20))
    outcome = run_cli("stylize", saved, mine, "-o", "out").require_success()
    assert "Skipped: mine/broken.png is 20 x 15 pixels, under 16. Use --size." in outcome.stderr
    assert len(outcome.stdout.split()) == 2
    run_cli("stylize", saved, mine, "-o", "larger", "--size", 30).require_success()
    assert read_image(mine.parent / "larger" / "broken.png").shape == (30, 40, 3)


def test_a_size_that_no_memory_holds_is_refused(
    saved: Path, mine: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuner.finished.stylising.resize_short_side", lambda *_: pytest.fail("resized"))
    outcome = run_cli("stylize", saved, mine / "a.png", "-o", "out", "--size", 100_000)
    outcome.require_refusal("None of the photos")
    assert "a.png would have more than 178956970 pixels. Use a smaller --size." in outcome.stderr


@pytest.mark.parametrize("part", ["config.json", "model.weights.h5"])
def test_a_damaged_network_is_refused(saved: Path, run_cli: RunCli, folder: Path, part: str) -> None:
    data = bytearray(saved.read_bytes())
    with zipfile.ZipFile(saved) as archive:
        data[archive.getinfo(part).header_offset + 200] ^= 0xFF
    (folder / "damaged.keras").write_bytes(data)
    outcome = run_cli("stylize", "damaged.keras", "photos", "-o", "out")
    outcome.require_refusal("damaged.keras is no saved network")


def test_photos_that_are_equal_are_said(saved: Path, mine: Path, run_cli: RunCli) -> None:
    shutil.copy(mine / "a.png", mine / "copy.png")
    outcome = run_cli("stylize", saved, "mine/a.png", "mine/copy.png", "-o", "out").require_success()
    assert "1 picture in out; 1 left out, equal to another byte for byte" in outcome.stderr


@pytest.mark.usefixtures("mine")
def test_nothing_restyled_is_an_error(saved: Path, run_cli: RunCli, folder: Path) -> None:
    outcome = run_cli("stylize", saved, "mine/broken.png", "-o", "out")
    assert outcome.status == 2
    assert "broken.png is truncated" in outcome.stderr
    assert "None of the photos" in outcome.stderr
    assert not (folder / "out").exists()


class TestFolder:
    def test_somebody_elses_picture_stays(self, saved: Path, mine: Path, run_cli: RunCli) -> None:
        """A folder's photo and an unrelated picture have one stem; each of many runs finds its own file again."""
        write_image(mine / "holiday.jpg", draw_photo(3, height=40, width=48))
        write_image(mine / "holiday.png", draw_photo(4, height=40, width=48))
        before = {path: path.read_bytes() for path in mine.iterdir()}
        for _ in range(2):
            outcome = run_cli("stylize", saved, "holiday.jpg", "-o", ".", cwd=mine).require_success()
            assert outcome.stdout.split() == ["holiday-2.png"]
            assert {path: path.read_bytes() for path in before} == before
            assert {path.name for path in mine.iterdir()} - {path.name for path in before} == {"holiday-2.png"}

    @pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
    def test_pictures_of_other_photos_and_networks_stay(
        self, saved: Path, mine: Path, run_cli: RunCli, folder: Path, suffix: str
    ) -> None:
        (mine / "deep").mkdir()
        shutil.copy(mine / "b.png", mine / "deep" / "a.png")
        shutil.copy(saved, folder / "other.keras")
        expected = {}
        for network, photo, name in [
            (saved, "mine/a.png", f"a.{suffix}"),
            (saved, "mine/deep/a.png", f"a-2.{suffix}"),
            ("other.keras", "mine/a.png", f"a-3.{suffix}"),
        ]:
            for _ in range(2):
                outcome = run_cli("stylize", network, photo, "-o", "out", "--format", suffix).require_success()
                assert outcome.stdout.split() == [f"out/{name}"]
            expected[name] = (folder / "out" / name).read_bytes()
        assert {path.name: path.read_bytes() for path in (folder / "out").iterdir()} == expected

    def test_a_restyled_picture_that_is_restyled_stays(self, saved: Path, mine: Path, run_cli: RunCli) -> None:
        (mine / "broken.png").unlink()
        run_cli("stylize", saved, "a.png", "-o", ".", cwd=mine).require_success()
        before = {path: path.read_bytes() for path in mine.iterdir()}
        outcome = run_cli("stylize", saved, ".", "-o", ".", cwd=mine).require_success()
        assert {path: path.read_bytes() for path in before} == before
        assert len(outcome.stdout.split()) == 3

    @pytest.mark.usefixtures("mine")
    def test_inputs_of_one_name(self, saved: Path, run_cli: RunCli, folder: Path) -> None:
        shutil.copy(folder / "mine" / "b.png", folder / "a.png")
        outcome = run_cli("stylize", saved, "a.png", "mine/a.png", "a.png", "-o", "out").require_success()
        assert sorted(outcome.stdout.split()) == ["out/a-2.png", "out/a.png"]

    @pytest.mark.parametrize("place", ["style.png/out", "/proc/out", "n" * 300])
    def test_that_cannot_be_written_to(
        self, saved: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        monkeypatch.setattr("tuner.finished.stylising.stylise", lambda *_: pytest.fail("restyled"))
        run_cli("stylize", saved, "photos", "-o", place).require_refusal("`--output`", place, "cannot be written to")

    @pytest.mark.parametrize("name", ["styletuner.db", "net.keras", "out.gif", "out.heic", "best.yaml"])
    @pytest.mark.parametrize("exists", [False, True])
    def test_of_a_files_name(self, saved: Path, run_cli: RunCli, folder: Path, name: str, exists: bool) -> None:
        if exists:
            (folder / name).write_bytes(b"mine")
        outcome = run_cli("stylize", saved, "photos/photo_00.png", "-o", name)
        outcome.require_refusal(name, "must be a folder", ".png, .jpg, .jpeg or .webp")
        assert (folder / name).is_file() == exists

    def test_of_a_pictures_name(self, saved: Path, run_cli: RunCli, folder: Path) -> None:
        (folder / "out.png").mkdir()
        outcome = run_cli("stylize", saved, "photos/photo_00.png", "-o", "out.png").require_success()
        assert outcome.stdout.split() == ["out.png/photo_00.png"]


@pytest.mark.usefixtures("mine")
class TestOneFile:
    @pytest.mark.parametrize(("name", "kind"), [("out.png", "PNG"), ("new/out.JPG", "JPEG"), ("out.webp", "WEBP")])
    def test_has_the_format_of_its_name(self, saved: Path, run_cli: RunCli, folder: Path, name: str, kind: str) -> None:
        for _ in range(2):
            outcome = run_cli("stylize", saved, "mine/a.png", "-o", name).require_success()
            assert outcome.stdout.split() == [name]
        with PIL.Image.open(folder / name) as picture:
            assert (picture.format, picture.size) == (kind, (48, 40))

    def test_is_the_same_picture_as_in_a_folder(self, saved: Path, run_cli: RunCli, folder: Path) -> None:
        run_cli("stylize", saved, "mine/a.png", "-o", "one.png").require_success()
        run_cli("stylize", saved, "mine/a.png", "-o", "out").require_success()
        np.testing.assert_array_equal(read_image(folder / "one.png"), read_image(folder / "out" / "a.png"))

    def test_of_several_photos(self, saved: Path, run_cli: RunCli, folder: Path) -> None:
        outcome = run_cli("stylize", saved, "mine/a.png", "mine/b.png", "-o", "out.png")
        outcome.require_refusal("out.png names one picture", "2 photos", "Name a folder, such as out")
        assert not list(folder.glob("out*"))

    @pytest.mark.parametrize("name", ["mine/b.png", "mine/a.png", "link.png", "hard.png"])
    def test_of_somebody_elses(self, saved: Path, run_cli: RunCli, folder: Path, name: str) -> None:
        (folder / "link.png").symlink_to("mine/a.png")
        (folder / "hard.png").hardlink_to(folder / "mine" / "a.png")
        before = (folder / name).read_bytes()
        outcome = run_cli("stylize", saved, "mine/a.png", "-o", name)
        outcome.require_refusal(name, "was not made by the same command", "Choose another name")
        assert (folder / name).read_bytes() == before

    def test_and_a_format_that_differs(self, saved: Path, run_cli: RunCli) -> None:
        outcome = run_cli("stylize", saved, "mine/a.png", "-o", "out.png", "--format", "jpg")
        outcome.require_refusal("out.png", ".jpg", "Leave --format out")

    @pytest.mark.parametrize("name", ["nowhere.jpg", "pipe.png"])
    def test_of_no_photo(self, saved: Path, run_cli: RunCli, folder: Path, name: str) -> None:
        os.mkfifo(folder / "pipe.png")
        run_cli("stylize", saved, name, "-o", "out.png").require_refusal(name)
        assert not (folder / "out.png").exists()
