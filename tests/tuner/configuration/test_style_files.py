"""Which files names of style images stand for."""

from pathlib import Path

import pytest

from tuner.configuration.loading import load_config, load_styles
from tuner.configuration.style_files import find_styles
from tuner.errors import ConfigError


@pytest.fixture
def styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Names alone count here: no file is opened."""
    for name in ("b.png", "a.jpg", "notes.txt", "old/c.webp", "more.zip", "old/.hidden.png", "odd[1].png"):
        path = tmp_path / "styles" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "styles"


def found(*names: str) -> list[str]:
    return [str(path) for path in find_styles(names)]


@pytest.mark.usefixtures("styles")
def test_files_are_taken_as_they_are_named() -> None:
    assert found("styles/notes.txt", "nowhere.png", "styles/a.jpg") == [
        "styles/notes.txt",
        "nowhere.png",
        "styles/a.jpg",
    ]


@pytest.mark.usefixtures("styles")
def test_a_folders_pictures_are_found() -> None:
    assert found("styles") == ["styles/a.jpg", "styles/b.png", "styles/odd[1].png", "styles/old/c.webp"]


@pytest.mark.usefixtures("styles")
def test_patterns_are_matched_where_no_file_is_called_so() -> None:
    assert found("styles/*.png") == ["styles/b.png", "styles/odd[1].png"]
    assert found("styles/odd[1].png") == ["styles/odd[1].png"]
    assert found("sty*") == found("styles")


def test_what_has_no_picture_is_refused(styles: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="'empty' has no pictures"):
        find_styles(["empty"])
    with pytest.raises(ConfigError, match=r"'\*.gif' matches no file"):
        find_styles(["*.gif"])
    assert found(str(styles / "a.*")) == [str(styles / "a.jpg")]


def test_a_file_may_name_several(styles: Path) -> None:
    path = styles.parent / "study.yaml"
    path.write_text("preset: quick\nstyle: [styles/b.png, styles/a.jpg]\n")
    configs = load_styles(str(path), overrides={})
    assert [config.style for config in configs] == [styles / "b.png", styles / "a.jpg"]
    assert configs[0].model_copy(update={"style": None}) == configs[1].model_copy(update={"style": None})
    with pytest.raises(ConfigError, match="`style` names 2 pictures where one is wanted"):
        load_config(str(path), overrides={})
    (one,) = load_styles(str(path), overrides={"style": ["x.png"]})
    assert one.style == Path("x.png")


def test_a_files_pattern_is_found_in_whatever_folder(tmp_path: Path) -> None:
    folder = tmp_path / "sea [1]"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg", "odd[1].jpg"):
        (folder / name).write_bytes(b"")
    (folder / "study.yaml").write_text("style: ['?.jpg', 'odd[1].jpg']\n")
    found = [config.style for config in load_styles(str(folder / "study.yaml"), overrides={})]
    assert found == [folder / "a.jpg", folder / "b.jpg", folder / "odd[1].jpg"]


def test_of_one_a_list_is_as_good_as_the_name(styles: Path) -> None:
    path = styles.parent / "study.yaml"
    path.write_text("style: [styles/b.png]\n")
    assert load_config(str(path), overrides={}).style == styles / "b.png"


@pytest.mark.parametrize(("written", "wrong"), [("[1, 2]", "style"), ("{a: b}", "style"), ("[]", "style")])
def test_what_is_no_name_is_refused_as_ever(tmp_path: Path, written: str, wrong: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"style: {written}\n")
    with pytest.raises(ConfigError, match=f"`{wrong}`"):
        load_styles(str(path), overrides={})


def test_none_is_none(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("seed: 3\n")
    (config,) = load_styles(str(path), overrides={})
    assert config.style is None
