"""Cut a dataset into folds: labels, groups and a seed in, assignments out. Pure.

Images that share a group, or the same bytes, form a unit and validate together. Units are placed one after another,
large groups first, each in the fold that has least of what the unit brings; ties are broken by a hash of the seed, the
repeat and the unit's name. So the assignment depends on neither the order of the images, their names nor a library's
version, and images that come later leave the earlier ones where they are.
"""

import csv
import hashlib
import io
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldproof.data.dataset import Dataset, hash_rows
from foldproof.errors import DamagedFile, FoldsError

SCHEMA_VERSION = 1
COLUMNS = ("v", "k", "seed", "repeat", "fold", "sha256", "label", "group", "path")


@dataclass(frozen=True)
class Scheme:
    """How to cut: the number of folds and the seed of the assignment."""

    k: int
    seed: int


@dataclass(frozen=True)
class Fold:
    """One split: which images of the manifest train and which validate."""

    repeat: int
    index: int
    train: NDArray[np.int64]  # [train image] manifest positions, ascending
    validation: NDArray[np.int64]  # [validation image] manifest positions, ascending

    @property
    def name(self) -> str:
        return f"fold-{self.repeat}-{self.index}"


@dataclass(frozen=True)
class Assignment:
    """The fold in which each image validates, for one repeat, in manifest order."""

    repeat: int
    fold_of: NDArray[np.int64]  # [image]
    moved: int = 0

    def folds(self, k: int) -> tuple[Fold, ...]:
        """Every image validates exactly once."""
        return tuple(
            Fold(
                self.repeat,
                index,
                np.flatnonzero(self.fold_of != index),
                np.flatnonzero(self.fold_of == index),
            )
            for index in range(k)
        )


def assign(dataset: Dataset, scheme: Scheme, *, repeat: int = 0, known: Mapping[str, int] | None = None) -> Assignment:
    """A fold for every image: groups whole, every class spread evenly, images in `known` (content hash to fold) kept.

    Where a group joins images that `known` has in several folds, all go to the fold that has most of them and the
    number of images that moved is reported: leak-free comes before stable.
    Raises FoldsError where a class has too few groups to be in every fold.
    """
    known = known or {}
    units = _units(dataset)
    _refuse_small_classes(dataset, units, scheme.k)
    labels: list[int] = dataset.labels.tolist()
    loads = _Loads.empty(scheme.k, dataset)
    fold_of = np.full(len(dataset), -1, dtype=np.int64)
    moved = 0
    fresh: list[tuple[int, bytes, list[int]]] = []
    for name, members in units.items():
        homes = Counter(known[sha] for sha in (dataset.samples[m].sha256 for m in members) if sha in known)
        if homes:
            home = min(homes, key=lambda fold: (-homes[fold], fold))
            moved += sum(count for fold, count in homes.items() if fold != home)
            fold_of[members] = home
            loads.add(home, Counter(labels[m] for m in members))
        else:
            fresh.append((-len(members), _hash(scheme, repeat, name), members))
    for _, unit_hash, members in sorted(fresh):
        brought = Counter(labels[m] for m in members)
        fold = loads.lightest(brought, turn=int.from_bytes(unit_hash[-8:], "big"))
        fold_of[members] = fold
        loads.add(fold, brought)
    return Assignment(repeat, fold_of, moved)


@dataclass(frozen=True)
class _Loads:
    """What every fold holds so far."""

    counts: tuple[list[int], ...]  # [class][fold]
    sizes: list[int]  # [fold]
    totals: tuple[int, ...]  # [class], of the whole dataset

    @staticmethod
    def empty(k: int, dataset: Dataset) -> "_Loads":
        totals = tuple(np.bincount(dataset.labels, minlength=len(dataset.classes)).tolist())
        return _Loads(tuple([0] * k for _ in totals), [0] * k, totals)

    def add(self, fold: int, brought: Mapping[int, int]) -> None:
        for label, number in brought.items():
            self.counts[label][fold] += number
            self.sizes[fold] += number

    def lightest(self, brought: Mapping[int, int], *, turn: int) -> int:
        """The fold with least of the classes in `brought`, then the smallest, then the first counted from `turn`."""
        k = len(self.sizes)
        load = self._growth(brought)
        least = min(load)
        best = [fold for fold in range(k) if load[fold] == least]
        smallest = min(self.sizes[fold] for fold in best)
        return min((fold for fold in best if self.sizes[fold] == smallest), key=lambda fold: (fold + turn) % k)

    def _growth(self, brought: Mapping[int, int]) -> Sequence[float]:
        """By how much each fold's squared shares of the classes would grow; exactly rounded, so the same everywhere."""
        if len(brought) == 1:  # grows with the count
            return self.counts[next(iter(brought))]
        return [
            math.fsum(
                number * (2 * self.counts[label][fold] + number) / self.totals[label] ** 2
                for label, number in brought.items()
            )
            for fold in range(len(self.sizes))
        ]


def _units(dataset: Dataset) -> dict[str, list[int]]:
    """Name to manifest positions; connected through a shared group or the same bytes (union-find)."""
    parent = list(range(len(dataset)))

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    first_with_bytes: dict[str, int] = {}
    first_of_group: dict[str, int] = {}
    for position, sample in enumerate(dataset.samples):
        ties = [first_with_bytes.setdefault(sample.sha256, position)]
        if sample.group:
            ties.append(first_of_group.setdefault(sample.group, position))
        for other in ties:
            if other != position:
                low, high = sorted((root(other), root(position)))
                parent[high] = low
    members: defaultdict[int, list[int]] = defaultdict(list)
    for position in range(len(dataset)):
        members[root(position)].append(position)
    return {dataset.samples[start].sha256: positions for start, positions in members.items()}


def _refuse_small_classes(dataset: Dataset, units: Mapping[str, Sequence[int]], k: int) -> None:
    if len(dataset.classes) < 2:
        raise FoldsError(
            f"only one class: {', '.join(dataset.classes) or 'none'}",
            next_step="put the images of each class into a folder of its own",
        )
    places = Counter(label for members in units.values() for label in {dataset.samples[m].label for m in members})
    small = {name: places[name] for name in dataset.classes if places[name] < k}
    if small:
        name, count = min(small.items(), key=lambda item: item[1])
        what = "image" if not any(sample.group for sample in dataset.samples) else "group"
        advice = f"set folds.k to at most {count}, or " if count >= 2 else ""
        raise FoldsError(
            f"class '{name}' has {count} different {what}{'s' if count != 1 else ''}, too few for {k} folds",
            next_step=f"{advice}add images to it, or move the class out of the folder",
        )


def _hash(scheme: Scheme, repeat: int, name: str) -> bytes:
    return hashlib.blake2b(f"folds 1 {scheme.seed} {repeat} {name}".encode(), digest_size=16).digest()


def digest(dataset: Dataset, assignments: Iterable[Assignment]) -> str:
    """SHA-256 over the sorted (content hash, repeat, fold); neither paths nor their order count."""
    rows = sorted(
        {
            (sample.sha256, assignment.repeat, int(fold))
            for assignment in assignments
            for sample, fold in zip(dataset.samples, assignment.fold_of, strict=True)
        }
    )
    return hash_rows(rows)


def split_digest(dataset: Dataset, fold: Fold) -> str:
    """SHA-256 over the sorted (content hash, side) of one split."""
    sides = [(dataset.samples[position].sha256, "train") for position in fold.train]
    sides += [(dataset.samples[position].sha256, "validation") for position in fold.validation]
    return hash_rows(sorted(sides))


@dataclass(frozen=True, order=True)
class Row:
    """A line of folds.csv."""

    k: int
    seed: int
    repeat: int
    sha256: str
    label: str
    path: str
    group: str
    fold: int


def to_rows(dataset: Dataset, scheme: Scheme, assignment: Assignment) -> list[Row]:
    return [
        Row(scheme.k, scheme.seed, assignment.repeat, s.sha256, s.label, s.path, s.group, int(fold))
        for s, fold in zip(dataset.samples, assignment.fold_of, strict=True)
    ]


def known_folds(rows: Iterable[Row], scheme: Scheme, repeat: int) -> dict[str, int]:
    """Content hash to fold, of one repeat of one scheme."""
    wanted = (scheme.k, scheme.seed, repeat)
    return {row.sha256: row.fold for row in rows if (row.k, row.seed, row.repeat) == wanted}


def merge(old: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """The old rows brought up to date: rows of images that are gone stay, so that they come back to their fold."""
    table = {(row.k, row.seed, row.repeat, row.sha256, row.label, row.path): row for row in old}
    fresh = list(new)
    current = {(row.k, row.seed, row.repeat, row.sha256) for row in fresh}
    kept = [row for key, row in table.items() if key[:4] not in current]
    return sorted([*kept, *fresh])


def to_csv(rows: Iterable[Row]) -> str:
    """The content of folds.csv, with a newline at the end of each line."""
    table = (
        (SCHEMA_VERSION, row.k, row.seed, row.repeat, row.fold, row.sha256, row.label, row.group, row.path)
        for row in rows
    )
    return _csv_line(COLUMNS) + "".join(map(_csv_line, table))


def _csv_line(values: Sequence[str | int]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow(values)  # quotes what holds either character, as a reader needs
    return line.getvalue().removesuffix("\r\n") + "\n"


def from_csv(text: str) -> list[Row]:
    """The rows that `to_csv` wrote. Raises DamagedFile with the line that is not one."""
    reader = csv.reader(io.StringIO(text, newline=""))
    header = tuple(_next_line(reader, 1) or ())
    if header != COLUMNS:
        raise DamagedFile(
            f"folds.csv has the columns {', '.join(header) or '(none)'}",
            next_step=f"expected: {', '.join(COLUMNS)}",
        )
    rows: list[Row] = []
    while (values := _next_line(reader, reader.line_num + 1)) is not None:
        try:
            rows.append(_row(values))
        except ValueError as error:
            raise _not_a_row(reader.line_num, error) from error
    return rows


def _row(values: Sequence[str]) -> Row:
    version, k, seed, repeat, fold, sha256, label, group, path = values
    row = Row(int(k), int(seed), int(repeat), sha256, label, path, group, int(fold))
    if int(version) > SCHEMA_VERSION:
        raise ValueError(f"schema version {version}, newer than this foldproof")
    if not 0 <= row.fold < row.k:
        raise ValueError(f"fold {fold} of {k}")
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(f"{sha256[:80]!r} is not a SHA-256")
    return row


def _next_line(lines: Iterator[list[str]], number: int) -> list[str] | None:
    try:
        return next(lines, None)
    except csv.Error as error:
        raise _not_a_row(number, error) from error


def _not_a_row(number: int, error: Exception) -> DamagedFile:
    return DamagedFile(
        f"folds.csv, line {number} is not a row of folds: {error}", next_step="restore the file from git"
    )
