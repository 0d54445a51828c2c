import pytest

from tuner.errors import ValidatingError
from tuner.validating.run_lengths import long_run_images


@pytest.mark.parametrize(
    ("text", "images"), [("4x", 400), ("2.5x", 252), ("1.01x", 104), ("104", 104), ("101", 104), ("4000", 4000)]
)
def test_images_in_whole_batches(text: str, images: int) -> None:
    assert long_run_images(text, short_run=100, batch_size=4) == images


@pytest.mark.parametrize("text", ["", "x", "4X", "four", "-4x", "+8", "4 x", "1e3", "4.x", ".5x", "4,000", "٤x", "nan"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(ValidatingError, match="must be a number of images, or a multiple"):
        long_run_images(text, short_run=100, batch_size=4)


@pytest.mark.parametrize("text", ["1x", "0x", "0.5x", "100", "0", "1.0x"])
def test_what_is_no_longer(text: str) -> None:
    with pytest.raises(ValidatingError, match=f"more than the 100 images .* Received '{text}'"):
        long_run_images(text, short_run=100, batch_size=4)


def test_a_pruned_trial_may_end_where_complete_ones_do() -> None:
    assert long_run_images("1x", short_run=100, batch_size=4, is_extension=True) == 100
    with pytest.raises(ValidatingError, match=r"at least the 100 images .* Received '96'"):
        long_run_images("96", short_run=100, batch_size=4, is_extension=True)


def test_a_long_text_is_shortened() -> None:
    with pytest.raises(ValidatingError, match=r"Received 'y{40}'\.\.\."):
        long_run_images("y" * 10_000, short_run=100, batch_size=4)
