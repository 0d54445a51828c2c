"""What came of several styles, in a table and in words."""

from dataclasses import replace

from optuna.trial import TrialState, create_trial

from studies.records.study_record import StudyRecord
from studies.records.summaries import StudySummary, TrialSummary, summarise_trial
from studies.records.taken_from import TakenFrom
from tuner.command_line.study.several_studies import table_of
from tuner.running.style_outcomes import StyleOutcome, taken_in_words

ORIGIN = TakenFrom(uuid="1-2", study="night", trial=7, quality=0.4)


def trial(number: int, quality: float | None, *, state: str = "COMPLETE", taken: bool = False) -> TrialSummary:
    made = summarise_trial(create_trial(state=TrialState.FAIL))
    return replace(
        made,
        number=number,
        quality=quality,
        state=state,
        taken_from=ORIGIN if taken else None,
        is_baseline=number == 0,
        weights={"content": 0.5, "style": 0.25, "total_variation": 0.25},
        parts={} if quality is None else {"standard_error": 0.0125},
    )


def study(*trials: TrialSummary, tied: tuple[int, ...] = ()) -> StudySummary:
    complete = [one for one in trials if one.state == "COMPLETE"]
    return StudySummary(
        name="waves",
        uuid="3-4",
        created=None,
        num_by_state={},
        best=max(complete, key=lambda one: one.quality or 0.0, default=None),
        trials=trials,
        record=StudyRecord.parse({"style_path": "waves.png"}),
        attributes={},
        tied_with_best=tied,
    )


def test_whether_what_others_found_helped() -> None:
    base = trial(0, 0.2)
    taken = trial(1, 0.4, taken=True)
    assert taken_in_words(study(base)) == ""
    assert taken_in_words(study(base, taken)) == "helped: the best is trial 1, from trial 7 of night"
    assert taken_in_words(study(base, taken, trial(2, 0.6))) == (
        "no help: at best 0.400, trial 1, from trial 7 of night"
    )
    assert taken_in_words(study(base, taken, trial(2, 0.41), tied=(1,))) == (
        "as good as the best: trial 1, from trial 7 of night"
    )


def test_of_several_the_best_counts() -> None:
    several = study(trial(0, 0.2), trial(1, 0.3, taken=True), trial(2, 0.5, taken=True))
    assert taken_in_words(several) == "helped: the best is trial 2, from trial 7 of night"


def test_what_was_pruned_or_not_run_is_told_as_that() -> None:
    pruned = trial(1, 0.9, state="PRUNED", taken=True)
    assert taken_in_words(study(trial(0, 0.2), pruned)) == "no help: trial 1, from trial 7 of night, was pruned"
    waiting = trial(1, None, state="WAITING", taken=True)
    assert taken_in_words(study(trial(0, 0.2), waiting)) == "not run yet"


def test_the_table_has_a_line_a_style() -> None:
    outcomes = [StyleOutcome.of(study(trial(0, 0.2), trial(1, 0.4, taken=True))), StyleOutcome.of(study())]
    assert table_of(outcomes) == [
        "study  quality        baseline  content / style / tv weight  best of other styles",
        "waves  0.400 ± 0.013  0.200     0.5000 / 0.2500 / 0.2500     helped: the best is trial 1, from trial 7 of "
        "night",
        "waves  -              -         -                            -",
    ]
    assert outcomes[0].as_dict()["style"] == "waves.png"
    assert outcomes[1].as_dict()["best"] is None
