"""`styletuner weights convert` from the command line: what it says, and what it refuses."""

import json
from pathlib import Path

import pytest

from tests.tuner.conftest import RunCli

pytestmark = pytest.mark.slow

PICTURES = ("--config", "tiny.yaml")
OWN_PICTURES = ("--config", "tiny.yaml", "--style", "style.png", "--photos", "photos")


def test_published_weights_are_the_default(run_cli: RunCli) -> None:
    command = ("weights", "convert", "--from", "lengstrom", *OWN_PICTURES)
    typed = run_cli(*command, "7.5", "1e2", "200", "--json").require_success()
    default = run_cli(*command, "--json").require_success()
    assert json.loads(typed.stdout) == json.loads(default.stdout)
    found = json.loads(typed.stdout)
    assert found["trainer"] == "lengstrom"
    assert found["native_weights"] == {"content": 7.5, "style": 100.0, "total_variation": 200.0}
    assert (found["crop_size"], found["batch_size"], found["pictures"]) == (256, 4, 10)
    weights = found["weights"]
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights["style"] / weights["content"] == pytest.approx(found["style_to_content"])
    assert weights["total_variation"] / weights["content"] == pytest.approx(found["tv_to_content"])
    assert -1 <= found["lowest_cosine"] <= found["cosine"] < 0.5
    assert found["approximate"] is True
    assert found["nearness"] == "no match"
    assert found["reasons"] == ["the losses' gradients differ (cosine below 0.5)"]


def test_twice_the_style_weight_is_twice_the_ratio(run_cli: RunCli) -> None:
    ratios = []
    for style in ("100", "200"):
        outcome = run_cli("weights", "convert", "--from", "lengstrom", "7.5", style, "0", *PICTURES, "--json")
        ratios.append(json.loads(outcome.require_success().stdout)["style_to_content"])
    assert ratios[1] == pytest.approx(2 * ratios[0])


def test_what_it_says(run_cli: RunCli) -> None:
    lines = run_cli("weights", "convert", "--from", "jcjohnson", *PICTURES).require_success().stdout.splitlines()
    assert lines[0] == "jcjohnson: content 1, style 5, total variation 1e-06; crops of 256 px in batches of 4"
    assert lines[1].startswith("style : content ")
    assert lines[2].startswith("weights: content ")
    assert lines[3].startswith("Cosine of both losses' gradients on 10 pictures: 0.")
    assert lines[4].startswith("No match: the losses' gradients differ (cosine below 0.5); ")
    assert "its loss network, Caffe's VGG-16, is not here; VGG-19 of the same authors stands in." in lines[4]
    assert lines[4].endswith("search in its own loss: styletuner study run ... --trainer jcjohnson")


def test_a_ratio_that_is_not_searched_is_told(run_cli: RunCli) -> None:
    """Twice a style weight is twice the ratio, so that one of these lies beyond any range."""
    lengstrom = ("weights", "convert", "--from", "lengstrom", *PICTURES)
    strong = run_cli(*lengstrom, "1", "1e6", "0").require_success().stdout
    assert " lies outside of what is searched, 0.01 to 10." in strong
    assert "tv : content 0 lies outside of what is searched, 0.001 to 1." in strong
    ratio = json.loads(run_cli(*lengstrom, "1", "1", "0", "--json").require_success().stdout)["style_to_content"]
    assert "style : content 1 lies" not in run_cli(*lengstrom, "1", str(1 / ratio), "0").require_success().stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "lengstrm"), ("no trainer 'lengstrm'", "Did you mean 'lengstrom'")),
        (("--from", "lengstrom", "0", "100", "200"), ("`content` weight must be above 0",)),
        (("--from", "lengstrom", "-7.5", "100", "200"), ("`content` weight", "Received -7.5")),
        (("--from", "lengstrom", "7.5", "100", "-1"), ("`total_variation` weight", "Received -1.0")),
        (("--from", "lengstrom", "7.5", "nan", "1"), ("`style` weight", "Received nan")),
        (("--from", "pytorch-examples", "1e5", "1e10", "1"), ("pytorch-examples has no total-variation loss",)),
        (("--from", "lengstrom", "7.5"), ("three weights", "Received 1")),
        (("--from", "lengstrom", "7.5", "a", "b"), ("are numbers", "'a'")),
        (("--from", "lengstrom", "--stlye", "x"), ("No such option", "--stlye")),
        (("--from", "lengstrom", "--style", "nowhere.png", "--photos", "photos"), ("nowhere.png", "does not exist")),
        (("--from", "lengstrom", "--style", "style.png", "--photos", "nowhere"), ("nowhere", "does not exist")),
        (("--from", "lengstrom", "--photos", "photos"), ("No style image is given", "--style")),
        (("--from", "lengstrom", "--style", "style.png"), ("No photos are given", "--photos")),
    ],
)
def test_bad_input(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    def fail() -> None:
        raise AssertionError("A network library was loaded.")

    monkeypatch.setattr("tuner.installation.environment.load_networks", fail)
    run_cli("weights", "convert", *arguments).require_refusal(*words)


def test_a_layer_that_there_is_not(run_cli: RunCli, folder: Path) -> None:
    configuration = (folder / "tiny.yaml").read_text().replace("content_layers: [relu2_1]", "content_layers: [relu9_1]")
    (folder / "other.yaml").write_text(configuration)
    run_cli("weights", "convert", "--from", "lengstrom", "--config", "other.yaml").require_refusal("relu9_1")
