import io
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import optuna
import PIL.Image
import pytest

from dashboards.errors import ServeError
from dashboards.server import bind_dashboard
from studies.storage.study_storage import StudyStorage
from tests.chromium import find_chromium
from tests.dashboards.serving import running_dashboard

NUM_TRIALS = 3
PROGRAM = "import sys\nfrom studies.storage.study_storage import StudyStorage\nfrom dashboards.server import serve\n"


def picture(level: float) -> bytes:
    ramp = np.linspace(0, 255, 240, dtype=np.uint8)
    pixels = np.stack(np.broadcast_arrays(ramp[None, :], ramp[:160, None], np.uint8(255 * level)), axis=-1)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    """One study of three finished trials with a picture each."""
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        study = optuna.create_study(storage=opened.optuna, study_name="demo-waves", direction="maximize")

        def objective(trial: optuna.Trial) -> float:
            trial.suggest_float("style_to_content", 0.01, 10, log=True)
            sheet = opened.artifacts.upload_bytes(picture(trial.number / 2), trial, file_name="sheet.png")
            trial.set_user_attr("pictures", {"sheet": sheet})
            return 0.2 + trial.number / 10

        study.optimize(objective, n_trials=NUM_TRIALS)
        yield opened


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read()


def sheet_of(trial: dict) -> str:
    (artifact,) = trial["artifacts"]
    assert artifact["mimetype"] == "image/png"
    return artifact["artifact_id"]


def test_trials_and_their_pictures_are_served(storage: StudyStorage) -> None:
    with running_dashboard(storage) as url:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
        (study,) = json.loads(fetch(f"{url}api/studies"))["study_summaries"]
        assert study["study_name"] == "demo-waves"
        trials = json.loads(fetch(f"{url}api/studies/{study['study_id']}"))["trials"]
        assert [trial["values"] for trial in trials] == [[0.2], [pytest.approx(0.3)], [0.4]]
        for number, trial in enumerate(trials):
            path = f"artifacts/{study['study_id']}/{trial['trial_id']}/{sheet_of(trial)}"
            assert fetch(url + path) == picture(number / 2)


def test_a_worker_holding_the_write_lock_does_not_stop_the_pages(storage: StudyStorage) -> None:
    with running_dashboard(storage) as url, storage.engine.begin():
        assert len(json.loads(fetch(f"{url}api/studies"))["study_summaries"]) == 1


def test_a_trial_that_finishes_later_appears(storage: StudyStorage) -> None:
    with running_dashboard(storage) as url:
        assert len(json.loads(fetch(f"{url}api/studies/1"))["trials"]) == NUM_TRIALS
        storage.load_study("demo-waves").add_trial(optuna.trial.create_trial(value=0.5))
        # optuna-dashboard reads the trials of a small study at most every 2 s.
        deadline = time.monotonic() + 20
        while len(json.loads(fetch(f"{url}api/studies/1"))["trials"]) == NUM_TRIALS:
            assert time.monotonic() < deadline, "the new trial never appeared"
            time.sleep(0.2)


def test_port_in_use_says_so_in_two_lines(storage: StudyStorage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=rf"^Port {port} on 127\.0\.0\.1 is in use\.\n.*--port {port + 1}\.$"):
            bind_dashboard(storage, port=port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_port_out_of_range_is_named(storage: StudyStorage, port: int) -> None:
    with pytest.raises(ServeError, match=rf"`port` must be between 0 and 65535. Received {port}"):
        bind_dashboard(storage, port=port)


def test_address_of_another_machine_is_named(storage: StudyStorage) -> None:
    with pytest.raises(ServeError, match=r"`host` must be an address of this machine. Received '192\.0\.2\.1'"):
        bind_dashboard(storage, host="192.0.2.1", port=0)


def test_database_that_has_gone_says_so_in_two_lines(storage: StudyStorage) -> None:
    storage.close()
    database = Path(storage.url.removeprefix("sqlite:///"))
    database.unlink()
    with pytest.raises(ServeError, match=rf"^.*nothing to show\.\n.*{database.name}.*$"):
        bind_dashboard(storage, port=0)
    assert not database.exists()


@pytest.fixture
def served(storage: StudyStorage) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The dashboard in a process of its own, and its address."""
    code = f"{PROGRAM}serve(StudyStorage.open(sys.argv[1]), port=0)"
    with subprocess.Popen([sys.executable, "-c", code, storage.url], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            address = re.search(r"http://\S+", line)
            assert address, line
            yield process, address.group()
        finally:
            process.kill()


def test_ctrl_c_stops_cleanly_while_a_browser_holds_a_connection(
    served: tuple[subprocess.Popen[str], str],
) -> None:
    process, url = served
    port = int(url.rstrip("/").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        assert b"Optuna Dashboard" in fetch(url)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert process.stdout.read() == "Dashboard stopped.\n"


@pytest.mark.slow
def test_a_real_browser_draws_the_pictures_of_the_trials(
    served: tuple[subprocess.Popen[str], str], storage: StudyStorage, tmp_path: Path
) -> None:
    chromium = find_chromium(tmp_path)
    _, url = served
    page = f"{url}dashboard/studies/1/trials"
    newest = storage.load_study("demo-waves").trials[-1].user_attrs["pictures"]["sheet"]
    images = re.findall(r"<img[^>]*>", chromium.page(f"{page}?numbers={NUM_TRIALS - 1}"))
    assert any(f'src="/artifacts/1/{NUM_TRIALS}/{newest}"' in image for image in images), images
    shot = chromium.screenshot(f"{page}?numbers={NUM_TRIALS - 1}", tmp_path / "trials.png", height=1600)
    with PIL.Image.open(shot) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    # The picture's blue channel is 255 and its corners run from (0, 0) to (255, 159): colours that no page has.
    drawn = (pixels[:, 2] > 250) & (pixels[:, 1] < 120) & (pixels[:, 0] > 30)
    assert drawn.sum() > 1000
