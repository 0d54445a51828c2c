"""A real study in a trainer's own loss: its published weights first, and all that comes of the study keeps to it."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from measures.published_trainers import TRAINERS
from models.pretrained import files as pretrained
from objectives.training.references import measure_references, style_targets
from studies.records import attributes
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, opened, read_trials, run_command
from tuner.configuration.loading import load_config
from tuner.search.resources import build_loss_network
from tuner.search.study_pictures import open_pictures

pytestmark = pytest.mark.slow

TRAINER = TRAINERS["pytorch-examples"]
RUN = ("study", "run", "bare.yaml", "--name", NAME, "--trainer", TRAINER.name)


def write_bare(folder: Path) -> None:
    """The tiny study without layers and baseline of its own."""
    lines = (folder / "tiny.yaml").read_text().replace("baseline: [1, 1, 0.1], ", "").splitlines()
    (folder / "bare.yaml").write_text("\n".join(line for line in lines if not line.startswith("loss:")))


@pytest.fixture(scope="module")
def family_folder(drawn_study: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of two trials, run by two workers; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("family"), dirs_exist_ok=True))
    write_bare(folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))
        run_command(*RUN, "--trials", 2, "--workers", 2, cwd=folder).require_success()
    return folder


@pytest.fixture
def family(family_folder: Path, folder: Path) -> Path:
    """A copy of it to work in."""
    return Path(shutil.copytree(family_folder, folder, dirs_exist_ok=True))


def test_published_weights_are_trial_0_and_references_have_the_trainers_shares(family: Path) -> None:
    trials = read_trials(family / "styletuner.db")
    assert [trial.user_attrs.get(attributes.BASELINE) for trial in trials] == [True, None]
    config = load_config(str(family / "bare.yaml"), overrides={"loss": {"trainer": TRAINER.name}})
    pictures, network = open_pictures(config), build_loss_network(config)
    targets = style_targets(network, pictures.style, layers=TRAINER.style_layers)
    crops = (pictures.crops(config) / 255.0).astype("f4")
    measured = measure_references(network, crops, targets, content_layers=[TRAINER.content_layer])
    total = sum(measured.style.values())
    with opened(family / "styletuner.db") as storage:
        kept = storage.read_study(NAME).user_attrs[attributes.REFERENCES]
    assert kept["style"] == pytest.approx(dict.fromkeys(TRAINER.style_layers, total / 4), rel=1e-4)
    weights = trials[0].user_attrs[attributes.WEIGHTS]
    wanted = 1e10 * total / (1e5 * measured.content[TRAINER.content_layer])
    assert weights["style"] / weights["content"] == pytest.approx(wanted, rel=1e-3)
    assert weights["total_variation"] == 0.0


def test_show_says_what_they_came_to(family: Path, run_cli: RunCli) -> None:
    told = run_cli("study", "show", NAME, cwd=family).require_success().stdout
    assert re.search(r"^Published defaults: pytorch-examples' \d\.\d{3}; found \d\.\d{3} \(trial", told, re.MULTILINE)
    assert "baseline: pytorch-examples' defaults" in told
    (entry,) = json.loads(run_cli("study", "show", NAME, "--json", cwd=family).stdout)["published"]
    assert (entry["trainer"], entry["trial"], entry["nearness"], entry["reasons"]) == (TRAINER.name, 0, "same", [])
    assert entry["cosine"] > 0.999


def test_the_same_command_goes_on_and_queues_nothing_twice(family: Path, run_cli: RunCli) -> None:
    run_cli(*RUN, "--trials", 3, "--set", "search.published_baselines=true", cwd=family).require_success()
    tried = [attributes.PUBLISHED in trial.user_attrs for trial in read_trials(family / "styletuner.db")]
    assert tried == [True, False, False]
    refused = run_cli("study", "run", "bare.yaml", "--name", NAME, cwd=family)
    refused.require_refusal("`loss.trainer` is pytorch-examples, now none (--trainer)")


def test_what_it_gives_is_the_trainers_and_full_training_keeps_to_it(family: Path, run_cli: RunCli) -> None:
    """The published weights come back as they are, and the finished network's references share as the trainer's do."""
    outcome = run_cli("study", "export", NAME, "--trial", 0, "--as", TRAINER.name, cwd=family).require_success()
    assert "--content-weight 100000 --style-weight 1" in outcome.stdout.replace("1e+05", "100000")
    assert "Approximate" not in outcome.stderr
    run_cli("study", "export", NAME, "--trial", 0, "-o", "best.yaml", cwd=family).require_success()
    exported = yaml.safe_load((family / "best.yaml").read_text())
    assert exported["configuration"]["loss"]["trainer"] == TRAINER.name
    run_cli("train", "best.yaml", "-o", "best.keras", cwd=family).require_success()
    style = yaml.safe_load((family / "best.training.yaml").read_text())["references"]["style"]
    assert set(style) == set(TRAINER.style_layers)
    assert max(style.values()) == pytest.approx(min(style.values()), rel=1e-6)
