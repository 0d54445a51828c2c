"""A study of content and style, through the command line, with its trials really trained."""

import json
import shutil
from pathlib import Path

import optuna
import pytest
import yaml
from optuna.trial import TrialState

from models.pretrained import files as pretrained
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, opened, read_trials, require_exactly, run_command

pytestmark = pytest.mark.slow

RUN = ("study", "run", "tiny.yaml", "--name", NAME)
FRONT = ("--set", "search.objectives=content_and_style")
TOTAL = 7


@pytest.fixture(scope="module")
def front_folder(drawn_study: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` in which a study of two objectives has run seven trials, in two commands."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("front"), dirs_exist_ok=True))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))
        run_command(*RUN, *FRONT, "--trials", 2, cwd=folder).require_success()
        outcome = run_command(*RUN, *FRONT, "--trials", TOTAL, "-o", "out", cwd=folder).require_success()
    (folder / "said.txt").write_text(outcome.stdout + outcome.stderr)
    return folder


@pytest.fixture
def front(front_folder: Path, tmp_path: Path) -> Path:
    """A copy of `front_folder` to work in; use it with `run_cli`, whose folder it is."""
    return Path(shutil.copytree(front_folder, tmp_path, dirs_exist_ok=True))


def test_trials_end_with_two_values_that_their_photos_give(front_folder: Path) -> None:
    storage = front_folder / "styletuner.db"
    require_exactly(storage, TOTAL)
    with opened(storage) as studies:
        study = studies.read_study(NAME)
        assert study.metric_names == ["content", "style"]
        summary = summarise(studies, NAME)
    complete = [trial for trial in summary.trials if trial.state == "COMPLETE"]
    for trial in complete:
        assert trial.values == tuple(trial.parts["objectives"].values())
        for value, part in zip(trial.values, ("content_preservation", "style_match"), strict=True):
            assert 0 <= value <= trial.parts[part]
        assert list(trial.qualities) == [8, 16]
        assert trial.quality == trial.qualities[16]
    assert len({trial.values for trial in complete}) == len(complete), "a constant would not test anything"


def test_trials_are_pruned_where_quality_is_below_the_median(front_folder: Path) -> None:
    """What the median pruner does after four trials, worked out again from the noted qualities."""
    trials = read_trials(front_folder / "styletuner.db")
    before: list[dict[str, float]] = []
    for trial in trials:
        noted = trial.user_attrs["rung_qualities"]
        if len(before) >= 4:
            at_rung = sorted(one["8"] for one in before)
            middle = len(at_rung) // 2
            median = at_rung[middle] if len(at_rung) % 2 else (at_rung[middle - 1] + at_rung[middle]) / 2
            assert (trial.state is TrialState.PRUNED) == (noted["8"] < median)
            assert list(noted) == (["8"] if trial.state is TrialState.PRUNED else ["8", "16"])
        else:
            assert trial.state is TrialState.COMPLETE
        if trial.state is TrialState.COMPLETE:
            before.append(noted)
    assert any(trial.state is TrialState.PRUNED for trial in trials)
    assert all(not trial.intermediate_values for trial in trials)


def test_run_says_best_and_front_and_writes_both(front_folder: Path) -> None:
    with opened(front_folder / "styletuner.db") as studies:
        summary = summarise(studies, NAME)
    assert summary.best is not None
    said = (front_folder / "said.txt").read_text()
    assert f"Best: trial {summary.best.number}, quality" in said
    numbers = ", ".join(str(trial.number) for trial in summary.front())
    assert f"Front of content and style, most content first: trials {numbers}" in said
    written = yaml.safe_load((front_folder / "out" / f"{NAME}.yaml").read_text())
    assert (written["trial"], written["quality"]) == (summary.best.number, summary.best.quality)
    assert (front_folder / "out" / f"{NAME}.png").stat().st_size > 0


@pytest.mark.usefixtures("front")
def test_show_marks_the_front(run_cli: RunCli) -> None:
    listed = json.loads(run_cli("study", "show", NAME, "--json").require_success().stdout)
    assert listed["objectives"] == ["content", "style"]
    values = {trial["number"]: trial["values"] for trial in listed["trials"] if trial["state"] == "COMPLETE"}
    assert [values[number][0] for number in listed["front"]] == sorted(
        (values[number][0] for number in listed["front"]), reverse=True
    )
    assert [values[number][1] for number in listed["front"]] == sorted(values[number][1] for number in listed["front"])
    shown = run_cli("study", "show", NAME).require_success().stdout
    marked = {int(line.split()[0]) for line in shown.splitlines() if "  on the front" in line}
    assert marked == set(listed["front"])
    assert "Front of content and style" in run_cli("study", "list").require_success().stdout


@pytest.mark.usefixtures("finished")
def test_a_study_of_quality_has_no_front(run_cli: RunCli) -> None:
    listed = json.loads(run_cli("study", "show", NAME, "--json").require_success().stdout)
    assert (listed["objectives"], listed["front"]) == (["quality"], [])
    assert "front" not in run_cli("study", "show", NAME).require_success().stdout.lower()


def exported(folder: Path) -> int:
    return int(yaml.safe_load((folder / "best.yaml").read_text())["trial"])


def test_export_prefers(run_cli: RunCli, front: Path) -> None:
    front_trials = json.loads(run_cli("study", "show", NAME, "--json").require_success().stdout)["front"]
    run_cli("study", "export", NAME, "--prefer", "1.0").require_success()
    most_content = exported(front)
    run_cli("study", "export", NAME, "--prefer", 0).require_success()
    assert {most_content, exported(front)} <= set(front_trials)
    outcome = run_cli("study", "export", NAME, "--prefer", "balanced").require_success()
    assert f"Content against style 0.5 to 0.5: trial {exported(front)} comes first" in outcome.stderr
    assert f"of {len(front_trials)} on the front" in outcome.stderr
    balanced = exported(front)
    run_cli("study", "export", NAME).require_success()
    assert exported(front) == balanced, "the study's own exponent is a half"
    for word, number in (("content", 0.75), ("style", 0.25)):
        run_cli("study", "export", NAME, "--prefer", word).require_success()
        by_word = exported(front)
        run_cli("study", "export", NAME, "--prefer", number).require_success()
        assert exported(front) == by_word


def test_a_study_of_quality_can_be_ranked_anew(run_cli: RunCli, finished: Path) -> None:
    outcome = run_cli("study", "export", NAME, "--prefer", "style").require_success()
    assert f"trial {exported(finished)} comes first" in outcome.stderr
    assert "complete trials" in outcome.stderr


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "colour", ""])
def test_a_preference_that_is_none(run_cli: RunCli, value: str) -> None:
    run_cli("study", "export", NAME, f"--prefer={value}").require_refusal(
        "'--prefer'", "content, balanced, style, or a number from 0 to 1", f"Received {value!r}"
    )


def test_one_trial_and_a_preference(run_cli: RunCli) -> None:
    run_cli("study", "export", NAME, "--prefer", "style", "--trial", 1).require_refusal("--trial", "--prefer")


def test_objectives_are_part_of_a_study(run_cli: RunCli, front: Path) -> None:
    before = read_trials(front / "styletuner.db")
    run_cli(*RUN, "--trials", TOTAL).require_refusal(
        f"Study '{NAME}' exists and differs", "`search.objectives` is content_and_style, now quality"
    )
    assert len(read_trials(front / "styletuner.db")) == len(before)


@pytest.mark.usefixtures("finished")
def test_a_study_of_quality_does_not_become_one_of_two(run_cli: RunCli) -> None:
    run_cli(*RUN, *FRONT).require_refusal("`search.objectives` is quality, now content_and_style")


def test_a_study_killed_before_it_was_described_keeps_its_number_of_objectives(run_cli: RunCli, folder: Path) -> None:
    with StudyStorage.create(str(folder / "styletuner.db")) as studies:
        optuna.create_study(study_name=NAME, storage=studies.optuna, direction="maximize")
    run_cli(*RUN, *FRONT).require_refusal("`search.objectives: content_and_style`", "--name")


def test_unknown_objectives(run_cli: RunCli) -> None:
    run_cli(*RUN, "--set", "search.objectives=content").require_refusal(
        "`search.objectives`", "'quality' or 'content_and_style'", "Received 'content'"
    )


@pytest.mark.usefixtures("front")
def test_enqueued_weights_are_run_in_it(run_cli: RunCli, folder: Path) -> None:
    run_cli("study", "enqueue", NAME, "--weights", 1, 0.5, 0.02).require_success()
    run_cli(*RUN, *FRONT, "--trials", TOTAL + 1).require_success()
    trial = read_trials(folder / "styletuner.db")[TOTAL]
    assert trial.params == pytest.approx({"style_to_content": 0.5, "tv_to_content": 0.02})
    assert trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
