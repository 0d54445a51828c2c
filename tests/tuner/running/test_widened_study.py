"""A study of drawn outputs whose best lies at the lower end of its range of style, and the study beyond it."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.search_space import IntersectionSearchSpace
from optuna.trial import FrozenTrial, TrialState, create_trial

from measures.versions import JUDGE_VERSION
from studies.claims.claiming import Claim, attach, claim
from studies.claims.processes import WorkerIdentity
from studies.claims.reaping import reap
from studies.errors import StudyError
from studies.preferences.answers import FIRST, Preference, load_preferences, save_preferences
from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.records.summaries import summarise
from studies.records.trial_record import TrialRecord
from studies.records.widened_studies import find_widened
from studies.storage.optuna_internals import FIXED_PARAMETERS, study_id_of, trial_id_of
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import load_photo_quality
from tests.tuner.judged_study import NUM_TRIALS, OLD, RUNNING, SHARES, WAITING, make_judged_study, tiny_config
from tests.tuner.tiny_study import NAME
from tuner.configuration.settings import StudyConfig
from tuner.errors import WideningError
from tuner.rescoring.rescoring import rescore_study
from tuner.running import widened_study
from tuner.running.deletion import delete_idle_study
from tuner.running.setup import start_or_resume
from tuner.running.widened_study import open_widened
from tuner.running.widening import Widening, plan_widening
from tuner.search.enqueueing import enqueue_weights
from tuner.search.samplers import build_sampler
from tuner.search.study_pictures import open_pictures

RANGE: Final = (0.09, 10.0)
"""Of style : content; the best trial has .1."""
WIDER: Final = {
    "style_to_content": FloatDistribution(0.0225, 10, log=True),
    "tv_to_content": FloatDistribution(0.001, 1, log=True),
}
FIRST_BEYOND: Final = {"style_to_content": pytest.approx(0.045), "tv_to_content": pytest.approx(0.01)}
NEW: Final = f"{NAME}-wide"
NUM_FINISHED: Final = 5


@pytest.fixture(scope="module")
def judged_folder(drawn_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` with the study; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("judged"), dirs_exist_ok=True))
    with StudyStorage.create(str(folder / "styletuner.db")) as storage:
        for name, objectives in ((NAME, "quality"), ("front", "content_and_style")):
            make_judged_study(
                storage,
                folder,
                name=name,
                judge_version=JUDGE_VERSION,
                style_to_content=RANGE,
                objectives=objectives,
            )
    return folder


@pytest.fixture
def storage(judged_folder: Path, tmp_path: Path) -> Iterator[StudyStorage]:
    """The study in a folder to work in."""
    shutil.copytree(judged_folder, tmp_path, dirs_exist_ok=True)
    with StudyStorage.open(str(tmp_path / "styletuner.db")) as opened:
        yield opened


@pytest.fixture
def plan(storage: StudyStorage, tmp_path: Path) -> Callable[..., Widening]:
    def made(
        name: str = NAME, *, total: int | None = None, judge_version: str = JUDGE_VERSION, **search: Any
    ) -> Widening:
        config = configured(tmp_path, **search)
        pictures = open_pictures(config)
        return plan_widening(storage, name, config=config, pictures=pictures, total=total, judge_version=judge_version)

    return made


@pytest.fixture
def widen(storage: StudyStorage, tmp_path: Path, plan: Callable[..., Widening]) -> Callable[..., optuna.Study]:
    def made(name: str = NAME, **options: Any) -> optuna.Study:
        pictures = open_pictures(configured(tmp_path))
        run = open_widened(storage, plan(name, **options), pictures, judge_version=JUDGE_VERSION)
        return storage.load_by_uuid(run.uuid)

    return made


def configured(folder: Path, **search: Any) -> StudyConfig:
    return tiny_config(folder, **{"style_to_content": RANGE, **search})


def finish(study: optuna.Study, quality: float, *, ratio: float, ranges: Any = None) -> None:
    """Add a complete trial."""
    params = {"style_to_content": ratio, "tv_to_content": 0.01}
    study.add_trial(create_trial(value=quality, params=params, distributions=ranges or WIDER))


def described(trial: FrozenTrial) -> dict[str, Any]:
    """What a trial has but for its files, distributions and origin."""
    kept = ("number", "state", "values", "params", "intermediate_values", "datetime_start", "datetime_complete")
    left_out = (attributes.PICTURES, attributes.COPIED_FROM)
    own = {name: value for name, value in trial.user_attrs.items() if name not in left_out}
    return {**{name: getattr(trial, name) for name in kept}, "user_attrs": own}


def rows(storage: StudyStorage, name: str) -> list[Any]:
    """Everything that is kept about a study."""
    study = storage.read_study(name)
    found: list[Any] = [study.user_attrs, storage.optuna.get_study_system_attrs(study_id_of(study))]
    found += [study.get_trials(), load_photo_quality(storage.engine, uuid_of(study))]
    artifacts = [artifact for owner in (study, *study.get_trials()) for artifact in storage.artifacts.names(owner)]
    return found + [(artifact, storage.artifacts.path_of(artifact).read_bytes()) for artifact in artifacts]


class TestPlan:
    def test_the_end_that_the_best_lies_near_is_moved(self, plan: Callable[..., Widening]) -> None:
        widening = plan()
        assert widening.config.search.style_to_content == (0.0225, 10.0)
        assert widening.config.search.tv_to_content == (0.001, 1.0)
        assert widening.first == FIRST_BEYOND
        assert (widening.source_name, widening.name, widening.is_begun) == (NAME, NEW, False)
        assert widening.in_words() == (
            f"{NEW} begins beyond {NAME}: style_to_content 0.0225 to 10, tv_to_content 0.001 to 1; 5 finished trials, "
            "4 more to come, the first beyond at style_to_content 0.045, tv_to_content 0.01"
        )

    @pytest.mark.parametrize(("trials", "num_new"), [(3, 4), (9, 4), (10, 5), (16, 8)])
    def test_half_as_many_new_trials_but_four_at_least(
        self, plan: Callable[..., Widening], trials: int, num_new: int
    ) -> None:
        widening = plan(trials=trials)
        assert widening.config.search.trials == NUM_FINISHED + num_new
        assert widening.config_of_rest().search.trials == num_new

    def test_a_total_that_was_asked_for(self, plan: Callable[..., Widening]) -> None:
        assert plan(total=6).config.search.trials == 6
        with pytest.raises(WideningError, match=r"^`--trials` leaves nothing .* the 5 finished trials of 'waves'"):
            plan(total=NUM_FINISHED)

    def test_both_ratios_at_an_end(self, storage: StudyStorage, plan: Callable[..., Widening]) -> None:
        params = {"style_to_content": 9.0, "tv_to_content": 0.0011}
        storage.load_study(NAME).add_trial(create_trial(value=1.0, params=params, distributions=WIDER))
        widening = plan()
        assert widening.config.search.style_to_content == (0.09, 40.0)
        assert widening.config.search.tv_to_content == (0.00025, 1.0)
        assert widening.first == {"style_to_content": pytest.approx(20), "tv_to_content": pytest.approx(0.0005)}

    def test_two_goals_go_by_the_best_quality_on_the_front(self, plan: Callable[..., Widening]) -> None:
        widening = plan("front", objectives="content_and_style")
        assert (widening.name, widening.first) == ("front-wide", FIRST_BEYOND)

    def test_nothing_is_changed(self, storage: StudyStorage, plan: Callable[..., Widening]) -> None:
        before = rows(storage, NAME)
        plan()
        assert rows(storage, NAME) == before
        assert storage.study_names() == ["front", NAME]


class TestRefusals:
    def test_a_study_that_is_not_there(self, plan: Callable[..., Widening]) -> None:
        with pytest.raises(WideningError, match=r"^There is no study 'tides' to widen\. Run it first.*less --widen\.$"):
            plan("tides")

    def test_a_best_that_lies_at_no_end(self, storage: StudyStorage, plan: Callable[..., Widening]) -> None:
        finish(storage.load_study(NAME), 1.0, ratio=1.5)
        wanted = (
            r"^The best trial of study 'waves', 8, lies near no end of what was searched \(style_to_content 1\.5 of "
            r"0\.09 to 10, tv_to_content 0\.01 of 0\.001 to 1\)\. To run more trials: --name waves --trials N, without"
        )
        with pytest.raises(WideningError, match=wanted):
            plan()

    def test_a_study_without_complete_trials(self, folder: Path, plan: Callable[..., Widening]) -> None:
        config = configured(folder)
        with StudyStorage.open(str(folder / "styletuner.db")) as storage:
            start_or_resume(storage, "new", config=config, pictures=open_pictures(config), judge_version=JUDGE_VERSION)
        with pytest.raises(WideningError, match=r"^Study 'new' has no complete trial, .* without --widen\.$"):
            plan("new")

    def test_a_range_that_ends_where_none_goes_beyond(
        self, storage: StudyStorage, folder: Path, plan: Callable[..., Widening]
    ) -> None:
        config = configured(folder, style_to_content=(0.09, 1e6))
        pictures = open_pictures(config)
        study = start_or_resume(storage, "far", config=config, pictures=pictures, judge_version=JUDGE_VERSION)
        finish(study, 0.5, ratio=9e5, ranges={**WIDER, "style_to_content": FloatDistribution(0.09, 1e6, log=True)})
        with pytest.raises(
            WideningError, match=r"^Study 'far' cannot go on beyond style_to_content 9e\+05 of 0\.09 to"
        ):
            plan("far", style_to_content=(0.09, 1e6))

    def test_a_study_of_another_configuration(self, plan: Callable[..., Widening]) -> None:
        with pytest.raises(StudyError, match=r"'waves' exists and differs: `search.tv_to_content`"):
            plan(tv_to_content=(0.01, 1))

    def test_a_study_of_another_judge(self, plan: Callable[..., Widening]) -> None:
        with pytest.raises(StudyError, match="was scored by judge version"):
            plan(judge_version="another")

    def test_a_study_that_somebody_runs(self, storage: StudyStorage, widen: Callable[..., optuna.Study]) -> None:
        study = storage.load_study(NAME)
        me = WorkerIdentity.current()
        running = study.get_trials()[RUNNING]
        storage.optuna.set_trial_user_attr(trial_id_of(running), attributes.WORKER, me.as_attribute())
        held = claim(storage, uuid_of(study), total=99, worker=me)
        assert isinstance(held, Claim)
        attach(storage, held, trial_number=RUNNING)
        with pytest.raises(StudyError, match=rf"is being run by process {me.pid} .*trial {RUNNING}"):
            widen()
        assert storage.study_names() == ["front", NAME]


class TestTakenOver:
    def test_trials_keep_all_they_have_under_their_numbers(
        self, storage: StudyStorage, widen: Callable[..., optuna.Study]
    ) -> None:
        new = widen().get_trials()
        old = storage.read_study(NAME).get_trials()
        assert len(new) == NUM_TRIALS + 1
        for before, after in zip(old, new, strict=False):
            if before.number != RUNNING:
                assert described(after) == described(before)
        uuid = uuid_of(storage.read_study(NAME))
        assert {trial.user_attrs.get(attributes.COPIED_FROM) for trial in new[:NUM_TRIALS]} == {uuid}
        assert summarise(storage, NEW).trials[0].as_dict()["copied_from"] == uuid
        assert TrialRecord.parse(new[-1].user_attrs).copied_from is None

    def test_of_two_goals_too(self, storage: StudyStorage, widen: Callable[..., optuna.Study]) -> None:
        study = widen("front", objectives="content_and_style")
        assert study.metric_names == ["content", "style"]
        old = storage.read_study("front").get_trials()
        for before, after in zip(old, study.get_trials(), strict=False):
            if before.number != RUNNING:
                assert described(after) == described(before)
        assert [trial.values for trial in old if trial.values] == [[pytest.approx(v)] * 2 for v in (0.9, 0.8, 0.3)]

    def test_the_samplers_see_them(self, storage: StudyStorage, widen: Callable[..., optuna.Study]) -> None:
        """Optuna drops a parameter whose distribution is not the same in all trials."""
        study = widen()
        assert IntersectionSearchSpace().calculate(study) == WIDER
        config = configured(Path(storage.artifacts.path.parent))
        sampler = build_sampler(config.search, seed=0)
        number = storage.optuna.create_new_trial(study_id_of(study))
        assert sampler.infer_relative_search_space(study, storage.optuna.get_trial(number)) == WIDER

    def test_the_first_new_trial_is_half_way_into_the_new_part(self, widen: Callable[..., optuna.Study]) -> None:
        last = widen().get_trials()[-1]
        assert (last.state, last.system_attrs[FIXED_PARAMETERS]) == (TrialState.WAITING, FIRST_BEYOND)

    def test_what_ran_or_waited_runs_in_the_wider_study(
        self, storage: StudyStorage, widen: Callable[..., optuna.Study]
    ) -> None:
        study = widen()
        trials = study.get_trials()
        assert trials[WAITING].state is TrialState.WAITING
        assert trials[RUNNING].state is TrialState.FAIL
        reaped = reap(storage, uuid_of(study))
        assert reaped.retried == (RUNNING,)
        assert study.get_trials()[-1].system_attrs[FIXED_PARAMETERS] == trials[RUNNING].params

    def test_scores_of_photos(self, storage: StudyStorage, widen: Callable[..., optuna.Study]) -> None:
        study = widen()
        old, new = (load_photo_quality(storage.engine, uuid_of(of)) for of in (storage.read_study(NAME), study))
        assert {record.trial_number for record in new} == set(SHARES)
        assert [(record.study_uuid, record.quality) for record in new] == [
            (uuid_of(study), record.quality) for record in old
        ]

    def test_what_the_study_says_of_itself(self, storage: StudyStorage, widen: Callable[..., optuna.Study]) -> None:
        new, old = widen(), storage.read_study(NAME)
        assert uuid_of(new) != uuid_of(old)
        record = StudyRecord.parse(new.user_attrs)
        assert record.ranges == {"style_to_content": (0.0225, 10.0), "tv_to_content": (0.001, 1.0)}
        shared = (attributes.IDENTITY, attributes.VERSIONS, attributes.JUDGE_VERSION)
        assert [new.user_attrs[name] for name in shared] == [old.user_attrs[name] for name in shared]
        came_from = record.widened_from
        assert came_from is not None
        assert (came_from.uuid, came_from.name, came_from.num_trials) == (uuid_of(old), NAME, NUM_TRIALS)
        assert came_from.original_ranges == {"style_to_content": RANGE, "tv_to_content": (0.001, 1.0)}

    def test_the_scale_is_the_same(self, storage: StudyStorage, widen: Callable[..., optuna.Study]) -> None:
        storage.load_study(NAME).set_user_attr(attributes.REFERENCES, {"content": 2.0})
        assert widen().user_attrs[attributes.REFERENCES] == {"content": 2.0}

    def test_answers_of_people(self, storage: StudyStorage, widen: Callable[..., optuna.Study]) -> None:
        answer = Preference(
            study_uuid=uuid_of(storage.read_study(NAME)),
            who="anna",
            photo_sha256="a" * 64,
            first_trial=0,
            second_trial=1,
            left_trial=1,
            answer=FIRST,
            answered_at=datetime(2026, 1, 1, tzinfo=UTC),
            judge_version=JUDGE_VERSION,
        )
        save_preferences(storage.engine, [answer])
        (carried,) = load_preferences(storage.engine, study_uuid=uuid_of(widen()))
        assert carried.occasion == answer.occasion

    def test_the_old_study_stays_as_it_is(self, storage: StudyStorage, widen: Callable[..., optuna.Study]) -> None:
        before = rows(storage, NAME)
        widen()
        assert rows(storage, NAME) == before

    def test_pictures_of_either_study_outlive_the_other(
        self, storage: StudyStorage, widen: Callable[..., optuna.Study]
    ) -> None:
        widen()
        delete_idle_study(storage, uuid_of(storage.read_study("front")))
        num_files = len(list(storage.artifacts.path.iterdir()))
        new = rows(storage, NEW)
        assert len(new) > 4 + 3 * len(SHARES), "files of the study and of its trials are among them"
        delete_idle_study(storage, uuid_of(storage.read_study(NAME)))
        assert rows(storage, NEW) == new
        assert len(list(storage.artifacts.path.iterdir())) == num_files // 2

    def test_a_rescored_one_is_another_study(self, storage: StudyStorage, widen: Callable[..., optuna.Study]) -> None:
        study = widen()
        study.set_user_attr(attributes.JUDGE_VERSION, OLD)
        done = rescore_study(storage, NEW, judge_version=JUDGE_VERSION, report=lambda *_: None)
        assert done.target is not None
        assert done.target.record.widened_from is None
        assert find_widened(storage, uuid_of(storage.read_study(NAME))) == NEW


class TestInterrupted:
    @pytest.fixture
    def interrupted_at(
        self, widen: Callable[..., optuna.Study], monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[int], None]:
        """Interrupt the widening when the files of a trial are kept and the trial is not added yet."""
        kept = widened_study._kept

        def interrupt(number: int) -> None:
            def interrupted(storage: StudyStorage, trial: FrozenTrial, **options: Any) -> FrozenTrial:
                made = kept(storage, trial, **options)
                if trial.number == number:
                    raise KeyboardInterrupt
                return made

            with monkeypatch.context() as patched:
                patched.setattr(widened_study, "_kept", interrupted)
                with pytest.raises(KeyboardInterrupt):
                    widen()

        return interrupt

    @pytest.mark.parametrize("number", [0, 1, 6])
    def test_killed_when_a_trial_is_kept_and_not_added(
        self,
        storage: StudyStorage,
        widen: Callable[..., optuna.Study],
        interrupted_at: Callable[[int], None],
        number: int,
    ) -> None:
        num_files = len(list(storage.artifacts.path.iterdir()))
        interrupted_at(number)
        study = storage.load_study(NEW)
        assert len(study.get_trials()) == number
        with pytest.raises(StudyError, match=r"'waves-wide' has not yet got all trials .* --name waves --widen`"):
            enqueue_weights(storage, NEW, (1, 1, 0.1))
        resumed = widen()
        assert uuid_of(resumed) == uuid_of(study)
        assert [trial.number for trial in resumed.get_trials()] == list(range(NUM_TRIALS + 1))
        assert resumed.get_trials()[-1].system_attrs[FIXED_PARAMETERS] == FIRST_BEYOND
        names = {name for owner in (resumed, *resumed.get_trials()) for name in storage.artifacts.names(owner)}
        assert len(list(storage.artifacts.path.iterdir())) == num_files + len(names), "nothing is left over"

    def test_killed_before_the_first_trial_beyond_was_enqueued(
        self, storage: StudyStorage, widen: Callable[..., optuna.Study], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def killed(*_: object, **__: object) -> int:
            raise KeyboardInterrupt

        monkeypatch.setattr(widened_study, "carry_over_preferences", killed)
        with pytest.raises(KeyboardInterrupt):
            widen()
        monkeypatch.undo()
        assert len(storage.read_study(NEW).get_trials()) == NUM_TRIALS
        assert len(widen().get_trials()) == NUM_TRIALS + 1

    def test_a_study_that_does_not_say_yet_what_it_is_is_taken(
        self, storage: StudyStorage, widen: Callable[..., optuna.Study]
    ) -> None:
        blank = create_study(storage.optuna, NEW)
        assert uuid_of(widen()) == uuid_of(blank)

    def test_another_study_of_the_name_is_left_alone(
        self, storage: StudyStorage, widen: Callable[..., optuna.Study]
    ) -> None:
        other = create_study(storage.optuna, NEW)
        other.add_trial(create_trial(value=0.5))
        assert widen().study_name == f"{NEW}-2"
        assert len(storage.read_study(NEW).get_trials()) == 1

    def test_trials_that_the_old_study_got_meanwhile_take_no_numbers(
        self, storage: StudyStorage, widen: Callable[..., optuna.Study], interrupted_at: Callable[[int], None]
    ) -> None:
        interrupted_at(3)
        finish(storage.load_study(NAME), 0.95, ratio=9.5)
        trials = widen().get_trials()
        assert len(trials) == NUM_TRIALS + 1
        assert trials[-1].system_attrs[FIXED_PARAMETERS] == FIRST_BEYOND, "as it was planned when it was begun"
        assert set(storage.read_study(NEW).get_trials()[0].distributions.items()) == set(WIDER.items())


class TestGoingOn:
    def test_until_it_has_its_trials(self, storage: StudyStorage, plan: Callable[..., Widening], widen: Any) -> None:
        study = widen(total=8)
        for name in (NAME, NEW):
            going_on = plan(name)
            assert (going_on.is_begun, going_on.name, going_on.source_name) == (True, NEW, NAME)
            assert (going_on.config.search.trials, going_on.num_finished) == (8, NUM_FINISHED)
            assert going_on.in_words() == (
                f"{NEW} goes on beyond {NAME}: style_to_content 0.0225 to 10, tv_to_content 0.001 to 1; 5 finished "
                "trials, 3 more to come"
            )
        assert plan(total=11).config.search.trials == 11
        assert uuid_of(widen(total=11)) == uuid_of(study)
        assert plan().config.search.trials == 11, "as was last asked for"
        assert storage.study_names() == ["front", NAME, NEW]

    @pytest.mark.parametrize("name", [NAME, NEW])
    def test_then_the_next_goes_further(
        self, storage: StudyStorage, widen: Callable[..., optuna.Study], name: str
    ) -> None:
        study = widen(total=6)
        finish(study, 0.95, ratio=0.025)
        further = widen(name)
        record = StudyRecord.parse(further.user_attrs)
        assert further.study_name == f"{NEW}-2"
        assert record.ranges["style_to_content"] == (0.005625, 10.0)
        came_from = record.widened_from
        assert came_from is not None
        assert (came_from.name, came_from.original_ranges["style_to_content"]) == (NEW, RANGE)
        trials = further.get_trials()
        assert trials[0].user_attrs[attributes.COPIED_FROM] == uuid_of(storage.read_study(NAME))
        assert trials[NUM_TRIALS + 1].user_attrs[attributes.COPIED_FROM] == uuid_of(study)
        assert trials[-1].system_attrs[FIXED_PARAMETERS]["style_to_content"] == pytest.approx(0.01125)
        assert IntersectionSearchSpace().calculate(further)["style_to_content"] == FloatDistribution(
            0.005625, 10, log=True
        )

    def test_or_says_that_its_best_lies_at_no_end(
        self, plan: Callable[..., Widening], widen: Callable[..., optuna.Study]
    ) -> None:
        finish(widen(total=6), 0.5, ratio=0.025)
        with pytest.raises(WideningError, match=r"^The best trial of study 'waves-wide', 0, lies near no end"):
            plan()

    def test_with_its_own_ranges_or_those_it_began_with(
        self, plan: Callable[..., Widening], widen: Callable[..., optuna.Study]
    ) -> None:
        widen()
        assert plan(NEW, style_to_content=(0.0225, 10)).is_begun
        with pytest.raises(StudyError, match=r"'waves-wide' exists and differs: `search.style_to_content`"):
            plan(NEW, style_to_content=(0.05, 10))
