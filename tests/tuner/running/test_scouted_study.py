"""A study whose trials start from a scout: trained by it or given, whatever interrupts it, and what it says of that."""

import json
import shutil
from pathlib import Path
from typing import final

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from groundwork.file_hashes import sha256_of
from measures.sampled_values import SampledValues
from models.pictures.images import read_image, write_image
from models.pretrained import files as pretrained
from objectives.training.trainer import StyleTrainer
from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tests.tuner.interruptions import interrupted_training, killed_before
from tests.tuner.tiny_study import NAME, opened, read_trials, run_command
from tuner.configuration.loading import load_config
from tuner.running import scouted_run
from tuner.running.observer import SilentObserver
from tuner.running.scouted_run import settle_scout
from tuner.running.study_run import StudyRun
from tuner.scouting.kept_scout import load_kept_scout
from tuner.scouting.scout import load_scout
from tuner.search.study_pictures import open_pictures

pytestmark = pytest.mark.slow

SETTINGS = ("--set", "scout.images=24", "--set", "scout.checkpoint_every=8", "--set", "scout.suggestions=2")
RUN = ("study", "run", "tiny.yaml", "--name", NAME, "--trials", 6, *SETTINGS, "--scout")
"""The scout's 24 images are the price of two trials of 16: four are left."""


def judge_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have few settings judged, six of them on the sheet: 128 take a minute."""
    monkeypatch.setattr("tuner.scouting.sweeping.NUM_SPREAD", 4)
    for module in ("tuner.scouting.sweeping", "tuner.running.scouted_run"):
        monkeypatch.setattr(f"{module}.SHEET_SHAPE", (2, 3))


def write_anew(folder: Path, name: str, other: str) -> None:
    """Write a scout's network and record once more: the same network, in another file."""
    load_scout(folder / f"{name}.keras").network.save(folder / f"{other}.keras")
    head, document = (folder / f"{name}.training.yaml").read_text().split("\n", 1)
    record = {**yaml.safe_load(document), "network_sha256": sha256_of(folder / f"{other}.keras")}
    (folder / f"{other}.training.yaml").write_text(f"{head}\n{yaml.safe_dump(record)}")


@pytest.fixture(autouse=True)
def _judge_few(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_few(monkeypatch)


@pytest.fixture(scope="module")
def scouted_folder(drawn_study: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` in which a study has trained its scout and run its trials; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("scouted"), dirs_exist_ok=True))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))
        judge_few(monkeypatch)
        outcome = run_command(*RUN, "-o", "out", "--json", cwd=folder).require_success()
    (folder / "events.jsonl").write_text(outcome.stdout, encoding="utf-8")
    (folder / "said.txt").write_text(outcome.stderr, encoding="utf-8")
    return folder


@pytest.fixture
def scouted(scouted_folder: Path, folder: Path) -> Path:
    return Path(shutil.copytree(scouted_folder, folder, dirs_exist_ok=True))


def is_suggested(trial: FrozenTrial) -> bool:
    return attributes.FORETOLD in trial.user_attrs


def record_of(folder: Path) -> StudyRecord:
    with opened(folder / "styletuner.db") as studies:
        return StudyRecord.parse(studies.read_study(NAME).user_attrs)


def test_the_baseline_comes_first_then_suggestions_then_what_the_sampler_draws(scouted: Path) -> None:
    trials = read_trials(scouted / "styletuner.db")
    assert [trial.state.is_finished() for trial in trials] == [True] * 4
    assert [attributes.BASELINE in trial.user_attrs for trial in trials] == [True, False, False, False]
    assert [is_suggested(trial) for trial in trials] == [False, True, True, False]
    foretold = [trial.user_attrs[attributes.FORETOLD]["quality"] for trial in trials[1:3]]
    assert foretold == sorted(foretold, reverse=True)
    said = (scouted / "said.txt").read_text()
    assert "24 images are the price of 2 of 6 trials; 4 are left" in said
    assert said.count("suggested by the scout (foretold ") == 2
    end = json.loads((scouted / "events.jsonl").read_text().splitlines()[-1])
    assert {trial["number"] for trial in end["scout"]["suggested"]} == {1, 2}
    assert end["scout"]["verdict"] in ("holds", "contradicted")
    verdict = said.index("The scout: ")
    assert said.index("trial   2") < verdict < said.index("trial   3"), "told behind the trial that decides it"
    assert read_image(Path(scouted / end["scout_sheet"])).shape[0] > 300


def test_the_study_keeps_the_scout_and_says_so(scouted: Path, run_cli: RunCli) -> None:
    kept = record_of(scouted)
    assert kept.scout is not None
    assert (kept.scout.images, kept.scout.num_suggested) == (24, 2)
    shown = run_cli("study", "show", NAME).require_success().stdout
    assert "Trials start from a scout of 24 images." in shown
    assert shown.count("suggested by the scout (foretold ") == 2
    run_cli("study", "export", NAME, "--scout", "out/mine.keras").require_success()
    with opened(scouted / "styletuner.db") as studies:
        from_study = load_kept_scout(studies, studies.read_study(NAME).user_attrs[attributes.STUDY_UUID])
    for one, other in zip(
        load_scout(scouted / "out/mine.keras").network.get_weights(), from_study.network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_trial_starts_from_the_fold_and_can_be_repeated(
    scouted: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[list[NDArray[np.float32]]] = []
    start = StyleTrainer.start

    def noting(trainer: StyleTrainer, sampled: SampledValues | None, **options: object) -> None:
        start(trainer, sampled, **options)  # type: ignore[arg-type]
        begun.append(trainer.network.get_weights())

    best = (
        run_cli("study", "export", NAME, "--trial", 1, "--scout", "scout.keras")
        .require_success()
        .stdout.splitlines()[0]
    )
    exported = yaml.safe_load((scouted / best).read_text())
    repeat = ("train", best, "--repeat-trial", "-o", "net.keras")
    run_cli(*repeat).require_refusal("start from its scout", "--scout scout.keras", "--from")
    write_anew(scouted, "scout", "other")
    run_cli(*repeat, "--from", "other.keras").require_refusal("other.keras is not the scout that the trials of study")
    monkeypatch.setattr(StyleTrainer, "start", noting)
    said = run_cli(*repeat, "--from", "scout.keras").require_success().stdout
    quality = f"{exported['quality']:.4f}"
    assert f"Quality {quality}; the study's trial 1 had {quality}" in said
    values = SampledValues.from_dict(exported["params"])
    (folded,) = load_scout(scouted / "scout.keras").fold([values])
    for mine, theirs in zip(begun[0], folded.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_going_on_needs_no_other_scout(scouted: Path, run_cli: RunCli) -> None:
    before = record_of(scouted)
    said = run_cli(*RUN[:6], 7, *RUN[7:], "--workers", 2).require_success().stderr
    assert "price of" not in said
    assert len(read_trials(scouted / "styletuner.db")) == 5
    assert record_of(scouted).artifacts == before.artifacts


def test_what_does_not_go_with_a_scout_is_refused(scouted: Path, scout_folder: Path, run_cli: RunCli) -> None:
    for name in ("s.keras", "s.training.yaml"):
        shutil.copy(scout_folder / name, scouted)
    run_cli(*RUN, "--widen").require_refusal("which knows nothing beyond its ranges")
    run_cli(*RUN[:-1]).require_refusal("`search.start` is scout, now noise")
    run_cli(*RUN[:-1], "--start", "noise").require_refusal("`search.start` is scout, now noise")
    run_cli(*RUN[:-1], "--scout-file", "none.keras").require_refusal("none.keras does not exist")
    run_cli(*RUN[:-1], "--scout-file", "s.keras", "--seed", 3).require_refusal(
        "Scout s.keras was trained with `seed` 0; the study has 3"
    )
    storage = (scouted / "styletuner.db").read_bytes()
    run_cli(*RUN[:5], "--trials", 2, *SETTINGS, "--scout").require_refusal(
        "the price of 2 trials of 16: 2 must be left"
    )
    assert (scouted / "styletuner.db").read_bytes() == storage


def test_a_scout_that_is_there_is_taken_and_no_other_later(
    scout_folder: Path, folder: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("s.keras", "s.training.yaml"):
        shutil.copy(scout_folder / name, folder)
    monkeypatch.setattr("tuner.running.scouted_run.train_scout", None)
    run = ("study", "run", "tiny.yaml", "--name", NAME, "--scout-file")
    run_cli(*run, "s.keras", "--trials", 4).require_success()
    trials = read_trials(folder / "styletuner.db")
    assert [trial.state for trial in trials[:1]] == [TrialState.COMPLETE]
    assert [is_suggested(trial) for trial in trials] == [False, True], "the others, when there are more trials"
    assert "Of its 6 suggestions, 1 is finished; so far" in run_cli("study", "show", NAME).require_success().stdout
    write_anew(folder, "s", "t")
    for dry in ([], ["--dry-run"]):
        refused = run_cli(*run, "t.keras", "--trials", 5, *dry)
        refused.require_refusal("has a scout already, another one than t.keras", "export waves --scout FILE")
    # Of two that begin at once with two scouts, the later one sees the other's only when it would give its own.
    monkeypatch.setattr("tuner.running.run_study.require_own_scout", lambda *_: None)
    run_cli(*run, "t.keras", "--trials", 5).require_refusal("has a scout already, another one than t.keras")
    assert len(read_trials(folder / "styletuner.db")) == 2


def test_what_a_study_costs_that_is_given_its_scout_only_now(
    scout_folder: Path, folder: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("s.keras", "s.training.yaml"):
        shutil.copy(scout_folder / name, folder)
    run = ("study", "run", "tiny.yaml", "--name", NAME, "--trials", 6)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tuner.running.scouted_run.keep_scout", killed)
        assert run_cli(*run, "--scout-file", "s.keras").status == 1
    assert record_of(folder).scout is None
    estimate = run_cli(*run, "--scout-file", "s.keras", "--dry-run").require_success()
    assert "A scout of" not in estimate.stdout


def test_what_is_said_by_hand_has_to_fit_the_scout(scout_folder: Path, folder: Path, run_cli: RunCli) -> None:
    for name in ("s.keras", "s.training.yaml"):
        shutil.copy(scout_folder / name, folder)
    run = ("study", "run", "tiny.yaml", "--scout-file", "s.keras", "--trials", 6)
    run_cli(*run, "--set", "scout.images=32").require_refusal("`scout.images` 24; the study has 32. Set it to that")
    for noise in (["--set", "search.start=noise"], ["--start", "noise"]):
        run_cli(*run, *noise).require_refusal("`search.start` must be scout where a scout is given")
    for setting, told in (
        ("network.width=8", "`network.width` 4; the study has 8"),
        (
            "search.style_to_content=[0.001, 10]",
            "for `style_to_content` from 0.01 to 10; the study searches 0.001 to 10",
        ),
    ):
        run_cli(*run, "--set", setting).require_refusal(told)
    write_image(folder / "other.png", read_image(folder / "style.png")[::-1])
    run_cli(*run, "--style", "other.png").require_refusal("Scout s.keras was trained with another style image")
    record = (folder / "s.training.yaml").read_text()
    (folder / "s.training.yaml").write_text(record.replace("images: 24", "images: many", 1))
    run_cli(*run).require_refusal("s.keras is no scout of this version")
    run_cli("study", "run", "tiny.yaml", "--scout-file", "photos").require_refusal("Scout photos is no file")
    assert not (folder / "styletuner.db").exists()


def test_an_interrupted_scout_goes_on_and_one_half_kept_is_replaced(
    folder: Path, own_cache: Path, run_cli: RunCli
) -> None:
    with interrupted_training(part=1):
        assert run_cli(*RUN, "--seed", 5).status == 1
    assert record_of(folder).scout is None
    with killed_before(attributes.SCOUT):
        outcome = run_cli(*RUN, "--seed", 5)
        assert outcome.status == 1
        assert "resuming from" in outcome.stderr
        assert "at 8 of 24 images" in outcome.stderr
    half = record_of(folder)
    assert half.scout is None
    assert half.scout_sheet is not None
    for trained in (own_cache / "crop_tables").rglob("scout-*"):
        trained.unlink()
    assert "trained already" not in run_cli(*RUN, "--seed", 5).require_success().stderr
    trials, whole = read_trials(folder / "styletuner.db"), record_of(folder)
    assert [is_suggested(trial) for trial in trials] == [False, True, True, False]
    assert half.artifacts.items() <= whole.artifacts.items()
    assert whole.scout is not None
    with opened(folder / "styletuner.db") as studies:
        assert sha256_of(studies.artifacts.path_of(whole.scout_network or "")) == whole.scout.sha256
    assert whole.identity["scout_sha256"] == whole.scout.sha256


def test_a_study_that_gets_a_scout_elsewhere_trains_no_further(scouted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"seed": 7, "search": {"start": "scout", "trials": 6}, "scout": {"images": 24}}
    config = load_config(str(scouted / "tiny.yaml"), overrides=wanted)
    with StudyStorage.open(str(scouted / "styletuner.db")) as storage:
        uuid = storage.read_study(NAME).user_attrs[attributes.STUDY_UUID]
        run = StudyRun(storage=storage, uuid=uuid, config=config, pictures=open_pictures(config))
        answers = iter([False, False, True])
        monkeypatch.setattr(scouted_run, "_has_scout", lambda _: next(answers))
        listener = Listener()
        settle_scout(run, given=None, observer=listener)
    assert listener.said[-1] == "Another machine has trained the scout meanwhile"


class TestFilesThatAreGone:
    """What a study goes on without, and what it needs."""

    @staticmethod
    def remove(folder: Path, artifact: str | None) -> None:
        with opened(folder / "styletuner.db") as studies:
            studies.artifacts.path_of(artifact or "").unlink()

    def test_a_sheet_is_not_needed(self, scouted: Path, run_cli: RunCli) -> None:
        self.remove(scouted, record_of(scouted).scout_sheet)
        run_cli(*RUN, "-o", "again").require_success()
        assert (scouted / "again" / f"{NAME}.yaml").exists()

    def test_a_scout_is_put_back_where_it_is_given(self, scouted: Path, run_cli: RunCli) -> None:
        run_cli("study", "export", NAME, "--scout", "kept.keras").require_success()
        (scouted / "best.yaml").unlink()
        self.remove(scouted, record_of(scouted).scout_network)
        more = (*RUN[:6], 7, *RUN[7:])
        run_cli(*more).require_refusal("The scout of study 'waves' is gone", "--scout-file FILE")
        run_cli("study", "export", NAME, "--scout", "more.keras").require_refusal("The scout of study 'waves' is gone")
        assert not (scouted / "best.yaml").exists()
        run_cli(*more[:-1], "--scout-file", "kept.keras").require_success()
        assert len(read_trials(scouted / "styletuner.db")) == 5

    def test_a_damaged_scout_is_said_not_copied_and_mended(self, scouted: Path, run_cli: RunCli) -> None:
        run_cli("study", "export", NAME, "--scout", "kept.keras").require_success()
        with opened(scouted / "styletuner.db") as studies:
            studies.artifacts.path_of(record_of(scouted).scout_network or "").write_bytes(b"half of")
        more = (*RUN[:6], 7, *RUN[7:])
        run_cli(*more).require_refusal("The scout of study 'waves' is damaged in", "--scout-file FILE")
        run_cli("study", "export", NAME, "--scout", "more.keras").require_refusal("is damaged in")
        assert not (scouted / "more.keras").exists()
        run_cli(*more[:-1], "--scout-file", "kept.keras").require_success()
        assert len(read_trials(scouted / "styletuner.db")) == 5

    def test_another_scout_is_not_written_over(self, scouted: Path, scout_folder: Path, run_cli: RunCli) -> None:
        for name in ("s.keras", "s.training.yaml"):
            shutil.copy(scout_folder / name, scouted)
        before = (scouted / "s.keras").read_bytes()
        refused = run_cli("study", "export", NAME, "--scout", "s.keras")
        refused.require_refusal("`--scout` s.keras is another scout than study 'waves' has")
        assert (scouted / "s.keras").read_bytes() == before
        for _ in range(2):
            run_cli("study", "export", NAME, "--scout", "mine.keras").require_success()
        run_cli("study", "export", NAME, "--scout", "mine.txt").require_refusal("`--scout` mine.txt must end in .keras")
        export = ("study", "export", NAME, "-o", "w.training.yaml", "--scout", "w.keras")
        run_cli(*export).require_refusal("The record of `--scout` w.training.yaml would overwrite w.training.yaml")


@final
class Listener(SilentObserver):
    """Notes what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)
