"""Draw a few images of every class from a dataset, keeping groups together. Pure."""

import hashlib
from collections import Counter

from foldproof.data.dataset import Dataset
from foldproof.folds.units import Unit, units_of

LEAST_UNITS = 2  # of each class: one to train on and one to validate


def pick_few(dataset: Dataset, most: int) -> Dataset:
    """At most `most` images, evenly over the classes; more only where two units of each class need them.

    Which ones follows from the content of the images alone.
    """
    if len(dataset) <= most:
        return dataset
    waiting = sorted(units_of(dataset), key=_lot)
    units: Counter[int] = Counter()
    chosen: list[int] = []
    for needed in (True, False):
        left = []
        for unit in _by_turns(waiting):
            lacks = any(units[label] < LEAST_UNITS for label in unit.brought)
            if lacks if needed else len(chosen) + len(unit.members) <= most:
                chosen += unit.members
                units.update(dict.fromkeys(unit.brought, 1))
            else:
                left.append(unit)
        waiting = left
    return Dataset(tuple(dataset.samples[position] for position in sorted(chosen)))


def _by_turns(units: list[Unit]) -> list[Unit]:
    """The first unit of each class, small ones first, then the second of each, and so on."""
    turn: Counter[int] = Counter()
    placed = []
    for unit in sorted(units, key=lambda unit: len(unit.members)):
        label = min(unit.brought)
        placed.append((turn[label], label, unit))
        turn[label] += 1
    return [unit for _, _, unit in sorted(placed, key=lambda item: item[:2])]


def _lot(unit: Unit) -> bytes:
    return hashlib.blake2b(unit.name.encode(), digest_size=16).digest()
