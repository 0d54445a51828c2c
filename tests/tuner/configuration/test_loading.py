"""What lies over what: flags, files, presets and defaults."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tuner.configuration.loading import given, load_config, merge, parse_setting
from tuner.configuration.preset_files import list_presets, read_preset
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError


def write_yaml(path: Path, values: Any) -> Path:
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


@pytest.mark.parametrize("preset", list_presets())
def test_presets_are_valid_and_self_consistent(preset: str) -> None:
    config = load_config(preset, overrides={})
    assert config.preset == preset
    values = read_preset(preset)
    assert config.network.width == values["network"]["width"]
    assert config.rungs[-1] == config.training.images // config.training.batch_size * config.training.batch_size
    assert config.full_training.crop_size >= config.data.crop_size
    assert config.full_training.images >= config.training.images


def test_the_presets_of_the_issue_are_there() -> None:
    assert {"demo", "quick", "gpu"} <= set(list_presets())


def test_flag_over_file_over_preset_over_default(tmp_path: Path) -> None:
    preset = read_preset("quick")
    default = StudyConfig()
    file = {
        "preset": "quick",
        "training": {"images": 800, "learning_rate": 0.003},
        "search": {"trials": 5},
        "network": {"norm": "batch"},
    }
    path = write_yaml(tmp_path / "mine.yaml", file)
    config = load_config(str(path), overrides={"search": {"trials": 3}, "network": {"width": 8}})
    assert (config.search.trials, config.network.width) == (3, 8)
    assert (config.training.images, config.training.learning_rate, config.network.norm) == (800, 0.003, "batch")
    assert config.training.batch_size == preset["training"]["batch_size"]
    assert config.data.num_crops == preset["data"]["num_crops"]
    assert config.network.num_residual_blocks == default.network.num_residual_blocks
    assert config.preset == "quick"


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    path = tmp_path / "empty.yml"
    path.touch()
    assert load_config(str(path), overrides={}) == StudyConfig()


def test_paths_in_a_file_are_relative_to_the_file(tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / "elsewhere"
    path = write_yaml(tmp_path / "mine.yaml", {"style": "a.png", "photos": ["photos", str(elsewhere)]})
    config = load_config(str(path), overrides={})
    assert config.style == tmp_path / "a.png"
    assert config.photos == (tmp_path / "photos", elsewhere)
    single = load_config(str(write_yaml(path, {"photos": "photos"})), overrides={"style": "b.png"})
    assert single.photos == (tmp_path / "photos",)
    assert single.style == Path("b.png")


def test_a_file_may_take_back_what_has_a_default(tmp_path: Path) -> None:
    path = write_yaml(tmp_path / "mine.yaml", {"preset": "quick", "search": {"baseline": None}, "training": None})
    config = load_config(str(path), overrides={})
    assert config.search.baseline is None
    assert config.training.batch_size == read_preset("quick")["training"]["batch_size"]
    assert load_config("quick", overrides=parse_setting("search.baseline=null")).search.baseline is None


def test_null_in_a_file_takes_back_what_its_preset_says(tmp_path: Path) -> None:
    """Where null has no meaning of its own it is the default; a section without content leaves the preset's."""
    nulls = {"network": {"width": None}, "data": {"held_out": {"rung": None}}, "search": None}
    path = write_yaml(tmp_path / "mine.yaml", {"preset": "demo", "seed": None, **nulls})
    config, default = load_config(str(path), overrides={}), StudyConfig()
    assert config.network.width == default.network.width != read_preset("demo")["network"]["width"]
    assert config.data.held_out.rung == default.data.held_out.rung != read_preset("demo")["data"]["held_out"]["rung"]
    assert config.seed == default.seed != read_preset("demo")["seed"]
    assert config.search.trials == read_preset("demo")["search"]["trials"]
    assert load_config("demo", overrides=parse_setting("seed=null")).seed == default.seed


def test_photos_may_be_a_single_path() -> None:
    assert load_config("quick", overrides=parse_setting("photos=photos/")).photos == (Path("photos"),)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("quik", "'quik' is neither a preset nor a file. Did you mean 'quick'?"),
        ("missing.yaml", "Configuration missing.yaml cannot be read: No such file"),
        ("xyzzy", "Presets: demo, gpu, quick; a file's name ends in .yaml."),
    ],
)
def test_a_source_that_is_not_there(source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_config(source, overrides={})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("network: {width: 8", "is no YAML"),
        ("- a\n- b\n", "must be a mapping of settings. Received ['a', 'b']."),
        ("7", "must be a mapping of settings. Received 7."),
        ("just words", "must be a mapping of settings. Received 'just words'."),
        ("style: !!python/object:os.system {}", "is no YAML"),
        ("preset: quik", "Did you mean 'quick'?"),
        (
            "seed: 1\nnetwork:\n  width: 8\n  width: 9",
            "Line 4: `width` is given twice, first in line 3;",
        ),
        ("seed: 1\nseed: 2", "Line 2: `seed` is given twice, first in line 1; leave one out."),
        ("network:\n\twidth: 8", "Indent with spaces."),
        ("a: &a [1]\nb: *a", "Line 2: aliases are not read; write the value again."),
        ("a: " + "[" * 100_000, "Line 1: more than 20 levels; settings have fewer."),
        ("seed: 1\x00", "Line 1: it has characters that no text has."),
        ("# " + "x" * 1_000_000, "has more than 1,000,000 bytes"),
    ],
)
def test_a_file_that_is_no_configuration(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_config(str(path), overrides={})


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(ConfigError, match="is no YAML"):
        load_config(str(path), overrides={})


@pytest.mark.parametrize(
    ("text", "nested"),
    [
        ("seed=3", {"seed": 3}),
        ("network.width=8", {"network": {"width": 8}}),
        ("data.held_out.rung=2", {"data": {"held_out": {"rung": 2}}}),
        ("search.rungs=[0.5, 1]", {"search": {"rungs": [0.5, 1]}}),
        ("network.norm=batch", {"network": {"norm": "batch"}}),
        ("style=a=b.png", {"style": "a=b.png"}),
        ("search.baseline=null", {"search": {"baseline": None}}),
    ],
)
def test_parse_setting(text: str, nested: dict[str, Any]) -> None:
    assert parse_setting(text) == nested


@pytest.mark.parametrize("text", ["network.width", "", "=8"])
def test_a_setting_without_a_name_or_an_equals_sign(text: str) -> None:
    with pytest.raises(ConfigError, match=r"`--set` must be name=value\. Received .* Example: --set network.width=16"):
        parse_setting(text)


def test_a_preset_is_no_setting() -> None:
    """Its values lie below the file's: laid on top it would be a label only."""
    with pytest.raises(ConfigError, match=r"`--set preset` comes too late.*styletuner study run gpu"):
        parse_setting("preset=gpu")


def test_a_setting_whose_value_is_no_yaml() -> None:
    with pytest.raises(ConfigError, match=re.escape("The value of `--set search.rungs` is no YAML. Line 1:")):
        parse_setting("search.rungs=[1")


@pytest.mark.parametrize("text", ["network..width=8", ".".join("a" * 5000) + "=1", "network.width.deep=8", "nothing=1"])
def test_a_setting_that_does_not_exist(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is not known|must be a whole number|names have at most 3 parts"):
        load_config("quick", overrides=parse_setting(text))


def test_merge_lays_one_over_the_other_and_changes_neither() -> None:
    base = {"a": 1, "b": {"c": 2, "d": 3}, "e": {"f": 4}, "g": 5}
    top = {"b": {"c": 20, "new": 6}, "e": None, "g": None, "h": None}
    before = (repr(base), repr(top))
    merged = merge(base, top)
    assert merged == {"a": 1, "b": {"c": 20, "d": 3, "new": 6}, "e": {"f": 4}, "g": None, "h": None}
    assert (repr(base), repr(top)) == before


def test_given_leaves_out_flags_that_were_not_given() -> None:
    assert given({"style": None, "seed": 0, "search": {"trials": None}}) == {"seed": 0, "search": {}}
