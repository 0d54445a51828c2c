"""The one reader of YAML: plain values, in which nothing is lost and nothing grows beyond its text.

Presets, configurations, exported files and single values of flags are read by it. Every bound is far above what they
hold; without them a file of a few lines takes minutes (aliases of aliases) or ends in a RecursionError (nesting).
"""

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, final

import yaml
from yaml.nodes import MappingNode, Node

from groundwork.errors import YamlError

MAX_BYTES: Final = 1_000_000
"""An exported study with a thousand photos held out has a tenth of this."""

MAX_DEPTH: Final = 20
"""A configuration has three levels, an exported file six."""

MAX_VALUES: Final = 10_000
"""Names counted too: an exported study of the most photos and paths that a configuration allows has 8,500."""

_LONGEST_KEY: Final = 60


def read_yaml(path: Path) -> Any:
    """Read a file's plain values; None of an empty file.

    Raises:
        YamlError: The file cannot be read, is too large, or holds no such YAML; names file, line and key.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise YamlError(f"{path} cannot be read: it is no regular file.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise YamlError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > MAX_BYTES:
        raise YamlError(f"{path} has more than {MAX_BYTES:,} bytes: no file of settings is that long.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise YamlError(f"{path} is no YAML. Line {line}: no text in UTF-8.") from error
    return parse_yaml(text, name=str(path))


def parse_yaml(text: str, *, name: str) -> Any:
    """Return the plain values of YAML text; None of empty text.

    Args:
        text: One document.
        name: What an error calls the text: a file's path, say.

    Raises:
        YamlError: It is no YAML, has a key twice, an alias, a foreign tag, more than `MAX_BYTES` characters,
            `MAX_DEPTH` levels or `MAX_VALUES` values.
    """
    if len(text) > MAX_BYTES:
        raise YamlError(f"{name} has more than {MAX_BYTES:,} characters: no settings are that long.")
    try:
        loader = _PlainLoader(text)
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" Line {mark.line + 1}:" if mark is not None else ""
        raise YamlError(f"{name} is no YAML.{line} {_sentence(error.problem or error.context or '')}") from error
    except yaml.reader.ReaderError as error:
        line = f" Line {text.count(chr(10), 0, error.position) + 1}:"
        raise YamlError(f"{name} is no YAML.{line} it has characters that no text has.") from error


def dump_yaml(values: Mapping[str, Any]) -> str:
    """Return YAML that `parse_yaml` reads back: in the order given, what occurs twice written twice."""
    return yaml.dump(dict(values), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=120)


@final
class _PlainDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


@final
class _PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader, without its ways to lose a value, to multiply one, or to fail on one with another error."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._num_values = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        """Compose one node after its event: lazily, so that what is too deep is not even parsed to its end."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not read; write the value again", problem_mark=mark)
        if self._depth >= MAX_DEPTH:
            problem = f"more than {MAX_DEPTH} levels; settings have fewer"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        self._num_values += 1
        if self._num_values > MAX_VALUES:
            problem = f"more than {MAX_VALUES:,} values; settings have fewer"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        """Construct a value; what looks like a number or a date but is none is an error like all others."""
        try:
            return super().construct_object(node, deep=deep)
        except yaml.YAMLError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            problem = f"`{_short(node.value)}` is no value"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping of which each key is given once."""
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            # Equal as text and type: a key that is equal only as a value (1 and 1.0) is no setting anyway.
            spelt = f"{key.tag} {key.value}" if isinstance(key, yaml.ScalarNode) else f"{line} {key.start_mark.column}"
            if spelt in lines:
                problem = f"`{_short(key.value)}` is given twice, first in line {lines[spelt]}; leave one out"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            lines[spelt] = line
        return super().construct_mapping(node, deep=deep)


def _sentence(problem: str) -> str:
    hint = " Indent with spaces." if r"'\t'" in problem else ""
    return " ".join(problem.split()).rstrip(".") + "." + hint


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_KEY else text[:_LONGEST_KEY] + "..."
