"""A scout's sheet: one photo over a grid of both ratios."""

from collections.abc import Sequence

from dashboards.scout_sheet import ScoutCell, ScoutGrid, scout_sheet
from tuner.scouting.scout import Scout
from tuner.scouting.sweeping import Foretold, best_apart
from tuner.search.judged_set import JudgedSet
from tuner.search.study_pictures import StudyPictures


def draw_grid(
    scout: Scout,
    pictures: StudyPictures,
    judged: JudgedSet,
    found: Sequence[Foretold],
    *,
    shape: tuple[int, int],
    photo: int = 0,
) -> bytes:
    """Draw what each setting of a grid makes of one photo, with its quality.

    Args:
        scout: A trained scout.
        pictures: What it was trained with.
        judged: The photos that settings are judged on.
        found: What it foretells of the settings, in the order of `grid_positions`.
        shape: Rows (values of tv : content) and columns (of style : content).
        photo: Which of the photos is drawn.

    Returns:
        A PNG file's bytes.
    """
    num_columns = shape[1]
    shown = judged.photos[photo : photo + 1]
    cells = [ScoutCell(output=scout.paint(one.values, shown)[0], quality=one.quality.quality) for one in found]
    (best,) = best_apart(scout.space, found, 1)
    return scout_sheet(
        shown[0],
        pictures.judged_style,
        ScoutGrid(
            style_to_content=[one.values.style_to_content for one in found[:num_columns]],
            tv_to_content=[one.values.tv_to_content for one in found[::num_columns]],
            cells=[cells[start : start + num_columns] for start in range(0, len(cells), num_columns)],
        ),
        title=f"What the weights do to {pictures.style_path.stem}",
        subtitle=_subtitle(scout, best, num_photos=len(judged)),
    )


def _subtitle(scout: Scout, best: Foretold, *, num_photos: int) -> str:
    return (
        f"a scout of {scout.images} images; quality over {num_photos} photos; best {best.quality.quality:.3f} at "
        f"style : content {best.values.style_to_content:.2g}, tv : content {best.values.tv_to_content:.2g}"
    )
