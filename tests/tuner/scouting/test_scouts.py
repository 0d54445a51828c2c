"""A real scout, tiny: trained, interrupted and resumed, asked in every way, and refused where it does not fit."""

import csv
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml

from measures.errors import SampledValuesError
from measures.sampled_values import SampledValues
from models.networks.style_network import stylise
from models.pictures.images import read_image, write_image
from tests.objectives.drawn_pictures import draw_photo, draw_style
from tests.tuner.conftest import TRAIN_SCOUT as TRAIN
from tests.tuner.conftest import RunCli
from tests.tuner.interruptions import interrupted_training
from tuner.finished.stylising import load_network
from tuner.scouting.scout import Scout, load_scout
from tuner.scouting.sweeping import spread_positions, sweep
from tuner.search.judged_set import judged_set

pytestmark = pytest.mark.slow


@pytest.fixture
def asked(scout_folder: Path, folder: Path) -> Path:
    """`folder` with the scout; its record names the pictures where it was trained, which are the same."""
    for name in ("s.keras", "s.training.yaml"):
        shutil.copy(scout_folder / name, folder)
    return folder


@pytest.fixture
def loaded(asked: Path) -> Scout:
    return load_scout(asked / "s.keras")


def test_a_scout_is_recorded_and_left_as_it_is(asked: Path, run_cli: RunCli) -> None:
    record = yaml.safe_load((asked / "s.training.yaml").read_text())
    assert record["images"] == 24
    assert record["configuration"]["search"]["style_to_content"] == [0.01, 10]
    before = (asked / "s.keras").read_bytes()
    assert "trained already" in run_cli(*TRAIN).require_success().stderr
    assert (asked / "s.keras").read_bytes() == before
    assert not (asked / "s.checkpoint.npz").exists()


def test_an_interrupted_training_ends_as_one_that_was_not(asked: Path, loaded: Scout, run_cli: RunCli) -> None:
    (asked / "s.keras").unlink()
    (asked / "s.training.yaml").unlink()
    with interrupted_training(part=1):
        assert run_cli(*TRAIN).status == 1
    assert (asked / "s.checkpoint.npz").exists()
    assert "resuming from s.checkpoint.npz at 8 of 24 images" in run_cli(*TRAIN).require_success().stderr
    again = keras.saving.load_model(asked / "s.keras", compile=False).get_weights()
    for one, other in zip(loaded.network.get_weights(), again, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_what_it_paints_its_folded_networks_paint(loaded: Scout) -> None:
    photos = np.stack([draw_photo(seed, height=50, width=54) for seed in range(2)])
    values = [SampledValues(style_to_content=ratio, tv_to_content=0.1) for ratio in (0.02, 8.0)]
    outputs = [loaded.paint(value, photos) for value in values]
    assert np.abs(outputs[0] - outputs[1]).max() > 0.01
    for network, wanted in zip(loaded.fold(values), outputs, strict=True):
        np.testing.assert_allclose(stylise(network, photos), wanted, atol=0.5 / 255 + 1e-5)


def test_a_sweep_judges_each_setting_as_if_alone(loaded: Scout) -> None:
    pictures = loaded.open_pictures()
    judged = judged_set(loaded.config, pictures, pictures.split.rung)
    values = loaded.space.at(spread_positions(5))
    done: list[int] = []
    found = sweep(loaded, values, judged, on_setting=done.append)
    assert done == [1, 2, 3, 4, 5]
    assert [one.values for one in found] == values
    alone = [judged.judge.score(list(loaded.paint(value, judged.photos))).quality for value in values]
    assert [one.quality.quality for one in found] == pytest.approx(alone, abs=1e-12)


def test_ratios_outside_its_ranges_are_refused(loaded: Scout) -> None:
    outside = SampledValues(style_to_content=11.0, tv_to_content=0.1)
    with pytest.raises(SampledValuesError, match=r"`style_to_content` must be from 0.01 to 10"):
        loaded.fold([outside])


def test_a_sweep_is_a_table_best_first(asked: Path, run_cli: RunCli) -> None:
    for _ in range(2):
        run_cli("scout", "sweep", "s.keras", "--settings", 5, "-o", "sweep.csv").require_success()
    with (asked / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    qualities = [float(row["quality"]) for row in rows]
    assert len(rows) == 5
    assert qualities == sorted(qualities, reverse=True)
    assert all(0.01 <= float(row["style_to_content"]) <= 10 for row in rows)


@pytest.mark.usefixtures("asked")
def test_suggestions_are_those_of_the_judge(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.scouting.sweeping.NUM_SPREAD", 4)
    monkeypatch.setattr("tuner.scouting.sweeping.SHEET_SHAPE", (2, 2))
    told = json.loads(run_cli("scout", "suggest", "s.keras", "-k", 2, "--json").require_success().stdout)
    assert len(told) == 2
    assert told[0]["quality"] >= told[1]["quality"]
    assert sum(told[0]["weights"].values()) == pytest.approx(1)
    shown = run_cli("scout", "suggest", "s.keras", "-k", 1).require_success().stdout.splitlines()
    assert f"{told[0]['quality']:.3f}" in shown[1]


def test_a_sheet_is_drawn(asked: Path, run_cli: RunCli) -> None:
    command = ("scout", "sheet", "s.keras", "--columns", 2, "--rows", 2, "-o", "sheet.png")
    for _ in range(2):
        run_cli(*command, "--photo", 2).require_success()
    assert read_image(asked / "sheet.png").shape[0] > 500
    run_cli(*command, "--photo", 3).require_refusal("--photo must be from 1 to 2")


def test_the_network_of_some_weights_can_be_stylised_with(asked: Path, loaded: Scout, run_cli: RunCli) -> None:
    for ratio in (8.0, 0.5):  # the second replaces the first
        run_cli("scout", "fold", "s.keras", "--weights", 1, ratio, 0.1, "-o", "net.keras").require_success()
    network = load_network(asked / "net.keras")
    photos = draw_photo(0, height=48, width=48)[None]
    wanted = loaded.paint(SampledValues(style_to_content=0.5, tv_to_content=0.1), photos)
    np.testing.assert_allclose(stylise(network, photos), wanted, atol=0.5 / 255 + 1e-5)
    assert yaml.safe_load((asked / "net.training.yaml").read_text())["images"] == 24
    outside = run_cli("scout", "fold", "s.keras", "--weights", 1, 11, 0.1, "-o", "other.keras")
    outside.require_refusal("`style_to_content` must be from 0.01 to 10. Received 11")
    assert not (asked / "other.keras").exists()
    run_cli("scout", "fold", "s.keras", "--weights", 1, 1, 0.1, "-o", "s.keras").require_refusal(
        "would overwrite s.keras"
    )
    run_cli("scout", "suggest", "net.keras").require_refusal("net.keras is no scout")


def test_a_network_that_is_no_scout_is_refused(asked: Path, run_cli: RunCli) -> None:
    run_cli("scout", "suggest", "none.keras").require_refusal("none.keras does not exist", "styletuner scout train")
    shutil.copy(asked / "s.keras", asked / "other.keras")
    run_cli("scout", "suggest", "other.keras").require_refusal("no scout with its record other.training.yaml beside it")
    with (asked / "s.keras").open("r+b") as stream:
        stream.truncate(1000)
    run_cli("scout", "suggest", "s.keras").require_refusal("s.keras is no scout")


def test_other_pictures_are_refused(asked: Path, run_cli: RunCli) -> None:
    write_image(asked / "other.png", draw_style()[::-1])
    run_cli("scout", "suggest", "s.keras", "--style", "other.png").require_refusal(
        "style image other.png is not what scout s.keras was trained with"
    )
    (asked / "photos" / "photo_03.png").unlink()
    kept = (asked / "s.keras").read_bytes()
    run_cli("scout", "sweep", "s.keras", "--photos", "photos").require_refusal("photos are not what scout s.keras")
    assert (asked / "s.keras").read_bytes() == kept


@pytest.mark.parametrize(
    "command", [("sweep", "-o", "a.csv"), ("suggest",), ("sheet", "-o", "a.png")], ids=lambda c: c[0]
)
def test_pictures_that_are_gone_can_be_named(asked: Path, run_cli: RunCli, command: tuple[str, ...]) -> None:
    asking = ("scout", command[0], "s.keras", *command[1:])
    (asked / "few").mkdir()
    shutil.copy(asked / "photos" / "photo_03.png", asked / "few")
    before = sorted(asked.iterdir())
    for style in ("gone.png", "photos", "tiny.yaml", "x" * 300):
        run_cli(*asking, "--style", style).require_refusal("without the style image it was trained", style, "--style")
    for photos in ("gone", "few", "tiny.yaml"):
        run_cli(*asking, "--photos", photos).require_refusal("without the photos it was trained with", "--photos")
    assert sorted(asked.iterdir()) == before


def test_outputs_are_not_written_over(asked: Path, run_cli: RunCli) -> None:
    before = (asked / "s.keras").read_bytes()
    run_cli(*TRAIN, "--seed", 3).require_refusal("is the finished network of another training")
    run_cli("scout", "sweep", "s.keras", "-o", "tiny.yaml").require_refusal("must end in .csv")
    (asked / "mine.csv").write_text("mine")
    run_cli("scout", "sweep", "s.keras", "-o", "mine.csv").require_refusal("was not made by the same command")
    assert (asked / "s.keras").read_bytes() == before


def test_a_batch_norm_is_refused(folder: Path, run_cli: RunCli) -> None:
    run_cli(*TRAIN, "--set", "network.norm=batch").require_refusal("`network.norm` must be instance for a scout")
    assert not (folder / "s.keras").exists()
