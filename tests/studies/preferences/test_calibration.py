import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.quality import FLOOR, Exponents, Parts
from studies.errors import CalibrationError
from studies.preferences.calibration import (
    MIN_CHOICES,
    Choice,
    agreement,
    calibrate,
    measure_consistency,
)

SHARE = st.floats(0.0, 1.0)


def parts(content: float, style: float, artefacts: float = 1.0) -> Parts:
    return Parts(content_preservation=content, style_match=style, artefact_factor=artefacts)


def choice(
    answer: str, trials: tuple[int, int] = (0, 1), *, photo: str = "a", rater: str = "anna", first: Parts | None = None
) -> Choice:
    shown = (first or parts(0.8, 0.2), parts(0.2, 0.8))
    return Choice(rater=rater, photo=photo, trials=trials, answer=answer, parts=shown)


def simulate(num_choices: int, *, content: float, seed: int, decisiveness: float = 5.0) -> list[Choice]:
    """Choices by the model of somebody with this content exponent, between outputs drawn at random."""
    generator = np.random.default_rng(seed)
    rater = decisiveness * Exponents(content=content).vector()
    choices = []
    for number in range(num_choices):
        shown = [parts(*generator.uniform(0.1, 0.9, 2), generator.uniform(0.6, 1.0)) for _ in range(2)]
        lead = float(rater @ (shown[0].features() - shown[1].features()))
        answer = "first" if generator.random() < 1.0 / (1.0 + math.exp(-lead)) else "second"
        choices.append(
            Choice(rater="x", photo="a", trials=(2 * number, 2 * number + 1), answer=answer, parts=(shown[0], shown[1]))
        )
    return choices


@given(SHARE, SHARE, SHARE, SHARE)
def test_quality_at_the_judges_exponents_is_the_judges(w: float, content: float, style: float, factor: float) -> None:
    expected = content**w * style ** (1 - w) * factor
    assert Exponents(content=w).quality(parts(content, style, factor)) == pytest.approx(expected)


def test_features_have_a_floor() -> None:
    assert parts(1.0, math.e**-2, 0.0).features() == pytest.approx([0.0, -2.0, math.log(FLOOR)])


@pytest.mark.slow
@pytest.mark.parametrize(("num_choices", "widest"), [(20, 0.75), (50, 0.5), (100, 0.4)])
def test_simulated_raters_are_found_within_the_stated_interval(num_choices: int, widest: float) -> None:
    """90 % of the intervals hold the truth; of 40 raters at least 32 do with a probability of 98 %."""
    inside, widths = [], []
    for seed in range(40):
        content = 0.15 + 0.7 * (seed % 8) / 7
        found = calibrate(simulate(num_choices, content=content, seed=seed), content_exponent=0.5)
        low, high = found.content_interval
        inside.append(low <= content <= high)
        widths.append(high - low)
        assert found.artefact_interval[0] < found.exponents.artefacts < found.artefact_interval[1]
    assert sum(inside) >= 32
    assert np.mean(widths) < widest


def test_more_choices_say_more() -> None:
    choices = simulate(200, content=0.8, seed=1)
    few, many = (calibrate(choices[:number], content_exponent=0.5) for number in (20, 200))
    assert many.content_interval[1] - many.content_interval[0] < few.content_interval[1] - few.content_interval[0]
    assert many.exponents.content == pytest.approx(0.8, abs=0.1)


def test_somebody_unlike_the_judge_is_foretold_better_after() -> None:
    found = calibrate(simulate(100, content=0.9, seed=2, decisiveness=20.0), content_exponent=0.3)
    assert found.agreement_before is not None
    assert found.agreement_after is not None
    assert found.agreement_after > found.agreement_before + 0.1


def test_somebody_like_the_judge_keeps_its_exponents() -> None:
    found = calibrate(simulate(200, content=0.5, seed=3), content_exponent=0.5)
    assert found.exponents.content == pytest.approx(0.5, abs=0.08)


def test_too_few_choices_are_refused() -> None:
    with pytest.raises(CalibrationError, match=r"at least 20 choices\. Received 19\. Give 1 more"):
        calibrate([choice("first")] * (MIN_CHOICES - 1), content_exponent=0.5)


def test_ties_alone_say_nothing_about_agreement() -> None:
    found = calibrate([choice("tie", (0, number)) for number in range(1, 21)], content_exponent=0.5)
    assert (found.num_ties, found.agreement_before, found.agreement_after) == (20, None, None)
    assert found.exponents.content == pytest.approx(0.5, abs=0.02)
    assert found.content_interval[0] < 0.5 < found.content_interval[1]


def test_one_pair_alone_cannot_be_tested_on_others() -> None:
    found = calibrate([choice("first")] * 20, content_exponent=0.5)
    assert (found.agreement_before, found.agreement_after) == (0.5, None)
    assert found.exponents.content > 0.5, "the one with more content was preferred"


def test_contradictions_leave_the_interval_wide() -> None:
    sure = calibrate([choice("first", (0, n)) for n in range(1, 31)], content_exponent=0.5)
    torn = [choice(answer, (0, n)) for n in range(1, 16) for answer in ("first", "second")]
    found = calibrate(torn, content_exponent=0.5)
    assert found.consistency.num_contradictions == 15
    assert found.decisiveness < sure.decisiveness
    assert found.exponents.content == pytest.approx(0.5, abs=0.05)


def test_answers_to_one_question_weigh_as_one_choice() -> None:
    """Asked three times, somebody who stays with every choice tells no more about other pairs."""
    once = simulate(20, content=0.8, seed=4)
    thrice = calibrate(once * 3, content_exponent=0.5)
    single = calibrate(once, content_exponent=0.5)
    assert thrice.exponents == single.exponents
    assert (thrice.content_interval, thrice.artefact_interval) == (single.content_interval, single.artefact_interval)
    assert (thrice.num_choices, thrice.self_agreement.num_alike) == (60, 40)
    assert single.self_agreement.share is None


def test_a_choice_taken_back_weighs_as_a_tie() -> None:
    firm = simulate(20, content=0.8, seed=5)
    doubtful = choice("first", (98, 99)), choice("second", (98, 99))
    torn, tied = (calibrate([*firm, *extra], content_exponent=0.5) for extra in (doubtful, [choice("tie", (98, 99))]))
    assert torn.exponents == tied.exponents
    assert torn.self_agreement.share == 0.0


def test_several_raters_of_one_pair_weigh_each() -> None:
    once = simulate(20, content=0.8, seed=6)
    both = calibrate([*once, *(replace(given, rater="y") for given in once)], content_exponent=0.5)
    alone = calibrate(once, content_exponent=0.5)
    assert both.content_interval[1] - both.content_interval[0] < alone.content_interval[1] - alone.content_interval[0]


def test_agreement_by_hand() -> None:
    """The judge finds no difference where content and style are only swapped: half a hit."""
    swapped, better = choice("first"), choice("first", first=parts(0.9, 0.9))
    content, style = Exponents(content=0.9), Exponents(content=0.1)
    assert agreement([swapped], [Exponents(content=0.5)]) == 0.5
    assert agreement([swapped, swapped, better], [content, style, style]) == pytest.approx(2 / 3)
    assert agreement([choice("tie")], [content]) is None


def test_consistency_by_hand() -> None:
    choices = [
        choice("first", (0, 1)),
        choice("first", (0, 1)),
        choice("second", (0, 1)),
        choice("tie", (0, 1), rater="ben"),
        choice("second", (0, 1), photo="b"),
    ]
    found = measure_consistency(choices)
    assert (found.num_contradictions, found.num_circles) == (1, 0)


def test_circles_are_counted_once_each_within_a_photo_and_a_rater() -> None:
    """0 over 1, 1 over 2, 2 over 0."""
    circle = [choice("first", (0, 1)), choice("first", (1, 2)), choice("second", (0, 2))]
    assert measure_consistency(circle).num_circles == 1
    assert measure_consistency([*circle[:2], choice("first", (0, 2))]).num_circles == 0
    assert measure_consistency([*circle[:2], choice("second", (0, 2), photo="b")]).num_circles == 0
    assert measure_consistency([*circle[:2], choice("second", (0, 2), rater="ben")]).num_circles == 0
