"""Parse YAML 1.2 into plain values, with the line of every key and every syntax error."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from foldproof.errors import SettingsError
from foldproof.storage.limits import SETTINGS_DEPTH, SETTINGS_EVENTS, SETTINGS_VALUES

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import Node

Key: TypeAlias = tuple[str, ...]

_MOST_BITS = 10_000  # of a whole number: 3,010 digits
_TAG = "tag:yaml.org,2002:"
_READ_AS_TEXT = (_TAG + "str", _TAG + "timestamp", _TAG + "merge")
_READ_AS_VALUE = (_TAG + "null", _TAG + "bool", _TAG + "int", _TAG + "float")


@dataclass(frozen=True)
class Flaw:
    """Something wrong with the text itself."""

    line: int
    key: Key
    text: str


@dataclass(frozen=True)
class Document:
    """What a YAML text says: None, a number, a text, a bool, a list or a dict; lines count from 1."""

    value: Any
    line_of: Mapping[Key, int]
    flaws: tuple[Flaw, ...]


def parse(text: str, *, name: str) -> Document:
    """Read one document. Keys are the text that was written.

    A key given twice and a value of a foreign type are flaws.
    Raises SettingsError, with line and column, where the text is not YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor used twice is told on stderr
            _bound(yaml)
            root = yaml.compose(text)
    except _TooMuch:
        raise SettingsError(
            f"{name} is nested too deeply, or holds too many values", next_step="settings are two levels deep"
        ) from None
    except (YAMLError, ValueError, OverflowError) as error:
        raise SettingsError(
            f"{name}{_place(error)} is not YAML: {_reason(error)}",
            next_step="fix that line, then try again",
        ) from error
    except RecursionError:
        raise SettingsError(f"{name} is nested too deeply", next_step="settings are two levels deep") from None
    reader = _Reader(yaml)
    value = None if root is None else reader.value(root, ())
    return Document(value, reader.line_of, tuple(reader.flaws))


class _TooMuch(Exception):
    """More than settings are, of values or of levels: reading on would take minutes."""


def _bound(yaml: "YAML") -> None:
    """Make it raise _TooMuch while a text is read, before all of it is."""
    parser = yaml.parser
    read = parser.get_event
    events = depth = 0

    def bounded() -> Any:
        nonlocal events, depth
        event = read()
        kind = type(event).__name__
        events += 1
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if events > SETTINGS_EVENTS or depth > SETTINGS_DEPTH + 10:
            raise _TooMuch
        return event

    parser.get_event = bounded


def scalar(text: str) -> Any:
    """What `text` means as the value of a key: `1e-3` is a number, `no` a text, `[0, 1]` a list, `{a: b}` a mapping,
    nothing is None.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode

    stripped = text.strip()
    if stripped[:1] in ("'", '"', "[", "{"):
        try:
            quoted = parse(stripped, name="").value
        except SettingsError:
            return stripped
        return quoted if isinstance(quoted, str | list | dict) else stripped
    yaml = YAML(typ="safe", pure=True)
    tag = yaml.resolver.resolve(ScalarNode, stripped, (True, False))
    reader = _Reader(yaml)
    value = reader.scalar(ScalarNode(tag, stripped), (), line=1)
    return stripped if reader.flaws else value


class _Reader:
    """Turns nodes into values, noting the line of every key and every flaw on the way."""

    def __init__(self, yaml: "YAML") -> None:
        self._yaml = yaml
        self._values_left = int(SETTINGS_VALUES)
        self.line_of: dict[Key, int] = {}
        self.flaws: list[Flaw] = []

    def value(self, node: "Node", key: Key) -> Any:
        from ruamel.yaml.nodes import MappingNode, ScalarNode

        line = _line(node)
        self._values_left -= 1
        if self._values_left < 0 or len(key) > SETTINGS_DEPTH:  # aliases can make a small text endless
            if self._values_left >= -1:
                self.flaws.append(Flaw(line, key[:2], "too many values, or nested too deeply"))
            self._values_left = -1
            return None
        if isinstance(node, ScalarNode):
            return self.scalar(node, key, line=line)
        if node.tag not in (_TAG + "map", _TAG + "seq"):
            self.flaws.append(Flaw(line, key, f"values of type {_short(node.tag)} are not supported"))
            return None
        if isinstance(node, MappingNode):
            return dict(self._items(node, key))
        return [self.value(item, (*key, str(index))) for index, item in enumerate(node.value)]

    def scalar(self, node: "Node", key: Key, *, line: int) -> Any:
        tag = str(node.tag)
        try:
            if tag in _READ_AS_VALUE:
                return _small(self._yaml.constructor.construct_object(node))
            _demand_text(node.value)
        except ValueError:
            self.flaws.append(Flaw(line, key, "not a value that can be read"))
            return None
        if tag not in _READ_AS_TEXT:
            self.flaws.append(Flaw(line, key, f"values of type {_short(tag)} are not supported"))
            return None
        return str(node.value)

    def _items(self, node: "Node", key: Key) -> Iterator[tuple[str, Any]]:
        from ruamel.yaml.nodes import ScalarNode

        seen: dict[str, int] = {}
        for name_node, value_node in node.value:
            line = _line(name_node)
            if not isinstance(name_node, ScalarNode):
                self.flaws.append(Flaw(line, key, "a key must be a word"))
                continue
            name = str(name_node.value)
            if not is_text(name):
                self.flaws.append(Flaw(line, key, "a key that cannot be read"))
                continue
            if name in seen:
                self.flaws.append(Flaw(line, (*key, name), f"given twice, first on line {seen[name]}"))
                continue
            seen[name] = self.line_of[*key, name] = line
            yield name, self.value(value_node, (*key, name))


def _small(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise ValueError("too many digits")
    return value


def _demand_text(value: str) -> None:
    """Raises ValueError for half a character, and for the one that ends a text wherever a path is needed."""
    if "\0" in value:
        raise ValueError("it holds the character 0")
    value.encode()


def is_text(value: str) -> bool:
    """Whether a text can be written as UTF-8, and be part of a path."""
    try:
        _demand_text(value)
    except ValueError:
        return False
    return True


def _line(node: "Node") -> int:
    return int(node.start_mark.line) + 1 if node.start_mark else 1


def _short(tag: object) -> str:
    return str(tag).replace(_TAG, "!!")


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}, column {mark.column + 1}," if mark else ""


def _reason(error: Exception) -> str:
    return str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
