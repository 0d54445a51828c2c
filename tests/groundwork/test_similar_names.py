from groundwork.similar_names import did_you_mean


def test_similar_name_is_suggested() -> None:
    assert did_you_mean("quik", ["demo", "quick"], none="") == "Did you mean 'quick'?"


def test_others_are_listed_up_to_eight() -> None:
    assert did_you_mean("zzz", ["b", "a"], none="") == "Known: a, b."
    assert did_you_mean("zzz", "abcdefghij", none="") == "Known: a, b, c, d, e, f, g, h and 2 more."


def test_nothing_known() -> None:
    assert did_you_mean("a", [], none="There is none.") == "There is none."


def test_what_the_message_lists_already_is_not_listed_again() -> None:
    assert did_you_mean("zzz", ["b", "a"], none="", listed=False) == ""
    assert did_you_mean("ab", ["abc"], none="", listed=False) == "Did you mean 'abc'?"
