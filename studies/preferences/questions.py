"""Asking a person which of two outputs is better: what can be asked, and what to ask next. Numbers only."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from measures.quality import Exponents
from studies.errors import PreferenceError
from studies.preferences.calibrated_ranking import PhotoParts
from studies.preferences.posterior import PRIOR_DECISIVENESS, PRIOR_SCALES
from studies.records import attributes
from studies.records.summaries import StudySummary, TrialSummary
from studies.records.trial_words import listed_trials

REPEAT_SHARE: Final = 1.0 / 7.0
"""Of the questions that repeat an earlier pair with sides swapped: three of the twenty that calibration needs."""

QUESTIONS_BETWEEN: Final = 3
"""Other questions before a pair may come again: an answer just given would be repeated from memory."""

MAX_ASKED_TRIALS: Final = 60
"""Trials that questions are about, the best by quality: 1,770 pairs a photo, while the pairs of 1,000 trials would be
half a million a photo. A person answers some dozens, and the exponents decide among the best trials."""

CHANCE_SHARE: Final = 0.2
"""Of the choice of a pair that is left to chance: where the judge is sure it may still be wrong."""


@final
@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two trials' outputs of one calibration photo.

    Attributes:
        photo: Content hash of the photo.
        trials: Numbers of the two, the lower one first.
        difference: phi(first) - phi(second) of their scores; see `studies.preferences.calibration`.
    """

    photo: str
    trials: tuple[int, int]
    difference: tuple[float, float, float]

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells the pair from others."""
        return (self.photo, *self.trials)


@final
@dataclass(frozen=True, kw_only=True)
class Question:
    """A pair as it is shown.

    Attributes:
        pair: What is compared.
        left: Number of the trial on the left, as A.
        is_repeat: Whether the rater was asked about this pair before.
    """

    pair: Pair
    left: int
    is_repeat: bool

    @property
    def right(self) -> int:
        """Number of the trial on the right, as B."""
        first, second = self.pair.trials
        return second if self.left == first else first


@final
@dataclass(frozen=True, kw_only=True)
class PairMaterial:
    """What can be asked about in a study.

    Attributes:
        pairs: All pairs of outputs of one calibration photo, of at most `MAX_ASKED_TRIALS` trials.
        num_trials: Trials that they come from.
        num_photos: Photos that they are of.
        notes: What is left out and why, one sentence each.
    """

    pairs: tuple[Pair, ...]
    num_trials: int
    num_photos: int
    notes: tuple[str, ...]


def find_pairs(summary: StudySummary, parts: PhotoParts) -> PairMaterial:
    """Find the pairs of a study: both outputs of the same calibration photo, from the best complete trials.

    Args:
        summary: The study.
        parts: Scores by trial and photo, from `studies.preferences.calibrated_ranking.load_parts`.

    Raises:
        PreferenceError: There are no calibration photos, or fewer than two trials with pictures of them; says how to
            get them.
    """
    photos = _calibration_photos(summary)
    painted = _trials_with_pictures(summary)
    trials = sorted(painted[:MAX_ASKED_TRIALS])
    pairs = [
        Pair(photo=photo, trials=(first, second), difference=_difference(parts, first, second, photo=photo))
        for photo in photos
        for index, first in enumerate(trials)
        for second in trials[index + 1 :]
        if photo in parts.get(first, {}) and photo in parts.get(second, {})
    ]
    unscored = [number for number in trials if any(photo not in parts.get(number, {}) for photo in photos)]
    notes = []
    if len(painted) > len(trials):
        left_out = len(painted) - len(trials)
        notes.append(f"Asked about are the best {len(trials)} trials by quality; {left_out} more are left out.")
    if unscored:
        notes.append(f"Not asked about where scores of calibration photos are missing: {listed_trials(unscored)}.")
    if not pairs:
        raise PreferenceError(" ".join([f"Study {summary.name!r} has no two outputs to compare.", *notes]))
    return PairMaterial(
        pairs=tuple(pairs),
        num_trials=len({number for pair in pairs for number in pair.trials}),
        num_photos=len({pair.photo for pair in pairs}),
        notes=tuple(notes),
    )


def information(difference: Sequence[float], exponents: Exponents) -> float:
    """How much an answer is expected to tell about the exponents; 0 where it tells nothing.

    Fisher information of the logistic model about logit w and log a, each in standard deviations of its prior:
    p (1 - p) [(s_w d w (1 - w) (dC - dS))^2 + (s_a d a dA)^2]. It is large where content and style disagree about the
    order, so that the exponents decide, and small where one output is better in everything.
    """
    content, style, artefacts = difference
    lead = PRIOR_DECISIVENESS * float(exponents.vector() @ np.asarray(difference))
    sure = 1.0 / (1.0 + np.exp(-abs(lead)))
    balance = exponents.content * (1.0 - exponents.content) * (content - style)
    slopes = PRIOR_DECISIVENESS * np.array(
        [PRIOR_SCALES[1] * balance, PRIOR_SCALES[2] * exponents.artefacts * artefacts]
    )
    return float(sure * (1.0 - sure) * (slopes**2).sum())


@final
class QuestionChooser:
    """Chooses what a rater is asked next: mostly new pairs that tell much, and now and then an old one again."""

    def __init__(
        self,
        pairs: Iterable[Pair],
        *,
        asked: Iterable[tuple[tuple[str, int, int], int]],
        exponents: Exponents,
        seed: int | None,
    ) -> None:
        """Prepare a session.

        Args:
            pairs: What can be asked, at least one.
            asked: The rater's earlier questions in order: key of the pair, and the trial on the left.
            exponents: With which the judge foretells answers.
            seed: Of all that is drawn; None draws anew each time.
        """
        self._generator = np.random.default_rng(seed)
        known = {pair.key: pair for pair in pairs}
        self._asked = [Question(pair=known[key], left=left, is_repeat=False) for key, left in asked if key in known]
        done = {question.pair.key for question in self._asked}
        self._fresh = [pair for key, pair in known.items() if key not in done]
        self._information = {pair.key: information(pair.difference, exponents) for pair in self._fresh}
        self._repeated: set[tuple[str, int, int]] = set()

    @property
    def num_fresh(self) -> int:
        """Pairs that the rater was not asked about yet."""
        return len(self._fresh)

    @property
    def num_asked(self) -> int:
        """Pairs that the rater was asked about."""
        return len({question.pair.key for question in self._asked})

    def choose(self) -> Question:
        """Return the next question, and take it as asked."""
        if not self._fresh:
            return self.choose_again()
        again = self._repeatable(list(self._latest().values()))
        if again and self._generator.random() < REPEAT_SHARE:
            return self._ask_again(again)
        pair = self._fresh.pop(self._draw_fresh())
        question = Question(pair=pair, left=int(self._generator.choice(pair.trials)), is_repeat=False)
        self._asked.append(question)
        return question

    def choose_again(self) -> Question:
        """Return an earlier question with sides swapped, and take it as asked.

        None comes twice in a session while there are others; of these the least often asked come first, and none of the
        last ones. One there must be.
        """
        latest = list(self._latest().values())
        others = [question for question in latest if question.pair.key not in self._repeated]
        return self._ask_again(self._repeatable(others) or others[:1] or self._repeatable(latest) or latest[:1])

    def _ask_again(self, candidates: Sequence[Question]) -> Question:
        """Draw from the half asked longest ago, candidates being in that order: far apart, and yet not foreseen."""
        before = candidates[int(self._generator.integers((len(candidates) + 1) // 2))]
        question = Question(pair=before.pair, left=before.right, is_repeat=True)
        self._asked.append(question)
        self._repeated.add(question.pair.key)
        return question

    def _draw_fresh(self) -> int:
        known = np.array([self._information[pair.key] for pair in self._fresh])
        even = np.full(len(known), 1.0 / len(known))
        total = known.sum()
        chances = CHANCE_SHARE * even + (1.0 - CHANCE_SHARE) * known / total if total > 0 else even
        return int(self._generator.choice(len(known), p=chances))

    def _repeatable(self, questions: Sequence[Question]) -> list[Question]:
        """Those of some earlier questions that were asked least often, and not just now, in the same order."""
        counts = Counter(question.pair.key for question in self._asked)
        recent = {question.pair.key for question in self._asked[-QUESTIONS_BETWEEN:]}
        old = [question for question in questions if question.pair.key not in recent]
        fewest = min((counts[question.pair.key] for question in old), default=0)
        return [question for question in old if counts[question.pair.key] == fewest]

    def _latest(self) -> dict[tuple[str, int, int], Question]:
        """How each pair was shown last, by its key, the one shown longest ago first."""
        latest: dict[tuple[str, int, int], Question] = {}
        for question in self._asked:
            latest.pop(question.pair.key, None)
            latest[question.pair.key] = question
        return latest


def _calibration_photos(summary: StudySummary) -> tuple[str, ...]:
    if not summary.record.photos.calibration:
        raise PreferenceError(
            f"Study {summary.name!r} has no calibration photos to ask about. Run a new study that has: "
            "styletuner study run ... --set data.held_out.calibration=6"
        )
    return summary.record.photos.calibration


def _trials_with_pictures(summary: StudySummary) -> list[int]:
    """Numbers of complete trials with pictures of calibration photos, the best first, those without a quality last."""
    complete = [trial for trial in summary.trials if trial.state == "COMPLETE"]
    painted = sorted(filter(_is_painted, complete), key=lambda trial: (trial.quality is None, -(trial.quality or 0.0)))
    if len(painted) < 2 or summary.record.calibration_photos is None:  # noqa: PLR2004 (a pair)
        older = len(complete) - len(painted)
        why = f" {older} more were run before styletuner kept such pictures." if older else ""
        raise PreferenceError(
            f"Study {summary.name!r} has {len(painted)} complete trials with pictures of its calibration photos; two "
            f"are needed.{why}\nRun more trials of it: styletuner study run ... --trials N"
        )
    return [trial.number for trial in painted]


def _is_painted(trial: TrialSummary) -> bool:
    return attributes.CALIBRATION_PICTURES in trial.pictures


def _difference(parts: PhotoParts, first: int, second: int, *, photo: str) -> tuple[float, float, float]:
    content, style, artefacts = (parts[first][photo].features() - parts[second][photo].features()).tolist()
    return content, style, artefacts
