"""YAML that loses nothing, grows to nothing, and names the line of what is wrong."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwork.errors import YamlError
from groundwork.yaml_files import MAX_BYTES, MAX_DEPTH, MAX_VALUES, dump_yaml, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("a: 1\nb: [0.5, 1e-3, .inf]\n", {"a": 1, "b": [0.5, "1e-3", float("inf")]}),
        ("a: {b: null, c: 'x'}", {"a": {"b": None, "c": "x"}}),
        ("- {a: 1}\n- {a: 2}\n", [{"a": 1}, {"a": 2}]),
        ("a: {a: {a: 1}}", {"a": {"a": {"a": 1}}}),
        ("1: a\n'1': b\n", {1: "a", "1": "b"}),
    ],
)
def test_plain_values(text: str, value: Any) -> None:
    assert parse_yaml(text, name="text") == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "Line 3: `a` is given twice, first in line 1; leave one out"),
        ("s:\n  a: 1\n  'a': 2\n", "Line 3: `a` is given twice, first in line 2; leave one out"),
        ("x: {a: 1, a: 2}\n", "Line 1: `a` is given twice"),
        ("x: [{b: {a: 1, a: 2}}]\n", "Line 1: `a` is given twice"),
        ("a: &x 1\nb: *x\n", "Line 2: aliases are not read; write the value again"),
        ("a: &x [*x]\n", "Line 1: aliases are not read"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "Line 3: aliases are not read"),
        ("a:\n\tb: 1\n", r"Line 2: found character '\\t' that cannot start any token. Indent with spaces"),
        ("a: [1,\nb", r"Line 2: expected ',' or '\]'"),
        ("a: 1\n--- \nb: 2\n", "Line 2: but found another document|Line 2: expected a single document"),
        ("a: !!python/object:os.system {}", "Line 1: could not determine a constructor"),
        ("a: !!int x\n", "Line 1: `x` is no value"),
        ("a: 2026-99-99\n", "Line 1: `2026-99-99` is no value"),
        ("a: !!timestamp x\n", "Line 1: `x` is no value"),
        ("a: !!bool x\n", "Line 1: `x` is no value"),
        ("a: " + "9" * 5000, "Line 1: `9{60}...` is no value"),
        ("? [1]\n: 2\n", "Line 1: found unhashable key"),
        ("a: \x07\n", "Line 1: it has characters that no text has"),
    ],
)
def test_what_is_refused_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(YamlError, match=f"^mine.yaml is no YAML. {message}") as caught:
        parse_yaml(text, name="mine.yaml")
    assert len(str(caught.value).splitlines()) == 1


def test_aliases_of_aliases_are_refused_at_the_first() -> None:
    """Nine lines that stand for a billion values."""
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    with pytest.raises(YamlError, match="Line 2: aliases are not read"):
        parse_yaml(bomb, name="bomb.yaml")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_ends_where_no_settings_are(opening: str) -> None:
    with pytest.raises(YamlError, match=f"more than {MAX_DEPTH} levels"):
        parse_yaml(opening * 50_000, name="deep.yaml")
    assert parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, name="deep.yaml")


def test_values_are_counted_before_the_rest_is_parsed() -> None:
    """What comes after the last one allowed is no YAML at all."""
    allowed = "- 1\n" * (MAX_VALUES - 1)  # and the list itself
    assert len(parse_yaml(allowed, name="long.yaml")) == MAX_VALUES - 1
    with pytest.raises(YamlError, match=f"Line {MAX_VALUES}: more than 10,000 values"):
        parse_yaml(f"{allowed}- 1\n]", name="long.yaml")


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(2**40)  # takes no room on the disk
    with pytest.raises(YamlError, match=r"huge.yaml has more than 1,000,000 bytes"):
        read_yaml(path)
    with pytest.raises(YamlError, match="more than 1,000,000 characters"):
        parse_yaml("#" * (MAX_BYTES + 1), name="text")


def test_files_that_are_no_text_or_no_files(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(YamlError, match=r"mine.yaml is no YAML. Line 2: no text in UTF-8"):
        read_yaml(path)
    with pytest.raises(YamlError, match=r"nowhere.yaml cannot be read: No such file or directory"):
        read_yaml(tmp_path / "nowhere.yaml")
    with pytest.raises(YamlError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(YamlError, match=r"pipe.yaml cannot be read: it is no regular file"):
        read_yaml(tmp_path / "pipe.yaml")


def test_a_byte_order_mark_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(path) == {"a": 1}


def test_what_is_written_is_read_back_without_aliases() -> None:
    shared = {"x": [0.5, None, "1e3", "2026-01-01", "Stürme"]}
    values = {"b": shared, "a": shared}
    text = dump_yaml(values)
    assert parse_yaml(text, name="text") == values
    assert text.index("b:") < text.index("a:")


@given(st.text(alphabet="ab01:-?,[]{}&*!|>'\"#%@` \n\t.<~é\x00", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_yaml(text, name="text")
    except YamlError as error:
        assert str(error).startswith("text is no YAML.")  # noqa: PT017  both outcomes are right
