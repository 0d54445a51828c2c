"""A study from its configuration to its exports, as a program runs it."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, final

import optuna
import pytest
from optuna.trial import FrozenTrial

from measures.loss_weights import LossWeights
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, num_finished
from tuner.configuration.loading import load_config
from tuner.running.observer import StudyObserver
from tuner.running.request import StudyRequest
from tuner.running.run_study import run_study
from tuner.running.standing import Standing
from tuner.search.resources import StudyResources
from tuner.search.trial_observer import RungEvent

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


@final
class Listener(StudyObserver):
    """Notes what happens, and at the first rung finishes a trial from another connection, as a second machine does."""

    def __init__(self, storage: Path) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self._storage = storage
        self._joined = False

    def say(self, text: str) -> None:
        self.heard.append(("say", text))

    def on_study(self, name: str, place: str) -> None:
        self.heard.append(("study", name, place))

    def on_standing(self, standing: Standing) -> None:
        self.heard.append(("standing", standing.num_finished, standing.total))

    def on_start(self, number: int, weights: LossWeights) -> None:
        self.heard.append(("start", number, round(sum(weights.to_dict().values()), 6)))

    def on_batch(self, num_images: int) -> None:
        self.heard.append(("batch", num_images))

    def on_rung(self, event: RungEvent) -> None:
        self.heard.append(("rung", event.number, event.images_seen))
        if not self._joined:
            self._joined = True
            with StudyStorage.open(str(self._storage)) as other:
                parameters = {"style_to_content": 0.5, "tv_to_content": 0.05}
                ranges = {name: optuna.distributions.FloatDistribution(0.001, 10, log=True) for name in parameters}
                elsewhere = optuna.trial.create_trial(value=0.1, params=parameters, distributions=ranges)
                other.load_study(NAME).add_trial(elsewhere)

    def on_trial(self, trial: FrozenTrial) -> None:
        self.heard.append(("trial", trial.number))

    def on_running(self, numbers: Sequence[int]) -> None:
        self.heard.append(("running", *numbers))

    def close(self) -> None:
        self.heard.append(("close",))


def request(folder: Path, **options: Any) -> StudyRequest:
    config = load_config(str(folder / "tiny.yaml"), overrides={"search": {"trials": options.pop("trials", 3)}})
    return StudyRequest(config=config, storage=str(folder / "styletuner.db"), name=NAME, **options)


def test_run_tells_what_happens_and_counts_other_machines_trials(folder: Path) -> None:
    listener = Listener(folder / "styletuner.db")
    result = run_study(request(folder, output=folder / "out"), observer=listener)
    said = [event for event in listener.heard if event[0] != "say"]
    first = [("study", NAME, str(folder / "styletuner.db")), ("standing", 0, 3), ("standing", 0, 3), ("start", 0, 1.0)]
    assert said[:4] == first
    ended = [(said[index - 1], event) for index, event in enumerate(said) if event[0] == "trial"]
    assert ended == [(("standing", 2, 3), ("trial", 0)), (("standing", 3, 3), ("trial", 2))]
    assert said[-1] == ("close",)
    assert said.count(("batch", 4)) == 8
    assert result.name == NAME
    assert result.summary.num_by_state["COMPLETE"] == 3
    assert result.exports == (folder / "out" / f"{NAME}.yaml",)
    assert result.sheet == folder / "out" / f"{NAME}.png"
    assert all(path.exists() for path in (*result.exports, result.sheet))


def test_without_an_observer_it_is_silent(finished: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = run_study(request(finished))
    assert result.exports == ()
    assert result.sheet is None
    assert capfd.readouterr() == ("", "")


def test_study_that_has_its_trials_is_answered_without_a_network(finished: Path) -> None:
    code = (
        "import sys\nfrom tuner.command_line.main import main\n"
        f"sys.argv = ['styletuner', 'study', 'run', 'tiny.yaml', '--name', {NAME!r}, '--trials', '2']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "assert 'optuna' in sys.modules\n"
        "print('LOADED', *({'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules)))"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=finished, env=environment, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert f"{NAME}: 3 complete" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "LOADED"


def test_events_are_lines_of_json(folder: Path, run_cli: RunCli) -> None:
    outcome = run_cli("study", "run", "tiny.yaml", "--name", NAME, "--trials", 2, "--json", "-o", "out")
    events = [json.loads(line) for line in outcome.require_success().stdout.splitlines()]
    assert [event["event"] for event in events] == ["study", "trial", "trial", "end"]
    assert events[0]["name"] == NAME
    assert [(event["number"], event["state"], event["num_finished"], event["total"]) for event in events[1:3]] == [
        (0, "complete", 1, 2),
        (1, "complete", 2, 2),
    ]
    assert events[-1]["exports"] == [f"out/{NAME}.yaml"]
    assert events[-1]["best"] in {0, 1}
    assert "trial   0 complete" in outcome.stderr
    assert num_finished(folder / "styletuner.db") == 2


@pytest.fixture
def change_before_a_rung(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have the study renamed or deleted from another connection before its first rung, as optuna-dashboard does."""

    def change(action: str) -> None:
        paint = StudyResources.paint

        def paint_late(self: StudyResources, *arguments: Any) -> Any:
            other = optuna.storages.RDBStorage(f"sqlite:///{folder / 'styletuner.db'}")
            with suppress(KeyError):
                study = optuna.load_study(study_name=NAME, storage=other)
                if action == "rename":
                    copied = optuna.create_study(study_name="tides", storage=other, directions=study.directions)
                    copied.add_trials(study.get_trials(deepcopy=False))
                    for key, value in study.user_attrs.items():
                        copied.set_user_attr(key, value)
                optuna.delete_study(study_name=NAME, storage=other)
            return paint(self, *arguments)

        monkeypatch.setattr(StudyResources, "paint", paint_late)

    return change


def test_study_that_is_renamed_meanwhile_is_followed(
    folder: Path, run_cli: RunCli, change_before_a_rung: Callable[[str], None]
) -> None:
    change_before_a_rung("rename")
    outcome = run_cli("study", "run", "tiny.yaml", "--name", NAME, "--trials", 2, "-o", "out").require_success()
    assert f"Study {NAME} is called tides now" in outcome.stderr.splitlines()
    assert "tides: 1 failed, 2 complete" in outcome.stdout
    assert (folder / "out" / "tides.yaml").exists()
    assert num_finished(folder / "styletuner.db", "tides") == 2


def test_study_that_is_deleted_meanwhile_ends_its_run_with_a_line(
    folder: Path, run_cli: RunCli, change_before_a_rung: Callable[[str], None]
) -> None:
    change_before_a_rung("delete")
    outcome = run_cli("study", "run", "tiny.yaml", "--name", NAME)
    outcome.require_refusal("was deleted")
    assert outcome.stderr.count("was deleted") == 1
    with StudyStorage.open_read_only(str(folder / "styletuner.db")) as storage:
        assert storage.study_names() == []
