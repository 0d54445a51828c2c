"""Studies of several styles: what is checked before the first, and what they share."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from models.networks import loss_network
from models.pictures.images import write_image
from models.pretrained import files as pretrained
from studies.records.trial_record import TrialRecord
from tests.objectives.drawn_pictures import draw_style
from tests.tuner.conftest import RunCli
from tests.tuner.running.test_winners import study as found_best
from tests.tuner.tiny_study import Outcome, opened, read_trials, run_command
from tuner.configuration.loading import load_styles
from tuner.errors import ConfigError, ShortTimeError, WorkerError
from tuner.running import run_study as run_study_module
from tuner.running import several_styles
from tuner.running.estimation import Estimate
from tuner.running.request import StudyRequest
from tuner.running.run_study import run_study
from tuner.running.several_styles import StyleEnd, StyleStudy, plan_styles, run_styles, shared_out
from tuner.running.shared_work import SharedWork

STYLES = ("night", "waves", "reeds")
COST = Estimate(seconds=9.0, num_bytes=0, table_bytes=0, trial_seconds=1.0, start_seconds=0.0)
RUN = ("study", "run", "tiny.yaml", "--trials", 4, "--set", "search.pruner=none")


def draw_styles(folder: Path) -> None:
    (folder / "styles").mkdir()
    for place, name in enumerate(STYLES):
        write_image(folder / "styles" / f"{name}.png", np.roll(draw_style(100 + place), place, axis=2))


@pytest.fixture
def styled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny study's folder with three style images more."""
    draw_styles(folder)
    monkeypatch.chdir(folder)
    return folder


def plan(folder: Path, *styles: str, said: list[str] | None = None, minutes: float | None = None, **options: Any):
    stop = {"search": {"stop": {"minutes": minutes}}} if minutes is not None else {}
    configs = load_styles("tiny.yaml", overrides={"style": list(styles), **stop})
    request = StudyRequest(config=configs[0], storage=str(folder / "styletuner.db"), **options)
    say = (said if said is not None else []).append
    return plan_styles(request, configs, say=say, shared=SharedWork())


def minutes_of(studies: Sequence[StyleStudy]) -> list[float | None]:
    return [study.request.config.search.stop.minutes for study in studies]


class TestPlanning:
    def test_each_style_has_a_study_in_the_order_given(self, styled: Path) -> None:
        planned = plan(styled, "styles/waves.png", "styles/night.png")
        assert [study.style.stem for study in planned] == ["waves", "night"]
        assert [study.request.name for study in planned] == [None, None], "called as they would be alone"
        assert not any(study.is_done for study in planned)
        assert not (styled / "styletuner.db").exists()

    def test_a_name_has_the_stem_behind(self, styled: Path) -> None:
        assert [study.request.name for study in plan(styled, "styles", name="sea")] == [
            "sea-night",
            "sea-reeds",
            "sea-waves",
        ]

    def test_the_same_picture_has_one_study(self, styled: Path) -> None:
        shutil.copy("styles/night.png", "copy.png")
        said: list[str] = []
        (study,) = plan(styled, "styles/night.png", "styles/night.png", "copy.png", said=said)
        assert study.style == Path("styles/night.png")
        assert said == [
            "styles/night.png is given twice: one study",
            "copy.png is the same picture as styles/night.png: one study for both",
        ]

    def test_different_pictures_of_one_name_have_a_study_each_unless_named(self, styled: Path) -> None:
        (styled / "old").mkdir()
        shutil.copy("styles/waves.png", "old/night.png")
        both = ("styles/night.png", "old/night.png")
        assert len(plan(styled, *both)) == 2
        with pytest.raises(
            ConfigError, match=r"styles/night.png and old/night.png differ and would both be study 'sea-"
        ):
            plan(styled, *both, name="sea")

    def test_pictures_that_cannot_be_used_are_told_before_any_study(self, styled: Path) -> None:
        (styled / "poem.png").write_text("a poem")
        with pytest.raises(
            ConfigError, match=r"Of 3 styles 2 cannot be used, and none is begun.*poem.png.*\nNor can no"
        ):
            plan(styled, "styles/night.png", "poem.png", "nowhere.png")

    @pytest.mark.parametrize(("option", "value"), [("--new", "new"), ("--widen", "widen")])
    def test_what_is_for_one_style_is_refused(self, styled: Path, option: str, value: str) -> None:
        with pytest.raises(ConfigError, match=f"{option} is for the study of one style"):
            plan(styled, "styles", **{value: True})

    def test_time_is_shared(self, styled: Path) -> None:
        assert minutes_of(shared_out(plan(styled, "styles", minutes=12.0))) == pytest.approx([4.0] * 3, abs=0.02)
        assert minutes_of(shared_out(plan(styled, "styles"))) == [None] * 3


def test_each_study_knows_those_before_it_and_has_its_share(styled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a study leaves of its time is for those after it; one that is done takes none."""
    told: list[tuple[float | None, int]] = []
    clock = iter([0.0, 0.0, 600.0, 600.0])

    class Result:
        summary = "found"

    def run(request: StudyRequest, *, earlier: Sequence[object], **_: object) -> type[Result]:
        told.append((request.config.search.stop.minutes, len(earlier)))
        return Result

    planned = plan(styled, "styles", minutes=90.0)
    planned[1] = replace(planned[1], is_done=True)
    monkeypatch.setattr(several_styles, "run_study", run)
    monkeypatch.setattr(several_styles.time, "time", lambda: next(clock))
    observer: Any = None
    assert len(list(run_styles(planned, observe=lambda _: observer, shared=SharedWork()))) == 3
    assert told == [(45.0, 0), (80.0, 1), (80.0, 2)]


class Found:
    """Stands for what a study gives."""

    summary = "found"


def ends_of(planned: list[StyleStudy], run: Callable[[StyleStudy], Any], patch: pytest.MonkeyPatch) -> list[StyleEnd]:
    """Run studies, each by a function in the place of `run_study`."""

    def stand_in(request: StudyRequest, **_: object) -> Any:
        (study,) = [one for one in planned if one.request.config.style == request.config.style]
        return run(study)

    observer: Any = None
    patch.setattr(several_styles, "run_study", stand_in)
    return list(run_styles(planned, observe=lambda _: observer, shared=SharedWork()))


def test_without_time_left_a_study_is_not_begun(styled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has its trials needs none."""
    clock = iter([0.0, 0.0, 5400.0, 5400.0])
    planned = plan(styled, "styles", minutes=90.0)
    planned[2] = replace(planned[2], is_done=True)
    begun: list[str] = []

    def run(study: StyleStudy) -> type[Found]:
        begun.append(study.style.stem)
        return Found

    monkeypatch.setattr(several_styles.time, "time", lambda: next(clock))
    ends = ends_of(planned, run, monkeypatch)
    assert begun == ["night", "waves"]
    assert [end.failure for end in ends] == [None, "no time was left, so that it was not begun", None]
    assert ends[1].study.name.startswith("study-reeds-")


def test_a_minute_of_no_length_is_too_short(styled: Path) -> None:
    (only,) = plan(styled, "styles/night.png", minutes=1.0)
    stop = only.request.config.search.stop.model_copy(update={"minutes": 0.0})
    search = only.request.config.search.model_copy(update={"stop": stop})
    request = replace(only.request, config=only.request.config.model_copy(update={"search": search}))
    pace: Any = type("Pace", (), {"cost": lambda *_, **__: COST})
    shared = SharedWork()
    shared.pace = lambda *_, **__: pace  # type: ignore[method-assign]
    with pytest.raises(ShortTimeError, match="0 minutes are too short"):
        run_study(request, shared=shared)
    assert not (styled / "styletuner.db").exists()


def test_a_study_that_fails_leaves_the_others_to_be_run(styled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(study: StyleStudy) -> type[Found]:
        if study.style.stem == "night":
            raise ShortTimeError("30 minutes are too short.")
        if study.style.stem == "reeds":
            raise WorkerError("All 2 workers ended.")
        return Found

    ends = ends_of(plan(styled, "styles", minutes=90.0), run, monkeypatch)
    assert [end.result for end in ends] == [None, None, Found]
    assert [end.failure for end in ends] == [
        "30 minutes are too short.\nThese minutes are the share of one style: --time is for all, and has to be 3 times "
        "as long.",
        "All 2 workers ended.",
        None,
    ]


class SeenError(Exception):
    """Ends a study once it is known what it holds."""


@pytest.mark.parametrize(("finalists", "held"), [(1, True), (2, False)])
def test_what_trials_share_is_let_go_before_a_final(
    styled: Path, monkeypatch: pytest.MonkeyPatch, finalists: int, *, held: bool
) -> None:
    (study,) = plan(styled, "styles/night.png")
    search = study.request.config.search.model_copy(update={"finalists": finalists})
    request = replace(study.request, config=study.request.config.model_copy(update={"search": search}))
    shared = SharedWork()

    def load(*_: object, **__: object) -> None:
        shared._resources = cast("Any", "networks")

    def conclude(*_: object, **__: object) -> None:
        raise SeenError

    monkeypatch.setattr(run_study_module, "_run_trials", load)
    monkeypatch.setattr(run_study_module, "_with_final", conclude)
    with pytest.raises(SeenError):
        run_study(request, shared=shared)
    assert (shared._resources is not None) is held


def test_later_studies_begin_with_what_earlier_ones_found(styled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that train nothing: what a study takes is settled before its first one."""

    def seen(*_: object, **__: object) -> None:
        raise SeenError

    monkeypatch.setattr(run_study_module, "_run_trials", seen)
    (planned,) = plan(styled, "styles/waves.png")
    with pytest.raises(SeenError):
        run_study(planned.request, earlier=[found_best("night", 3.0)])
    first, second = read_trials(styled / "styletuner.db", planned.name)
    assert TrialRecord.parse(first.user_attrs).taken_from is None
    taken = TrialRecord.parse(second.user_attrs).taken_from
    assert taken is not None
    assert (taken.study, taken.trial) == ("night", 3)


def test_a_fault_of_ours_ends_all(styled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: StyleStudy) -> None:
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        ends_of(plan(styled, "styles"), run, monkeypatch)


@pytest.mark.parametrize("error", [WorkerError("All 2 workers ended."), KeyboardInterrupt()], ids=repr)
def test_the_table_is_printed_however_it_ends(
    styled: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def run(request: StudyRequest, **_: object) -> None:
        if request.config.style == Path("styles/night.png"):
            raise WorkerError("No worker began.\nSee above.")
        raise error

    monkeypatch.setattr(several_styles, "run_study", run)
    ended = run_cli(*RUN, "--style", "styles/night.png", "styles/waves.png", "--json")
    assert ended.status == 1
    event = json.loads(ended.stdout.splitlines()[-1])
    assert event["event"] == "styles"
    assert event["studies"][0]["failure"] == "No worker began.\nSee above."
    assert event["studies"][0]["style"] == "styles/night.png"
    assert len(event["studies"]) == (2 if isinstance(error, WorkerError) else 1)
    told = run_cli(*RUN, "--style", "styles/night.png", "styles/waves.png")
    assert told.stdout.splitlines()[2].endswith("no result: No worker began.")
    assert styled.exists()


def test_the_command_line_tells_of_bad_styles(styled: Path, run_cli: RunCli) -> None:
    run_cli(*RUN, "--style", "styles", "--new").require_refusal("--new is for the study of one style")
    run_cli(*RUN, "--style", "nothing*.png").require_refusal("'nothing*.png' matches no file")
    run_cli(*RUN, "--style", "styles/night.png", "nowhere.png").require_refusal("nowhere.png", "does not exist")
    run_cli("scout", "train", "tiny.yaml", "--set", "style=[a.png, b.png]", "-o", "s.keras").require_refusal(
        "`style` names 2 pictures where one is wanted"
    )
    assert not (styled / "styletuner.db").exists()


@pytest.fixture(scope="module")
def run_folder(drawn_study: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A folder in which three styles' studies have run by one command, and what that printed."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("styles"), dirs_exist_ok=True))
    draw_styles(folder)
    paths = [f"styles/{name}.png" for name in STYLES]
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))
        built: list[object] = []
        made = loss_network.LossNetwork.__init__

        def counting(self: Any, *arguments: Any, **options: Any) -> None:
            built.append(self)
            made(self, *arguments, **options)

        monkeypatch.setattr(loss_network.LossNetwork, "__init__", counting)
        outcome = run_command(*RUN, "--style", *paths, "--json", "-o", "out", cwd=folder).require_success()
        assert len(built) == 1, "loaded once for all"
    return folder, outcome


@pytest.mark.slow
class TestRunning:
    def test_events_name_their_study(self, run_folder: tuple[Path, Outcome]) -> None:
        events = [json.loads(line) for line in run_folder[1].stdout.splitlines()]
        names = [event["name"] for event in events if event["event"] == "study"]
        assert [name.split("-")[1] for name in names] == list(STYLES)
        trials = [(event["study"], event["number"]) for event in events if event["event"] == "trial"]
        assert trials == [(name, number) for name in names for number in range(4)]
        assert [event["study"] for event in events[-1]["studies"]] == names
        assert events[-1]["event"] == "styles"
        assert [event["exports"] for event in events if event["event"] == "end"] == [
            [f"out/{name}.yaml"] for name in names
        ]

    def test_a_study_run_after_others_is_what_it_is_alone(
        self, run_folder: tuple[Path, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Crops, networks and step are those of the first one: qualities are the same to the last bit."""
        folder, outcome = run_folder
        name = json.loads(outcome.stdout.splitlines()[-1])["studies"][1]["study"]
        monkeypatch.chdir(folder)
        stop = {"search": {"trials": 1, "pruner": "none"}}
        (config,) = load_styles("tiny.yaml", overrides={"style": "styles/waves.png", **stop})
        alone = run_study(StudyRequest(config=config, storage=str(tmp_path / "alone.db")))
        assert alone.name == name, "either command finds it"
        (first,) = read_trials(tmp_path / "alone.db", name)
        assert read_trials(folder / "styletuner.db", name)[0].value == first.value

    def test_the_same_command_again_runs_nothing(self, run_folder: tuple[Path, Outcome], own_cache: Path) -> None:
        folder, _ = run_folder
        with opened(folder / "styletuner.db") as storage:
            counts = {name: len(storage.read_study(name).get_trials()) for name in storage.study_names()}
        again = run_command(*RUN, "--style", "styles", cwd=folder).require_success()
        assert "Style 3 of 3: styles/waves.png" in again.stderr
        assert again.stdout.splitlines()[-4].startswith("study")
        with opened(folder / "styletuner.db") as storage:
            assert {name: len(storage.read_study(name).get_trials()) for name in storage.study_names()} == counts
        assert own_cache.exists()
