"""Summaries in; a table out: how many times as fast as the usual script and as the best of the others, with targets."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.others import OTHERS, USUAL
from benchmarks.works import WORKS, Way

_HEAD = """\
| work | foldproof | s | as fast as the usual script | target | as fast as the best other | target | n |
|---|---|---|---|---|---|---|---|
"""
BY_HAND = "features by hand"  # stands apart: it has no curves, and no target but not to be slower


def standings(summaries: Sequence[Mapping[str, Any]]) -> str:
    """Markdown. Where a side was timed both ways, the exact one stands."""
    lines = []
    for work in WORKS.values():
        for way in work.ways:
            rows = _exact_first([row for row in summaries if (row["work"], row["way"]) == (work.name, way.name)])
            if rows:
                lines.append(_line(work.name, way, rows))
    return _HEAD + "".join(lines)


def _exact_first(rows: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["part"] != ""):
        found.setdefault(row["other"], row)
    return found


def _line(work: str, way: Way, rows: Mapping[str, Mapping[str, Any]]) -> str:
    usual = rows.get(USUAL)
    rivals = [
        row for name, row in rows.items() if name not in (USUAL, BY_HAND) and OTHERS[name].bfloat16 <= way.bfloat16
    ]
    best = min(rivals, key=lambda row: row["speed"]["median"], default=None)
    targets = [f"{target:g}x" for target in way.targets] if way.targets else ["", ""]
    seconds = [row["our_seconds"]["median"] for row in rows.values()]
    by_hand = rows.get(BY_HAND)
    beside = "" if by_hand is None else f"; by hand {_times(by_hand)}"
    cells = (
        *(work, way.name, f"{sorted(seconds)[len(seconds) // 2]:.1f}"),
        *("" if usual is None else _times(usual), targets[0]),
        *("" if best is None else f"{best['other']}: {_times(best)}{beside}", targets[1]),
        min(row["n"] for row in rows.values()),
    )
    return "| " + " | ".join(map(str, cells)) + " |\n"


def _times(row: Mapping[str, Any]) -> str:
    speed = row["speed"]
    spelled = f"{speed['median']:.1f}x ({speed['least']:.1f}-{speed['most']:.1f})"
    return spelled + (", scaled" if row["part"] else "")
