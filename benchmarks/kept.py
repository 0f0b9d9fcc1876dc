"""Pairs and searches in; a file that outlives an interruption, and out of it again; a line of JSON each."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measured import Measure
from benchmarks.ratios import Pair


class Kept:
    """What was measured, a line of JSON a pair or a search, in a file that outlives an interruption."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, kind: str, value: Mapping[str, Any]) -> None:
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, **value}) + "\n")

    def pairs(self, made_by: str | None = None) -> list[Pair]:
        """All, or those of one commit."""
        return [pair_of(line) for line in self._lines("pair") if made_by in (None, line["commit"])]

    def found(self, work: str, other: str) -> tuple[str, ...] | None:
        """The arguments that were searched for it."""
        found = [line["found"] for line in self._lines("search") if (line["work"], line["other"]) == (work, other)]
        return tuple(found[-1]) if found else None

    def _lines(self, kind: str) -> Iterator[dict[str, Any]]:
        if self._file.exists():
            for text in self._file.read_text(encoding="utf-8").splitlines():
                line = json.loads(text)
                if line.pop("kind") == kind:
                    yield line


def pair_of(line: Mapping[str, Any]) -> Pair:
    """A pair out of its JSON object."""
    measures = {side: Measure(**line[side]) for side in ("theirs", "ours")}
    accuracy = {name: (theirs, ours) for name, (theirs, ours) in line["accuracy"].items()}
    return Pair(**{**line, **measures, "accuracy": accuracy, "arguments": tuple(line["arguments"])})
