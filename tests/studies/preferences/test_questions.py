"""What a person can be asked about a study, and what is asked next."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from measures.quality import Exponents
from studies.errors import PreferenceError
from studies.preferences import questions
from studies.preferences.calibrated_ranking import load_parts
from studies.preferences.questions import (
    QUESTIONS_BETWEEN,
    REPEAT_SHARE,
    Pair,
    PairMaterial,
    QuestionChooser,
    find_pairs,
    information,
)
from studies.records.summaries import StudySummary, summarise
from studies.storage.study_storage import StudyStorage
from tests.tuner.rated_study import NAME, PARTS, make_rated_study

EVEN = Exponents(content=0.5)


@pytest.fixture
def storage(tmp_path: Path) -> StudyStorage:
    with StudyStorage.create(str(tmp_path / "studies.db")) as created:
        return created


def found(storage: StudyStorage, name: str = NAME) -> tuple[StudySummary, PairMaterial]:
    summary = summarise(storage, name)
    return summary, find_pairs(summary, load_parts(storage, summary))


def test_all_pairs_of_a_photo_can_be_asked(storage: StudyStorage) -> None:
    make_rated_study(storage)
    _, material = found(storage)
    assert (material.num_trials, material.num_photos, material.notes) == (6, 2, ())
    assert len({pair.key for pair in material.pairs}) == 2 * 15
    first = next(pair for pair in material.pairs if pair.trials == (0, 1))
    assert first.difference == pytest.approx((np.log(9 / 8), np.log(1 / 2), 0.0))


def test_of_many_trials_the_best_are_asked_about(storage: StudyStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "MAX_ASKED_TRIALS", 3)
    make_rated_study(storage)
    _, material = found(storage)
    assert {pair.trials for pair in material.pairs} == {(1, 2), (1, 3), (2, 3)}
    assert (material.num_trials, len(material.pairs)) == (3, 6)
    assert material.notes == ("Asked about are the best 3 trials by quality; 3 more are left out.",)


def test_a_study_without_anything_to_ask_says_how_to_get_it(storage: StudyStorage) -> None:
    make_rated_study(storage, photos=False)
    with pytest.raises(PreferenceError, match=r"has no calibration photos .* data\.held_out\.calibration=6"):
        found(storage)
    make_rated_study(storage, name="one", parts=PARTS[:1])
    with pytest.raises(PreferenceError, match="has 1 complete trials with pictures of its calibration photos; two"):
        found(storage, "one")


def test_what_is_better_in_everything_tells_little() -> None:
    assert information((0.0, 0.0, 0.0), EVEN) == 0.0
    assert information((1.0, -1.0, 0.0), EVEN) > 2 * information((2.0, 1.0, 0.0), EVEN)


def pairs(number: int) -> list[Pair]:
    generator = np.random.default_rng(0)
    return [
        Pair(photo="a", trials=(index, index + 1), difference=tuple(generator.normal(size=3)))
        for index in range(number)
    ]


def test_questions_are_new_or_repeat_with_sides_swapped() -> None:
    chooser = QuestionChooser(pairs(300), asked=[], exponents=EVEN, seed=0)
    asked = [chooser.choose() for _ in range(200)]
    repeats = [(index, question) for index, question in enumerate(asked) if question.is_repeat]
    assert len(repeats) == pytest.approx(200 * REPEAT_SHARE, abs=15)
    for index, question in repeats:
        before = [place for place in range(index) if asked[place].pair.key == question.pair.key]
        assert before, "only what was asked comes again"
        assert question.left == asked[before[-1]].right
        assert index - before[-1] > QUESTIONS_BETWEEN
    fresh = [question.pair.key for question in asked if not question.is_repeat]
    assert len(fresh) == len(set(fresh))
    lefts = Counter(question.left == question.pair.trials[0] for question in asked)
    assert lefts[True] == pytest.approx(100, abs=30)


def test_a_later_session_goes_on_where_the_earlier_one_ended() -> None:
    some = pairs(3)
    chooser = QuestionChooser(some, asked=[(some[0].key, 0), (some[1].key, 1)], exponents=EVEN, seed=0)
    assert chooser.num_fresh == 1
    asked = [chooser.choose() for _ in range(8)]
    assert sum(not question.is_repeat for question in asked) == 1
    assert {question.pair.key for question in asked} == {pair.key for pair in some}


def test_one_pair_can_be_asked_for_ever() -> None:
    chooser = QuestionChooser(pairs(1), asked=[], exponents=EVEN, seed=0)
    assert [chooser.choose().is_repeat for _ in range(3)] == [False, True, True]


def test_asked_again_each_pair_comes_once_with_sides_swapped_and_not_from_memory() -> None:
    """Two of the ten were asked twice already: they come last."""
    some = pairs(12)
    earlier = [*((pair.key, pair.trials[0]) for pair in some[:10]), *((pair.key, pair.trials[1]) for pair in some[:2])]
    chooser = QuestionChooser(some, asked=earlier, exponents=EVEN, seed=0)
    assert chooser.num_asked == 10
    again = [chooser.choose_again() for _ in range(10)]
    assert {question.pair.key for question in again[:8]} == {pair.key for pair in some[2:10]}
    assert {question.pair.key for question in again[8:]} == {pair.key for pair in some[:2]}
    assert all(question.is_repeat for question in again)
    assert [question.left for question in again[:8]] == [question.pair.trials[1] for question in again[:8]]
    assert [question.left for question in again[8:]] == [question.pair.trials[0] for question in again[8:]]
    order = [key for key, _ in earlier] + [question.pair.key for question in again]
    for place, question in enumerate(again, start=len(earlier)):
        before = max(index for index in range(place) if order[index] == question.pair.key)
        assert place - before > QUESTIONS_BETWEEN
    assert chooser.num_fresh == 2, "no new pair was used up"


def test_asked_again_none_comes_twice_while_others_were_asked_more_often() -> None:
    some = pairs(12)
    earlier = [(pair.key, pair.trials[turn % 2]) for turn in range(3) for pair in some[:6]]
    earlier += [(pair.key, pair.trials[0]) for pair in some[6:]]
    chooser = QuestionChooser(some, asked=earlier, exponents=EVEN, seed=0)
    again = [chooser.choose_again().pair.key for _ in range(12)]
    assert set(again[:6]) == {pair.key for pair in some[6:]}
    assert set(again[6:]) == {pair.key for pair in some[:6]}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_of_few_pairs_each_is_asked_again_in_the_same_order(number: int) -> None:
    some = pairs(5)
    earlier = [(pair.key, pair.trials[0]) for pair in some[:number]]
    chooser = QuestionChooser(some, asked=earlier, exponents=EVEN, seed=0)
    assert [chooser.choose_again().pair.key for _ in range(number)] == [pair.key for pair in some[:number]]


def test_repeats_are_of_what_was_asked_longest_ago() -> None:
    chooser = QuestionChooser(pairs(300), asked=[], exponents=EVEN, seed=0)
    asked = [chooser.choose() for _ in range(200)]
    keys = [question.pair.key for question in asked]
    repeats = [(place, keys.index(keys[place])) for place, question in enumerate(asked) if question.is_repeat]
    assert sum(before < place / 2 for place, before in repeats) > 0.8 * len(repeats)


def test_a_seed_gives_the_same_questions() -> None:
    first, second = (QuestionChooser(pairs(50), asked=[], exponents=EVEN, seed=7) for _ in range(2))
    assert [first.choose() for _ in range(30)] == [second.choose() for _ in range(30)]
