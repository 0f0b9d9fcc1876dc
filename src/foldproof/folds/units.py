"""Find the units of a dataset: images that have to validate together. Pure."""

from collections.abc import Mapping
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from foldproof.data.dataset import Dataset


class Unit(NamedTuple):
    """Images that share a fold. Its name in random choices is the content hash of its first image.

    A tuple and no dataclass: where nothing is tied, there are as many as images.
    """

    name: str
    members: tuple[int, ...]  # manifest positions, ascending
    brought: Mapping[int, int]  # class number to how many images of it


def units_of(dataset: Dataset) -> list[Unit]:
    """Images connected through the same bytes, a shared group or a cluster of look-alikes, in manifest order."""
    labels: list[int] = dataset.labels.tolist()
    alone = [{label: 1} for label in range(len(dataset.classes))]
    members: dict[int, list[int]] = {}
    for position, first in enumerate(_roots(dataset)):
        members.setdefault(first, []).append(position)
    samples = dataset.samples
    return [
        Unit(samples[first].sha256, tuple(them), alone[labels[first]] if len(them) == 1 else _count(labels, them))
        for first, them in members.items()
    ]


def unit_numbers(dataset: Dataset) -> NDArray[np.int64]:
    """The first manifest position of each image's unit: equal numbers may not be parted.  # [image]"""
    return np.array(_roots(dataset), dtype=np.int64)


def _count(labels: list[int], positions: list[int]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for position in positions:
        counts[labels[position]] = counts.get(labels[position], 0) + 1
    return counts


def _roots(dataset: Dataset) -> list[int]:
    """The first position of each image's unit (union-find with path halving)."""
    parent = list(range(len(dataset)))

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    for tie in ("sha256", "group", "duplicate"):
        names = list(map(attrgetter(tie), dataset.samples))
        if len(set(names)) == len(names) or not any(names):
            continue
        first_with: dict[str, int] = {}
        for position, name in enumerate(names):
            if name and (other := first_with.setdefault(name, position)) != position:
                low, high = sorted((root(other), root(position)))
                parent[high] = low
    return list(map(root, parent))
