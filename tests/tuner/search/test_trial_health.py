"""What ends a trial and what is only noted, rung by rung."""

import pytest

from measures.loss_weights import LossWeights
from measures.quality import ArtefactExcess, Quality, average_photos, combine_parts
from tuner.search.trial_health import COLLAPSED, SPIKE, TrialHealth

WEIGHTS = LossWeights.normalised(content=1, style=1, total_variation=2)


def quality(*, collapse: float | None) -> Quality:
    artefacts = ArtefactExcess(checkerboard=0, clipping=0, border=0, fixed_pattern=None, collapse=collapse)
    photo = combine_parts(content=0.5, style=0.5, artefacts=artefacts, content_exponent=0.5, terms={})
    return average_photos([photo, photo])


def losses(weighted: float) -> dict[str, float]:
    """Losses whose weighted sum is this: .25 content + .25 style + .5 total variation."""
    return {"content": weighted, "style": weighted, "total_variation": weighted}


def ending(*collapses: float | None) -> str | None:
    health = TrialHealth(WEIGHTS, images=400)
    for place, collapse in enumerate(collapses, start=1):
        health.look(quality(collapse=collapse), losses(1), images_seen=100 * place)
    return health.ending


def test_collapsed_at_two_rungs_in_succession_ends_a_trial() -> None:
    assert ending(0, COLLAPSED, 3) == "pruned: collapsed to flat or equal outputs at images 200 and 300"


@pytest.mark.parametrize("collapses", [(3,), (3, 0, 3), (3, COLLAPSED - 0.1), (None, None), (3, 3, 0)])
def test_what_may_recover_or_has_recovered_goes_on(collapses: tuple[float | None, ...]) -> None:
    assert ending(*collapses) is None


def test_a_collapse_before_a_quarter_of_the_run_says_nothing() -> None:
    health = TrialHealth(WEIGHTS, images=4000)
    for images in (100, 200, 1000):
        health.look(quality(collapse=3), losses(1), images_seen=images)
    assert health.ending is None
    health.look(quality(collapse=3), losses(1), images_seen=2000)
    assert health.ending == "pruned: collapsed to flat or equal outputs at images 1000 and 2000"


def test_a_rise_of_the_weighted_loss_is_noted_and_ends_nothing() -> None:
    health = TrialHealth(WEIGHTS, images=400)
    for images, loss in ((100, 1.0), (200, SPIKE), (300, 0.5), (400, 1.0), (500, 0.9)):
        health.look(quality(collapse=0), losses(loss), images_seen=images)
    assert health.ending is None
    text = "training loss 2.0 times as high from image 300 to 400"
    assert health.notes == [{"name": "loss_spike", "text": text, "cost": 0.0}]


def test_terms_count_by_their_weights() -> None:
    health = TrialHealth(WEIGHTS, images=400)
    health.look(quality(collapse=0), {"content": 1, "style": 1, "total_variation": 1}, images_seen=100)
    health.look(quality(collapse=0), {"content": 2, "style": 1, "total_variation": 1}, images_seen=200)
    assert health.notes == [], "1.25 times"
    health.look(quality(collapse=0), {"content": 2, "style": 1, "total_variation": 3}, images_seen=300)
    assert health.notes[0]["text"].startswith("training loss 1.8 times")
