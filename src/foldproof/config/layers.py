"""Split a settings document into layers: what it sets for all experiments and for each.

A layer maps (section, name) to what was written for it. Later layers win: the file's sections, an experiment's own
keys, the command line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from foldproof.config.check import UNKNOWN_KEY, sections, suggestion
from foldproof.config.schema import EXPERIMENT_NAME, RESERVED_NAME, FoldSettings, PixelSettings, Settings, leaf_keys
from foldproof.config.yaml_lines import Document, Key, is_text, scalar
from foldproof.errors import nearest

EXPERIMENTS = "experiments"
TOP_KEYS = ("version", *sections(), EXPERIMENTS)
COMMAND_LINE = 0  # the line of what was written there

_OWN_SECTIONS = ("data", "folds", "train")
_OWN = {"data": PixelSettings, "folds": FoldSettings}  # what of a section an experiment can have of its own


@dataclass(frozen=True)
class Written:
    """A value and where it stands: `line` of the file, under the full key `name`."""

    key: Key
    value: Any
    line: int
    name: str


@dataclass(frozen=True)
class Problem:
    """Something wrong, and where."""

    line: int
    name: str
    text: str


Layer: TypeAlias = Mapping[Key, Written]


def shared(document: Document) -> Iterator[Written | Problem]:
    """What holds for all experiments."""
    for flaw in document.flaws:
        yield Problem(flaw.line, ".".join(flaw.key), flaw.text)
    for name, value in document.value.items():
        line = document.line_of[name,]
        if name not in TOP_KEYS:
            yield _unknown(name, line, name)
        elif name == "version":
            yield Written((name,), value, line, name)
        elif name != EXPERIMENTS:
            yield from _section(document, (name,))


def experiments(document: Document) -> Iterator[tuple[str, tuple[Written | Problem, ...]]]:
    """Every experiment with what it changes, in the order of the file."""
    named = document.value.get(EXPERIMENTS)
    if named is not None and not isinstance(named, dict):
        line = document.line_of[EXPERIMENTS,]
        yield "", (Problem(line, EXPERIMENTS, "must be a mapping of names to what each changes"),)
        return
    for name in named or {}:
        yield name, tuple(_experiment(document, name))


def command_line(overrides: Sequence[str]) -> Iterator[Written | Problem]:
    """What `--set key=value` says. Each value is a scalar, list or mapping of YAML."""
    known = leaf_keys(Settings)
    for override in overrides:
        name, equals, text = override.partition("=")
        name = name.strip()
        if not equals:
            yield Problem(COMMAND_LINE, name, "has no value; write it as key=value")
        elif name == "version":
            yield Problem(COMMAND_LINE, name, "belongs in the file only")
        elif name not in known:
            hint = nearest(name, known) or suggestion(tuple(name.split("."))[-2:])
            yield Problem(COMMAND_LINE, name, f"{UNKNOWN_KEY}; {hint}")
        elif not is_text(text):
            yield Problem(COMMAND_LINE, name, "is not valid UTF-8 text")
        else:
            yield Written(tuple(name.split(".")), scalar(text), COMMAND_LINE, name)


def values(layer: Layer) -> dict[str, Any]:
    """The layer as nested plain values."""
    nested: dict[str, Any] = {}
    for written in layer.values():
        *path, name = written.key
        (nested.setdefault(path[0], {}) if path else nested)[name] = written.value
    return nested


def _experiment(document: Document, name: str) -> Iterator[Written | Problem]:
    path = (EXPERIMENTS, name)
    line, own = document.line_of[path], document.value[EXPERIMENTS][name]
    full = ".".join(path)
    if not EXPERIMENT_NAME.fullmatch(name):
        yield Problem(
            line, full, "a name has letters, digits and _.- (neither - nor . at the start), at most 100 of them"
        )
    if RESERVED_NAME.fullmatch(name):
        yield Problem(line, full, "Windows keeps this name for a device, and files are named after experiments")
    if own is not None and not isinstance(own, dict):
        yield Problem(line, full, "must be a mapping of what the experiment changes, such as {train: {lr: 0.01}}")
        return
    for section in own or {}:
        line = document.line_of[*path, section]
        if section in _OWN_SECTIONS:
            yield from _section(document, (*path, section))
        elif section in TOP_KEYS:
            yield Problem(line, f"{full}.{section}", "holds for all experiments; move it to the top of the file")
        else:
            yield _unknown(section, line, f"{full}.{section}")


def _section(document: Document, path: Key) -> Iterator[Written | Problem]:
    content: Any = document.value
    for part in path:
        content = content[part]
    if content is None:
        return
    if not isinstance(content, dict):
        yield Problem(document.line_of[path], ".".join(path), "must be a mapping of settings")
        return
    section = path[-1]
    for name, value in content.items():
        line, full = document.line_of[*path, name], ".".join((*path, name))
        if len(path) > 1 and _is_shared(section, name):
            yield Problem(line, full, "holds for all experiments; move it to the top of the file")
        else:
            yield Written((section, name), value, line, full)


def _is_shared(section: str, name: str) -> bool:
    if section not in _OWN or f"{section}.{name}" not in leaf_keys(Settings):
        return False
    return name not in {item.name for item in fields(_OWN[section])}


def _unknown(name: str, line: int, full: str) -> Problem:
    first, dot, rest = name.partition(".")
    if dot and first in TOP_KEYS:
        return Problem(line, full, f"dots are for --set; in the file write {first}: {{{rest.replace('.', ': {')}: …}}")
    return Problem(line, full, f"{UNKNOWN_KEY}; {suggestion((name,))}")
