"""Are simulated raters' exponents found within the stated interval? The tables of docs/preferences.md, in Markdown.

    .venv/bin/python benchmarks/simulated_raters.py

The outputs are real: the parts of quality of 16 settings x 2 styles at the end of their short run, from
learning_curves.csv (means over photos). Each rater has a content exponent drawn evenly from 0.15 to 0.85, artefact
exponent 1 and a decisiveness around the prior's, is asked what `study prefer` would ask, and answers by chance with the
model's probability; one of ten near ties (probability within 0.4 to 0.6) is answered as a tie.

The second table is about questions that are asked again: raters who also like or dislike something about each pair that
no part of quality knows (a normal deviate in the logit, the same whenever they see the pair) answer 20 questions once,
and again. Compared are answers to one question that weigh as one choice, as `calibrate` has it, and each by itself.
"""

import argparse
from dataclasses import replace
from itertools import islice

import numpy as np
from learning_curves import read_table
from quality_runs import SHORT_RUN

from measures.quality import Exponents, Parts
from studies.preferences.answers import FIRST, SECOND, TIE
from studies.preferences.calibration import Choice, calibrate, fit
from studies.preferences.posterior import INTERVAL
from studies.preferences.questions import Pair, QuestionChooser
from studies.preferences.self_agreement import measure_self_agreement

NUM_RATERS = 100
NUM_CHOICES = (20, 50, 100)
JUDGES_OWN = 0.5
TIE_SHARE = 0.1
NEAR_TIE = 0.1
NUM_QUESTIONS = 20
TASTES = (0.0, 1.0, 2.0)
"""Standard deviations, in the logit, of what a rater sees in a pair and no part of quality knows."""
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
    _print_repeats(pairs, outputs)


def _print_repeats(pairs: list[Pair], outputs: dict[str, list[Parts]]) -> None:
    print(f"\n### {NUM_QUESTIONS} questions, each asked again: within the interval, width of it\n")
    print("| taste | agrees with itself | asked once | asked again, as one choice | asked again, each by itself |")
    print("|---|---|---|---|---|")
    for taste in TASTES:
        found = np.array([_repeat(pairs, outputs, taste, seed=seed) for seed in range(NUM_RATERS)])
        alike, *ways = np.nanmean(found, axis=0)
        cells = [f"{inside:.0%}, {width:.2f}" for inside, width in np.reshape(ways, (3, 2))]
        print(f"| {taste:g} | {alike:.0%} | {' | '.join(cells)} |", flush=True)


def _repeat(pairs: list[Pair], outputs: dict[str, list[Parts]], taste: float, *, seed: int) -> tuple[float, ...]:
    """Share of answers that are as before, then whether the truth is inside and how wide the interval, for each way."""
    rater = _Rater(seed=seed, taste=taste)
    asked = _distinct(pairs, NUM_QUESTIONS, seed=seed)
    once, again = ([rater.choose(pair, outputs) for pair in asked] for _ in range(2))
    apart = [replace(choice, rater="the same, counted as another") for choice in again]
    judge = Exponents(content=JUDGES_OWN)
    found = [fit(choices, judge).content.interval(INTERVAL) for choices in (once, once + again, once + apart)]
    share = measure_self_agreement((choice.asked, choice.answer) for choice in once + again).share
    ways = [(rater.is_inside(interval), interval[1] - interval[0]) for interval in found]
    return (np.nan if share is None else share, *np.ravel(ways))


def _distinct(pairs: list[Pair], number: int, *, seed: int) -> list[Pair]:
    chooser = QuestionChooser(pairs, asked=[], exponents=Exponents(content=JUDGES_OWN), seed=seed)
    questions = (chooser.choose() for _ in range(len(pairs)))
    return list(islice((question.pair for question in questions if not question.is_repeat), number))


class _Rater:
    """Somebody with exponents, a decisiveness, and a taste that is a matter of the pair."""

    def __init__(self, *, seed: int, taste: float = 0.0) -> None:
        self._generator = np.random.default_rng(seed)
        self.exponents = Exponents(content=float(self._generator.uniform(0.15, 0.85)))
        self._decisiveness = float(np.exp(self._generator.normal(np.log(5.0), 0.5)))
        self._taste = taste
        self._likings: dict[tuple[str, int, int], float] = {}

    def choose(self, pair: Pair, outputs: dict[str, list[Parts]]) -> Choice:
        if self._taste and pair.key not in self._likings:
            self._likings[pair.key] = float(self._generator.normal(0.0, self._taste))
        lead = self._decisiveness * (self.exponents.vector() @ np.array(pair.difference))
        probability = 1.0 / (1.0 + np.exp(-lead - self._likings.get(pair.key, 0.0)))
        answer = FIRST if self._generator.random() < probability else SECOND
        if abs(probability - 0.5) < NEAR_TIE and self._generator.random() < TIE_SHARE:
            answer = TIE
        first, second = pair.trials
        parts = (outputs[pair.photo][first], outputs[pair.photo][second])
        return Choice(rater="simulated", photo=pair.photo, trials=pair.trials, answer=answer, parts=parts)

    def is_inside(self, interval: tuple[float, float]) -> bool:
        return interval[0] <= self.exponents.content <= interval[1]


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
    rater = _Rater(seed=seed)
    true = rater.exponents
    chooser = QuestionChooser(pairs, asked=[], exponents=Exponents(content=JUDGES_OWN), seed=seed)
    choices = [rater.choose(chooser.choose().pair, outputs) for _ in range(num_choices)]
    found = calibrate(choices, content_exponent=JUDGES_OWN)
    low, high = found.content_interval
    before, after = (_agreement(pairs, true, exponents, seed=seed) for exponents in (found.default, found.exponents))
    error = abs(found.exponents.content - true.content)
    return rater.is_inside(found.content_interval), high - low, error, before, after


def _agreement(pairs: list[Pair], true: Exponents, exponents: Exponents, *, seed: int) -> float:
    """Share of random pairs that two sets of exponents order alike."""
    drawn = np.random.default_rng(seed + NUM_RATERS).integers(0, len(pairs), FRESH_PAIRS)
    differences = np.array([pairs[index].difference for index in drawn])
    return float(np.mean(np.sign(differences @ true.vector()) == np.sign(differences @ exponents.vector())))


if __name__ == "__main__":
    main()
