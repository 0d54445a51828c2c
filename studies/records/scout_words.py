"""A study's scout in words, the same on every screen and page."""

from studies.records.rescored_from import RescoredFrom
from studies.records.study_scout import ScoutFinding, ScoutVerdict, StudyScout, beats_baseline


def scout_in_words(scout: StudyScout, finding: ScoutFinding, *, rescored_from: RescoredFrom | None = None) -> str:
    """Return what the trials start from and how the scout's suggestions did, in one line.

    Args:
        scout: The study's.
        finding: What the trials that it suggested say of it.
        rescored_from: Of a re-scored study: another judge foretold.
    """
    judge = "" if rescored_from is None else f" It foretold by judge version {rescored_from.judge_version}."
    return f"Trials start from a scout of {scout.images:,} images.{judge} {_suggestions(scout, finding)}"


def verdict_in_words(finding: ScoutFinding) -> str:
    """Return what the trials that the scout suggested say of it, in a sentence; empty while that is open."""
    if finding.baseline is None or finding.verdict is ScoutVerdict.OPEN:
        return ""
    best, base = finding.suggested[0], finding.baseline
    if finding.verdict is ScoutVerdict.HOLDS:
        return (
            f"The best of its {_counted(len(finding.suggested))}, trial {best.number} (quality {best.quality:.3f}, "
            f"foretold {best.foretold:.3f}), beats the baseline ({base.quality:.3f})."
        )
    whose = (
        "Its suggestion does not beat"
        if len(finding.suggested) == 1
        else f"None of its {_counted(len(finding.suggested))} beats"
    )
    return (
        f"{whose} the baseline (quality {base.quality:.3f}; at best {best.quality:.3f}, foretold "
        f"{best.foretold:.3f}): the search does not count them as its random start."
    )


def _suggestions(scout: StudyScout, finding: ScoutFinding) -> str:
    if not scout.num_suggested:
        return "It suggested nothing."
    if verdict := verdict_in_words(finding):
        return verdict
    num_finished = len(finding.suggested)
    are = "is" if num_finished == 1 else "are"
    told = f"Of its {_counted(scout.num_suggested)}, {num_finished} {are} finished"
    if finding.baseline is None:
        return f"{told}." if finding.is_awaited else f"{told}; there is no baseline to hold them against."
    if not finding.suggested:
        return f"{told}."
    best = finding.suggested[0]
    whose = "the best of them beats" if beats_baseline(finding) else "none of them beats"
    return (
        f"{told}; so far {whose} the baseline (quality {finding.baseline.quality:.3f}; at best {best.quality:.3f}, "
        f"foretold {best.foretold:.3f})."
    )


def _counted(count: int) -> str:
    return f"{count} suggestion{'' if count == 1 else 's'}"
