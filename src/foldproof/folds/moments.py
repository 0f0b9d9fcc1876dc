"""Parse a text into the moments that it can mean, each with the format in which it was read. Pure.

A form is all that two texts must share to be read alike: the order of day, month and year, what parts them, whether
months have names and whether there is a time zone. What is read is never more exact than what is written.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DMY, MDY, YMD = "day.month.year", "month.day.year", "year.month.day"
_MONTHS = (
    ("jan", "january", "januar", "janv", "janvier", "enero", "ene"),
    ("feb", "february", "februar", "fev", "févr", "février", "febrero"),
    ("mar", "march", "märz", "mär", "mrz", "mars", "marzo"),
    ("apr", "april", "avr", "avril", "abr", "abril"),
    ("may", "mai", "mayo"),
    ("jun", "june", "juni", "juin", "junio"),
    ("jul", "july", "juli", "juil", "juillet", "julio"),
    ("aug", "august", "août", "aout", "ago", "agosto"),
    ("sep", "sept", "september", "septembre", "septiembre"),
    ("oct", "october", "okt", "oktober", "octobre", "octubre"),
    ("nov", "november", "novembre", "noviembre"),
    ("dec", "december", "dez", "dezember", "déc", "décembre", "dic", "diciembre"),
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}
_DAYS = re.compile(
    r"\b(mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday|"
    r"mo|di|mi|do|fr|sa|so|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag)\b[.,]?\s*"
)
_CLOCK = re.compile(
    r"(?:^|[t ,_]\s*)(?P<h>[0-9]{1,2}):(?P<m>[0-9]{2})(?::(?P<s>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?(?:\s*uhr)?(?:\s*(?P<zone>z|utc|gmt|[+-][0-9]{2}:?[0-9]{2}))?$"
)
_COMPACT = re.compile(r"([0-9]{8})(?:[t_ -]?([0-9]{2})([0-9]{2})([0-9]{2})?)?")
_INSIDE = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})([-_.:]?)([0-9]{2})\2([0-9]{2})"
    r"(?:(?:[-_ t]|\sat\s)*([0-9]{2})[-_.:h]?([0-9]{2})(?:[-_.:m]?([0-9]{2}))?)?(?![0-9])"
)
_PERIOD = re.compile(
    r"(?:(?P<y>[0-9]{4})[-_ /]*)?(?P<kind>q|w|kw|week|quarter)[-_ .]*(?P<n>[0-9]{1,2})(?:[-_ /]*(?P<z>[0-9]{4}))?"
)
_EARLIEST, _LATEST = 1800, 2199


@dataclass(frozen=True)
class Reading:
    """`form`: what all texts must share, first the order. `steps`: exact to days (0), minutes, seconds, less."""

    form: tuple[str, ...]
    moment: datetime
    steps: int = 0


def readings_of(text: str) -> list[Reading]:
    """Every moment that `text` can mean as a date, with or without a time of day."""
    text = " ".join(text.lower().split())
    if match := _PERIOD.fullmatch(text):
        return list(_periods(match))
    if match := _COMPACT.fullmatch(text):
        return list(_compact(match))
    match = _CLOCK.search(text)
    date = text[: match.start()] if match else text
    clock = _clock(match) if match else (timedelta(), 0, ())
    if clock is None:
        return []
    since_midnight, steps, form = clock
    return [
        Reading((order, *rest, *form), day + since_midnight, steps) for order, rest, day in _days(_DAYS.sub("", date))
    ]


def reading_inside(text: str) -> list[Reading]:
    """The date, year first, that stands within a longer text, where there is exactly one."""
    found = list(_INSIDE.finditer(text.lower()))
    if len(found) != 1:
        return []
    year, _, month, day, *clock = found[0].groups()
    when = _day(year, month, day)
    if when is None:
        return []
    hours, minutes, seconds = (int(part or 0) for part in clock)
    if clock[0] is None or hours > 23 or minutes > 59 or seconds > 59:
        return [Reading((YMD, "within a text"), when)]
    exact = when + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return [Reading((YMD, "within a text"), exact, 1 if clock[2] is None else 2)]


def coarsened(reading: Reading, steps: int) -> datetime:
    """Its moment, no more exact than the least exact of the others."""
    moment = reading.moment
    if steps == 0:
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if steps == 1:
        return moment.replace(second=0, microsecond=0)
    return moment.replace(microsecond=0) if steps == 2 else moment


def _clock(match: re.Match[str]) -> tuple[timedelta, int, tuple[str, ...]] | None:
    """The time since midnight in UTC, how exact it is, and its form; None where there is no such time."""
    hours, minutes, seconds = int(match["h"]), int(match["m"]), int(match["s"] or 0)
    if match["half"]:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if match["half"] == "p" else 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    parts = int((match["f"] or "0").ljust(6, "0")[:6])
    since = timedelta(hours=hours, minutes=minutes, seconds=seconds, microseconds=parts)
    zone = match["zone"]
    if zone and zone[0] in "+-":
        digits = zone.replace(":", "")
        since -= (1 if zone[0] == "+" else -1) * timedelta(hours=int(digits[1:3]), minutes=int(digits[3:]))
    steps = 1 if match["s"] is None else 2 if match["f"] is None else 3
    return since, steps, (*(["am, pm"] if match["half"] else []), *(["with a time zone"] if zone else []))


def _days(text: str) -> Iterator[tuple[str, tuple[str, ...], datetime]]:
    """Every day that a text can mean: its order, what parts it, and the day."""
    text = re.sub(r"(?<=[0-9])(st|nd|rd|th)\b", "", text.strip(" ,_"))
    parts = re.findall(r"[0-9]+|[^\W\d_]+", text)
    between = tuple(re.split(r"[0-9]+|[^\W\d_]+", text))
    numbers = [str(_MONTH[part]) if part in _MONTH else part for part in parts]
    named = [place for place, part in enumerate(parts) if part in _MONTH]
    if len(named) > 1 or not all(part.isdigit() and part.isascii() for part in numbers):
        return
    long = [place for place, part in enumerate(parts) if len(part) == 4 and part.isdigit()]
    widths = "a month by name" if named else "", "" if long else "years of two digits"
    for order, (year, month, day) in _orders(len(parts), named, long):
        if order == YMD and not long and "." in between:
            continue  # two digits between dots are days first, or months
        when = _day(numbers[year], numbers[month], numbers[day] if day is not None else "1")
        if when is not None:
            yield order, (*between, *widths, str(len(parts))), when


def _orders(count: int, named: Sequence[int], long: Sequence[int]) -> Iterator[tuple[str, tuple[int, int, int | None]]]:
    """The places of year, month and day that are possible; a year of four digits and a month by name settle theirs."""
    known = {DMY: (2, 1, 0), MDY: (2, 0, 1), YMD: (0, 1, 2)} if count == 3 else {}
    if count == 2 and len(long) == 1:
        known = {("year.month", "month.year")[long[0]]: (long[0], 1 - long[0], None)}  # type: ignore[dict-item]
    for order, places in known.items():
        if (not long or places[0] == long[0]) and len(long) < 2 and (not named or places[1] == named[0]):
            yield order, places


def _day(year: str, month: str, day: str) -> datetime | None:
    number = int(year) + ((2000 if int(year) < 69 else 1900) if len(year) <= 2 else 0)
    if len(year) not in (2, 4) or len(month) > 2 or len(day) > 2 or not _EARLIEST <= number <= _LATEST:
        return None
    try:
        return datetime(number, int(month), int(day), tzinfo=UTC)
    except ValueError:
        return None


def _compact(match: re.Match[str]) -> Iterator[Reading]:
    digits, hours, minutes, seconds = match.groups()
    if int(hours or 0) > 23 or int(minutes or 0) > 59 or int(seconds or 0) > 59:
        return
    since = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0))
    steps = 0 if hours is None else 1 if seconds is None else 2
    for order, year, month, day in (
        (YMD, digits[:4], digits[4:6], digits[6:]),
        (DMY, digits[4:], digits[2:4], digits[:2]),
        (MDY, digits[4:], digits[:2], digits[2:4]),
    ):
        if (when := _day(year, month, day)) is not None:
            yield Reading((order, "8 digits"), when + since, steps)


def _periods(match: re.Match[str]) -> Iterator[Reading]:
    """A week or a quarter of a year."""
    year, number = match["y"] or match["z"], int(match["n"])
    is_quarter = match["kind"] in ("q", "quarter")
    if year is None or (match["y"] and match["z"]) or not 1 <= number <= (4 if is_quarter else 53):
        return
    if (first := _day(year, "1", "1")) is not None:
        days = 92 * (number - 1) if is_quarter else 7 * (number - 1)
        yield Reading(("quarters" if is_quarter else "weeks",), first + timedelta(days=days))
