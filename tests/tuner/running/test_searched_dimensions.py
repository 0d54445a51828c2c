"""A study that searches more than the two ratios: what its trials are, and that one repeated alone is the same."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from models.pretrained import files as pretrained
from studies.records.exported_config import read_exported
from tests.tuner.tiny_study import read_trials, run_command
from tuner.configuration.loading import load_config, merge
from tuner.finished.training_plan import TrainingPlan, plan_training
from tuner.search.study_pictures import open_pictures

pytestmark = pytest.mark.slow

RANGES = ("search.style_size=[32,48,64]", "search.style_tilt=[-2,2]", "search.learning_rate=[0.003,0.03]")
DIMENSIONS = [argument for setting in RANGES for argument in ("--set", setting)]
TRIALS = 4
NAME = "sizes"


@pytest.fixture(scope="module")
def searched(drawn_study: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished study of quasi-random points, its last trial of another size as "last.yaml"."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("searched"), dirs_exist_ok=True))
    options = ("--name", NAME, "--trials", TRIALS, "--set", "search.sampler=qmc", "--set", "search.pruner=none")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))
        run_command("study", "run", "tiny.yaml", *options, *DIMENSIONS, cwd=folder).require_success()
        others = [trial for trial in read_trials(folder / "styletuner.db", NAME) if trial.params["style_size"] != 48]
        exported = ("study", "export", NAME, "--trial", others[-1].number, "-o", "last.yaml")
        run_command(*exported, cwd=folder).require_success()
    return folder


def test_the_baseline_has_the_configurations_own_values(searched: Path) -> None:
    baseline, *others = read_trials(searched / "styletuner.db", NAME)
    own = {"style_size": 48, "style_tilt": 0.0, "learning_rate": 0.01}
    assert {name: baseline.params[name] for name in own} == own
    assert len({trial.params["style_size"] for trial in others}) > 1


def test_a_trial_after_others_of_other_values_is_the_same_alone(searched: Path) -> None:
    """Its style targets, references and optimiser are put into the step that others have used before."""
    number = read_exported(searched / "last.yaml").trial
    assert number > 1
    last = read_trials(searched / "styletuner.db", NAME)[number]
    again = run_command("train", "last.yaml", "--repeat-trial", "-o", "again.keras", cwd=searched).require_success()
    (quality,) = re.findall(r"^Quality ([\d.]+);", again.stdout, re.MULTILINE)
    assert float(quality) == pytest.approx(last.value, abs=5e-5)


def test_a_trial_is_exported_with_the_references_of_its_own_size(searched: Path) -> None:
    exported = yaml.safe_load((searched / "last.yaml").read_text(encoding="utf-8"))
    shown = json.loads(run_command("study", "show", NAME, "--json", cwd=searched).require_success().stdout)
    kept = shown["attributes"]["references"]
    assert exported["params"]["style_size"] != 48
    assert exported["references"]["style"] == kept["style_at_size"][str(exported["params"]["style_size"])]
    assert exported["references"]["style"] != kept["style"]
    assert exported["references"]["content"] == kept["content"]


def test_strokes_are_in_full_training_to_its_crops_what_they_were_in_the_trial(searched: Path) -> None:
    exported = read_exported(searched / "last.yaml")
    photos = [searched / "photos"]

    def planned(style_size: int | None) -> tuple[int, int]:
        sizes = {"style_size": style_size}
        config = plan_training(exported, output=searched / "new.keras", photos=photos, sizes=sizes).config
        return config.data.style_size, config.full_training.style_size

    size = exported.params["style_size"]
    assert planned(None) == (size, round(48 * size / 48))
    assert planned(80) == (size, 80)


def test_it_is_shown_wherever_the_weights_are(searched: Path) -> None:
    shown = run_command("study", "show", NAME, "--sheet", "sheet.png", cwd=searched).require_success().stdout
    sizes = [trial.params["style_size"] for trial in read_trials(searched / "styletuner.db", NAME)]
    for size in sizes:
        assert f"style size {size} px" in shown
    best = next(line for line in shown.splitlines() if line.startswith("Best:"))
    for name in ("style size", "tilt", "learning rate"):
        assert name in best


def test_full_training_has_the_trials_tilt_and_a_learning_rate_in_proportion(searched: Path) -> None:
    exported = read_exported(searched / "last.yaml")
    found = exported.params["learning_rate"]

    def planned(rate: float | None) -> TrainingPlan:
        sizes = {"learning_rate": rate}
        return plan_training(exported, output=searched / "new.keras", photos=[searched / "photos"], sizes=sizes)

    scaled, told = planned(None), planned(0.004)
    assert scaled.config.loss.style_tilt == exported.params["style_tilt"]
    assert scaled.config.training.learning_rate == found
    assert scaled.config.full_training.learning_rate == pytest.approx(0.001 * found / 0.01)
    assert f"{0.001 * found / 0.01:.2g}; the trial's, of a short run, is {found:.2g}" in scaled.rate_remark
    assert told.config.full_training.learning_rate == 0.004
    assert told.config.training.learning_rate == found


def test_another_trainer_is_told_the_tilt_or_it_is_said_that_it_is_not(searched: Path) -> None:
    """jcjohnson's four weights are to each other what the tilt has."""
    exported = read_exported(searched / "last.yaml")
    tilt, rate = exported.params["style_tilt"], exported.params["learning_rate"]
    export = ("study", "export", NAME, "--trial", exported.trial, "--as")
    told = run_command(*export, "jcjohnson", cwd=searched).require_success()
    found = re.search(r"-style_weights (\S+)", told.stdout)
    assert found is not None
    weights = np.array([float(weight) for weight in found[1].split(",")])
    np.testing.assert_allclose(weights[1:] / weights[:-1], 2.0**tilt, rtol=2e-3)
    assert f"tilt of {tilt:+.2f} is in the weights" in told.stderr
    assert f"learning rate of {rate:.2g} is not in the command" in told.stderr
    untold = run_command(*export, "lengstrom", cwd=searched).require_success()
    assert f"tilt of {tilt:+.2f} cannot be told to lengstrom" in untold.stderr


def test_trials_are_judged_by_one_style_image_whatever_they_train_with(searched: Path) -> None:
    own = {"style": str(searched / "style.png"), "photos": [str(searched / "photos")]}
    plain = open_pictures(load_config(str(searched / "tiny.yaml"), overrides=own))
    several = merge(own, {"search": {"style_size": [32, 48, 64]}})
    pictures = open_pictures(load_config(str(searched / "tiny.yaml"), overrides=several))
    assert {size: min(style.shape[:2]) for size, style in pictures.other_styles.items()} == {32: 32, 64: 64}
    np.testing.assert_array_equal(pictures.judged_style, plain.judged_style)
    assert min(pictures.judged_style.shape[:2]) == 48
