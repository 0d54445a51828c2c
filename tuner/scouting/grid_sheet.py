"""A scout's sheet: one photo over a grid of both ratios."""

from collections.abc import Callable

from dashboards.scout_sheet import ScoutCell, ScoutGrid, scout_sheet
from tuner.scouting.scout import Scout
from tuner.scouting.sweeping import Foretold, best_apart, grid_positions, sweep
from tuner.search.judged_set import JudgedSet
from tuner.search.study_pictures import StudyPictures


def draw_grid(
    scout: Scout,
    pictures: StudyPictures,
    judged: JudgedSet,
    *,
    shape: tuple[int, int],
    photo: int = 0,
    on_setting: Callable[[int], None] = lambda _: None,
) -> bytes:
    """Judge a grid of settings and draw what each makes of one photo.

    Args:
        scout: A trained scout.
        pictures: What it was trained with.
        judged: The photos that settings are judged on.
        shape: Rows (values of tv : content) and columns (of style : content), the ends of the ranges among them.
        photo: Which of them is drawn.
        on_setting: Told how many settings are judged, after each.

    Returns:
        A PNG file's bytes.
    """
    num_rows, num_columns = shape
    values = scout.space.at(grid_positions(num_columns, num_rows))
    found = sweep(scout, values, judged, on_setting=on_setting)
    shown = judged.photos[photo : photo + 1]
    cells = [ScoutCell(output=scout.paint(one.values, shown)[0], quality=one.quality.quality) for one in found]
    (best,) = best_apart(scout, found, 1)
    return scout_sheet(
        shown[0],
        pictures.judged_style,
        ScoutGrid(
            style_to_content=[one.style_to_content for one in values[:num_columns]],
            tv_to_content=[one.tv_to_content for one in values[::num_columns]],
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
