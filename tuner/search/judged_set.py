"""Photos that a study's trials are judged on."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from models.pictures.images import Image
from models.pictures.photos import Photo
from objectives.judging.judge import Judge
from tuner.configuration.settings import StudyConfig
from tuner.search.study_pictures import StudyPictures


@final
@dataclass(frozen=True, kw_only=True)
class JudgedSet:
    """Photos of one use, such as those of the rungs, and their judge.

    Attributes:
        photos: (photos, size, size, 3) in [0, 1]; maybe none.
        sha256s: Content hash of each photo's file.
        build_judge: Looks at style image and photos, which takes a while.
    """

    photos: NDArray[np.float32]
    sha256s: Sequence[str]
    build_judge: Callable[[], Judge]

    def __len__(self) -> int:
        return len(self.photos)

    @functools.cached_property
    def judge(self) -> Judge:
        """Scores one output per photo; built when it is first asked for. There must be photos."""
        return self.build_judge()


def judged_set(config: StudyConfig, pictures: StudyPictures, photos: Sequence[Photo]) -> JudgedSet:
    """Read some of a study's held-out photos, maybe none, as its trials paint them."""
    squares = pictures.held_out(photos, size=config.data.held_out.size)
    return judged_squares(config, squares, [photo.sha256 for photo in photos], style=pictures.judged_style)


def judged_squares(
    config: StudyConfig, squares: NDArray[np.float32], sha256s: Sequence[str], *, style: Image
) -> JudgedSet:
    """Have some of a study's held-out photos judged as its trials paint them.

    Args:
        config: The study's configuration.
        squares: (photos, size, size, 3) in [0, 1]; maybe none.
        sha256s: Content hash of each photo's file.
        style: The study's style image, as `StudyPictures.judged_style` has it.
    """

    def build_judge() -> Judge:
        return Judge(style=style, photos=list(squares), content_exponent=config.quality.content_exponent)

    return JudgedSet(photos=squares, sha256s=sha256s, build_judge=build_judge)
