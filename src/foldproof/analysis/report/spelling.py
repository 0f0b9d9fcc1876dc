"""Format values as people read them, or as JSON holds them. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from foldproof.analysis.comparison import Estimate
from foldproof.records.record import Spread
from foldproof.storage import cleaned

Item = TypeVar("Item")
NOTHING = "–"
PERCENT = "\N{NO-BREAK SPACE}%"
MINUS = "\N{MINUS SIGN}"


def share(value: float) -> str:
    """A fraction as percent: `98.34 %`."""
    return f"{100 * value:.2f}{PERCENT}" if math.isfinite(value) else NOTHING


def points(value: float) -> str:
    """A difference of fractions in points, signed: `+1.20`."""
    if not math.isfinite(value):
        return NOTHING
    text = f"{100 * abs(value):.2f}"
    return text if float(text) == 0 else f"{'+' if value > 0 else MINUS}{text}"


def number(value: float) -> str:
    """Four decimals, or three digits where that would be nothing."""
    if not math.isfinite(value):
        return NOTHING if math.isnan(value) else str(value)
    text = f"{value:.4f}" if value == 0 or abs(value) >= 0.001 else f"{value:.2e}"
    return text.replace("-", MINUS)


def probability(value: float) -> str:
    """Three decimals, never 0 or 1 where it is not."""
    if not math.isfinite(value):
        return NOTHING
    if 0 < value < 0.001:
        return "< 0.001"
    return "> 0.999" if 0.999 < value < 1 else f"{value:.3f}"


def count(value: float | None) -> str:
    """`5,000`."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:,.0f}"


def seconds(value: float | None) -> str:
    """`48 s`, `3 min 12 s`, `2 h 05 min`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    whole = round(value)
    if whole < 60:
        return f"{value:.1f} s" if value < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60:02} min"


def around(value: Spread, spell: Callable[[float], str]) -> str:
    """Mean ± standard deviation, the unit once."""
    mean, sd = spell(value.mean), spell(value.sd)
    if value.n == 0 or NOTHING in (mean, sd):
        return mean
    return f"{mean.removesuffix(PERCENT)} ± {sd}"


def interval(value: Estimate, spell: Callable[[float], str]) -> str:
    """An estimate and its bounds, the unit once."""
    if not (math.isfinite(value.low) and math.isfinite(value.high)):
        return spell(value.value)
    inner, low, high = (spell(one).removesuffix(PERCENT) for one in (value.value, value.low, value.high))
    unit = PERCENT if spell(value.value).endswith(PERCENT) else ""
    return f"{inner}{unit} ({low} to {high})"


def _text(value: Any) -> str:
    return NOTHING if value is None or value == "" else setting(value, most=400)


KINDS: Mapping[str, Callable[[Any], str]] = {
    "text": _text,  # words
    "name": lambda value: NOTHING if value in (None, "") else str(value),  # as privacy.name shows it
    "setting": _text,
    "code": _text,  # an id
    "fraction": _text,  # 4/5, 0.3
    "share": share,
    "points": points,
    "number": number,
    "probability": probability,
    "count": count,
    "seconds": seconds,
    "share_around": lambda value: around(value, share),
    "number_around": lambda value: around(value, number),
    "share_interval": lambda value: interval(value, share),
    "number_interval": lambda value: interval(value, number),
    "points_interval": lambda value: interval(value, points),
}


def spelled(value: Any, kind: str) -> str:
    """`value` of a column of `kind`."""
    if value is None:
        return NOTHING
    return KINDS[kind](value)


def setting(value: Any, *, most: int = 200) -> str:
    """A setting or a name, whoever wrote it: one line, nothing invisible."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return cleaned(str(value), most=most)


def make_plain(value: Any) -> Any:
    """JSON values; numbers that are none become null, (repeat, fold) as keys become `repeat.fold`."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: make_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): make_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [make_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _key(key: object) -> str:
    return ".".join(map(str, key)) if isinstance(key, tuple) else str(key)


def listed(names: list[str], *, most: int = 6) -> str:
    """`a, b and c`; `a, b and 12 more`."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def pick_evenly(rows: Sequence[Item], most: int) -> Sequence[Item]:
    """At most `most` of the rows, evenly spaced, among them the first and the last."""
    if len(rows) <= most:
        return rows
    step = (len(rows) - 1) / (most - 1)
    return [rows[round(index * step)] for index in range(most)]
