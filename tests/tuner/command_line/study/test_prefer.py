"""A person's choices through the command line: asked, stored, reported, ranked by and exported."""

import datetime
import io
import itertools
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import pytest
import yaml

from studies.preferences.answers import FIRST, SECOND, TIE, Preference, load_preferences, save_preferences
from studies.preferences.questions import Question
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tests.tuner.rated_study import CALIBRATION_PHOTOS, NAME, PARTS, make_rated_study
from tests.tuner.tiny_study import opened
from tuner.people.rating import RatingSession

pytestmark = pytest.mark.slow

PREFER = ("study", "prefer", NAME, "--rater", "anna")


@pytest.fixture
def rated(folder: Path) -> Iterator[Path]:
    """A folder with a storage that has `make_rated_study`'s study."""
    with StudyStorage.create(str(folder / "styletuner.db")) as storage:
        make_rated_study(storage)
    return folder


@pytest.fixture
def style_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is asked prefers the output with more style, as the parts have it: the later trial."""
    original = RatingSession._draw

    def draw(session: RatingSession, question: Question, *, title: str) -> None:
        original(session, question, title=title)
        monkeypatch.setattr("sys.stdin", io.StringIO("b\n" if question.left < question.right else "a\n"))

    monkeypatch.setattr(RatingSession, "_draw", draw)


def answers(folder: Path) -> list[Preference]:
    with opened(folder / "styletuner.db") as storage:
        return load_preferences(storage.engine)


def question_of(answer: Preference) -> tuple[str, int, int]:
    return answer.photo_sha256, answer.first_trial, answer.second_trial


def save_distinct(folder: Path, number: int) -> None:
    """Anna's answers to so many pairs, each asked once: the output with more style."""
    pairs = [
        (photo, *trials) for photo in CALIBRATION_PHOTOS for trials in itertools.combinations(range(len(PARTS)), 2)
    ]
    with opened(folder / "styletuner.db") as storage:
        given = [
            Preference(
                who="anna",
                answered_at=datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC),
                study_uuid=uuid_of(storage.load_study(NAME)),
                photo_sha256=photo,
                first_trial=first,
                second_trial=second,
                left_trial=first,
                answer=SECOND,
                judge_version="2",
            )
            for photo, first, second in pairs[:number]
        ]
        save_preferences(storage.engine, given)


def test_answers_are_stored_as_they_are_given(run_cli: RunCli, rated: Path) -> None:
    outcome = run_cli(*PREFER, "--seed", 0, typed="a\nB\n t \nmaybe\na\nq\n").require_success()
    assert "6 trials, 2 photos, 30 of 30 pairs not asked about yet" in outcome.stdout
    assert "a: A is better, b: B is better, t: tie, q: stop. [4/20]" in outcome.stdout
    assert "4 answers of anna stored.\n16 more until they say" in outcome.stdout
    given = answers(rated)
    assert [answer.who for answer in given] == ["anna"] * 4
    for answer, left in zip(given, (True, False, None, True), strict=True):
        preferred = {FIRST: answer.first_trial, SECOND: answer.second_trial, TIE: None}[answer.answer]
        assert preferred is None if left is None else (preferred == answer.left_trial) == left
    with PIL.Image.open(rated / "question.png") as picture:
        assert picture.format == "PNG"


def test_the_end_of_the_input_is_a_quit_and_loses_nothing(run_cli: RunCli, rated: Path) -> None:
    arguments = (*PREFER, "--picture", "shown/q.png")
    assert "2 answers of anna stored" in run_cli(*arguments, typed="a\nb\n").require_success().stdout
    assert "28 of 30 pairs" in run_cli(*arguments, typed="t").require_success().stdout
    assert len(answers(rated)) == 3
    assert [path.name for path in (rated / "shown").iterdir()] == ["q.png"]


def test_an_answer_about_a_study_that_was_deleted_meanwhile_is_refused(
    run_cli: RunCli, rated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = RatingSession._draw

    def draw(session: RatingSession, question: Question, *, title: str) -> None:
        original(session, question, title=title)
        with StudyStorage.open(str(rated / "styletuner.db")) as other:
            other.delete_study(NAME)

    monkeypatch.setattr(RatingSession, "_draw", draw)
    run_cli(*PREFER, typed="a\n").require_refusal(NAME, "deleted meanwhile")
    assert answers(rated) == []


def test_deleting_a_study_says_how_many_choices_go_with_it(run_cli: RunCli, rated: Path) -> None:
    run_cli(*PREFER, typed="a\nb\nq\n").require_success()
    outcome = run_cli("study", "delete", NAME, typed="n\n")
    assert "6 trials and their pictures, and 2 choices that people made?" in outcome.stdout
    assert len(answers(rated)) == 2


@pytest.mark.usefixtures("style_wins")
def test_somebody_who_wants_style_gets_it(run_cli: RunCli, rated: Path) -> None:
    outcome = run_cli(*PREFER, "--choices", 30, "--seed", 1).require_success()
    assert "anna: 30 choices, 0 of them ties" in outcome.stdout
    found = re.search(r"content exponent +(0\.\d\d) \(90 %: (0\.\d\d) to (0\.\d\d)\), judge 0\.50", outcome.stdout)
    assert found is not None
    assert float(found[2]) < float(found[1]) < float(found[3]) < 0.5
    assert re.search(r"The judge foretold \d+% of the choices, these exponents \d+%", outcome.stdout)
    repeats = re.search(r"Asked again, anna chose as before in (\d+) of (\d+) questions?: 100%", outcome.stdout)
    assert repeats is not None
    assert repeats[1] == repeats[2], "whoever wants style says so twice"
    assert "Elsewhere two raters agreed in 66% of pairs of one style and 73% of any pairs (Kitov" in outcome.stdout
    assert "Ranked by them: trial 5" in outcome.stdout

    (report,) = json.loads(run_cli(*PREFER, "--report", "--json").require_success().stdout)
    assert (report["rater"], report["choices"], next(iter(report["qualities"]))) == ("anna", 30, "5")
    shown = run_cli("study", "show", NAME, "--calibrated", "--rater", "anna").require_success().stdout
    rows = re.findall(r"^ +(\d) .*calibrated (0\.\d+)", shown, re.MULTILINE)
    assert [int(number) for number, _ in rows] == [5, 4, 3, 2, 1, 0]
    as_json = json.loads(
        run_cli("study", "show", NAME, "--json", "--calibrated", "--rater", "anna").require_success().stdout
    )
    assert as_json["calibrated"] == report
    assert as_json["best"]["number"] == 2, "the study's own quality stays"

    outcome = run_cli("study", "export", NAME, "--calibrated", "--rater", "anna", "--top", 2).require_success()
    assert "By 30 choices of anna" in outcome.stderr
    exported = [yaml.safe_load((rated / f"best-{number}.yaml").read_text()) for number in (1, 2)]
    assert [config["trial"] for config in exported] == [5, 4]


def test_asked_again_who_always_says_a_never_chooses_as_before(run_cli: RunCli, rated: Path) -> None:
    """For sides are swapped; and what was answered once is held against it, whichever session it was in."""
    run_cli(*PREFER, "--choices", 20, "--seed", 1, typed="a\n" * 20).require_success()
    before = answers(rated)
    again = run_cli(*PREFER, "--repeat", 6, "--seed", 2, typed="a\n" * 6).require_success()
    assert "[6/6]" in again.stdout
    assert "6 answers of anna stored." in again.stdout
    new = answers(rated)[len(before) :]
    assert len(new) == 6
    for answer in new:
        earlier = next(old for old in reversed(before) if question_of(old) == question_of(answer))
        assert answer.left_trial != earlier.left_trial
    num_repeats = len(answers(rated)) - len({question_of(answer) for answer in answers(rated)})
    assert f"Asked again, anna chose as before in 0 of {num_repeats} questions: 0% (90 %: 0% to" in again.stdout
    (report,) = json.loads(run_cli(*PREFER, "--report", "--json").require_success().stdout)
    assert (report["self_agreement"]["repeats"], report["self_agreement"]["share"]) == (num_repeats, 0.0)
    assert report["choices"] == 26


def test_a_tie_against_a_choice_is_half_a_hit(run_cli: RunCli, rated: Path) -> None:
    save_distinct(rated, 20)
    again = run_cli(*PREFER, "--repeat", 3, typed="t\n" * 3).require_success().stdout
    assert "chose as before in 1.5 of 3 questions: 50% (90 %:" in again
    assert "3 ties against a choice being half a hit." in again


def test_where_nothing_was_asked_again_the_report_says_how_to(run_cli: RunCli, rated: Path) -> None:
    save_distinct(rated, 20)
    report = run_cli(*PREFER, "--report").require_success().stdout
    (line,) = [line for line in report.splitlines() if line.startswith("No choice was asked for again.")]
    assert json.loads(run_cli(*PREFER, "--report", "--json").require_success().stdout)[0]["self_agreement"] is None
    command = shlex.split(line.partition(": ")[2])
    assert command == ["styletuner", *PREFER, "--repeat", "10"]
    outcome = run_cli(*command[1:], typed="a\n" * 10).require_success()
    assert re.search(r"Asked again, anna chose as before in \d+ of 10 questions", outcome.stdout)


def test_of_fewer_questions_than_wanted_each_is_asked_again_once(run_cli: RunCli, rated: Path) -> None:
    run_cli(*PREFER, typed="a\nb\nt\nq\n").require_success()
    again = run_cli(*PREFER, "--repeat", 8, typed="a\n" * 8).require_success().stdout
    assert "3 pairs asked about so far: each comes once more." in again
    assert "3 answers of anna stored.\n14 more until they say" in again
    first, second = answers(rated)[:3], answers(rated)[3:]
    assert {question_of(answer) for answer in first} == {question_of(answer) for answer in second}


@pytest.mark.usefixtures("rated", "style_wins")
def test_everyone_is_reported_together_and_each(run_cli: RunCli) -> None:
    run_cli(*PREFER, "--choices", 20, "--seed", 1).require_success()
    run_cli("study", "prefer", NAME, "--rater", "ben", "--choices", 4, "--seed", 2).require_success()
    outcome = run_cli("study", "prefer", NAME, "--report", "--everyone").require_success()
    assert "everyone: 24 choices" in outcome.stdout
    assert "anna: 20 choices" in outcome.stdout
    assert "ben: Calibration needs at least 20 choices. Received 4 by ben" in outcome.stderr
    shown = run_cli("study", "show", NAME, "--calibrated", "--rater", "everyone").require_success()
    assert "everyone: 24 choices" in shown.stdout


@pytest.mark.usefixtures("style_wins")
def test_choices_of_other_studies_and_judges_are_left_out_and_said(run_cli: RunCli, rated: Path) -> None:
    with opened(rated / "styletuner.db") as storage:
        make_rated_study(storage, name="other")
    run_cli(*PREFER, "--choices", 20).require_success()
    run_cli("study", "prefer", "other", "--rater", "anna", "--choices", 5).require_success()
    with opened(rated / "styletuner.db") as storage:
        storage.load_study("other").set_user_attr("judge_version", "3")
    report = run_cli(*PREFER, "--report").require_success().stdout
    assert "anna: 20 choices" in report
    assert "Not used: 5 choices given in other studies." in report
    refused = run_cli("study", "prefer", "other", "--rater", "anna", "--report")
    refused.require_refusal("Received 0 by anna", "5 choices given under judge version 2 (the study's is 3)")


def test_contradictions_are_told(run_cli: RunCli, rated: Path) -> None:
    with opened(rated / "styletuner.db") as storage:
        make_rated_study(storage, name="two", parts=PARTS[:2])
    arguments = ("study", "prefer", "two", "--rater", "anna", "--seed", 0)
    report = run_cli(*arguments, typed="a\n" * 20).require_success().stdout
    assert "Contradictions: 2 pairs preferred both ways, 0 circles" in report
    assert ": no better than the judge's own." in report


@pytest.mark.usefixtures("rated")
def test_everyone_needs_no_user_name(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise OSError

    monkeypatch.setattr("getpass.getuser", nobody)
    refused = run_cli("study", "prefer", NAME, "--report", "--everyone")
    refused.require_refusal("Received 0 by everyone")
    run_cli("study", "prefer", NAME, "--report").require_refusal("This system knows no user name", "--rater")


@pytest.mark.usefixtures("rated")
class TestBadInput:
    def test_unknown_study(self, run_cli: RunCli) -> None:
        run_cli("study", "prefer", "ratde").require_refusal("ratde", "Did you mean 'rated'?")

    def test_no_calibration_photos(self, run_cli: RunCli, folder: Path) -> None:
        with opened(folder / "styletuner.db") as storage:
            make_rated_study(storage, name="none", photos=False)
        run_cli("study", "prefer", "none").require_refusal("no calibration photos", "data.held_out.calibration")

    @pytest.mark.parametrize("name", ["file/q.png", "folder.png", "picture.jpg", "mine.png"])
    def test_a_picture_that_cannot_be_written(self, run_cli: RunCli, folder: Path, name: str) -> None:
        """Nor what somebody else put there."""
        (folder / "file").write_text("")
        (folder / "folder.png").mkdir()
        PIL.Image.new("RGB", (8, 8)).save(folder / "mine.png")
        before = {path: path.is_file() and path.read_bytes() for path in folder.iterdir()}
        run_cli(*PREFER, "--picture", name).require_refusal(name, "--picture")
        assert answers(folder) == []
        after = {path: path.is_file() and path.read_bytes() for path in folder.iterdir()}
        assert {path: content for path, content in after.items() if path in before and path.suffix != ".db"} == {
            path: content for path, content in before.items() if path.suffix != ".db"
        }

    def test_a_damaged_style_image(self, run_cli: RunCli, folder: Path) -> None:
        with opened(folder / "styletuner.db") as storage:
            style = storage.load_study(NAME).user_attrs["style_image"]
            storage.artifacts.path_of(style).write_bytes(b"no picture")
        run_cli(*PREFER).require_refusal("The style image of study 'rated' cannot be read")

    @pytest.mark.parametrize("name", ["", "everyone"])
    def test_names_that_nobody_has(self, run_cli: RunCli, name: str) -> None:
        run_cli("study", "prefer", NAME, "--rater", name).require_refusal("`rater` must be")

    def test_report_of_somebody_unknown(self, run_cli: RunCli) -> None:
        run_cli(*PREFER, "--report").require_refusal("'anna'", "Nobody has yet", "study prefer rated")
        run_cli("study", "show", NAME, "--calibrated", "--rater", "anna").require_refusal("'anna'")
        run_cli("study", "export", NAME, "--calibrated", "--rater", "anna").require_refusal("'anna'")

    def test_nothing_that_could_be_asked_again(self, run_cli: RunCli, folder: Path) -> None:
        outcome = run_cli(*PREFER, "--repeat", 5)
        outcome.require_refusal("anna has answered no question about 'rated' yet", "study prefer rated --rater anna")
        assert answers(folder) == []

    def test_options_that_exclude_each_other(self, run_cli: RunCli) -> None:
        run_cli(*PREFER, "--repeat", 5, "--choices", 20).require_refusal("--choices", "Give one of them")
        run_cli(*PREFER, "--repeat", 5, "--report").require_refusal("Leave --choices, --repeat")
        run_cli(*PREFER, "--repeat", 0).require_refusal("--repeat")
        run_cli(*PREFER, "--everyone").require_refusal("--report")
        run_cli(*PREFER, "--report", "--everyone").require_refusal("Give one of them")
        run_cli(*PREFER, "--report", "--choices", 20).require_refusal("Leave --choices")
        run_cli("study", "show", NAME, "--rater", "anna").require_refusal("Add --calibrated")
        for other in (("--trial", 1), ("--prefer", "style")):
            run_cli("study", "export", NAME, "--calibrated", "--rater", "anna", *other).require_refusal("--calibrated")
