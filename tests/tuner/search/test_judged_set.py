"""Photos and their judge."""

import numpy as np

from objectives.judging.judge import Judge
from tests.objectives.drawn_pictures import draw_photo, draw_style
from tuner.search.judged_set import JudgedSet


def test_judge_is_built_once_and_when_it_is_needed() -> None:
    photos = np.stack([draw_photo(seed, height=48, width=48) for seed in range(2)])
    built: list[Judge] = []

    def build() -> Judge:
        built.append(Judge(style=draw_style(), photos=list(photos)))
        return built[-1]

    judged = JudgedSet(photos=photos, sha256s=["a", "b"], build_judge=build)
    assert len(judged) == 2
    assert built == []
    assert judged.judge is judged.judge
    assert len(built) == 1
    assert len(judged.judge.score(list(photos)).photos) == 2
