"""What training reads and writes: no input is overwritten, no held-out photo trained on, no other trial repeated."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from models.pictures.datasets import FreshCrops
from models.pictures.images import write_image
from models.pictures.photos import Photo, PhotoCollection, open_photos
from objectives.training.trainer import StyleTrainer
from tests.objectives.drawn_pictures import draw_photo
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, NUM_PHOTOS
from tuner.finished.stylising import load_network


@pytest.fixture
def exported(finished: Path, run_cli: RunCli) -> Path:
    run_cli("study", "export", NAME).require_success()
    return finished / "best.yaml"


def edit(path: Path, **values: Any) -> None:
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **values}))


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Hashes of the photos that fresh crops are cut from."""
    hashes: set[str] = set()
    real = FreshCrops.__init__

    def note(crops: FreshCrops, collection: PhotoCollection, photos: Sequence[Photo], **options: Any) -> None:
        hashes.update(photo.sha256 for photo in photos)
        real(crops, collection, photos, **options)

    monkeypatch.setattr(FreshCrops, "__init__", note)
    return hashes


def held_out(exported: Path) -> set[str]:
    photos = yaml.safe_load(exported.read_text())["photos"]
    return {sha256 for use in ("rung", "calibration", "report") for sha256 in photos[use]}


class TestOutput:
    def test_beside_an_export_of_the_same_name(self, exported: Path, run_cli: RunCli, folder: Path) -> None:
        exported.rename(folder / "starry.yaml")
        before = (folder / "starry.yaml").read_bytes()
        run_cli("train", "starry.yaml", "-o", "starry.keras").require_success()
        assert (folder / "starry.yaml").read_bytes() == before
        assert yaml.safe_load((folder / "starry.training.yaml").read_text())["images"] == 16

    @pytest.mark.parametrize("name", ["starry.training.yaml", "starry.keras"])
    def test_that_would_overwrite_the_export(self, exported: Path, run_cli: RunCli, folder: Path, name: str) -> None:
        exported.rename(folder / name)
        before = (folder / name).read_bytes()
        run_cli("train", name, "-o", "starry.keras").require_refusal(name, "overwrite")
        assert (folder / name).read_bytes() == before

    def test_in_a_folder_that_is_not_there(
        self, exported: Path, run_cli: RunCli, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The folder is there before the training begins."""

        def look(*_: object, **__: object) -> None:
            assert (folder / "new" / "nets").is_dir()
            raise KeyboardInterrupt

        monkeypatch.setattr("tuner.finished.full_training.open_pictures", look)
        outcome = run_cli("train", exported, "-o", "new/nets/net.keras")
        assert "Interrupted" in outcome.stderr

    @pytest.mark.parametrize("flags", [(), ("--repeat-trial",)])
    def test_in_a_folder_that_cannot_be(self, exported: Path, run_cli: RunCli, flags: tuple[str, ...]) -> None:
        outcome = run_cli("train", exported, "-o", "style.png/net.keras", *flags)
        outcome.require_refusal("style.png/net.keras", "cannot be made")

    def test_that_is_a_folder(self, exported: Path, run_cli: RunCli, folder: Path) -> None:
        (folder / "net.keras").mkdir()
        run_cli("train", exported, "-o", "net.keras").require_refusal("--output", "must be a file")

    def test_with_a_space_is_quoted_in_the_hint(self, exported: Path, run_cli: RunCli) -> None:
        outcome = run_cli("train", exported, "-o", "my nets/net.keras").require_success()
        assert "styletuner stylize 'my nets/net.keras' photo.jpg" in outcome.stdout


def test_the_finished_network_has_the_averaged_weights(
    exported: Path, run_cli: RunCli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainers: list[StyleTrainer] = []
    real = StyleTrainer.start

    def note(trainer: StyleTrainer, *arguments: Any, **options: Any) -> None:
        trainers.append(trainer)
        real(trainer, *arguments, **options)

    monkeypatch.setattr(StyleTrainer, "start", note)
    run_cli("train", exported, "-o", "net.keras").require_success()
    trained = trainers[0].network.get_weights()
    with trainers[0].averaged() as network:
        averaged = network.get_weights()
    saved = load_network(folder / "net.keras").get_weights()
    assert max(np.abs(one - other).max() for one, other in zip(saved, trained, strict=True)) > 1e-4
    for one, other in zip(saved, averaged, strict=True):
        np.testing.assert_array_equal(one, other)


class TestPhotos:
    def test_of_the_study(self, exported: Path, run_cli: RunCli, folder: Path, trained_on: set[str]) -> None:
        run_cli("train", exported, "-o", "net.keras").require_success()
        everything = {photo.sha256 for photo in open_photos([folder / "photos"]).photos}
        assert trained_on == everything - held_out(exported)

    def test_others_among_them_held_out_ones(
        self, exported: Path, run_cli: RunCli, folder: Path, trained_on: set[str]
    ) -> None:
        """Other photos would be split in another way; what the study held out stays held out all the same."""
        for seed in range(8):
            write_image(folder / "photos" / f"new_{seed}.png", draw_photo(50 + seed, height=64, width=64))
        run_cli("train", exported, "-o", "net.keras", "--photos", "photos").require_success()
        assert len(trained_on) == NUM_PHOTOS + 8 - 4
        assert not trained_on & held_out(exported)

    def test_all_held_out(self, exported: Path, run_cli: RunCli, folder: Path) -> None:
        (folder / "some").mkdir()
        wanted = held_out(exported)
        for path in (folder / "photos").iterdir():
            (photo,) = open_photos([path]).photos
            if photo.sha256 in wanted:
                shutil.copy(path, folder / "some")
        outcome = run_cli("train", exported, "-o", "net.keras", "--photos", "some")
        outcome.require_refusal("at least 4 photos", NAME, "did not hold out", "0 of 4")


class TestRepeatedTrial:
    def test_of_other_photos(self, exported: Path, run_cli: RunCli, folder: Path) -> None:
        next((folder / "photos").iterdir()).unlink()
        outcome = run_cli("train", exported, "-o", "net.keras", "--repeat-trial", "--photos", "photos")
        outcome.require_refusal(NAME, "best.yaml", "not those", "--photos")

    def test_that_was_pruned_stops_at_its_rung(self, exported: Path, run_cli: RunCli, folder: Path) -> None:
        edit(exported, images_seen=8, state="PRUNED")
        outcome = run_cli("train", exported, "-o", "net.keras", "--repeat-trial").require_success()
        assert "8/8 images" in outcome.stdout
        assert "16 images" not in outcome.stdout
        assert yaml.safe_load((folder / "net.training.yaml").read_text())["images"] == 8

    @pytest.mark.parametrize("images", [0, 12])
    def test_that_reached_no_rung(self, exported: Path, run_cli: RunCli, images: int) -> None:
        edit(exported, images_seen=images)
        outcome = run_cli("train", exported, "-o", "net.keras", "--repeat-trial")
        outcome.require_refusal("`images_seen`", "best.yaml", "rungs 8, 16", str(images))

    def test_by_another_judge(self, exported: Path, run_cli: RunCli) -> None:
        edit(exported, judge_version="0.old")
        outcome = run_cli("train", exported, "-o", "net.keras", "--repeat-trial").require_success()
        assert "scored by version 0.old" in outcome.stdout
