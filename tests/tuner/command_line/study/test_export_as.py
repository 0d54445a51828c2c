"""`styletuner study export --as` from the command line: what it prints, and what it refuses."""

import re
from pathlib import Path

import pytest

from measures.gradient_matching import NEAR
from measures.published_trainers import TRAINERS
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, read_trials

EXPORT = ("study", "export", NAME)


def best_of(folder: Path) -> dict[str, float]:
    trials = [trial for trial in read_trials(folder / "styletuner.db") if trial.value is not None]
    return max(trials, key=lambda trial: trial.value or 0.0).params


def test_weights_there_and_back(run_cli: RunCli, finished: Path) -> None:
    """What is printed for lengstrom is, converted back, what the study found."""
    outcome = run_cli(*EXPORT, "--as", "lengstrom").require_success()
    (line,) = outcome.stdout.splitlines()
    style = finished / "style.png"
    assert line.startswith("python style.py --style ")
    assert style.name in line
    weights = re.findall(r"--(?:content|style|tv)-weight (\S+)", line)
    assert weights[0] == "7.5"
    cosine = re.search(r"Cosine of both losses' gradients on 10 pictures: ([\d.]+)", outcome.stderr)
    assert cosine is not None
    # Which trial is best, and so how near both losses are, differs between processors on pictures so small.
    assert "the losses' gradients differ (cosine below" in outcome.stderr or float(cosine[1]) >= NEAR
    assert "scale that to a shorter side of 384 px first" in outcome.stderr
    back = run_cli("weights", "convert", "--from", "lengstrom", *weights, "--config", "tiny.yaml").require_success()
    found = re.search(r"style : content (\S+), tv : content (\S+)", back.stdout)
    assert found is not None
    wanted = best_of(finished)
    assert float(found[1]) == pytest.approx(wanted["style_to_content"], rel=0.01)
    assert float(found[2]) == pytest.approx(wanted["tv_to_content"], rel=0.01)
    assert not (finished / "best.yaml").exists()


@pytest.mark.parametrize("name", [name for name in TRAINERS if name != "lengstrom"])
def test_every_trainer_gets_its_command(run_cli: RunCli, finished: Path, name: str) -> None:
    del finished
    outcome = run_cli(*EXPORT, "--trial", 0, "--as", name).require_success()
    (line,) = outcome.stdout.splitlines()
    assert line.split()[0] == TRAINERS[name].command.split()[0]
    for option in TRAINERS[name].weight_options.values():
        assert option.split("{")[0].rstrip("'") in line
    assert f"Trial 0: style : content 1, tv : content 0.1; {name} with its crops of 256 px" in outcome.stderr
    assert ("no total variation loss to give its weight to" in outcome.stderr) is (name == "pytorch-examples")
    assert ("stands in" in outcome.stderr) is bool(TRAINERS[name].stand_in)


def test_photos_that_moved(run_cli: RunCli, finished: Path) -> None:
    (finished / "photos").rename(finished / "moved")
    with StudyStorage.open(str(finished / "styletuner.db")) as studies:
        study = studies.load_study(NAME)
        study.set_user_attr("photos", {**study.user_attrs["photos"], "paths": [str(finished / "photos")]})
    run_cli(*EXPORT, "--as", "lengstrom").require_refusal("The photos of study 'waves' are gone", "--photos")
    run_cli(*EXPORT, "--as", "lengstrom", "--photos", "moved").require_success()
    (finished / "moved" / "photo_00.png").unlink()
    run_cli(*EXPORT, "--as", "lengstrom", "--photos", "moved").require_refusal("are not those of study 'waves'")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--as", "magneta"), ("no trainer 'magneta'", "Did you mean 'magenta'")),
        (("--as", "magenta", "-o", "best.yaml"), ("writes no file", "--output")),
        (("--as", "magenta", "--top", "2"), ("writes no file", "--top")),
        (("--photos", "photos"), ("--photos", "Add --as")),
        (("--as", "magenta", "--trial", "99"), ("Trial 99",)),
    ],
)
def test_bad_input(run_cli: RunCli, finished: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    del finished
    run_cli(*EXPORT, *arguments).require_refusal(*words)
