"""Find the images that the out-of-fold predictions of two runs share, or say why they cannot be compared."""

from dataclasses import dataclass

import numpy as np

from foldproof.analysis.out_of_fold import OutOfFold

FOLDS, LABELS, METRIC = "folds", "labels", "metric"


@dataclass(frozen=True)
class Common:
    """The same rows of two tables, in one order; `only_in_a`, `only_in_b` count images that the other has not."""

    a: OutOfFold
    b: OutOfFold
    only_in_a: int
    only_in_b: int

    @property
    def images(self) -> int:
        return len(np.unique(self.a.sha256))


def find_common(a: OutOfFold, b: OutOfFold) -> Common | str:
    """The images that both runs scored, in the folds that both finished, or the word for why they are not comparable.

    Comparable are runs that agree on the fold and the label of every image they have in common, repeat by repeat. They
    need not have the same images: an image that only one has is left out and counted.
    """
    here, there = a.row_names, b.row_names
    same = len(here) == len(there) and bool((here == there).all())
    at = bt = np.arange(len(here))
    if not same:
        _, at, bt = np.intersect1d(here, there, assume_unique=True, return_indices=True)
    if not len(at):
        return FOLDS
    if (a.folds[at] != b.folds[bt]).any():
        return FOLDS
    if (np.array(a.classes)[a.labels[at]] != np.array(b.classes)[b.labels[bt]]).any():
        return LABELS
    if same:
        return Common(a, b, 0, 0)
    order = np.argsort(at, kind="stable")
    only_in_a = len(np.setdiff1d(a.sha256, b.sha256))
    only_in_b = len(np.setdiff1d(b.sha256, a.sha256))
    return Common(a.take(at[order]), b.take(bt[order]), only_in_a, only_in_b)


def discordant(common: Common) -> tuple[int, int]:
    """McNemar's table: rows that only a got right, rows that only b got right."""
    a, b = common.a.predicted == common.a.labels, common.b.predicted == common.b.labels
    return int((a & ~b).sum()), int((b & ~a).sum())
