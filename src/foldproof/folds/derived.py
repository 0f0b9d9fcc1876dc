"""Derive folds from the data: a group for each fold, as a file lists them, or in the order of time. Pure.

An image in fold -1 trains in every fold and validates in none. Units (see `folds.units`) stay whole: where what was
written down would tear one apart, it is refused. Time is never cut while a unit lasts, so that no image trains for an
earlier one.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from foldproof.data.dataset import Dataset
from foldproof.data.tables.spelling import is_no_value, is_unknown, spell_plain
from foldproof.errors import FoldsError
from foldproof.folds.cut import Assignment
from foldproof.folds.times import Moment, Times, read_times, shown
from foldproof.folds.units import Unit, units_of

MOST_FOLDS = 100
TRAINS_ALWAYS = -1
_IN_NONE = frozenset({"-1", "train", "training"})
_ALONE = frozenset({"val", "valid", "validation", "dev"})
_SHOWN = 3


def one_group_a_fold(dataset: Dataset) -> tuple[Assignment, int]:
    """A fold a group, in the order of their names, and how many. Raises FoldsError."""
    without = [sample.path for sample in dataset.samples if not sample.group]
    if without:
        raise FoldsError(
            f"leave-one-group-out: {len(without)} images are in no group, such as {without[0]}",
            next_step="make data.group_by, or the table's column of groups, name one for each",
        )
    names = sorted({sample.group for sample in dataset.samples}, key=natural_key)
    if len(names) < 2 or len(names) > MOST_FOLDS:
        raise FoldsError(
            f"leave-one-group-out: there {'is' if len(names) == 1 else 'are'} {len(names)} "
            f"group{'s' if len(names) > 1 else ''}, and it makes 2 to {MOST_FOLDS} folds",
            next_step="use folds.scheme: stratified, which keeps groups whole too",
        )
    number = {name: index for index, name in enumerate(names)}
    places = [number[sample.group] for sample in dataset.samples]
    return checked(dataset, places, len(names), "leave-one-group-out"), len(names)


def assign_as_written(dataset: Dataset, written: Mapping[str, str]) -> tuple[Assignment, int]:
    """The folds in `written`, a text by path, and how many there are.

    Numbers and names are folds, in their natural order; -1, `train` and nothing are no fold; `val` alone is one fold.
    Raises FoldsError where nothing is written, or a unit would be torn apart.
    """
    texts = {sample.path: spell_plain(written.get(sample.path, "")) for sample in dataset.samples}
    names = sorted({text for text in texts.values() if not _is_in_none(text)}, key=natural_key)
    if not names or len(names) > MOST_FOLDS:
        raise FoldsError(
            f"predefined: {len(names) or 'no'} folds are listed, and there can be 1 to {MOST_FOLDS}",
            next_step="folds.file, a column `fold` in data.labels, or folders train/ and val/ say them",
        )
    trains = [path for path, text in texts.items() if _is_in_none(text)]
    if len(names) == 1 and not trains:
        raise FoldsError(
            f"predefined: all images are in fold '{names[0]}', so that there is nothing to train on",
            next_step="-1, or 'train', is for images that train and do not validate",
        )
    if len(names) > 1 and any(name.lower() in _ALONE for name in names):
        raise FoldsError(
            f"predefined: '{', '.join(names)}' are folds and parts of a data set at once",
            next_step="number the folds; or use only train and val",
        )
    number = {name: index for index, name in enumerate(names)}
    places = [number.get(texts[sample.path], TRAINS_ALWAYS) for sample in dataset.samples]
    return checked(dataset, places, len(names), "predefined"), len(names)


def _is_in_none(text: str) -> bool:
    return is_no_value(text) or text.lower() in _IN_NONE


def assign_in_time(dataset: Dataset, written: Mapping[str, str], k: int, *, order: str = "") -> Assignment:
    """`k` folds, each of which validates on what came after all that it trains on; the earliest part only trains.

    `written`: when each image was made, by path, as `folds.times` reads it; `order`: a key of its ORDERS. Parts are as
    near to equal as units allow; what happened at one time, or while a unit lasts, stays together. Raises FoldsError.
    """
    without = [sample.path for sample in dataset.samples if is_unknown(written.get(sample.path, ""))]
    if without:
        raise FoldsError(
            f"time: {len(without)} images have none, such as {without[0]}",
            next_step="a column of times in data.labels, a pattern or exif in folds.time_by have to say one for each",
        )
    read = read_times([written[sample.path].strip() for sample in dataset.samples], order=order)
    units = units_of(dataset)
    moments = sorted(set(read.values))
    rank = {moment: number for number, moment in enumerate(moments)}
    times = [rank[value] for value in read.values]
    spans = [_span(unit, times) for unit in units]
    stretches = _stretches(spans)
    if len(moments) <= k:
        raise FoldsError(
            f"time: {len(moments)} different times are too few for {k} folds and a part before them",
            next_step=f"set folds.k to at most {len(moments) - 1}" if len(moments) > 1 else "give finer times",
        )
    if len(stretches) <= k:
        raise _lasts(dataset, units, spans, moments, len(stretches), k)
    places = [0] * len(dataset)
    for part, starts in enumerate(_parts(sorted(stretches), stretches, [len(unit.members) for unit in units], k + 1)):
        for start in starts:
            for number in stretches[start]:
                for member in units[number].members:
                    places[member] = part - 1
    told = f"times are {read}{_way(read, order)}"
    if any(first < last for first, last in spans):
        told += f"; what belongs together over time stays together, which leaves {len(stretches):,} stretches of time"
    return replace(checked(dataset, places, k, "time", ordered=True), told=told)


def _span(unit: Unit, times: Sequence[int]) -> tuple[int, int]:
    """The earliest and the latest of its images."""
    found = [times[member] for member in unit.members]
    return min(found), max(found)


def _stretches(spans: Sequence[tuple[int, int]]) -> Mapping[int, Sequence[int]]:
    """Numbers of spans, by the beginning of the stretch of time that they share; stretches do not overlap."""
    found: dict[int, list[int]] = {}
    begin = end = -1
    for number in sorted(range(len(spans)), key=spans.__getitem__):
        first, last = spans[number]
        if first > end:
            begin = first
        end = max(end, last)
        found.setdefault(begin, []).append(number)
    return found


def _lasts(
    dataset: Dataset,
    units: Sequence[Unit],
    spans: Sequence[tuple[int, int]],
    moments: Sequence[Moment],
    count: int,
    k: int,
) -> FoldsError:
    """Names the unit that lasts over most moments; `count` stretches of time are left."""
    longest = max(range(len(units)), key=lambda number: spans[number][1] - spans[number][0])
    first, last = (shown(moments[place]) for place in spans[longest])
    samples = [dataset.samples[member] for member in units[longest].members]
    group = samples[0].group
    what = (
        f"group '{group}'"
        if group
        else f"the {len(samples)} images that are the same as {samples[0].path}, or look so,"
    )
    fewer = f"set folds.k to at most {count - 1}, or " if count > 1 else ""
    return FoldsError(
        f"time: {what} lasts from {first} to {last}, and no image may train for an earlier one: {count} "
        f"stretch{'es' if count > 1 else ''} of time can be kept apart, too few for {k} folds and a part before them",
        next_step=f"{fewer}{'make data.group_by name shorter groups' if group else 'set data.near_duplicates: report'}",
    )


def _way(read: Times, order: str) -> str:
    """Which setting says otherwise, where a date was not read as one asked for."""
    return "; folds.date_order says otherwise" if isinstance(read.values[0], datetime) and not order else ""


def _parts(
    starts: Sequence[int], stretches: Mapping[int, Sequence[int]], sizes: Sequence[int], count: int
) -> Iterator[list[int]]:
    """`starts` of stretches, ascending, in `count` runs of about equal size, none of them empty."""
    left, waiting = sum(sizes), list(starts)
    for part in range(count, 0, -1):
        run = [waiting.pop(0)]
        size = sum(sizes[number] for number in stretches[run[0]])
        while waiting and len(waiting) >= part:
            more = sum(sizes[number] for number in stretches[waiting[0]])
            if part > 1 and abs(size + more - left / part) > abs(size - left / part):
                break
            run.append(waiting.pop(0))
            size += more
        left -= size
        yield run


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts `fold 10` after `fold 9`."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"([0-9]+)", text))


def checked(dataset: Dataset, places: Sequence[int], k: int, scheme: str, *, ordered: bool = False) -> Assignment:
    """An assignment that tears no unit apart and trains every fold on every class. Raises FoldsError."""
    for unit in units_of(dataset):
        there = {places[member] for member in unit.members}
        if len(there) > 1:
            names = [dataset.samples[member].path for member in unit.members[:_SHOWN]]
            raise FoldsError(
                f"{scheme}: images that belong together (a group, or the same picture) are in several folds: "
                f"{', '.join(names)}",
                next_step="put them into one fold; `foldproof data check` lists pictures that look alike, and "
                "data.near_duplicates: report lets these apart",
            )
    made = Assignment(0, np.array(places, dtype=np.int64), ordered=ordered)
    _refuse_lacking(dataset, made, k, scheme)
    return made


def _refuse_lacking(dataset: Dataset, made: Assignment, k: int, scheme: str) -> None:
    """A network cannot learn a class that it never sees."""
    if len(dataset.classes) < 2:
        raise FoldsError(
            f"only one class: {', '.join(dataset.classes) or 'none'}",
            next_step="label the images of each class: a folder, or data.labels",
        )
    for fold in made.folds(k):
        trained = Counter(dataset.labels[fold.train].tolist())
        lacking = [name for number, name in enumerate(dataset.classes) if not trained[number]]
        if lacking:
            raise FoldsError(
                f"{scheme}: fold {fold.index} trains on no image of class '{lacking[0]}'",
                next_step="merge classes (data.classes), or use folds.scheme: stratified",
            )


def lacking_classes(dataset: Dataset, made: Assignment, k: int) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Folds that validate on no image of some class, with these classes."""
    found = []
    for fold in made.folds(k):
        there = set(dataset.labels[fold.validation].tolist())
        lacks = tuple(name for number, name in enumerate(dataset.classes) if number not in there)
        if lacks:
            found.append((fold.index, lacks))
    return tuple(found)
