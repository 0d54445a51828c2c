"""A study's scout in words, the same on every screen and page."""

from studies.records.study_scout import ScoutFinding, ScoutVerdict, StudyScout


def scout_in_words(scout: StudyScout, finding: ScoutFinding) -> str:
    """Return what the trials start from and how the scout's suggestions did, in one line."""
    return f"Trials start from a scout of {scout.images:,} images. {_suggestions(scout, finding)}"


def verdict_in_words(finding: ScoutFinding) -> str:
    """Return what the trials that the scout suggested say of it, in a sentence; empty while that is open."""
    if finding.baseline is None or not finding.suggested or finding.verdict is ScoutVerdict.OPEN:
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
        else (f"None of its {_counted(len(finding.suggested))} beats")
    )
    return (
        f"{whose} the baseline (quality {base.quality:.3f}; at best {best.quality:.3f}, foretold "
        f"{best.foretold:.3f}): the search goes on as if it had suggested nothing."
    )


def _suggestions(scout: StudyScout, finding: ScoutFinding) -> str:
    if not scout.num_suggested:
        return "It suggested nothing."
    return verdict_in_words(finding) or (
        f"Of its {_counted(scout.num_suggested)}, {len(finding.suggested)} "
        f"{'is' if len(finding.suggested) == 1 else 'are'} finished."
    )


def _counted(count: int) -> str:
    return f"{count} suggestion{'' if count == 1 else 's'}"
