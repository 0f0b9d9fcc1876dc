"""Collect the out-of-fold predictions of a run: for every image, by a model that had not seen it, as one table."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.records import predictions
from foldproof.records.record import RunRecord


@dataclass(frozen=True, kw_only=True)
class OutOfFold:
    """All out-of-fold predictions of a run: a row an image and repeat, of the folds that have finished.

    `labels` are numbers of `classes`. All arrays are [row]; `probabilities` is [row, class] float32.
    """

    classes: tuple[str, ...]
    paths: NDArray[np.str_]
    sha256: NDArray[np.str_]
    groups: NDArray[np.str_]  # empty where the image is in no group
    labels: NDArray[np.int64]
    repeats: NDArray[np.int64]
    folds: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class; the first wins a tie.  # [row]"""
        most_probable: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return most_probable

    @cached_property
    def fold_ids(self) -> tuple[FoldId, ...]:
        """The folds that have rows, in order."""
        return tuple(sorted(set(map(FoldId, self.repeats.tolist(), self.folds.tolist()))))

    @cached_property
    def row_names(self) -> NDArray[np.str_]:
        """What names a row in every run: repeat, content hash, and a number where a content is there twice.  # [row]"""
        names = np.char.add(np.char.add(self.repeats.astype(np.str_), " "), self.sha256)
        order = np.lexsort((self.labels, names))
        ranked = names[order]
        first = np.ones(len(ranked), dtype=bool)
        first[1:] = ranked[1:] != ranked[:-1]
        start = np.maximum.accumulate(np.where(first, np.arange(len(ranked)), 0))
        copy = np.empty(len(names), dtype=np.int64)
        copy[order] = np.arange(len(ranked)) - start
        return np.char.add(np.char.add(names, " "), copy.astype(np.str_))

    @cached_property
    def units(self) -> NDArray[np.int64]:
        """Numbers of what was drawn from the world: groups where there are any, else images; repeats share them."""
        names = np.where(self.groups == "", np.char.add("image ", self.sha256), np.char.add("group ", self.groups))
        return np.unique(names, return_inverse=True)[1].astype(np.int64)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "OutOfFold":
        """Some of the rows."""
        return OutOfFold(
            classes=self.classes,
            paths=self.paths[rows],
            sha256=self.sha256[rows],
            groups=self.groups[rows],
            labels=self.labels[rows],
            repeats=self.repeats[rows],
            folds=self.folds[rows],
            probabilities=self.probabilities[rows],
        )


def read_out_of_fold(record: RunRecord) -> OutOfFold:
    """The predictions of the folds that have finished; no rows where none has.

    Raises DamagedFile where a table is missing or is not the one that its fold's journal speaks of.
    """
    classes = tuple(record.facts["classes"])
    number = {name: index for index, name in enumerate(classes)}
    tables = {
        fold_id: predictions.read(
            record.folder,
            fold_id.folder_name,
            classes=len(classes),
            sha256=done.predictions_sha256,
        )
        for fold_id, done in record.finished.items()
    }
    samples = [sample for table in tables.values() for sample in table.samples]
    unknown = {sample.label for sample in samples} - number.keys()
    if unknown:
        raise DamagedFile(
            f"{record.folder}: predictions of a class that the run does not have", next_step="restore it from a copy"
        )
    counts = [len(table.samples) for table in tables.values()]
    place_of = np.repeat(np.array(list(tables), dtype=np.int64).reshape(-1, 2), counts, axis=0)  # [row, 2]
    return OutOfFold(
        classes=classes,
        paths=np.array([sample.path for sample in samples], dtype=np.str_),
        sha256=np.array([sample.sha256 for sample in samples], dtype=np.str_),
        groups=np.array([sample.group for sample in samples], dtype=np.str_),
        labels=np.array([number[sample.label] for sample in samples], dtype=np.int64),
        repeats=place_of[:, 0],
        folds=place_of[:, 1],
        probabilities=np.concatenate(
            [np.empty((0, len(classes)), dtype=np.float32), *(table.probabilities for table in tables.values())]
        ),
    )
