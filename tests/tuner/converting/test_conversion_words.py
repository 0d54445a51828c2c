"""What is said of a conversion, by how near both losses are."""

import pytest

from measures.gradient_matching import MatchedWeights
from measures.published_trainers import TRAINERS
from tuner.converting.conversion_words import nearness_in_words, told_in_words, why_approximate


def matched(cosine: float, *, left_out: tuple[str, ...] = ()) -> MatchedWeights:
    return MatchedWeights(
        weights={"content": 1.0, "style": 2.0},
        left_out=left_out,
        cosine=cosine,
        lowest_cosine=cosine - 0.1,
        term_cosines={"content": 1.0, "style": cosine},
    )


def test_one_loss_and_another_that_is_the_same() -> None:
    assert nearness_in_words(TRAINERS["lengstrom"], matched(0.999), num_pictures=10) == (
        "Cosine of both losses' gradients on 10 pictures: 0.999, lowest 0.899 (content 1.000, style 0.999)."
    )


def test_an_approximation_says_why() -> None:
    said = nearness_in_words(TRAINERS["magenta"], matched(0.8, left_out=("total_variation",)), num_pictures=10)
    _, line = said.splitlines()
    assert line.startswith(
        "Approximate: the losses' gradients differ (cosine below 0.95); there is no total variation loss to give its "
        "weight to; its loss network, Caffe's VGG-16 with average pooling, is not here;"
    )


def test_no_match_says_what_to_do() -> None:
    """The demo's winner for pytorch/examples has a cosine of .16."""
    _, line = nearness_in_words(TRAINERS["pytorch-examples"], matched(0.16), num_pictures=10).splitlines()
    assert line == (
        "No match: the losses' gradients differ (cosine below 0.5). These weights do there something else than here. "
        "To find weights for pytorch-examples, search in its own loss: styletuner study run ... --trainer "
        "pytorch-examples"
    )


@pytest.mark.parametrize(("cosine", "num_reasons"), [(0.99, 0), (0.94, 1), (0.3, 1)])
def test_reasons_are_counted(cosine: float, num_reasons: int) -> None:
    assert len(why_approximate(TRAINERS["lengstrom"], matched(cosine))) == num_reasons


def test_what_a_trainer_is_not_told_of_a_trial_is_said() -> None:
    lengstrom, magenta = TRAINERS["lengstrom"], TRAINERS["magenta"]
    assert told_in_words(lengstrom, tilt=0.0, learning_rate=None) == []
    (tilt,) = told_in_words(lengstrom, tilt=-1.25, learning_rate=None)
    assert "tilt of -1.25 cannot be told to lengstrom" in tilt
    told, rate = told_in_words(magenta, tilt=1.0, learning_rate=0.0021)
    assert told == "This trial's tilt of +1.00 is in the weights of its style layers."
    assert "learning rate of 0.0021 is not in the command: magenta has its own" in rate
