"""Draws the demo's style image: an evening landscape in thick strokes of oil paint, from no file and no photo.

Strokes follow a flow field with swirls, coarse ones first (Hertzmann 1998, Painterly Rendering with Curved Brush
Strokes, section 2: layers of decreasing brush size), each with bristles that leave ridges, lit from the upper left.
All numbers here are a composition, chosen by looking at the result; coordinates run from 0 to 1, right and down.
"""

import colorsys
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFilter

from models.pictures.images import Image

PAINTING_SIZE: Final = 512
"""Pixels of each side of the painting."""

_SEED: Final = 1889
_OVERSAMPLING: Final = 2  # drawn larger and filtered down: Pillow's lines have hard edges
_CANVAS: Final = _OVERSAMPLING * PAINTING_SIZE
_FIELD: Final = 256  # pixels of a side of the fields that guide the strokes
_STEPS: Final = 10  # points of a stroke

Field = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Swirl:
    """A vortex of the sky: centre, radius and spin (positive is clockwise); `glow` is the size of a light in it."""

    x: float
    y: float
    radius: float
    spin: float
    glow: float = 0.0


@dataclass(frozen=True, kw_only=True)
class _Brush:
    """One layer of strokes, lengths relative to the canvas: grid spacing, stroke length and width, colour jitter."""

    spacing: float
    length: float
    width: float
    jitter: float


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """What guides the strokes, each of shape (_FIELD, _FIELD): direction in radians, colour (..., 3), and detail."""

    angle: Field
    colour: Field
    detail: Field


_SWIRLS: Final = (
    _Swirl(x=0.46, y=0.30, radius=0.19, spin=1.0),
    _Swirl(x=0.68, y=0.43, radius=0.12, spin=-0.9),
    _Swirl(x=0.85, y=0.16, radius=0.17, spin=0.9, glow=0.062),
    _Swirl(x=0.28, y=0.10, radius=0.09, spin=0.8, glow=0.026),
    _Swirl(x=0.60, y=0.08, radius=0.08, spin=-0.8, glow=0.022),
    _Swirl(x=0.30, y=0.47, radius=0.08, spin=0.8, glow=0.024),
    _Swirl(x=0.93, y=0.45, radius=0.07, spin=0.8, glow=0.018),
    _Swirl(x=0.05, y=0.30, radius=0.08, spin=-0.8, glow=0.022),
)
_BRUSHES: Final = (
    _Brush(spacing=0.022, length=0.16, width=0.024, jitter=0.05),
    _Brush(spacing=0.0125, length=0.085, width=0.0125, jitter=0.08),
    _Brush(spacing=0.0115, length=0.055, width=0.0085, jitter=0.10),
)
_SKY: Final = ("#10205e", "#1b3a93", "#2360b4", "#3f8fc9", "#86c3d6", "#d9ead0")
_DUSK: Final = ("#2a5aa8", "#4f9cc0", "#9fd0b8", "#f0d98a", "#f3a953", "#e8743b")
_FAR_HILLS: Final = ("#241a55", "#3a2f7d", "#54519f", "#7b7fbd", "#a79bc4")
_NEAR_HILLS: Final = ("#0f3b3a", "#1c6650", "#3b8d57", "#82ab4b", "#c9c656")
_WHEAT: Final = ("#8a4a17", "#c8791c", "#e9a825", "#f6cf4d", "#fbe894")
_POPPIES: Final = ("#7d0f22", "#b81d24", "#dd3b25", "#f2713a")
_CYPRESS: Final = ("#0a1714", "#13301f", "#24512a", "#4a7430", "#8a5a25")
_LIGHT: Final = ("#8fd0b4", "#f2b233", "#fdd027", "#fff07c", "#fffbe0")


def paint() -> Image:
    """Draws the painting, the same one every time.

    Returns:
        Float32 RGB in [0, 1], shape (PAINTING_SIZE, PAINTING_SIZE, 3).
    """
    generator = np.random.default_rng(_SEED)
    scene = _compose(generator)
    underpainting = Pillow.fromarray((0.75 * 255 * scene.colour).astype(np.uint8))
    colours = underpainting.resize((_CANVAS, _CANVAS), Pillow.Resampling.BICUBIC)
    heights = Pillow.new("L", (_CANVAS, _CANVAS), 100)
    for layer, brush in enumerate(_BRUSHES):
        starts = _scatter(brush, scene, generator=generator, details_only=layer == len(_BRUSHES) - 1)
        strokes = _follow(starts, scene, brush)
        _draw_strokes((colours, heights), strokes, scene=scene, brush=brush, generator=generator)
    return _light(colours, heights)


def _compose(generator: np.random.Generator) -> _Scene:
    """Lays out sky and lights, then hills, a wheat field with poppies and a cypress in front of them."""
    y, x = np.mgrid[0:_FIELD, 0:_FIELD] / (_FIELD - 1)
    horizon = 0.61 + 0.03 * np.sin(5.2 * x + 0.6) - 0.03 * x
    angle, closeness = _sky_flow(x, y)
    streaks = _streaks(angle, generator)
    dusk = np.clip((y - horizon + 0.17) / 0.17, 0.0, 1.0) ** 1.5
    sky = _ramp(_SKY, 0.05 + streaks * (0.45 + 0.35 * y + 0.35 * closeness))
    colour = sky + dusk[..., None] * (_ramp(_DUSK, 1.25 * streaks - 0.05) - sky)
    colour, detail = _add_lights(colour, x, y)
    hills = 0.70 + 0.045 * np.sin(4.1 * x + 2.4) + 0.015 * np.sin(11.0 * x)
    field = 0.80 - 0.06 * np.sin(2.6 * x + 0.3)
    grounds = (
        (horizon, _FAR_HILLS, 0.25 * np.cos(5.2 * x + 0.6) + 0.3 * np.sin(13.0 * x + 20.0 * y)),
        (hills, _NEAR_HILLS, 0.3 * np.cos(4.1 * x + 2.4) + 0.8 * np.sin(9.0 * x + 14.0 * y)),
        (field, _WHEAT, -1.9 + 1.1 * x + 0.35 * np.sin(14.0 * x + 5.0 * y)),
    )
    for top, palette, slope in grounds:
        inside = y > top
        shade = 1.15 * _streaks(slope, generator) - 0.12 + 0.35 * np.clip(1.0 - (y - top) / 0.04, 0.0, 1.0)
        colour = np.where(inside[..., None], _ramp(palette, shade), colour)
        angle = np.where(inside, slope, angle)
        detail = np.where(inside, 0.5, detail)
    colour = _add_poppies(colour, y - field, generator)
    return _add_cypress(_Scene(angle=angle, colour=colour, detail=detail), x, y, generator=generator)


def _sky_flow(x: Field, y: Field) -> tuple[Field, Field]:
    """Returns the sky's direction in radians, and in [0, 1] how much of it a swirl decides."""
    across = 1.0 + 0.0 * x
    down = 0.35 * np.sin(7.0 * x + 3.0 * y)
    closeness = np.zeros_like(x)
    for swirl in _SWIRLS:
        to_right, to_bottom = x - swirl.x, y - swirl.y
        distance = np.hypot(to_right, to_bottom) + 1e-6
        pull = np.exp(-((distance / swirl.radius) ** 2))
        speed = 9.0 * swirl.spin * pull / distance
        inward = 0.22 * abs(swirl.spin) * (swirl.glow == 0.0)
        across = across - speed * to_bottom - inward * np.abs(speed) * to_right
        down = down + speed * to_right - inward * np.abs(speed) * to_bottom
        closeness = np.maximum(closeness, pull)
    return np.arctan2(down, across), closeness


def _add_lights(colour: Field, x: Field, y: Field) -> tuple[Field, Field]:
    """Paints moon and stars with their rings; returns colours, and detail that is high in and around them."""
    detail = np.full_like(x, 0.45)
    for swirl in _SWIRLS:
        if swirl.glow:
            distance = np.hypot(x - swirl.x, y - swirl.y) / swirl.glow
            rings = 1.02 - 0.33 * distance + 0.14 * np.cos(4.2 * distance)
            strength = np.clip(1.9 - 0.72 * distance + 0.25 * np.cos(5.0 * distance), 0.0, 1.0)
            colour = colour + strength[..., None] * (_ramp(_LIGHT, rings) - colour)
            detail = np.maximum(detail, np.clip(2.2 - 0.7 * distance, 0.0, 1.0))
    return colour, detail


def _add_poppies(colour: Field, depth: Field, generator: np.random.Generator) -> Field:
    """Paints patches of poppies into the field, whose `depth` below its upper edge is positive."""
    patches = _smooth(generator.standard_normal(depth.shape), 4.0)
    flowers = (patches > 1.0 - 2.2 * np.clip(depth, 0.0, 0.25)) & (depth > 0.0)
    return np.where(flowers[..., None], _ramp(_POPPIES, generator.uniform(size=depth.shape)), colour)


def _add_cypress(scene: _Scene, x: Field, y: Field, *, generator: np.random.Generator) -> _Scene:
    """Paints two flaming trees at the left, from the lower edge up into the sky."""
    angle, colour, detail = scene.angle, scene.colour, scene.detail
    for middle, top, breadth in ((0.20, 0.34, 0.05), (0.115, 0.13, 0.075)):
        height = np.clip((y - top) / (1.0 - top), 0.0, 1.0)
        sway = middle + 0.02 * np.sin(9.0 * height + 20.0 * middle)
        reach = breadth * height**0.6 * (1.0 - 0.35 * height) * (1.0 + 0.22 * np.sin(34.0 * height))
        inside = (np.abs(x - sway) < reach) & (y > top)
        flames = -np.pi / 2 + 0.55 * np.sin(20.0 * height + 45.0 * (x - sway)) + 5.0 * (x - sway)
        shade = _ramp(_CYPRESS, 1.2 * _streaks(flames, generator) - 0.2)
        colour = np.where(inside[..., None], shade, colour)
        angle = np.where(inside, flames, angle)
        detail = np.where(inside, 0.75, detail)
    return _Scene(angle=angle, colour=np.clip(colour, 0.0, 1.0), detail=detail)


def _streaks(angle: Field, generator: np.random.Generator) -> Field:
    """Averages noise along the flow (Cabral and Leedom 1993, line integral convolution); ranks spread over [0, 1]."""
    noise = _smooth(generator.standard_normal(angle.shape), 2.2)
    row, column = np.mgrid[0:_FIELD, 0:_FIELD].astype(np.float64)
    total = noise.copy()
    for sign in (1.0, -1.0):
        at_row, at_column = row.copy(), column.copy()
        for _ in range(16):
            heading = _look_up(angle, at_column, at_row)
            at_row, at_column = at_row + sign * 1.6 * np.sin(heading), at_column + sign * 1.6 * np.cos(heading)
            total += _look_up(noise, at_column, at_row)
    ranks = np.empty(total.size)
    ranks[np.argsort(total, axis=None)] = np.linspace(0.0, 1.0, total.size)
    return ranks.reshape(total.shape)


def _smooth(values: Field, radius: float) -> Field:
    """Blurs with a Gaussian of `radius` pixels and rescales to mean 0 and deviation 1."""
    picture = Pillow.fromarray((128.0 + 40.0 * values).clip(0, 255).astype(np.uint8))
    blurred = np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)).filter(ImageFilter.SMOOTH), dtype=np.float64)
    spread: Field = (blurred - blurred.mean()) / blurred.std()
    return spread


def _ramp(palette: tuple[str, ...], position: Field) -> Field:
    """Interpolates between the colours of a palette at positions in [0, 1]; shape of `position` plus (3,)."""
    stops = np.array([[int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5)] for colour in palette])
    where = np.clip(position, 0.0, 1.0) * (len(palette) - 1)
    return np.stack([np.interp(where, np.arange(len(palette)), stops[:, channel]) for channel in range(3)], axis=-1)


def _look_up(field: Field, x: Field, y: Field) -> Field:
    """Reads a field at pixel positions, nearest and clamped at the border."""
    column = np.clip(np.rint(x), 0, _FIELD - 1).astype(np.intp)
    row = np.clip(np.rint(y), 0, _FIELD - 1).astype(np.intp)
    return field[row, column]


def _scatter(brush: _Brush, scene: _Scene, *, generator: np.random.Generator, details_only: bool) -> Field:
    """Returns where strokes begin, shape (strokes, 2) of (x, y), in random order, on a jittered grid past the edges."""
    grid = np.arange(-0.02, 1.02, brush.spacing)
    starts = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    starts = generator.permutation(starts + generator.uniform(-0.6, 0.6, starts.shape) * brush.spacing)
    if details_only:
        wanted = _look_up(scene.detail, *(starts.T * _FIELD))
        starts = starts[generator.uniform(size=len(starts)) < 2.0 * wanted - 0.55]
    return starts


def _follow(starts: Field, scene: _Scene, brush: _Brush) -> Field:
    """Follows the flow both ways from each start; returns points of shape (strokes, _STEPS, 2)."""
    step = brush.length / (_STEPS - 1)
    halves = []
    for sign in (-1.0, 1.0):
        points = [starts]
        for _ in range(_STEPS // 2):
            heading = _look_up(scene.angle, *(points[-1].T * _FIELD))
            points.append(points[-1] + sign * step * np.stack([np.cos(heading), np.sin(heading)], axis=-1))
        halves.append(points)
    return np.stack(halves[0][:0:-1] + halves[1][:-1], axis=1)


def _draw_strokes(
    canvas: tuple[Pillow.Image, Pillow.Image],
    strokes: Field,
    *,
    scene: _Scene,
    brush: _Brush,
    generator: np.random.Generator,
) -> None:
    """Draws every stroke as parallel bristles, each with its own shade and height, on colours and heights."""
    colours, heights = (ImageDraw.Draw(layer) for layer in canvas)
    middle = strokes[:, _STEPS // 2]
    paint_colours = _vary(_look_up(scene.colour, *(middle.T * _FIELD)), brush.jitter, generator)
    along = np.gradient(strokes, axis=1)
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    across /= np.linalg.norm(across, axis=-1, keepdims=True) + 1e-9
    num_bristles = max(3, round(brush.width * _CANVAS / 3.2))
    offsets = np.linspace(-0.5, 0.5, num_bristles)
    taper = np.sin(np.linspace(0.25, np.pi - 0.25, _STEPS)) ** 0.5
    for points, sideways, colour in zip(strokes, across, paint_colours, strict=True):
        shades = generator.normal(0.0, 0.035, num_bristles)
        ridges = generator.integers(60, 200, num_bristles) - 70 * np.abs(offsets)
        ends = generator.integers(0, 3, (2, num_bristles))
        for bristle, offset in enumerate(offsets):
            line = points + (offset * brush.width) * taper[:, None] * sideways
            trail = [tuple(point) for point in line[ends[0, bristle] : _STEPS - ends[1, bristle]] * _CANVAS]
            tone = tuple(int(255 * value) for value in np.clip(colour + shades[bristle], 0.0, 1.0))
            colours.line(trail, fill=tone, width=5)
            heights.line(trail, fill=int(ridges[bristle]), width=4)


def _vary(colours: Field, jitter: float, generator: np.random.Generator) -> Field:
    """Shifts hue, saturation and brightness of each colour, shape (strokes, 3), at random."""
    varied = []
    for colour in colours:
        hue, saturation, value = colorsys.rgb_to_hsv(*colour)
        shift = generator.normal(0.0, jitter, 3)
        varied.append(
            colorsys.hsv_to_rgb(
                (hue + 0.3 * shift[0]) % 1.0, np.clip(saturation + shift[1], 0, 1), np.clip(value + shift[2], 0, 1)
            )
        )
    return np.array(varied)


def _light(colours: Pillow.Image, heights: Pillow.Image) -> Image:
    """Lights the ridges of paint from the upper left and filters down to the final size."""
    size = (PAINTING_SIZE, PAINTING_SIZE)
    colour = np.asarray(colours.resize(size, Pillow.Resampling.LANCZOS), dtype=np.float32) / 255.0
    height = np.asarray(heights.filter(ImageFilter.GaussianBlur(1.5)).resize(size, Pillow.Resampling.LANCZOS))
    down, right = np.gradient(height.astype(np.float32) / 255.0)
    shading = np.clip(0.9 * (down + right), -0.22, 0.22)[..., None]
    lit: Image = np.clip(colour * (1.0 + shading) + 0.25 * np.maximum(shading, 0.0), 0.0, 1.0).astype(np.float32)
    return lit
