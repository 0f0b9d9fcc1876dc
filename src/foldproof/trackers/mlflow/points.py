"""Turn the events of a run into the points that MLflow should hold. Pure.

A point is named by its key, step and value, and stands at the time when the journal first says it: an epoch trained
twice with one result is one point, so that projecting live, late or again gives the same points.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from foldproof.events.fold_id import FoldId
from foldproof.events.types import EpochFinished, Event, FoldFinished
from foldproof.records.record import RunRecord, Spread

PER_EPOCH = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
_NOT_ALLOWED = re.compile(r"[^\w .-]", re.ASCII)  # MLflow takes `/` and `:` too, but not on every system


@dataclass(frozen=True)
class Point:
    """One value of a metric; `time` in seconds since 1970."""

    key: str
    value: float
    step: int
    time: float

    @property
    def is_infinite(self) -> bool:
        """Whether MLflow would store a different value."""
        return math.isinf(self.value)


class _Points:
    """Points in the order they were first said."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, int, float], float] = {}

    def say(self, key: str, step: int, value: float, time: float) -> None:
        self._first.setdefault((key, step, _one_nan(value)), time)

    def when(self, key: str, step: int, value: float) -> float:
        return self._first[key, step, _one_nan(value)]

    def __iter__(self) -> Iterator[Point]:
        return (Point(key, value, step, time) for (key, step, value), time in self._first.items())


def _one_nan(value: float) -> float:
    return math.nan if math.isnan(value) else value  # one object, so that it equals itself inside a tuple


def fold_points(events: Iterable[Event], classes: Iterable[str]) -> tuple[Point, ...]:
    """What a nested run holds: the quantities of every epoch and the rate; at the end scores and recall by class."""
    return tuple(_fold_points(events, classes))


def _fold_points(events: Iterable[Event], classes: Iterable[str]) -> _Points:
    keys = {name: f"recall_{key}" for key, name in class_keys(classes).items()}
    points = _Points()
    for event in events:
        match event.body:
            case EpochFinished() as epoch:
                for quantity in (*PER_EPOCH, "lr"):
                    points.say(quantity, epoch.epoch, getattr(epoch, quantity), event.time)
            case FoldFinished() as end:
                recall = {keys[name]: value for name, value in end.per_class.items() if name in keys}
                for name, value in {**end.scores, **recall}.items():
                    points.say(metric_key(name), end.epochs, value, event.time)
    return points


def run_points(record: RunRecord, by_fold: Mapping[FoldId, Iterable[Event]]) -> tuple[Point, ...]:
    """What the parent run holds: mean and sd over folds of every epoch that all have; at the end the scores."""
    said = {fold_id: _fold_points(events, ()) for fold_id, events in by_fold.items()}
    points = _Points()
    for quantity in PER_EPOCH:
        for index, spread in enumerate(record.by_epoch(quantity)):
            across = {fold_id: epochs[index] for fold_id, epochs in record.epochs.items()}
            step = min(epoch.epoch for epoch in across.values())
            time = max(said[p].when(quantity, epoch.epoch, getattr(epoch, quantity)) for p, epoch in across.items())
            points.say(f"mean_{quantity}", step, spread.mean, time)
            points.say(f"sd_{quantity}", step, spread.sd, time)
    if record.complete:
        time = max(
            event.time for events in by_fold.values() for event in events if isinstance(event.body, FoldFinished)
        )
        for key, value in _cross_validation(record):
            points.say(key, 0, value, time)
    return tuple(points)


def _cross_validation(record: RunRecord) -> Iterable[tuple[str, float]]:
    yield "cv_avg_best_val_accuracy", record.best_epoch_accuracy.mean
    yield "cv_avg_best_val_loss", record.best_epoch_loss.mean
    spreads = {"accuracy": record.last_accuracy, "val_loss": record.last_loss}
    for name in next(iter(record.finished.values())).scores:
        if all(name in fold.scores for fold in record.finished.values()):
            spreads.setdefault(name, Spread.of(fold.scores[name] for fold in record.finished.values()))
    for name, spread in spreads.items():
        yield metric_key(f"cv_{name}_mean"), spread.mean
        yield metric_key(f"cv_{name}_std"), spread.sd


def class_keys(classes: Iterable[str]) -> dict[str, str]:
    """`class_00` and so on to the names of the classes, since the name of a metric may not hold every character."""
    names = tuple(classes)
    width = max(2, len(str(len(names) - 1)))
    return {f"class_{number:0{width}d}": name for number, name in enumerate(names)}


def metric_key(name: str) -> str:
    """A name that MLflow takes for a metric: other characters become `_`, at most 250 stay."""
    return _NOT_ALLOWED.sub("_", name)[:250]
