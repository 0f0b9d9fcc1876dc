"""Collect the curves and figures that rules look at from a run's record and predictions. Pure."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.comparison import Disagreement
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.events.fold_id import FoldId
from foldproof.events.types import DIVERGED, EpochFinished, FoldFailed
from foldproof.records.record import RunRecord

Curve = NDArray[np.float64]  # [epoch]

MANY_TIMES = 1.5  # a training loss above this many times that of guessing
GROWN = 1.2  # and above this many times its lowest


@dataclass(frozen=True)
class Diagnosis:
    """What a run, or one fold of it, looks like. `text` ends with what to try; `evidence` are its numbers."""

    code: str
    text: str
    evidence: Mapping[str, float | int | str] = field(default_factory=dict)
    fold_id: FoldId | None = None


@dataclass(frozen=True, kw_only=True)
class FoldCurves:
    """A fold's figures by epoch; losses in nats, accuracies fractions, all finite. Validation may be absent (empty).

    `images`: of the validation part.
    """

    images: int
    train_loss: Curve
    train_accuracy: Curve
    val_loss: Curve
    val_accuracy: Curve


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of a run. `curves`: of its sound folds, all of one length; `diverged`: why, of the other folds."""

    experiment: str
    settings: Mapping[str, Any]
    classes: int
    curves: Mapping[FoldId, FoldCurves]
    diverged: Mapping[FoldId, str]
    table: OutOfFold | None
    disagreement: Disagreement | None

    @property
    def folds(self) -> int:
        return len(self.curves)

    @cached_property
    def epochs(self) -> int:
        return min((len(one.train_loss) for one in self.curves.values()), default=0)

    @property
    def validated(self) -> bool:
        """Whether there are curves, and all of them have a validation part."""
        return bool(self.curves) and all(len(one.val_loss) for one in self.curves.values())

    @cached_property
    def images(self) -> int:
        """In the validation parts of all sound folds."""
        return sum(one.images for one in self.curves.values())

    @property
    def guessing(self) -> float:
        """The loss of a model that gives every class the same probability."""
        return math.log(max(self.classes, 2))

    @cached_property
    def knowing_shares(self) -> float:
        """The loss of a model that knows how large the classes are, and nothing of the images."""
        if self.table is None or self.setting("class_weights") == "balanced":
            return self.guessing
        shares = np.bincount(self.table.labels) / len(self.table)
        return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())

    @cached_property
    def chance_accuracy(self) -> float:
        """That of a model that always says the largest class; of classes of one size where sizes are not known."""
        if self.table is None:
            return 1 / max(self.classes, 1)
        return float(np.bincount(self.table.labels).max() / len(self.table))

    @property
    def lr(self) -> float:
        """The learning rate; nan where a run that somebody else gave says none."""
        rate = self.setting("lr")
        return float(rate) if isinstance(rate, int | float) else math.nan

    def all(self, quantity: str) -> NDArray[np.float64]:
        """A quantity of FoldCurves, over all sound folds.  # [fold, epoch]"""
        return np.array([getattr(one, quantity) for one in self.curves.values()], dtype=np.float64)

    def mean(self, quantity: str) -> Curve:
        """Mean over folds of a quantity of FoldCurves.  # [epoch]"""
        averaged: Curve = self.all(quantity).mean(axis=0)
        return averaged

    def last(self, quantity: str) -> float:
        """Mean over folds of a quantity at the last epoch."""
        return float(self.mean(quantity)[-1])

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting of `train`."""
        return self.settings.get(name, default)


def gather(record: RunRecord, table: OutOfFold | None, disagreement: Disagreement | None = None) -> Seen:
    """What a run's record and predictions show. Only folds that have finished count, or all where none has."""
    classes = len(record.facts["classes"])
    diverged = {
        fold_id: reason
        for fold_id in (*record.epochs, *record.failed)
        if (reason := _diverged(record.epochs.get(fold_id, ()), record.failed.get(fold_id), classes))
    }
    counted = [
        fold_id for fold_id in (record.finished or record.epochs) if fold_id not in diverged and record.epochs[fold_id]
    ]
    epochs = min((len(record.epochs[fold_id]) for fold_id in counted), default=0)
    return Seen(
        experiment=record.experiment,
        settings=record.facts["config"]["train"],
        classes=classes,
        curves={
            fold_id: _curves(record.epochs[fold_id][:epochs], images=_validation_images(record, fold_id))
            for fold_id in counted
        },
        diverged=dict(sorted(diverged.items())),
        table=_sound(table, diverged),
        disagreement=disagreement,
    )


def _validation_images(record: RunRecord, fold_id: FoldId) -> int:
    started = record.fold_started.get(fold_id)
    return started.validation_images if started else 0


def _sound(table: OutOfFold | None, diverged: Collection[FoldId]) -> OutOfFold | None:
    """The rows whose probabilities are numbers, of folds that did not diverge; None where there are none."""
    if table is None:
        return None
    rows = [
        row
        for row, fold_id in enumerate(zip(table.repeats.tolist(), table.folds.tolist(), strict=True))
        if fold_id not in diverged
    ]
    taken = table.take(np.array(rows, dtype=np.int64))
    finite = np.flatnonzero(np.isfinite(taken.probabilities).all(axis=1))
    return taken.take(finite) if len(finite) else None


def _curves(epochs: Sequence[EpochFinished], *, images: int) -> FoldCurves:
    def of(get: Callable[[EpochFinished], float]) -> Curve:
        return np.array([get(epoch) for epoch in epochs], dtype=np.float64)

    val_loss, val_accuracy = of(lambda epoch: epoch.val_loss), of(lambda epoch: epoch.val_accuracy)
    absent = np.isnan(val_accuracy).any()
    return FoldCurves(
        images=images,
        train_loss=of(lambda epoch: epoch.train_loss),
        train_accuracy=of(lambda epoch: epoch.train_accuracy),
        val_loss=val_loss[:0] if absent else val_loss,
        val_accuracy=val_accuracy[:0] if absent else val_accuracy,
    )


def _diverged(epochs: Sequence[EpochFinished], failed: FoldFailed | None, classes: int) -> str:
    """Why a fold counts as diverged; empty where it does not."""
    if failed is not None and failed.code == DIVERGED:
        return failed.reason.partition("\n")[0]
    for epoch in epochs:
        losses = {"training": epoch.train_loss}
        if not math.isnan(epoch.val_accuracy):
            losses["validation"] = epoch.val_loss
        for part, loss in losses.items():
            if not math.isfinite(loss):
                return f"the {part} loss is {loss} in epoch {epoch.epoch}"
    if len(epochs) < 2:
        return ""
    guessing, last = math.log(max(classes, 2)), epochs[-1].train_loss
    if last > MANY_TIMES * guessing and last > GROWN * min(epoch.train_loss for epoch in epochs):
        return f"the training loss is {last:.3g} in the last epoch, guessing gives {guessing:.2f}"
    return ""
