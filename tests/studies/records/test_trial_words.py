import pytest
from optuna.trial import TrialState

from measures.search_ranges import End, NearEnd
from studies.records.taken_from import TakenFrom
from studies.records.trial_words import (
    MAX_LISTED,
    STATE_WORDS,
    counted_states,
    listed_trials,
    near_ends_in_words,
    origin_in_words,
    state_word,
    ties_in_words,
)


def test_every_state_of_optuna_has_a_word() -> None:
    assert set(STATE_WORDS) == {state.name for state in TrialState}
    assert state_word("FAIL") == "failed"
    assert state_word("PAUSED") == "paused", "a state of a later Optuna is shown by its name"


def test_counts_are_in_words_and_in_order() -> None:
    assert counted_states({"RUNNING": 2, "FAIL": 1, "PRUNED": 0}) == "2 running, 1 failed"
    assert counted_states({}) == ""


@pytest.mark.parametrize(
    ("count", "ending"), [(1, "trial 0"), (MAX_LISTED, f", {MAX_LISTED - 1}"), (MAX_LISTED + 37, " and 37 more")]
)
def test_long_lists_of_trials_are_cut_and_counted(count: int, ending: str) -> None:
    listed = listed_trials(range(count))
    assert listed.endswith(ending)
    assert listed.count(",") == min(count, MAX_LISTED) - 1


def test_ties_are_named_if_there_are_any() -> None:
    assert ties_in_words(()) == ""
    assert ties_in_words((4, 9)) == "As good within the standard error over the photos: trials 4, 9"


def test_ends_of_ranges_are_told_with_the_way_beyond() -> None:
    ends = (
        NearEnd(name="style_to_content", value=9.512, limits=(0.05, 10.0), end=End.UPPER),
        NearEnd(name="tv_to_content", value=0.003, limits=(0.003, 1.0), end=End.LOWER),
    )
    assert near_ends_in_words(ends, study="my waves") == (
        "The best lies near an end of what was searched: style_to_content 9.51 of 0.05 to 10, tv_to_content 0.003 of "
        "0.003 to 1. A better one may lie beyond: styletuner study run ... --name 'my waves' --widen"
    )
    assert near_ends_in_words((), study="waves") == ""
    assert near_ends_in_words(ends[:1], study="waves", has_scout=True).endswith(
        "A better one may lie beyond: start a study with a wider `search.style_to_content`"
    )


def test_why_a_trial_was_run_with_its_weights() -> None:
    assert origin_in_words(is_baseline=True, foretold=None) == "baseline"
    assert origin_in_words(is_baseline=False, foretold=0.5234) == "suggested by the scout (foretold 0.523)"
    assert origin_in_words(is_baseline=False, foretold=None) == ""
    origin = TakenFrom(uuid="1-2", study="night", trial=7, quality=0.4)
    assert origin_in_words(is_baseline=False, foretold=None, taken_from=origin) == "from trial 7 of night"
