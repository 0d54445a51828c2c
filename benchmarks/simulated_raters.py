"""Are simulated raters' exponents found within the stated interval? The table of docs/preferences.md, in Markdown.

    .venv/bin/python benchmarks/simulated_raters.py

The outputs are real: the parts of quality of 16 settings x 2 styles at the end of their short run, from
learning_curves.csv (means over photos). Each rater has a content exponent drawn evenly from 0.15 to 0.85, artefact
exponent 1 and a decisiveness around the prior's, is asked what `study prefer` would ask, and answers by chance with the
model's probability; one of ten near ties (probability within 0.4 to 0.6) is answered as a tie.
"""

import argparse

import numpy as np
from learning_curves import read_table
from quality_runs import SHORT_RUN

from measures.quality import Exponents, Parts
from studies.preferences.answers import FIRST, SECOND, TIE
from studies.preferences.calibration import INTERVAL, Choice, calibrate
from studies.preferences.questions import Pair, QuestionChooser

NUM_RATERS = 100
NUM_CHOICES = (20, 50, 100)
JUDGES_OWN = 0.5
TIE_SHARE = 0.1
NEAR_TIE = 0.1
FRESH_PAIRS = 200
"""Questions on which agreement is measured in the end, with the more probable answer."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    outputs = _read_outputs()
    pairs = [
        Pair(photo=style, trials=(first, second), difference=_difference(parts[first], parts[second]))
        for style, parts in outputs.items()
        for first in range(len(parts))
        for second in range(first + 1, len(parts))
    ]
    print(f"{len(pairs)} pairs of {sum(map(len, outputs.values()))} outputs, {NUM_RATERS} raters a row\n")
    print("| choices | within the 90 % interval | width of it | error of w | agreement before | after |")
    print("|---|---|---|---|---|---|")
    for num_choices in NUM_CHOICES:
        found = np.array([_simulate(pairs, outputs, num_choices, seed=seed) for seed in range(NUM_RATERS)])
        inside, width, error, before, after = found.mean(axis=0)
        print(f"| {num_choices} | {inside:.0%} | {width:.2f} | {error:.2f} | {before:.0%} | {after:.0%} |", flush=True)
    print(f"\nStated: {INTERVAL:.0%}.")


def _read_outputs() -> dict[str, list[Parts]]:
    rows = [row for row in read_table() if row["kind"] == "curves" and int(row["images_seen"]) == SHORT_RUN]
    outputs: dict[str, list[Parts]] = {}
    for row in sorted(rows, key=lambda row: int(row["setting"])):
        names = ("content_preservation", "style_match", "artefact_factor")
        outputs.setdefault(row["style"], []).append(Parts(**{name: float(row[name]) for name in names}))
    return outputs


def _difference(first: Parts, second: Parts) -> tuple[float, float, float]:
    content, style, artefacts = (first.features() - second.features()).tolist()
    return content, style, artefacts


def _simulate(pairs: list[Pair], outputs: dict[str, list[Parts]], num_choices: int, *, seed: int) -> tuple[float, ...]:
    generator = np.random.default_rng(seed)
    true = Exponents(content=float(generator.uniform(0.15, 0.85)))
    decisiveness = float(np.exp(generator.normal(np.log(5.0), 0.5)))
    chooser = QuestionChooser(pairs, asked=[], exponents=Exponents(content=JUDGES_OWN), seed=seed)
    choices = []
    for _ in range(num_choices):
        pair = chooser.choose().pair
        probability = 1.0 / (1.0 + np.exp(-decisiveness * (true.vector() @ np.array(pair.difference))))
        answer = FIRST if generator.random() < probability else SECOND
        if abs(probability - 0.5) < NEAR_TIE and generator.random() < TIE_SHARE:
            answer = TIE
        first, second = pair.trials
        parts = (outputs[pair.photo][first], outputs[pair.photo][second])
        choices.append(Choice(rater="simulated", photo=pair.photo, trials=pair.trials, answer=answer, parts=parts))
    found = calibrate(choices, content_exponent=JUDGES_OWN)
    low, high = found.content_interval
    before, after = (_agreement(pairs, true, exponents, seed=seed) for exponents in (found.default, found.exponents))
    return low <= true.content <= high, high - low, abs(found.exponents.content - true.content), before, after


def _agreement(pairs: list[Pair], true: Exponents, exponents: Exponents, *, seed: int) -> float:
    """Share of random pairs that two sets of exponents order alike."""
    drawn = np.random.default_rng(seed + NUM_RATERS).integers(0, len(pairs), FRESH_PAIRS)
    differences = np.array([pairs[index].difference for index in drawn])
    return float(np.mean(np.sign(differences @ true.vector()) == np.sign(differences @ exponents.vector())))


if __name__ == "__main__":
    main()
