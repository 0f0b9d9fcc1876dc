"""Folds that the data say: a group a fold, as somebody wrote them down, or in the order of time. Pure.

An image in fold -1 trains in every fold and validates in none. Units (see `folds.units`) stay whole: where what was
written down would tear one apart, it is refused, and a unit that spans times goes where its latest image does.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from foldproof.data.dataset import Dataset
from foldproof.data.tables.spelling import is_no_value, is_unknown, plain
from foldproof.errors import FoldsError
from foldproof.folds.cut import Assignment
from foldproof.folds.times import Moment, Times, read_times
from foldproof.folds.units import units_of

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
    names = sorted({sample.group for sample in dataset.samples}, key=natural)
    if len(names) < 2 or len(names) > MOST_FOLDS:
        raise FoldsError(
            f"leave-one-group-out: there {'is' if len(names) == 1 else 'are'} {len(names)} "
            f"group{'s' if len(names) > 1 else ''}, and it makes 2 to {MOST_FOLDS} folds",
            next_step="use folds.scheme: stratified, which keeps groups whole too",
        )
    number = {name: index for index, name in enumerate(names)}
    places = [number[sample.group] for sample in dataset.samples]
    return _checked(dataset, places, len(names), "leave-one-group-out"), len(names)


def as_written(dataset: Dataset, written: Mapping[str, str]) -> tuple[Assignment, int]:
    """The folds in `written`, a text by path, and how many there are.

    Numbers and names are folds, in their natural order; -1, `train` and nothing are no fold; `val` alone is one fold.
    Raises FoldsError where nothing is written, or a unit would be torn apart.
    """
    texts = {sample.path: plain(written.get(sample.path, "")) for sample in dataset.samples}
    names = sorted({text for text in texts.values() if not _is_in_none(text)}, key=natural)
    if not names or len(names) > MOST_FOLDS:
        raise FoldsError(
            f"predefined: {len(names) or 'no'} folds are written down, and there can be 1 to {MOST_FOLDS}",
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
            next_step="number the folds; or train and val alone",
        )
    number = {name: index for index, name in enumerate(names)}
    places = [number.get(texts[sample.path], TRAINS_ALWAYS) for sample in dataset.samples]
    return _checked(dataset, places, len(names), "predefined"), len(names)


def _is_in_none(text: str) -> bool:
    return is_no_value(text) or text.lower() in _IN_NONE


def in_time(dataset: Dataset, written: Mapping[str, str], k: int, *, order: str = "") -> Assignment:
    """`k` folds, each of which validates on what came after all that it trains on; the earliest part only trains.

    `written`: when each image was made, by path, as `folds.times` reads it; `order`: a key of its ORDERS. Parts are as
    near to equal as units allow; what happened at one time stays together. Raises FoldsError.
    """
    without = [sample.path for sample in dataset.samples if is_unknown(written.get(sample.path, ""))]
    if without:
        raise FoldsError(
            f"time: {len(without)} images have none, such as {without[0]}",
            next_step="a column of times in data.labels, a pattern or exif in folds.time_by have to say one for each",
        )
    read = read_times([written[sample.path].strip() for sample in dataset.samples], order=order)
    times = read.values
    units = units_of(dataset)
    latest = [max(times[member] for member in unit.members) for unit in units]
    at_once: defaultdict[Moment, list[int]] = defaultdict(list)
    for number, when in enumerate(latest):
        at_once[when].append(number)
    if len(at_once) <= k:
        raise FoldsError(
            f"time: {len(at_once)} different times are too few for {k} folds and a part before them",
            next_step=f"set folds.k to at most {len(at_once) - 1}" if len(at_once) > 1 else "give finer times",
        )
    places = [0] * len(dataset)
    for part, whens in enumerate(_parts(sorted(at_once), at_once, [len(unit.members) for unit in units], k + 1)):
        for when in whens:
            for number in at_once[when]:
                for member in units[number].members:
                    places[member] = part - 1
    return replace(_checked(dataset, places, k, "time", ordered=True), told=f"times are {read}{_way(read, order)}")


def _way(read: Times, order: str) -> str:
    """Which setting says otherwise, where a date was not read as one asked for."""
    return "; folds.date_order says otherwise" if isinstance(read.values[0], datetime) and not order else ""


def _parts(
    whens: Sequence[Moment], at_once: Mapping[Moment, Sequence[int]], sizes: Sequence[int], count: int
) -> Iterator[list[Moment]]:
    """`whens`, ascending, in `count` runs of about equal size, none of them empty."""
    left, waiting = sum(sizes), list(whens)
    for part in range(count, 0, -1):
        run = [waiting.pop(0)]
        size = sum(sizes[number] for number in at_once[run[0]])
        while waiting and len(waiting) >= part:
            more = sum(sizes[number] for number in at_once[waiting[0]])
            if part > 1 and abs(size + more - left / part) > abs(size - left / part):
                break
            run.append(waiting.pop(0))
            size += more
        left -= size
        yield run


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts `fold 10` after `fold 9`."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"([0-9]+)", text))


def _checked(dataset: Dataset, places: Sequence[int], k: int, scheme: str, *, ordered: bool = False) -> Assignment:
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
