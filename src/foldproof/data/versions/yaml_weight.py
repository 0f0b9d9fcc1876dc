"""Limit the size of YAML with its aliases expanded, before DVC validates it. Pure."""

from collections.abc import Iterable
from math import prod
from typing import Any

MOST_NODES = 1_000_000
MOST_COMBINATIONS = 10_000
_UNKNOWN = 20  # of values in a list that stands elsewhere, `${models}`


def too_heavy(content: bytes) -> str:
    """Why this text of YAML is not parsed; empty where it can be. What is no YAML at all is left for DVC to say."""
    text = content.decode(errors="replace")
    if "&" in text and "*" in text and _nodes(text) > MOST_NODES:
        return "is a nest of aliases"
    if "matrix" in text and _combinations(text) > MOST_COMBINATIONS:
        return f"asks for more than {MOST_COMBINATIONS:,} combinations"
    return ""


def _nodes(text: str) -> int:
    """How many nodes there are with every alias written out; `MOST_NODES` + 1 where an alias holds itself."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    weights: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            kind = type(event).__name__
            if kind in ("MappingStartEvent", "SequenceStartEvent"):
                open_nodes.append((event.anchor, total))
                total += 1
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                anchor, before = open_nodes.pop()
                _note(weights, anchor, total - before)
            elif kind == "ScalarEvent":
                total += 1
                _note(weights, event.anchor, 1)
            elif kind == "AliasEvent":
                total += weights.get(event.anchor, MOST_NODES + 1)
            if total > MOST_NODES:
                return total
    except (YAMLError, ValueError, RecursionError):
        return 0
    return total


def _note(weights: dict[str, int], anchor: str | None, weight: int) -> None:
    if anchor is not None:
        weights[anchor] = weight


def _combinations(text: str) -> int:
    """The most stages that one stage's matrix makes; DVC makes them all before it looks at any."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError):
        return 0
    stages = content.get("stages") if isinstance(content, dict) else None
    matrices = (stage.get("matrix") for stage in _values(stages) if isinstance(stage, dict))
    return max((prod(map(_count, _values(matrix))) for matrix in matrices), default=0)


def _values(of: Any) -> Iterable[Any]:
    return of.values() if isinstance(of, dict) else ()


def _count(values: Any) -> int:
    return len(values) if isinstance(values, list) else _UNKNOWN
