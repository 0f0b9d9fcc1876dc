"""Parse JSON that somebody else may have written into plain values that every reader can take."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from foldproof.storage.limits import DEPTH

_MOST_DIGITS = 80  # of a whole number; float() takes each of them, and a run writes 20
_NESTED = (dict, list)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # of a character beyond the 65,536th, or one that has no other half


def parse_json(content: bytes) -> Any:
    """The value that a JSON text says.

    Raises ValueError for what no run writes: text that is not UTF-8, half a character, a key twice, a number that is
    not finite or has more than 80 digits, more levels than DEPTH.
    """
    value = parse_line(content)
    if _HALF.search(content):
        json.dumps(value, ensure_ascii=False).encode()
    return value


def parse_line(content: bytes) -> Any:
    """As `parse_json`, but a text may hold half a character, as in a journal, which names files as they are."""
    try:
        value = json.loads(
            content.decode(),
            object_pairs_hook=_each_key_once,
            parse_float=_finite,
            parse_constant=_finite,
            parse_int=_small,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _demand_few_levels(value)
    return value


def mapping_in(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The mapping under `key`, where whoever wrote it put one there; else an empty one."""
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def _demand_few_levels(value: Any) -> None:
    """Level by level, so that no depth of it can exhaust Python's own."""
    level = [value] if isinstance(value, _NESTED) else []
    for _ in range(DEPTH):
        if not level:
            return
        level = [item for outer in level for item in _inner(outer) if isinstance(item, _NESTED)]
    raise ValueError("it is nested too deeply")


def _inner(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is no finite number")
    return value


def _small(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"{text[:40]}… has {len(text):,} digits")
    return int(text)
