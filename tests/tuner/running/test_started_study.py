"""A study whose trials start from one starter network: trained once, kept, and what goes on without it or not."""

import json
import shutil
import signal
from pathlib import Path

import keras
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from dashboards.notes import study_note
from groundwork.file_hashes import sha256_of
from measures.sampled_values import SampledValues
from models.pretrained import files as pretrained
from objectives.errors import DivergedError
from objectives.training.trainer import StyleTrainer
from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tests.studies.conftest import PostgreSQLServer
from tests.tuner.conftest import RunCli
from tests.tuner.interruptions import interrupted_training, killed_before
from tests.tuner.tiny_study import NAME, CommandProcess, opened, read_trials, run_command
from tuner.running import started_run
from tuner.starting.starter_training import STARTER_VALUES

pytestmark = pytest.mark.slow

RUN = ("study", "run", "tiny.yaml", "--name", NAME, "--trials", 4, "--start", "starter")
"""The starter is worth one of four trials: three are left."""
LONGER = (*RUN[:6], 5, *RUN[7:])


@pytest.fixture(scope="module")
def started_folder(drawn_study: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` in which a study has trained its starter and run its trials; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("started"), dirs_exist_ok=True))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))
        outcome = run_command(*RUN, "-o", "out", cwd=folder).require_success()
    (folder / "said.txt").write_text(outcome.stderr, encoding="utf-8")
    return folder


@pytest.fixture
def started(started_folder: Path, folder: Path) -> Path:
    return Path(shutil.copytree(started_folder, folder, dirs_exist_ok=True))


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[SampledValues | None, list[NDArray[np.float32]]]]:
    """Values and first weights of each training that begins."""
    noted: list[tuple[SampledValues | None, list[NDArray[np.float32]]]] = []
    start = StyleTrainer.start

    def noting(trainer: StyleTrainer, sampled: SampledValues | None, **options: object) -> None:
        start(trainer, sampled, **options)  # type: ignore[arg-type]
        noted.append((sampled, trainer.network.get_weights()))

    monkeypatch.setattr(StyleTrainer, "start", noting)
    return noted


def record_of(folder: Path, name: str = NAME) -> StudyRecord:
    with opened(folder / "styletuner.db") as studies:
        return StudyRecord.parse(studies.read_study(name).user_attrs)


def kept_file(folder: Path, name: str = NAME) -> Path:
    with opened(folder / "styletuner.db") as studies:
        return studies.artifacts.path_of(record_of(folder, name).starter_network or "")


def weights_of(path: Path, folder: Path) -> list[NDArray[np.float32]]:
    """Weights of a kept network; Keras goes by a suffix that artifacts have not."""
    named = Path(shutil.copy(path, folder / "named.keras"))
    weights: list[NDArray[np.float32]] = keras.saving.load_model(named, compile=False).get_weights()
    return weights


def kept_networks(folder: Path) -> list[Path]:
    with opened(folder / "styletuner.db") as studies:
        return [path for path in studies.artifacts.path.iterdir() if path.read_bytes()[:2] == b"PK"]


def are_equal(some: list[NDArray[np.float32]], others: list[NDArray[np.float32]]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


def test_it_is_trained_once_at_the_price_of_a_trial(started: Path, run_cli: RunCli) -> None:
    trials = read_trials(started / "styletuner.db")
    assert [trial.state.is_finished() for trial in trials] == [True] * 3
    assert [attributes.BASELINE in trial.user_attrs for trial in trials] == [True, False, False]
    said = (started / "said.txt").read_text()
    assert "16 images at equal weights: the price of one of 4 trials; 3 are left" in said
    known = record_of(started)
    assert known.starter is not None
    assert known.starter.images == 16
    assert known.starter.sha256 == sha256_of(kept_file(started)) == known.identity["starter_sha256"]
    assert "Trials start from one starter network, trained on 16 images" in run_cli("study", "show", NAME).stdout
    with opened(started / "styletuner.db") as studies:
        assert known.starter.in_words() in study_note(summarise(studies, NAME))
    shown = json.loads(run_cli("study", "show", NAME, "--json").stdout)
    assert shown["starter"] == {"images": 16, "sha256": known.starter.sha256}
    before = known.artifacts
    said = run_cli(*LONGER, "--workers", 2).require_success().stderr
    assert "Trials start from" not in said
    assert len(read_trials(started / "styletuner.db")) == 4
    assert record_of(started).artifacts == before


def test_all_trials_begin_with_it(
    folder: Path, run_cli: RunCli, begun: list[tuple[SampledValues | None, list[NDArray[np.float32]]]]
) -> None:
    run_cli(*RUN, "--seed", 5, "--set", "network.norm=batch").require_success()
    (values, noise), *trials = begun
    assert values == STARTER_VALUES
    starter = weights_of(kept_file(folder), folder)
    assert [are_equal(weights, starter) for _, weights in trials] == [True] * 3
    assert not are_equal(noise, starter)


def test_a_trial_can_be_repeated_from_it_alone(started: Path, run_cli: RunCli) -> None:
    run_cli("study", "export", NAME, "--trial", 1, "--starter", "start.keras").require_success()
    exported = yaml.safe_load((started / "best.yaml").read_text())
    repeat = ("train", "best.yaml", "--repeat-trial", "-o", "net.keras")
    run_cli(*repeat).require_refusal("start from its starter", "--starter starter.keras", "--from")
    keras.saving.load_model(started / "start.keras").save(started / "other.keras")
    run_cli(*repeat, "--from", "other.keras").require_refusal("other.keras is not the starter")
    said = run_cli(*repeat, "--from", "start.keras").require_success().stdout
    quality = f"{exported['quality']:.4f}"
    assert f"Quality {quality}; the study's trial 1 had {quality}" in said


def test_what_goes_wrong_with_a_copy_of_it(started: Path, run_cli: RunCli) -> None:
    export = ("study", "export", NAME, "--starter")
    for _ in range(2):
        assert run_cli(*export, "start.keras").require_success().stdout.splitlines() == ["best.yaml", "start.keras"]
    keras.saving.load_model(started / "start.keras").save(started / "other.keras")
    before = (started / "other.keras").read_bytes()
    (started / "best.yaml").unlink()
    run_cli(*export, "other.keras").require_refusal("`--starter` other.keras is there")
    run_cli(*export, "start.txt").require_refusal("must end in .keras")
    run_cli(*export[:-1], "--scout", "s.keras").require_refusal("has no scout: its trials start from something else")
    assert (started / "other.keras").read_bytes() == before
    assert not (started / "best.yaml").exists()


@pytest.mark.parametrize("damage", ["gone from", "damaged in"])
def test_a_study_does_not_go_on_from_another_one(started: Path, run_cli: RunCli, damage: str) -> None:
    if damage == "gone from":
        kept_file(started).unlink()
    else:
        kept_file(started).write_bytes(b"half of")
    for dry in ([], ["--dry-run"]):
        run_cli(*LONGER, *dry).require_refusal(f"The starter of study 'waves' is {damage}", "--new")
    run_cli("study", "export", NAME, "--starter", "a.keras").require_refusal(f"is {damage}")
    assert len(read_trials(started / "styletuner.db")) == 3
    run_cli("study", "export", NAME).require_success()


def test_an_interrupted_one_goes_on_and_one_half_kept_is_replaced(
    folder: Path, own_cache: Path, run_cli: RunCli
) -> None:
    run = (*RUN, "--seed", 6)
    others = set((own_cache / "crop_tables").rglob("starter-*"))
    with interrupted_training(part=2):
        assert run_cli(*run).status == 1
    assert record_of(folder).starter is None
    with killed_before(attributes.STARTER):
        outcome = run_cli(*run)
        assert outcome.status == 1
        assert "at 8 of 16 images" in outcome.stderr
    half = record_of(folder)
    assert half.starter is None
    kept_file(folder).write_bytes(b"half of")
    run_cli(*run).require_success()
    assert record_of(folder).artifacts == record_of(folder).artifacts | half.artifacts, "replaced, not kept beside it"
    assert kept_networks(folder) == [kept_file(folder)]
    for trained in set((own_cache / "crop_tables").rglob("starter-*")) - others:
        trained.unlink()
    run_cli(*run[:4], "again", *run[5:]).require_success()
    mine, theirs = (weights_of(kept_file(folder, name), folder) for name in ("again", NAME))
    assert are_equal(mine, theirs), "the same configuration gives the same starter, however often it was interrupted"
    one, other = ([trial.value for trial in read_trials(folder / "styletuner.db", name)] for name in ("again", NAME))
    assert one == other


@pytest.mark.usefixtures("started")
def test_one_that_is_trained_already_is_taken(folder: Path, run_cli: RunCli) -> None:
    said = run_cli(*RUN, "--new", "--workers", 2).require_success().stderr
    assert "trained already, by a study of the same crops" in said
    assert len(read_trials(folder / "styletuner.db", f"{NAME}-2")) == 3
    assert record_of(folder, f"{NAME}-2").starter == record_of(folder).starter


def test_a_study_that_gets_one_elsewhere_trains_no_further(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, False, True])
    monkeypatch.setattr(started_run, "_has_starter", lambda _: next(answers))
    outcome = run_cli(*RUN, "--seed", 8)
    assert "Another process has trained the starter meanwhile" in outcome.stderr
    outcome.require_refusal("has not got its starter")


def test_two_machines_begin_at_once(
    folder: Path, own_cache: Path, postgresql_server: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a cache of its own, so that neither waits for the other; who ends first gives the study its starter."""
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", str(folder / "kept"))
    address = postgresql_server.new_database()
    machines = [folder / "one", folder / "other"]
    for cache in machines:
        cache.mkdir()
        for file in (path for path in own_cache.iterdir() if path.is_file()):
            (cache / file.name).symlink_to(file.resolve())
    run = (*RUN, "--storage", address, "--set", "training.images=400")
    environments = [{pretrained.CACHE_VARIABLE: str(cache)} for cache in machines]
    try:
        with (
            CommandProcess(*run, cwd=folder, environment=environments[0]) as one,
            CommandProcess(*run, cwd=folder, environment=environments[1]) as other,
        ):
            assert (one.wait(), other.wait()) == (0, 0), one.output + other.output
            said = one.output + other.output
        assert said.count("the price of one of 4 trials") == 2, "both began to train it"
        assert len(read_trials(address)) == 3
        assert all(trial.state.is_finished() for trial in read_trials(address))
        with opened(address) as studies:
            record = StudyRecord.parse(studies.read_study(NAME).user_attrs)
            kept = studies.artifacts.path_of(record.starter_network or "")
            networks = [path for path in studies.artifacts.path.iterdir() if path.read_bytes()[:2] == b"PK"]
        assert networks == [kept], "one alone is kept"
        assert record.starter is not None
        assert record.starter.sha256 == sha256_of(kept) == record.identity["starter_sha256"]
    finally:
        postgresql_server.drop_database(address)


def test_a_wider_study_starts_from_the_same(started: Path, run_cli: RunCli) -> None:
    # Whatever won, it lies near an end of so narrow a range.
    narrow = (*RUN[:4], "narrow", *RUN[7:], "--set", "search.style_to_content=[0.99, 1.02]")
    run_cli(*narrow).require_success()
    estimated = run_cli(*narrow, "--widen", "--dry-run").require_success()
    assert "4 more to come" in estimated.stderr
    assert estimated.stdout.startswith("4 trials of 16 images")
    ended = json.loads(run_cli(*narrow, "--widen", "--json").require_success().stdout.splitlines()[-1])
    name = ended["name"]
    assert name != "narrow"
    assert len(read_trials(started / "styletuner.db", name)) == 2 + 4
    assert record_of(started, name).starter == record_of(started, "narrow").starter
    assert kept_file(started, name) != kept_file(started, "narrow")
    again = run_cli(*narrow, "--widen", "--dry-run")
    assert f"{name} goes on beyond" not in again.stderr, "it has all its trials: widened once more, or at no end"
    run_cli("study", "delete", "narrow", "--yes").require_success()
    run_cli("study", "export", name, "--starter", "wide.keras").require_success()


def test_what_is_gone_is_said_before_a_wider_study_begins(started: Path, run_cli: RunCli) -> None:
    narrow = (*RUN[:4], "narrow", *RUN[7:], "--set", "search.style_to_content=[0.99, 1.02]")
    run_cli(*narrow).require_success()
    kept_file(started, "narrow").unlink()
    run_cli(*narrow, "--widen").require_refusal("The starter of study 'narrow' is gone from")
    with opened(started / "styletuner.db") as studies:
        assert set(studies.study_names()) == {NAME, "narrow"}
    run_cli(*narrow, "--dry-run").require_success()


def test_what_a_copy_says_whose_file_was_gone(started: Path, run_cli: RunCli) -> None:
    with StudyStorage.open(str(started / "styletuner.db")) as storage:
        storage.load_study(NAME).set_user_attr(attributes.STARTER_NETWORK, None)
    run_cli(*LONGER).require_refusal("The starter of study 'waves' is gone from")


def test_ctrl_c_leaves_a_checkpoint(folder: Path) -> None:
    run = (*RUN, "--seed", 9, "--set", "training.images=2000")
    for said in ("400/2000 images", "resuming from"):
        with CommandProcess(*run, cwd=folder) as process:
            process.wait_until(lambda process=process, said=said: said in process.output)
            process.signal_group(signal.SIGINT)
            assert process.wait() == 1
            assert "Traceback" not in process.output
    assert record_of(folder).starter is None


def test_a_re_scored_study_goes_on_from_the_same(started: Path, run_cli: RunCli) -> None:
    with StudyStorage.open(str(started / "styletuner.db")) as storage:
        storage.load_study(NAME).set_user_attr(attributes.JUDGE_VERSION, "1")
    run_cli("study", "rescore", NAME).require_success()
    with opened(started / "styletuner.db") as studies:
        (name,) = set(studies.study_names()) - {NAME}
    assert record_of(started, name).starter == record_of(started).starter
    run_cli("study", "delete", NAME, "--yes").require_success()
    run_cli(*LONGER[:4], name, *LONGER[5:]).require_success()
    assert len(read_trials(started / "styletuner.db", name)) == 4
    run_cli("study", "export", name, "--starter", "kept.keras").require_success()


def test_one_that_diverges_is_said(folder: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverged(*_: object, **__: object) -> object:
        raise DivergedError("diverged: the style loss is not finite")

    monkeypatch.setattr(StyleTrainer, "train", diverged)
    run_cli(*RUN, "--seed", 7).require_refusal("diverged: the style loss", "`training.learning_rate`")
    assert record_of(folder).starter is None


@pytest.mark.usefixtures("started")
def test_a_trial_is_trained_on_from_the_starter(folder: Path, run_cli: RunCli) -> None:
    """So that it passes through its own score, which from noise it would not."""
    (trial, *_) = read_trials(folder / "styletuner.db")
    command = ("study", "extend", NAME, "--trial", trial.number, "--images", "2x", "--photos", "photos", "--json")
    outcome = run_cli(*command).require_success()
    (run,) = json.loads(outcome.stdout)["runs"]
    assert run["qualities"]["16"] == pytest.approx(trial.value, abs=1e-4)
    assert "start from noise" not in outcome.stderr


@pytest.mark.usefixtures("started")
def test_what_it_costs_and_what_it_does_not_go_with(run_cli: RunCli) -> None:
    said = run_cli(*RUN[:4], "new", *RUN[5:], "--dry-run").require_success().stdout
    assert "A starter of 16 images and 3 trials of 16 images" in said
    said = run_cli(*LONGER, "--dry-run").require_success().stdout
    assert "A starter" not in said
    assert "4 trials of 16 images" in said
    run_cli(*RUN[:-2]).require_refusal("`search.start` is starter, now noise")
    run_cli(*RUN, "--scout").require_refusal("--start is starter")
    run_cli(*RUN[:6], 2, *RUN[7:]).require_refusal("the price of 1 trial of 16: 2 must be left", "--start noise")
