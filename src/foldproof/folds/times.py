"""Parse the times of images into values that sort chronologically, and say how they were read. Pure.

One form must read all texts. Where two forms do, and put the images into different orders, neither is taken.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from foldproof.errors import FoldsError
from foldproof.folds.moments import DMY, MDY, YMD, Reading, coarsened, reading_inside, readings_of

Moment: TypeAlias = Decimal | datetime
NUMBER = "number"
ORDERS: Mapping[str, str] = {"dmy": DMY, "mdy": MDY, "ymd": YMD, NUMBER: NUMBER}
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_MONTH_AND_YEAR = re.compile(r"(0?[1-9]|1[0-2])\.(19|20)[0-9]{2}")
_DAY_AND_MONTH = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.?")
_CLOCK = re.compile(r"([0-9]{1,3}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?")
_HOW = "write them as 2024-03-31 or 2024-03-31 14:05, or as numbers"


@dataclass(frozen=True)
class Times:
    """`values`, in the order of the texts, and the form in which they were read. `lacks`: a day or a year, if one."""

    values: tuple[Moment, ...]
    form: str
    lacks: str = ""

    def __str__(self) -> str:
        return f"read as {self.form}, from {shown(min(self.values))} to {shown(max(self.values))}"


def read_times(texts: Sequence[str], *, order: str = "") -> Times:
    """What `texts` mean, by the one form that reads all. `order`: a key of ORDERS, where one was asked for.

    Raises FoldsError where none does, or several do and differ.
    """
    found = [times for times in _all(texts) if not order or times.form.startswith(ORDERS[order])]
    if not found:
        raise _none(texts, order)
    first, *others = found
    for other in others:
        if _ranks(first) != _ranks(other):
            raise _several(texts, first, other)
    if first.lacks and not order:
        way = "; or, where all are of one day or recording, folds.date_order: number" if first.lacks == "day" else ""
        raise FoldsError(
            f"time: '{texts[0]}' says no {first.lacks}, so that of two the later number can be the earlier time",
            next_step=f"write the {first.lacks} too{way}",
        )
    dated = next((other.form for other in others if isinstance(other.values[0], datetime)), "")
    return Times(first.values, f"{first.form} or {dated}, which make one order" if dated else first.form)


def _all(texts: Sequence[str]) -> Iterator[Times]:
    """Every form that reads all texts, the most telling first."""
    readings = [readings_of(text) for text in texts]
    dated = list(_dated(texts, readings))
    yield from dated
    if not any("8 digits" in times.form for times in dated):
        yield from _numbers(texts)
    yield from _short_dates(texts)
    yield from _clocks(texts)
    if not any(readings) and not all(map(_NUMBER.fullmatch, texts)):
        inside = list(_dated(texts, [reading_inside(text) for text in texts]))
        yield from inside or [*_counters(texts), *_letters(texts)]


def _dated(texts: Sequence[str], readings: Sequence[Sequence[Reading]]) -> Iterator[Times]:
    for form in dict.fromkeys(reading.form for reading in readings[0]):
        alike = [reading for some in readings for reading in some if reading.form == form]
        if len(alike) == len(texts):
            steps = min(reading.steps for reading in alike)
            exact = ("days", "minutes", "seconds", "parts of a second")[steps]
            told = [part for part in form[1:] if re.search("[a-z]{2}|8 d", part)]
            name = ", ".join([form[0], *told, *([f"to {exact}"] if steps or max(r.steps for r in alike) else [])])
            yield Times(tuple(coarsened(reading, steps) for reading in alike), name)


def _short_dates(texts: Sequence[str]) -> Iterator[Times]:
    """Six digits, and two numbers with a dot between, are dates as often as they are numbers."""
    if all(re.fullmatch(r"[0-9]{6}", text) for text in texts):
        apart = [f"{text[:2]}-{text[2:4]}-{text[4:]}" for text in texts]
        yield from _dated(texts, [readings_of(text) for text in apart])
    pairs = [_DAY_AND_MONTH.fullmatch(text) for text in texts]
    for form, day, month in (("day.month", 1, 2), ("month.day", 2, 1)):
        if all(pair and 1 <= int(pair[day]) <= 31 and 1 <= int(pair[month]) <= 12 for pair in pairs):
            values = tuple(Decimal(100 * int(pair[month]) + int(pair[day])) for pair in pairs if pair)
            yield Times(values, form, lacks="year")


def _numbers(texts: Sequence[str]) -> Iterator[Times]:
    if all(_MONTH_AND_YEAR.fullmatch(text) for text in texts):
        return
    if all(_NUMBER.fullmatch(text) for text in texts):
        yield Times(tuple(map(Decimal, texts)), NUMBER)
    elif all(re.fullmatch(r"[-+]?[0-9]+(,[0-9]+)?", text) for text in texts):
        yield Times(tuple(Decimal(text.replace(",", ".")) for text in texts), f"{NUMBER}, a comma before fractions")
        if all(re.fullmatch(r"[-+]?[0-9]{1,3}(,[0-9]{3})*", text) for text in texts):
            yield Times(tuple(Decimal(text.replace(",", "")) for text in texts), f"{NUMBER}, a comma after thousands")


def _clocks(texts: Sequence[str]) -> Iterator[Times]:
    """A time of day, or one since the beginning of a recording, all with or all without seconds."""
    found = [match for text in texts if (match := _CLOCK.fullmatch(text))]
    if len(found) == len(texts) and len({match[3] is None for match in found}) == 1:
        seconds = [60 * (60 * int(m[1]) + int(m[2])) + Decimal(f"{m[3] or 0}.{m[4] or 0}") for m in found]
        form = "number of minutes and hours" if found[0][3] is None else "number of seconds, minutes and hours"
        yield Times(tuple(map(Decimal, seconds)), form, lacks="day")


def _counters(texts: Sequence[str]) -> Iterator[Times]:
    """Texts that differ in one number alone, such as frame_2 and frame_12."""
    skeletons = {re.sub(r"[0-9]+", "#", text.lower()) for text in texts}
    runs = list(zip(*(re.findall(r"[0-9]+", text) for text in texts), strict=False))
    varying = [run for run in runs if len(set(map(int, run))) > 1]
    if len(skeletons) == 1 and len(varying) == 1:
        yield Times(tuple(map(Decimal, varying[0])), f"{NUMBER} in a text such as '{texts[0]}'")


def _letters(texts: Sequence[str]) -> Iterator[Times]:
    """Letters that follow each other without a gap; J, F, M are months, and not in the order of the alphabet."""
    codes = {ord(text.lower()) for text in texts if re.fullmatch("[a-z]", text.lower())}
    if codes and all(len(text) == 1 for text in texts) and max(codes) - min(codes) + 1 == len(codes):
        yield Times(tuple(Decimal(ord(text.lower())) for text in texts), "letters")


def _ranks(times: Times) -> list[int]:
    place = {value: number for number, value in enumerate(sorted(set(times.values)))}
    return [place[value] for value in times.values]


def _several(texts: Sequence[str], one: Times, other: Times) -> FoldsError:
    text, first, second = next(
        (
            (text, shown(a), shown(b))
            for text, a, b in zip(texts, one.values, other.values, strict=True)
            if shown(a) != shown(b)
        ),
        (texts[0], "one thing", "another"),
    )
    known = [key for key, form in ORDERS.items() if one.form.startswith(form) or other.form.startswith(form)]
    way = f"folds.date_order: {' or '.join(known)}; or " if known else ""
    return FoldsError(
        f"time: '{text}' can be {first} ({one.form}) or {second} ({other.form}), and no other time says which",
        next_step=f"{way}{_HOW}",
    )


def _none(texts: Sequence[str], order: str) -> FoldsError:
    asked = f" as folds.date_order: {order}" if order else ""
    shapes: dict[str, str] = {}
    for text in texts:
        shapes.setdefault(re.sub(r"[0-9]+", "0", text), text)
    shown = " and ".join(f"'{text[:60]}'" for text in list(shapes.values())[:2])
    return FoldsError(f"time: no one form reads all times{asked}, such as {shown}", next_step=_HOW)


def shown(value: Moment) -> str:
    """A moment for a person."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    told = value.strftime("%Y-%m-%d %H:%M:%S")
    return told.removesuffix(" 00:00:00").removesuffix(":00")
