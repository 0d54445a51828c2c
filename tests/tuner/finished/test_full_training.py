"""What training reads and writes: no input is overwritten, no held-out photo trained on, no other trial repeated."""

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from measures.sampled_values import SampledValues
from models.networks.style_network import build_style_network
from models.networks.style_network_options import StyleNetworkOptions
from models.pictures.datasets import FreshCrops
from models.pictures.images import write_image
from models.pictures.photos import Photo, PhotoCollection, open_photos
from objectives.training.trainer import StyleTrainer
from tests.objectives.drawn_pictures import draw_photo
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, NUM_PHOTOS
from tuner.finished.stylising import load_network
from tuner.scouting.scout import load_scout

pytestmark = pytest.mark.slow


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


@pytest.fixture
def _no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        pytest.fail("the pictures are opened")

    monkeypatch.setattr("tuner.finished.full_training.open_pictures", fail)
    monkeypatch.setattr("tuner.finished.repeated_trial.open_pictures", fail)


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
        run_cli("train", name, "-o", "starry.keras").require_refusal(name, "would overwrite")
        assert (folder / name).read_bytes() == before

    @pytest.mark.usefixtures("_no_training")
    @pytest.mark.parametrize("flags", [(), ("--repeat-trial",)])
    @pytest.mark.parametrize("output", ["style.png/net.keras", "/proc/net.keras", "n" * 300 + ".keras"])
    def test_that_cannot_be_written(self, exported: Path, run_cli: RunCli, flags: tuple[str, ...], output: str) -> None:
        """That is found before the training, not after it."""
        run_cli("train", exported, "-o", output, *flags).require_refusal("`--output`", output, "cannot be written")

    @pytest.mark.usefixtures("_no_training")
    @pytest.mark.parametrize("flags", [(), ("--repeat-trial",)])
    @pytest.mark.parametrize("name", ["net.keras", "net.training.yaml"])
    def test_where_a_foreign_file_is(
        self, exported: Path, run_cli: RunCli, folder: Path, flags: tuple[str, ...], name: str
    ) -> None:
        (folder / name).write_bytes(b"somebody's")
        outcome = run_cli("train", exported, "-o", "net.keras", *flags)
        outcome.require_refusal(name, "was not made by the same command", "Choose another name")
        assert (folder / name).read_bytes() == b"somebody's"

    @pytest.mark.usefixtures("_no_training")
    @pytest.mark.parametrize("name", ["net.h5", "styletuner.db", "net"])
    def test_of_another_suffix(self, exported: Path, run_cli: RunCli, name: str) -> None:
        run_cli("train", exported, "-o", name).require_refusal("`--output`", ".keras", name)

    def test_that_is_a_folder(self, exported: Path, run_cli: RunCli, folder: Path) -> None:
        (folder / "net.keras").mkdir()
        run_cli("train", exported, "-o", "net.keras").require_refusal("--output", "is a folder")

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

    def test_smaller_than_the_crops_of_full_training(
        self, exported: Path, run_cli: RunCli, folder: Path, trained_on: set[str]
    ) -> None:
        """The study's crops are smaller: it could use these photos."""
        for seed in range(3):
            write_image(folder / "photos" / f"small_{seed}.png", draw_photo(60 + seed, height=48 + 2 * seed, width=80))
        outcome = run_cli("train", exported, "-o", "net.keras", "--photos", "photos", "--crop-size", 52)
        said = "2 photos left out: smaller than the crops of 52 px (shorter side 48 to 50 px)"
        assert said in outcome.require_success().stdout
        assert len(trained_on) == NUM_PHOTOS - 4 + 1
        outcome = run_cli("train", exported, "-o", "other.keras", "--crop-size", 68)
        outcome.require_refusal("at least 4 photos of 68 px or more", f"0 of {NUM_PHOTOS}", "--crop-size")


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


class TestStart:
    """What `--from` starts from."""

    @pytest.fixture
    def begun(self, monkeypatch: pytest.MonkeyPatch) -> list[list[np.ndarray]]:
        """Weights that networks had at the start of their training."""
        noted: list[list[np.ndarray]] = []
        start = StyleTrainer.start

        def noting(trainer: StyleTrainer, sampled: Any, **options: Any) -> None:
            start(trainer, sampled, **options)
            noted.append(trainer.network.get_weights())

        monkeypatch.setattr(StyleTrainer, "start", noting)
        return noted

    def test_a_network_and_then_no_other(
        self, exported: Path, run_cli: RunCli, folder: Path, begun: list[list[np.ndarray]]
    ) -> None:
        run_cli("train", exported, "-o", "first.keras").require_success()
        onward = ("train", exported, "-o", "second.keras")
        run_cli(*onward, "--from", "first.keras").require_success()
        for mine, theirs in zip(begun[1], load_network(folder / "first.keras").get_weights(), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-6)
        assert yaml.safe_load((folder / "second.training.yaml").read_text())["start"]["file"] == "first.keras"
        run_cli(*onward).require_refusal("is the finished network of another training")
        run_cli("train", exported, "-o", "first.keras", "--from", "first.keras").require_refusal("would overwrite")

    @pytest.mark.usefixtures("exported")
    def test_what_a_scout_has_for_the_weights(
        self, scout_folder: Path, run_cli: RunCli, folder: Path, begun: list[list[np.ndarray]]
    ) -> None:
        for name in ("s.keras", "s.training.yaml"):
            shutil.copy(scout_folder / name, folder)
        run_cli("train", "best.yaml", "-o", "net.keras", "--from", "s.keras").require_success()
        values = SampledValues.from_dict(yaml.safe_load((folder / "best.yaml").read_text())["params"])
        (folded,) = load_scout(folder / "s.keras").fold([values])
        for mine, theirs in zip(begun[0], folded.get_weights(), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-6)

    @pytest.mark.usefixtures("exported")
    def test_a_scout_of_another_style_is_refused(self, scout_folder: Path, run_cli: RunCli, folder: Path) -> None:
        for name in ("s.keras", "s.training.yaml"):
            shutil.copy(scout_folder / name, folder)
        record = yaml.safe_load((folder / "s.training.yaml").read_text())
        head = (folder / "s.training.yaml").read_text().splitlines()[0]
        record["pictures"]["style_sha256"] = "another"
        (folder / "s.training.yaml").write_text(f"{head}\n{yaml.safe_dump(record)}")
        refused = run_cli("train", "best.yaml", "-o", "net.keras", "--from", "s.keras")
        refused.require_refusal("Scout s.keras was trained with another style image")

    @pytest.mark.usefixtures("exported")
    def test_weights_that_a_scout_does_not_know_are_refused(
        self, scout_folder: Path, run_cli: RunCli, folder: Path
    ) -> None:
        for name in ("s.keras", "s.training.yaml"):
            shutil.copy(scout_folder / name, folder)
        record = (folder / "s.training.yaml").read_text()
        narrow = {"style_to_content": [20.0, 30.0]}
        head, document = record.split("\n", 1)
        values = yaml.safe_load(document)
        values["configuration"]["search"].update(narrow)
        (folder / "s.training.yaml").write_text(f"{head}\n{yaml.safe_dump(values)}")
        refused = run_cli("train", "best.yaml", "-o", "net.keras", "--from", "s.keras")
        refused.require_refusal("`style_to_content` must be from 20 to 30")
        assert not (folder / "net.keras").exists()

    @pytest.mark.usefixtures("exported")
    def test_that_cannot_be_one_is_refused(self, run_cli: RunCli, folder: Path) -> None:
        run = ("train", "best.yaml", "-o", "net.keras", "--from")
        run_cli(*run, "none.keras").require_refusal("`--from` none.keras does not exist")
        (folder / "junk.keras").write_bytes(b"junk")
        run_cli(*run, "junk.keras").require_refusal("junk.keras is no saved network")
        build_style_network(StyleNetworkOptions(width=8, num_residual_blocks=1)).save(folder / "wide.keras")
        run_cli(*run, "wide.keras").require_refusal("has other layers than the study's network, of width 4")
        run_cli(*run, "wide.keras", "--repeat-trial").require_refusal("start from noise. Leave --from out.")
        build_style_network(StyleNetworkOptions(width=4, num_residual_blocks=1, output="tanh")).save(folder / "t.keras")
        run_cli(*run, "t.keras").require_refusal("has other layers than the study's network", "and sigmoid output")
        assert not (folder / "net.keras").exists()


class TestFinishedNetwork:
    @pytest.fixture
    def network(self, exported: Path, run_cli: RunCli, folder: Path) -> Path:
        run_cli("train", exported, "-o", "net.keras").require_success()
        return folder / "net.keras"

    @pytest.fixture
    def files(self, network: Path) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in (network, network.with_suffix(".training.yaml"))}

    def test_is_not_trained_again(
        self, files: dict[Path, bytes], exported: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(StyleTrainer, "train", lambda *_, **__: pytest.fail("trained again"))
        outcome = run_cli("train", exported, "-o", "net.keras").require_success()
        assert "net.keras is finished already" in outcome.stdout
        assert {path: path.read_bytes() for path in files} == files

    @pytest.mark.parametrize(
        ("flags", "what"),
        [
            (("--crop-size", 32), "weights, pictures or settings differ"),
            (("--images", 32), "it has seen 16 images, and 32 are asked for"),
            (("--images", 8), "it has seen 16 images, and 8 are asked for"),
            (("--repeat-trial",), "weights, pictures or settings differ"),
        ],
    )
    def test_of_another_training_is_not_written_over(
        self, files: dict[Path, bytes], exported: Path, run_cli: RunCli, flags: tuple[object, ...], what: str
    ) -> None:
        outcome = run_cli("train", exported, "-o", "net.keras", *flags)
        outcome.require_refusal("net.keras", "of another training", what, "Choose another --output, or move it away")
        assert {path: path.read_bytes() for path in files} == files

    def test_in_whose_place_another_was_put(self, files: dict[Path, bytes], exported: Path, run_cli: RunCli) -> None:
        network = next(iter(files))
        network.write_bytes(files[network] + b"another")
        run_cli("train", exported, "-o", "net.keras").require_refusal("net.keras", "was not made by the same command")

    def test_that_was_moved_away_is_trained_anew(
        self, files: dict[Path, bytes], exported: Path, run_cli: RunCli, folder: Path
    ) -> None:
        next(iter(files)).rename(folder / "older.keras")
        run_cli("train", exported, "-o", "net.keras", "--images", 8).require_success()
        assert yaml.safe_load((folder / "net.training.yaml").read_text())["images"] == 8

    def test_says_the_images_it_has_seen(self, exported: Path, run_cli: RunCli, folder: Path) -> None:
        """In whole batches of 4."""
        for _ in range(2):
            run_cli("train", exported, "-o", "odd.keras", "--images", 10).require_success()
        assert yaml.safe_load((folder / "odd.training.yaml").read_text())["images"] == 12

    def test_of_a_repeated_trial_says_its_quality_again(self, exported: Path, run_cli: RunCli) -> None:
        arguments = ("train", exported, "-o", "again.keras", "--repeat-trial")
        first, second = (run_cli(*arguments).require_success().stdout for _ in range(2))
        assert "again.keras is finished already" in second
        assert next(line for line in first.splitlines() if "Quality" in line) in second

    @pytest.mark.parametrize(("umask", "mode"), [(0o027, 0o640), (0o002, 0o664)])
    def test_follows_the_umask(self, exported: Path, run_cli: RunCli, folder: Path, umask: int, mode: int) -> None:
        before = os.umask(umask)
        try:
            run_cli("train", exported, "-o", "nets/net.keras").require_success()
        finally:
            os.umask(before)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder / "nets").iterdir()}
        assert modes == {"net.keras": mode, "net.training.yaml": mode}
