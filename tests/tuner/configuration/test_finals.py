"""Which studies have a final, and what is asked for in vain."""

from pathlib import Path
from typing import Any

import pytest

from tuner.configuration.loading import load_config
from tuner.configuration.preset_files import list_presets
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError

TWO_OBJECTIVES = {"search": {"objectives": "content_and_style"}}
NO_REPORT = {"data": {"held_out": {"report": 0}}}


def test_three_in_quick_and_gpu_none_elsewhere() -> None:
    found = {preset: load_config(preset, overrides={}).num_finalists for preset in list_presets()}
    assert found == {"demo": 1, "gpu": 3, "quick": 3}
    assert StudyConfig().num_finalists == 1


@pytest.mark.parametrize("changed", [TWO_OBJECTIVES, NO_REPORT])
def test_what_a_preset_alone_asks_for_in_vain_is_left_out(changed: dict[str, Any]) -> None:
    config = load_config("quick", overrides=changed)
    assert (config.num_finalists, config.num_final_runs) == (1, 0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (TWO_OBJECTIVES, r"`search.finalists` is 3, and a study of two objectives has a front and no single winner; "),
        (NO_REPORT, r"`search.finalists` is 3, and `data.held_out.report` is 0: finalists are judged on report photos"),
        (
            {"search": {"trials": 3}},
            r"is 3, and the study has 2 trials \(3 less 1 for its starter\); take fewer finalists or more",
        ),
    ],
)
def test_what_is_asked_for_and_cannot_be_is_one_line(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    asked = {**changed, "search": {**changed.get("search", {}), "finalists": 3}}
    with pytest.raises(ConfigError, match=message) as error:
        load_config("quick", overrides=asked)
    assert "\n" not in str(error.value)
    path = tmp_path / "own.yaml"
    path.write_text("preset: quick\nsearch: {finalists: 3}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_config(str(path), overrides=changed)


def test_one_is_off_and_never_in_vain() -> None:
    for changed in (TWO_OBJECTIVES, NO_REPORT):
        asked = {**changed, "search": {**changed.get("search", {}), "finalists": 1}}
        assert load_config("quick", overrides=asked).num_final_runs == 0


def test_fewer_trials_than_a_preset_has_finalists_are_those_there_are() -> None:
    """Of three trials one is the price of the starter."""
    config = load_config("quick", overrides={"search": {"trials": 3}})
    assert config.num_final_runs == 4
    timed = load_config("quick", overrides={"search": {"finalists": 40, "stop": {"minutes": 600}}})
    assert timed.num_finalists == 40, "nobody knows yet how many trials the time holds"


@pytest.mark.parametrize("number", [0, -1, 101, 2.5])
def test_numbers_that_are_none(number: float) -> None:
    with pytest.raises(ConfigError, match=r"`search.finalists` must be .* Received"):
        load_config("quick", overrides={"search": {"finalists": number}})


def test_seeds_follow_the_studys_own_and_begin_again_after_the_last() -> None:
    assert load_config("quick", overrides={"seed": 4}).final_seeds == (5, 6)
    assert load_config("quick", overrides={"seed": 2**31 - 2}).final_seeds == (2**31 - 1, 0)
