"""What a rater's choices say of a study, in lines for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from studies.preferences.calibrated_ranking import CalibratedRanking
    from studies.preferences.calibration import Calibration
    from studies.preferences.self_agreement import SelfAgreement

NUM_REPEATS: Final = 10
"""As many as are proposed to somebody whom nothing was asked again: the interval of a share of .8 is then .4 wide."""

SHOWN_TRIALS: Final = 5


def describe_ranking(ranking: "CalibratedRanking", *, study: str) -> list[str]:
    """What a rater's choices say, in some lines: exponents, agreement, consistency, and the trials that lead."""
    found = ranking.calibration
    best = list(ranking.qualities.items())[:SHOWN_TRIALS]
    return [
        f"{ranking.rater}: {found.num_choices} choices, {found.num_ties} of them ties",
        f"content exponent   {_estimate(found.exponents.content, found.content_interval)}, judge "
        f"{found.default.content:.2f}; style has the rest",
        f"artefact exponent  {_estimate(found.exponents.artefacts, found.artefact_interval)}, judge "
        f"{found.default.artefacts:.2f}",
        _self_agreement(found.self_agreement, study=study, rater=ranking.rater),
        describe_agreement(found),
        _other_raters(),
        *_contradictions(found),
        "Ranked by them: " + ", ".join(f"trial {number} ({quality:.3f})" for number, quality in best),
        *ranking.notes,
    ]


def describe_agreement(found: "Calibration") -> str:
    """How much of the choices the judge foretold, and how much the fitted exponents do."""
    if found.agreement_before is None:
        return "All choices were ties: there is no preference to agree with."
    if found.agreement_after is None:
        return f"The judge foretold {found.agreement_before:.0%} of the choices; one pair is too few to test these."
    verdict = "" if found.agreement_after > found.agreement_before else ": no better than the judge's own"
    return (
        f"The judge foretold {found.agreement_before:.0%} of the choices, these exponents {found.agreement_after:.0%} "
        f"(each foretold from other pairs){verdict}."
    )


def _estimate(value: float, interval: tuple[float, float]) -> str:
    from studies.preferences.posterior import INTERVAL

    return f"{value:.2f} ({100 * INTERVAL:.0f} %: {interval[0]:.2f} to {interval[1]:.2f})"


def _self_agreement(found: "SelfAgreement", *, study: str, rater: str) -> str:
    """How often somebody chose as before when asked again, or how to find out."""
    from studies.preferences.calibrated_ranking import asking_command
    from studies.preferences.posterior import INTERVAL

    if found.share is None or found.interval is None:
        command = f"{asking_command(study, rater)} --repeat {NUM_REPEATS}"
        return f"No choice was asked for again. How often {rater} would choose as before: {command}"
    low, high = found.interval
    half = f", {counted(found.num_half, 'tie')} against a choice being half a hit" if found.num_half else ""
    even = f"; {counted(found.num_even, 'tie')} both times left out" if found.num_even else ""
    return (
        f"Asked again, {rater} chose as before in {found.hits:g} of {counted(found.num_counted, 'question')}: "
        f"{found.share:.0%} ({100 * INTERVAL:.0f} %: {low:.0%} to {high:.0%}){half}{even}."
    )


def _other_raters() -> str:
    """What people elsewhere came to."""
    from studies.preferences.self_agreement import RATERS_AT_RANDOM, RATERS_WITHIN_STYLE

    return (
        f"Elsewhere two raters agreed in {RATERS_WITHIN_STYLE:.0%} of pairs of one style and {RATERS_AT_RANDOM:.0%} of "
        "any pairs (Kitov et al. 2024, arXiv 2412.17139)."
    )


def _contradictions(found: "Calibration") -> Iterator[str]:
    answers = found.consistency
    if answers.num_contradictions or answers.num_circles:
        yield (
            f"Contradictions: {counted(answers.num_contradictions, 'pair')} preferred both ways, "
            f"{counted(answers.num_circles, 'circle')} (a over b over c over a). They widen the intervals."
        )


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 answer", "2 answers"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
