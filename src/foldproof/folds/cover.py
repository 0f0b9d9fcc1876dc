"""Place units so that every class is in every fold. Pure.

Whether units that bring several classes can be cut into k parts that each have every class is a packing of set covers,
NP-hard in general. `repair` moves single units and keeps the balance; `covering` searches, complete within its bound.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import le

import numpy as np

from foldproof.data.dataset import Dataset
from foldproof.folds.units import Unit

NODES = 5_000  # steps back that a search may take; a search that never has to takes none


@dataclass(frozen=True)
class Loads:
    """What every fold holds so far."""

    counts: tuple[list[int], ...]  # [class][fold]
    sizes: list[int]  # [fold]
    totals: tuple[int, ...]  # [class], of the whole dataset

    @staticmethod
    def empty(k: int, dataset: Dataset) -> "Loads":
        totals = tuple(np.bincount(dataset.labels, minlength=len(dataset.classes)).tolist())
        return Loads(tuple([0] * k for _ in totals), [0] * k, totals)

    def add(self, fold: int, brought: Mapping[int, int]) -> None:
        for label, number in brought.items():
            self.counts[label][fold] += number
            self.sizes[fold] += number

    def lightest(self, brought: Mapping[int, int], *, turn: int) -> int:
        """The fold with least of the classes in `brought`, then the smallest, then the first counted from `turn`."""
        load = self._growth(brought)
        least = min(load)
        best = [fold for fold, value in enumerate(load) if value == least]
        if len(best) == 1:
            return best[0]
        sizes = self.sizes
        smallest = min([sizes[fold] for fold in best])
        k = len(sizes)
        return min([fold for fold in best if sizes[fold] == smallest], key=lambda fold: (fold + turn) % k)

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


def repair(units: Sequence[Unit], places: list[int], *, movable: Sequence[int], k: int, classes: int) -> bool:
    """Fill every gap of `places` by the first unit of `movable` that its fold can spare.

    Changes `places`; says whether every class is in every fold now.
    """
    holds = [[0] * k for _ in range(classes)]
    for unit, fold in zip(units, places, strict=True):
        for label in unit.brought:
            holds[label][fold] += 1
    for label in range(classes):
        for fold in range(k):
            if holds[label][fold]:
                continue
            chosen = _spare(units, places, holds, movable, label)
            if chosen is None:
                return False
            for brought in units[chosen].brought:
                holds[brought][places[chosen]] -= 1
                holds[brought][fold] += 1
            places[chosen] = fold
    return True


def _spare(
    units: Sequence[Unit], places: Sequence[int], holds: Sequence[Sequence[int]], movable: Sequence[int], label: int
) -> int | None:
    """The first of `movable` that brings `label` and leaves no gap behind."""
    return next(
        (
            number
            for number in movable
            if label in units[number].brought
            and all(holds[other][places[number]] > 1 for other in units[number].brought)
        ),
        None,
    )


def covering(
    units: Sequence[Unit], homes: Sequence[int], *, movable: Sequence[int], k: int, classes: int
) -> list[int] | None:
    """`homes` with as many of `movable` placed as it takes for every class to be in every fold; None: none found.

    Depth first: the class with fewest units to spare, the fold that lacks most, the unit that fills most gaps there.
    """
    kinds: dict[frozenset[int], list[int]] = {}
    for number in movable:
        kinds.setdefault(frozenset(units[number].brought), []).append(number)
    lacking = [set(range(classes)) for _ in range(k)]
    for unit, home in zip(units, homes, strict=True):
        if home >= 0:
            lacking[home].difference_update(unit.brought)
    search = _Search(tuple(kinds), [len(numbers) for numbers in kinds.values()], lacking, classes)
    if not search.succeeds():
        return None
    places = list(homes)
    waiting = [iter(numbers) for numbers in kinds.values()]
    for kind, fold, _ in search.chosen:
        places[next(waiting[kind])] = fold
    return places


class _Search:
    """Which kind of unit goes to which fold, so that no fold lacks a class. Mutable; one use."""

    def __init__(
        self, kinds: Sequence[frozenset[int]], free: list[int], lacking: Sequence[set[int]], classes: int
    ) -> None:
        self._kinds = kinds
        self._free = free  # [kind] units not yet chosen
        self._lacking = lacking  # [fold] classes
        self._with = [[kind for kind, has in enumerate(kinds) if label in has] for label in range(classes)]
        self._supply = [sum(free[kind] for kind in with_it) for with_it in self._with]  # [class]
        self._demand = [sum(label in lacks for lacks in lacking) for label in range(classes)]  # [class]
        self.chosen: list[tuple[int, int, frozenset[int]]] = []  # kind, fold, what it filled there

    def succeeds(self) -> bool:
        """Search until `chosen` fills every gap; False where nothing can, or the bound is reached."""
        undecided: list[Iterator[tuple[int, int]]] = []
        steps_back = 0
        while any(self._demand):
            if all(map(le, self._demand, self._supply)):
                undecided.append(self._choices())
            else:
                self._undo()
                steps_back += 1
            while undecided and not self._choose_next(undecided[-1]):
                undecided.pop()
                self._undo()
                steps_back += 1
            if not undecided or steps_back > NODES:
                return False
        return True

    def _choices(self) -> Iterator[tuple[int, int]]:
        label = min(
            (label for label, demand in enumerate(self._demand) if demand),
            key=lambda label: (self._supply[label] - self._demand[label], label),
        )
        fold = max(
            (fold for fold, lacks in enumerate(self._lacking) if label in lacks),
            key=lambda fold: (len(self._lacking[fold]), -fold),
        )
        lacks = self._lacking[fold]
        fitting = [kind for kind in self._with[label] if self._free[kind]]
        fitting.sort(key=lambda kind: (-len(self._kinds[kind] & lacks), len(self._kinds[kind]), kind))
        return iter([(kind, fold) for kind in fitting])

    def _choose_next(self, choices: Iterator[tuple[int, int]]) -> bool:
        for kind, fold in choices:
            filled = self._kinds[kind] & self._lacking[fold]
            self.chosen.append((kind, fold, filled))
            self._count(kind, filled, sign=1)
            self._lacking[fold].difference_update(filled)
            return True
        return False

    def _undo(self) -> None:
        if self.chosen:
            kind, fold, filled = self.chosen.pop()
            self._count(kind, filled, sign=-1)
            self._lacking[fold].update(filled)

    def _count(self, kind: int, filled: frozenset[int], *, sign: int) -> None:
        self._free[kind] -= sign
        for label in self._kinds[kind]:
            self._supply[label] -= sign
        for label in filled:
            self._demand[label] -= sign
