"""Count which class was predicted for which, from out-of-fold predictions. Pure."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.out_of_fold import OutOfFold


@dataclass(frozen=True)
class ClassScores:
    """One class against the rest, from summed counts; nan where there is nothing to divide by.

    `images`: of this class, `predicted`: taken for it. `recall` is also called sensitivity.
    """

    name: str
    images: int
    predicted: int
    recall: float
    specificity: float
    precision: float
    f1: float


@dataclass(frozen=True)
class Mixed:
    """`count` images of class `true` that were taken for `predicted`, `share` of the images of `true`."""

    true: int
    predicted: int
    count: int
    share: float


@dataclass(frozen=True)
class Confusion:
    """`counts` is [true class, predicted class]: predictions of images, repeats counted one by one."""

    classes: tuple[str, ...]
    counts: NDArray[np.int64]

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Each row divided by its sum; nan in the row of a class without images.  # [true, predicted]"""
        totals = self.counts.sum(axis=1, keepdims=True)
        shares: NDArray[np.float64] = np.divide(
            self.counts, totals, out=np.full(self.counts.shape, np.nan), where=totals > 0
        )
        return shares

    @cached_property
    def by_class(self) -> tuple[ClassScores, ...]:
        """One against the rest, in the order of the classes."""
        images, predicted, hits = self.counts.sum(axis=1), self.counts.sum(axis=0), self.counts.diagonal()
        everything = int(self.counts.sum())
        return tuple(
            ClassScores(
                name=name,
                images=int(images[c]),
                predicted=int(predicted[c]),
                recall=_ratio(hits[c], images[c]),
                specificity=_ratio(everything - images[c] - predicted[c] + hits[c], everything - images[c]),
                precision=_ratio(hits[c], predicted[c]),
                f1=_ratio(2 * hits[c], images[c] + predicted[c]),
            )
            for c, name in enumerate(self.classes)
        )

    def most_mixed(self, most: int) -> tuple[Mixed, ...]:
        """The ordered pairs of classes with the most mistakes, most first."""
        wrong = self.counts.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:most]
        places = zip(*np.unravel_index(order, wrong.shape), strict=True)
        return tuple(
            Mixed(int(t), int(p), int(wrong[t, p]), float(self.shares[t, p])) for t, p in places if wrong[t, p]
        )


def confusion_of(table: OutOfFold) -> Confusion:
    """Pooled over all folds and repeats."""
    size = len(table.classes)
    counts = np.bincount(table.labels * size + table.predicted, minlength=size * size).reshape(size, size)
    return Confusion(table.classes, counts.astype(np.int64))


def _ratio(part: int | np.int64, whole: int | np.int64) -> float:
    return float(part / whole) if whole > 0 else float("nan")
