"""Which photos are restyled, under which name, and that none of them is overwritten or forgotten."""

import shutil
from pathlib import Path

import pytest

from models.networks.style_network import StyleNetworkOptions, build_style_network
from models.pictures.images import read_image, write_image
from tests.objectives.drawn_pictures import draw_photo
from tests.tuner.conftest import RunCli
from tuner.finished.stylising import load_network


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
