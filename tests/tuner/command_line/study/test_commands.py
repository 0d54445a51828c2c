"""A study from its first run to restyled photos, through the command line."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import yaml
from optuna.trial import TrialState

from models.pictures.images import read_image, write_image
from tests.objectives.drawn_pictures import draw_photo
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, num_finished, read_trials, require_exactly
from tuner.command_line.main import styletuner

pytestmark = pytest.mark.slow

RUN = ("study", "run", "tiny.yaml", "--name", NAME)
PARTS = ("content_preservation", "style_match", "artefact_factor")


def all_commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, (*path, name))
        else:
            yield *path, name


@pytest.mark.parametrize("path", list(all_commands(styletuner)), ids=" ".join)
def test_help_has_an_example(run_cli: RunCli, path: tuple[str, ...]) -> None:
    text = run_cli(*path, "--help").require_success().stdout
    assert "Example: styletuner" in text
    assert text == run_cli(*path, "-h").require_success().stdout


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_dry_run_leaves_nothing_behind(run_cli: RunCli, folder: Path) -> None:
    before = files_below(folder)
    outcome = run_cli(*RUN, "--trials", 5, "--dry-run", "-o", "out").require_success()
    assert re.search(r"5 trials of 16 images: at most \d+ (s|min).*\d+ MB of disk", outcome.stdout)
    assert files_below(folder) == before
    assert not (folder / "out").exists()


def test_dry_run_as_json(run_cli: RunCli) -> None:
    from_starter = (*RUN, "--trials", 5, "--start", "starter", "--dry-run", "--json")
    started = json.loads(run_cli(*from_starter).require_success().stdout)
    assert (started["num_trials"], started["start"], started["start_images"]) == (4, "starter", 16)
    said = run_cli(*RUN, "--trials", 5, "--dry-run", "--json").require_success().stdout
    estimate = json.loads(said)
    assert estimate.pop("seconds") > 0
    assert estimate.pop("num_bytes") > 0
    counted = {
        "num_trials": 5,
        "num_images": 16,
        "start": "noise",
        "start_images": 0,
        "num_finished": None,
        "num_fitting": None,
        "num_final_runs": 0,
        "study": NAME,
    }
    assert estimate == {"event": "estimate", "widen": False, **counted}


@pytest.mark.parametrize(
    "settings",
    [("training.images=8",), ("data.feature_cache_megabytes=0",), ("training.images=8", "data.num_crops=5")],
    ids=" ".join,
)
def test_dry_run_of_any_size(run_cli: RunCli, settings: tuple[str, ...]) -> None:
    """Fewer images than are measured otherwise; features computed in every step."""
    flags = [flag for setting in settings for flag in ("--set", setting)]
    outcome = run_cli(*RUN, *flags, "--dry-run").require_success()
    assert "with one worker" in outcome.stdout
    assert ("computing them in every step" in outcome.stderr) == ("data.feature_cache_megabytes=0" in settings)


def test_interrupt_of_a_new_study_says_its_name(
    finished: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tuner.running.workers.in_process.run_here", interrupt)
    outcome = run_cli(*RUN, "--new", "--set", "seed=7")
    assert outcome.status == 1
    assert f"Interrupted. Run the command again to go on, with --name {NAME}-2 in place of --new." in outcome.stderr
    again = run_cli(*RUN, "--trials", 4)
    assert "Interrupted. Run the same command again to go on." in again.stderr
    assert read_trials(finished / "styletuner.db", f"{NAME}-2")


def test_what_it_says_can_be_pasted(run_cli: RunCli, folder: Path) -> None:
    name, storage = "my waves", folder / "my studies.db"
    arguments = ("study", "run", "tiny.yaml", "--name", name, "--storage", storage, "--trials", 1)
    lines = run_cli(*arguments).require_success().stdout.splitlines()
    export = next(line.partition("styletuner")[2] for line in lines if "export" in line)
    assert shlex.split(export) == ["study", "export", name, "-o", "best.yaml", "--storage", str(storage)]
    run_cli(*shlex.split(export)).require_success()
    assert lines[-1].endswith(f"styletuner dashboard '{storage}'")


@pytest.mark.usefixtures("finished")
class TestFinishedStudy:
    def test_list(self, run_cli: RunCli) -> None:
        assert f"{NAME}: 3 complete" in run_cli("study", "list").require_success().stdout
        (study,) = json.loads(run_cli("study", "list", "--json").require_success().stdout)
        assert study["name"] == NAME
        assert study["num_by_state"] == {"COMPLETE": 3}

    def test_show(self, run_cli: RunCli, folder: Path) -> None:
        study = json.loads(run_cli("study", "show", NAME, "--json").require_success().stdout)
        for trial in study["trials"]:
            assert 0 < trial["quality"] < 1
            assert set(PARTS) < set(trial["parts"])
            assert sum(trial["weights"].values()) == pytest.approx(1)
            assert list(trial["qualities"]) == ["8", "16"]
        assert study["trials"][0]["weights"]["content"] == pytest.approx(1 / 2.1), "the baseline comes first"

        shown = run_cli("study", "show", NAME, "--sheet", "sheets/sheet.png").require_success()
        qualities = [float(number) for number in re.findall(r"^ +\d+  complete +(\d\.\d+)", shown.stdout, re.MULTILINE)]
        assert qualities == sorted(qualities, reverse=True)
        assert len(qualities) == 3
        lowered = [reason["text"] for trial in study["trials"] for reason in trial["lowered_by"]]
        assert lowered, "so short a run paints nothing"
        assert all(text in shown.stdout for text in lowered)
        parts = study["best"]["parts"]
        doubt = f"± {parts['standard_error']:.3f} (spread over photos {parts['spread']:.3f})"
        assert f"quality {study['best']['quality']:.3f} {doubt}" in shown.stdout
        for number in study["tied_with_best"]:
            assert re.search(rf"^ +{number} .*tied with the best", shown.stdout, re.MULTILINE)
        assert read_image(folder / "sheets" / "sheet.png").shape[0] > 4 * 48

    def test_export(self, run_cli: RunCli, folder: Path) -> None:
        study = json.loads(run_cli("study", "show", NAME, "--json").require_success().stdout)
        best = max(study["trials"], key=lambda trial: trial["quality"])
        run_cli("study", "export", NAME, "-o", "best.yaml").require_success()
        exported = yaml.safe_load((folder / "best.yaml").read_text())
        assert exported["trial"] == best["number"]
        assert exported["weights"] == pytest.approx(best["weights"])
        assert exported["configuration"]["network"]["width"] == 4
        assert (folder / "best_style.png").read_bytes() == (folder / "style.png").read_bytes()

        run_cli("study", "export", NAME, "-o", "top/best.yaml", "--top", 2).require_success()
        names = ("best-1.yaml", "best-2.yaml")
        first, second = (yaml.safe_load((folder / "top" / name).read_text()) for name in names)
        assert first["trial"] == best["number"]
        assert first["quality"] > second["quality"]
        run_cli("study", "export", NAME, "--trial", 1, "-o", "one.yaml").require_success()
        assert yaml.safe_load((folder / "one.yaml").read_text())["trial"] == 1
        assert run_cli("study", "export", NAME, "--trial", 1, "--top", 2).status == 2

    def test_running_again_changes_nothing(self, run_cli: RunCli, folder: Path) -> None:
        before = read_trials(folder / "styletuner.db")
        outcome = run_cli(*RUN, "-o", "out").require_success()
        assert f"{NAME}: 3 complete" in outcome.stdout
        assert f"styletuner dashboard {folder / 'styletuner.db'}" in outcome.stdout
        assert read_trials(folder / "styletuner.db") == before
        assert {path.name for path in (folder / "out").iterdir()} == {
            f"{NAME}.yaml",
            f"{NAME}_style.png",
            f"{NAME}.png",
        }

    def test_dry_run_says_how_far_it_is(self, run_cli: RunCli) -> None:
        outcome = run_cli(*RUN, "--trials", 5, "--dry-run").require_success()
        assert "whole study, of which 3 trials are finished" in outcome.stdout
        assert "are finished" not in run_cli(*RUN, "--new", "--dry-run").require_success().stdout

    def test_enqueued_weights_come_next(self, run_cli: RunCli, folder: Path) -> None:
        outcome = run_cli("study", "enqueue", NAME, "--weights", 2, 1, 0.02).require_success()
        assert "content 0.6623, style 0.3311, total variation 0.006623; 1 trial waiting" in " ".join(
            outcome.stdout.split()
        )
        run_cli(*RUN, "--trials", 5).require_success()
        require_exactly(folder / "styletuner.db", 5)
        asked, sampled = read_trials(folder / "styletuner.db")[3:]
        assert asked.params == pytest.approx({"style_to_content": 0.5, "tv_to_content": 0.01})
        assert sampled.params != asked.params

    def test_photos_may_move(self, run_cli: RunCli, folder: Path) -> None:
        (folder / "photos").rename(folder / "moved")
        run_cli(*RUN, "--photos", "moved", "--trials", 4).require_success()
        assert num_finished(folder / "styletuner.db") == 4

    def test_delete(self, run_cli: RunCli, folder: Path) -> None:
        pictures = list((folder / "styletuner_artifacts").iterdir())
        assert len(pictures) == 4 + 3 * 3, (
            "style image as it was given and as it was judged, two strips of photos; a sheet and two strips of outputs "
            "a trial"
        )
        assert run_cli("study", "delete", NAME).status == 1, "nobody said yes"
        assert list((folder / "styletuner_artifacts").iterdir()) == pictures
        run_cli("study", "delete", NAME, "--yes").require_success()
        assert not list((folder / "styletuner_artifacts").iterdir())
        assert json.loads(run_cli("study", "list", "--json").require_success().stdout) == []
        assert "No study yet" in run_cli("study", "list").stdout

    @pytest.mark.parametrize("trial", [0, 1])
    def test_repeated_trial_has_the_same_quality(self, run_cli: RunCli, folder: Path, trial: int) -> None:
        """The issue asks for 0.01; the same machine does better."""
        run_cli("study", "export", NAME, "--trial", trial, "-o", "best.yaml").require_success()
        outcome = run_cli("train", "best.yaml", "-o", "net.keras", "--repeat-trial").require_success()
        match = re.search(r"Quality (\d\.\d+); the study's trial (\d) had (\d\.\d+)", outcome.stdout)
        assert match is not None
        assert int(match[2]) == trial
        assert float(match[1]) == pytest.approx(float(match[3]), abs=1e-3)
        assert float(match[3]) == pytest.approx(read_trials(folder / "styletuner.db")[trial].value, abs=1e-4)
        assert (folder / "net.keras").is_file()

    def test_repeated_trial_keeps_its_sizes(self, run_cli: RunCli) -> None:
        run_cli("study", "export", NAME).require_success()
        outcome = run_cli("train", "best.yaml", "-o", "net.keras", "--repeat-trial", "--images", 16)
        assert outcome.status == 2
        assert "Leave --images" in outcome.stderr


@pytest.fixture
def network(finished: Path, run_cli: RunCli) -> Path:
    """A network that "train" has made in `finished`."""
    run_cli("study", "export", NAME).require_success()
    sizes = ("--images", 16, "--crop-size", 48, "--style-size", 48)
    outcome = run_cli("train", "best.yaml", "-o", "nets/net.keras", *sizes).require_success()
    assert "16/16 images" in outcome.stdout
    assert {path.name for path in (finished / "nets").iterdir()} == {"net.keras", "net.training.yaml"}
    return finished / "nets" / "net.keras"


def test_stylize(network: Path, run_cli: RunCli, folder: Path) -> None:
    """Odd sizes, nested folders, two photos of one name."""
    write_image(folder / "odd.png", draw_photo(90, height=51, width=77))
    (folder / "more" / "deep").mkdir(parents=True)
    write_image(folder / "more" / "deep" / "odd.png", draw_photo(91, height=33, width=40))
    write_image(folder / "more" / "tiny.png", draw_photo(92, height=16, width=17))
    (folder / "more" / "notes.txt").write_text("no photo")
    outcome = run_cli("stylize", network, "odd.png", "more", "-o", "out").require_success()
    shapes = {path.name: read_image(path).shape[:2] for path in (folder / "out").iterdir()}
    assert set(shapes) == {"odd.png", "odd-2.png", "tiny.png"}
    assert {shapes["odd.png"], shapes["odd-2.png"]} == {(51, 77), (33, 40)}
    assert shapes["tiny.png"] == (16, 17)
    assert len(outcome.stdout.splitlines()) == 3
    for path in (folder / "out").iterdir():
        assert np.std(read_image(path)) > 0

    run_cli("stylize", network, "odd.png", "-o", "small", "--size", 32, "--format", "jpg").require_success()
    assert read_image(folder / "small" / "odd.jpg").shape[:2] == (32, 48)


@pytest.mark.usefixtures("network")
def test_exported_record_beside_the_network(folder: Path) -> None:
    record = yaml.safe_load((folder / "nets" / "net.training.yaml").read_text())
    assert sum(record["weights"].values()) == pytest.approx(1)
    assert record["images"] == 16
    assert record["configuration"]["full_training"]["crop_size"] == 48
    assert {"content", "style", "total_variation"} <= set(record["references"])


def test_new_study_starts_with_the_baseline(run_cli: RunCli, folder: Path) -> None:
    """Without --name it gets one that says what it is, and finds it again."""
    arguments = ("study", "run", "tiny.yaml", "--set", "search.baseline=[1, 2, 0.5]")
    outcome = run_cli(*arguments, "--trials", 1).require_success()
    match = re.search(r"^Study (study-style-[0-9a-f]{6}) in", outcome.stderr, re.MULTILINE)
    assert match is not None
    (trial,) = read_trials(folder / "styletuner.db", match[1])
    assert trial.state is TrialState.COMPLETE
    assert trial.params == pytest.approx({"style_to_content": 2, "tv_to_content": 0.5})
    run_cli(*arguments, "--trials", 2).require_success()
    require_exactly(folder / "styletuner.db", 2, match[1])
