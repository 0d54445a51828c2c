import pytest

from tuner.configuration.preset_files import list_presets, read_preset
from tuner.errors import PresetError


def test_the_three_presets_are_there() -> None:
    assert list_presets() == ["demo", "gpu", "quick"]


@pytest.mark.parametrize("name", list_presets())
def test_presets_are_mappings(name: str) -> None:
    preset = read_preset(name)
    assert isinstance(preset, dict)
    assert preset["search"]["trials"] > 0


def test_unknown_preset_names_the_similar_one() -> None:
    with pytest.raises(PresetError, match=r"one of demo, gpu, quick\. Received 'quik'\. Did you mean 'quick'\?"):
        read_preset("quik")


@pytest.mark.parametrize("name", ["", "../errors", "demo.yaml"])
def test_other_files_are_not_presets(name: str) -> None:
    with pytest.raises(PresetError, match="must be one of"):
        read_preset(name)
