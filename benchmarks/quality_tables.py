"""The tables of `benchmarks/quality.py`, each printed as Markdown with its verdict below."""

import itertools
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from quality_memory import forgotten_after, remembered
from quality_pictures import DEGRADATIONS, PictureSet, Sources, gaming_pictures, last_outputs, run_set
from quality_runs import IDENTIFICATION_RATIO, SWEEP_RATIOS
from quality_split import read_split

from measures import quality
from measures.quality import Quality
from models.pictures.images import Image
from objectives.judging import (
    borders,
    combining,
    content_preservation,
    copying,
    measuring,
    set_faults,
    style_match,
    style_reference,
)
from objectives.judging import faults as artefacts
from objectives.judging.judge import Judge
from objectives.judging.perceptual_network import shared_network

JUDGE_SEED = 0
"""Of the judge's sampled positions, directions and tiles, as in studies."""

CHANGES: tuple[tuple[Any, str, tuple[Any, ...]], ...] = (
    (content_preservation, "LPIPS_SHARE", (0.0, 0.25, 0.75, 1.0)),
    (content_preservation, "NUM_SCALES", (2, 4)),
    (content_preservation, "GRADIENT_VARIANCE_FLOOR", (1e-6, 1e-4)),
    (content_preservation, "MIN_LPIPS_REFERENCE", (0.05, 0.2)),
    (content_preservation, "PLACES_SHARE", (0.0, 0.5)),
    (content_preservation, "RECOGNISABLE", (1e-9, 0.6, 0.76)),
    (content_preservation, "LOSS_EXPONENT", (2.0, 8.0)),
    (measuring, "PLACES_LAYER", (3,)),
    (style_match, "NUM_DIRECTIONS", (32, 256)),
    (style_match, "NUM_POSITIONS", (256,)),
    (style_match, "NUM_QUANTILES", (32,)),
    (style_match, "TEXTURE_LAYERS", ((0, 1, 2), (0, 1, 2, 3), (2, 3), (1, 2, 3, 4))),
    (style_match, "MIN_SCALE", (1e-4, 1e-2)),
    (style_match, "_SHARPNESS_SCALE", (0.5, 2.0)),
    (style_match, "_SHARPNESS_FLOOR", (0.01, 0.04)),
    (style_match, "STYLE_SCALES", ((1.0,), (1.0, 0.5, 0.25))),
    (style_match, "MIN_TEXTURE_GAP", (0.04, 0.16)),
    (style_match, "MIN_TEXTURE_GAP_SHARE", (0.25, 0.75)),
    (style_match, "POOLED_SHARE", (0.0, 0.5, 1.0)),
    (style_match, "BLURS", ((1e-3,),)),
    (style_match, "GRAIN_LEVELS", ((1e-4, 2e-4), (0.03, 0.3))),
    (style_match, "GRAIN_BLURS", ((0.0,), (0.0, 1.0, 2.0))),
    (style_match, "SHARPENINGS", ((1e-4, 2e-4),)),
    (style_match, "MIN_COLOUR_GAP", (0.025, 0.1)),
    (style_match, "COLOUR_SHARE", (0.0, 0.25, 0.75, 1.0)),
    (copying, "TOLERATED_LAYOUT", (0.05, 0.2, 1.0 - 1e-9)),
    (copying, "TOLERATED_PATCHES", (0.5, 0.7)),
    (copying, "COPIED_PATCHES", (0.9, np.inf)),
    (copying, "PATCH_SIDE", (12, 24)),
    (copying, "PATCH_STEP", (1, 4)),
    (copying, "SMALLEST_SEARCHED_SIDE", (64, 192)),
    (copying, "_FINE_RADIUS", (2, 8)),
    (copying, "_VARIANCE_FLOOR", (1e-7, 1e-5)),
    (copying, "_QUIET_SHARE", (0.05, 0.2)),
    (style_reference, "SMALLEST_JUDGED_SIDE", (96, 256)),
    (style_reference, "LARGEST_JUDGED_SIDE", (128, 192)),
    (style_reference, "NUM_TILINGS", (1, 8)),
    (quality, "CONTENT_EXPONENT", (0.4, 0.6)),
    (quality, "SHARPNESS", (20.0, 80.0)),
    (quality, "NEGATIVE_SPAN", (0.05, 0.2)),
    (artefacts, "CHECKERBOARD_TOLERANCE", (1.0, 1.5)),
    (artefacts, "CHECKERBOARD_UNIT", (0.025, 0.1, np.inf)),
    (artefacts, "CLIPPED_BELOW", (1.0 / 255.0, 4.0 / 255.0)),
    (artefacts, "CLIPPING_TOLERANCE", (0.0, 0.05)),
    (artefacts, "CLIPPING_UNIT", (0.125, 0.5, np.inf)),
    (artefacts, "BORDER_UNIT_SHARE", (1 / 3, 4 / 3, np.inf)),
    (borders, "BORDER_TOLERANCE", (1.0, 1.5)),
    (borders, "BORDER_SLACK", (0.01, 0.04)),
    (borders, "BORDER_UNIT", (0.05, 0.2)),
    (borders, "_SAME_STRIP", (0.25, 0.75)),
    (set_faults, "_PATTERN_RADIUS", (1, 4)),
    (set_faults, "PATTERN_TOLERANCE", (0.01, 0.04)),
    (set_faults, "PATTERN_UNIT", (0.03, 0.12, np.inf)),
    (set_faults, "COLLAPSE_SHARE", (0.25, 0.75)),
    (set_faults, "COLLAPSE_UNIT", (1 / 6, 2 / 3, np.inf)),
    (sys.modules[__name__], "JUDGE_SEED", (1, 2, 3)),
)
"""Constants and the values tried in their place; infinity switches a term off."""


def sweeps(sets: list[PictureSet]) -> None:
    """Quality along each sweep; it shall be highest at an acceptable output, and the extremes shall lose."""
    for picture_set in sets:
        scores = _score_outputs(picture_set)
        print(f"{picture_set.name}:\n")
        print_row("swept weight", [*scores])
        print_row("---", ["---"] * len(scores))
        for part in ("quality", "content_preservation", "style_match", "artefact_factor"):
            print_row(part.replace("_", " "), [f"{getattr(scored, part):.3f}" for scored in scores.values()])
        print(f"\nAcceptable: {', '.join(picture_set.acceptable)}. {_sweep_verdict(picture_set, scores)}.\n")


def gaming(sets: list[PictureSet]) -> None:
    """Pictures that nobody painted against the worst acceptable output of each set."""
    rows: dict[str, list[str]] = {}
    floors = []
    violations = 0
    for picture_set in sets:
        scorer = judge_of(picture_set)
        floor = min(scorer.score(picture_set.outputs[name]).quality for name in picture_set.acceptable)
        floors.append(f"**{floor:.3f}**")
        for name, pictures in _gaming_sets(picture_set).items():
            scored = scorer.score(pictures).quality
            broken = scored >= floor
            violations += broken
            rows.setdefault(name, []).append(f"{scored:.3f}" + (" VIOLATION" if broken else ""))
    print_row("picture", [picture_set.name for picture_set in sets])
    print_row("---", ["---"] * len(sets))
    print_row("worst acceptable output", floors)
    for name, cells in rows.items():
        print_row(name, cells)
    print(f"\n{violations} violations in {sum(map(len, rows.values()))}.")


def degradations(sets: list[PictureSet]) -> None:
    """Acceptable outputs made worse by degrees; quality shall fall at each step."""
    counts: dict[str, list[bool]] = {}
    shown: dict[str, list[float]] = {}
    for picture_set in sets:
        scorer = judge_of(picture_set)
        for name in picture_set.acceptable:
            outputs = picture_set.outputs[name]
            start = scorer.score(outputs).quality
            for kind, (degrade, grades) in DEGRADATIONS.items():
                worse = [[degrade(output, grade) for output in outputs] for grade in grades]
                line = [start, *(scorer.score(pictures).quality for pictures in worse)]
                counts.setdefault(kind, []).extend(after < before for before, after in itertools.pairwise(line))
                shown.setdefault(kind, []).append(line)
    print_row("degradation", ["grades", "mean quality, from none to worst", "steps down"])
    print_row("---", ["---"] * 3)
    for kind, (_, grades) in DEGRADATIONS.items():
        means = " · ".join(f"{value:.3f}" for value in np.mean(shown[kind], axis=0))
        steps = counts[kind]
        print_row(kind, [" ".join(f"{grade:g}" for grade in grades), means, f"{sum(steps)} of {len(steps)}"])
    every = [step for steps in counts.values() for step in steps]
    print(f"\n{sum(every)} of {len(every)} steps down: {np.mean(every):.1%}.")


def identification(half: str, sources: Sources) -> None:
    """The outputs of each style of this half against the judges of all eight styles."""
    split = read_split()
    every = [*split["tune"]["styles"], *split["report"]["styles"]]
    number = SWEEP_RATIOS.index(IDENTIFICATION_RATIO)
    judges = {style: judge_of(run_set(sources, style, outputs={})) for style in every}
    print_row("outputs of", [*every, "right"])
    print_row("---", ["---"] * (len(every) + 1))
    right = 0
    for style in split[half]["styles"]:
        outputs = last_outputs(sources.runs / f"sweep-{style}-{number:02d}-seed0.npz")
        scored = {name: scorer.score(outputs).quality for name, scorer in judges.items()}
        best = max(scored, key=lambda name: scored[name])
        right += best == style
        print_row(style, [*(f"{value:.3f}" for value in scored.values()), "yes" if best == style else f"no: {best}"])
    print(f"\n{right} of {len(split[half]['styles'])} right.")


def rivals(sets: list[PictureSet]) -> None:
    """Other scores on the same pictures: how many of the sweeps they get right, and how many violations they have."""
    scores: Mapping[str, Callable[[Quality], float]] = {
        "quality (ours)": lambda scored: scored.quality,
        "LPIPS alone": lambda scored: -_term(scored, "lpips"),
        "style distance alone": lambda scored: -_term(scored, "texture_distance"),
        "Gram distance alone": lambda scored: -_term(scored, "gram_distance"),
        "(1 + LPIPS)(1 + style distance), ArtFID's shape": lambda scored: (
            -(1.0 + _term(scored, "lpips")) * (1.0 + _term(scored, "texture_distance"))
        ),
        "arithmetic mean of C and S, times A": lambda scored: (
            0.5 * (scored.content_preservation + scored.style_match) * scored.artefact_factor
        ),
    }
    measured = [(picture_set, *_measure_with_gram(picture_set)) for picture_set in sets]
    print_row("score", ["sweeps right", "violations of the issue's list", "violations beyond it"])
    print_row("---", ["---"] * 3)
    for name, score in scores.items():
        right = sum(
            _is_right(picture_set, {key: score(value) for key, value in outputs.items()})
            for picture_set, outputs, _ in measured
        )
        broken = {True: [], False: []}
        for picture_set, outputs, trivial in measured:
            floor = min(score(outputs[key]) for key in picture_set.acceptable)
            for key, value in trivial.items():
                broken[key.startswith("+")].append(score(value) >= floor)
        print_row(
            name,
            [
                f"{right} of {len(sets)}",
                f"{sum(broken[False])} of {len(broken[False])}",
                f"{sum(broken[True])} of {len(broken[True])}",
            ],
        )


def ablation(sets: list[PictureSet], constants: Collection[str] = ()) -> None:
    """Each constant changed, or those named: sweeps right, violations, and share of graded steps that fall."""
    print_row("constant", ["value", "sweeps right", "violations", "steps down"])
    print_row("---", ["---"] * 4)
    changing: dict[Any, list[str]] = {}
    for module, name, _ in CHANGES:
        changing.setdefault(module, []).append(name)
    with remembered(changing) as memory:
        print_row("as it is", ["", *_summary(sets)])
        for module, name, values in CHANGES:
            for value in values if not constants or name in constants else ():
                with _changed(module, name, value) as before, forgotten_after(memory):
                    print_row(f"`{name}` {before}", [f"{value}", *_summary(sets)])


def _summary(sets: list[PictureSet]) -> list[str]:
    right, violations, num_trivial = 0, 0, 0
    steps: list[bool] = []
    for picture_set in sets:
        scorer = judge_of(picture_set)
        scored = {name: scorer.score(outputs).quality for name, outputs in picture_set.outputs.items()}
        right += _is_right(picture_set, scored)
        floor = min(scored[name] for name in picture_set.acceptable)
        trivial = [scorer.score(pictures).quality >= floor for pictures in _gaming_sets(picture_set).values()]
        violations += sum(trivial)
        num_trivial += len(trivial)
        outputs = picture_set.outputs[picture_set.acceptable[-1]]
        for degrade, grades in DEGRADATIONS.values():
            line = [scored[picture_set.acceptable[-1]]]
            line += [scorer.score([degrade(output, grade) for output in outputs]).quality for grade in grades]
            steps += [after < before for before, after in itertools.pairwise(line)]
    return [f"{right} of {len(sets)}", f"{violations} of {num_trivial}", f"{np.mean(steps):.0%}"]


@contextmanager
def _changed(module: Any, name: str, value: Any) -> Iterator[Any]:
    """Change a constant wherever it was imported to."""
    parts = (artefacts, borders, content_preservation, copying, set_faults, style_match)
    judging = (*parts, combining, measuring, style_reference)
    every = (*judging, quality, sys.modules[__name__])
    modules = [one for one in every if hasattr(one, name)]
    before = getattr(module, name)
    for one in modules:
        setattr(one, name, value)
    _forget_drawn()
    try:
        yield before
    finally:
        for one in modules:
            setattr(one, name, before)
        _forget_drawn()


def _forget_drawn() -> None:
    style_match._draw_directions.cache_clear()
    style_match._draw_positions.cache_clear()


def judge_of(picture_set: PictureSet) -> Judge:
    """Return the judge of a set's outputs."""
    return Judge(
        style=picture_set.style,
        photos=picture_set.photos,
        content_exponent=quality.CONTENT_EXPONENT,
        seed=JUDGE_SEED,
    )


def _score_outputs(picture_set: PictureSet) -> dict[str, Quality]:
    scorer = judge_of(picture_set)
    return {name: scorer.score(outputs) for name, outputs in picture_set.outputs.items()}


def _gaming_sets(picture_set: PictureSet) -> dict[str, list[Image]]:
    each = [
        gaming_pictures(photo, picture_set.scaled_style, seed=number) for number, photo in enumerate(picture_set.photos)
    ]
    return {name: [pictures[name] for pictures in each] for name in each[0]}


def _is_right(picture_set: PictureSet, scores: Mapping[str, float]) -> bool:
    """The best is acceptable, and no unacceptable extreme comes near: it loses to every acceptable output."""
    best = max(scores, key=lambda name: scores[name])
    floor = min(scores[name] for name in picture_set.acceptable)
    extremes = [name for name in (next(iter(scores)), list(scores)[-1]) if name not in picture_set.acceptable]
    return best in picture_set.acceptable and all(scores[name] < floor for name in extremes)


def _sweep_verdict(picture_set: PictureSet, scores: Mapping[str, Quality]) -> str:
    return "Right" if _is_right(picture_set, {name: scored.quality for name, scored in scores.items()}) else "WRONG"


def _measure_with_gram(picture_set: PictureSet) -> tuple[dict[str, Quality], dict[str, Quality]]:
    scorer = judge_of(picture_set)
    wanted = _grams(picture_set.scaled_style)

    def measure(outputs: list[Image]) -> Quality:
        scored = scorer.score(outputs)
        distance = float(np.mean([_gram_distance(_grams(output), wanted) for output in outputs]))
        return Quality(**{**scored.__dict__, "terms": {**scored.terms, "gram_distance": distance}})

    outputs = {name: measure(pictures) for name, pictures in picture_set.outputs.items()}
    trivial = {name: measure(pictures) for name, pictures in _gaming_sets(picture_set).items()}
    return outputs, trivial


def _grams(picture: Image) -> list[np.ndarray]:
    """Gram matrices of AlexNet's five layers, over the number of positions."""
    network = shared_network()
    samples = network.features([picture])[0].positions()
    return [layer.T @ layer / len(layer) for layer in samples]


def _gram_distance(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    relative = [np.mean((one - other) ** 2) / np.mean(other**2) for one, other in zip(first, second, strict=True)]
    return float(np.mean(relative))


def _term(scored: Quality, name: str) -> float:
    value = scored.terms[name]
    if value is None:
        raise ValueError(f"the term {name} was not measured")
    return value


def print_row(head: str, cells: list[str]) -> None:
    """Print one row of a Markdown table."""
    print(f"| {head} | " + " | ".join(cells) + " |", flush=True)
