"""How long the settings of a study are to be trained, and of how many."""

import re
from fractions import Fraction
from typing import Final

from tuner.errors import ValidatingError

FEWEST_SETTINGS: Final = 2
"""To compare."""

_SHOWN_CHARACTERS: Final = 40


def long_run_images(text: str, *, short_run: int, batch_size: int, is_extension: bool = False) -> int:
    """Return the images of a long run, in whole batches.

    Args:
        text: A number of images, or a multiple of the short run: "4800", "4x", "2.5x".
        short_run: Images of the study's own complete trials.
        batch_size: Images of a batch.
        is_extension: Whether trials are trained on, of which one that was pruned may end where complete ones do.

    Raises:
        ValidatingError: It is neither, or too short.
    """
    shown = repr(text) if len(text) <= _SHOWN_CHARACTERS else repr(text[:_SHOWN_CHARACTERS]) + "..."
    read = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)x|([0-9]+)", text)
    if read is None:
        raise ValidatingError(
            f"`--images` must be a number of images, or a multiple of the study's own run such as 4x. Received {shown}."
        )
    multiple, number = read.groups()
    wanted = Fraction(number) if multiple is None else Fraction(multiple) * short_run
    images = -(-wanted // batch_size) * batch_size
    if images < short_run or (images == short_run and not is_extension):
        bound = "at least" if is_extension else "more than"
        raise ValidatingError(
            f"`--images` must be {bound} the {short_run:,} images that the study's trials are trained on. Received "
            f"{shown}. Give a multiple such as 4x."
        )
    return images
