"""Find the first place where two journals of a fold and their step losses differ. Pure.

Everything that a fold records follows from what it recorded before, so only the first difference says anything about a
cause. A step is found by its loss: the loss of a step is computed before the step changes the weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import zip_longest
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldproof.events.fold_id import FoldId
from foldproof.events.types import Body, EpochFinished, FoldFinished, FoldStarted, comparable_body
from foldproof.records.record import RunRecord

Kind: TypeAlias = Literal["sizes", "initial weights", "loss", "weights", "scores", "predictions", "settings", "end"]
_SIZES = ("train_images", "validation_images", "parameters", "trained_parameters")


@dataclass(frozen=True, kw_only=True)
class FoldTrace:
    """What a fold recorded, and the loss of every step of all epochs.  # [step] float32

    Without losses (None) a divergence is found by epochs alone.
    """

    repeat: int
    fold: int
    started: FoldStarted | None
    epochs: tuple[EpochFinished, ...]
    finished: FoldFinished | None
    losses: NDArray[np.float32] | None

    @staticmethod
    def of(record: RunRecord, fold_id: FoldId, losses: NDArray[np.float32] | None) -> "FoldTrace":
        """What the last attempt at a fold recorded."""
        return FoldTrace(
            repeat=fold_id.repeat,
            fold=fold_id.fold,
            started=record.fold_started.get(fold_id),
            epochs=record.epochs.get(fold_id, ()),
            finished=record.finished.get(fold_id),
            losses=losses,
        )


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """The first difference between two traces of a fold. `epoch` counts from 1, 0 is before the first.

    `step` counts from 1 in its epoch; None where the difference is not at a step. `then` and `now` are the two values,
    as text. Where `kind` is "weights" the losses of the whole epoch agree and the weights at its end do not.
    """

    repeat: int
    fold: int
    epoch: int
    step: int | None
    kind: Kind
    then: str
    now: str

    @property
    def fold_id(self) -> FoldId:
        return FoldId(self.repeat, self.fold)

    @property
    def place(self) -> str:
        """`fold 2, epoch 3, step 17`."""
        if self.epoch == 0:
            return f"{self.fold_id}, before the first epoch"
        return f"{self.fold_id}, epoch {self.epoch}" + (f", step {self.step}" if self.step is not None else "")


def parting(then: FoldTrace, now: FoldTrace, *, epochs: int | None = None) -> Divergence | None:
    """Where two traces of one fold part; None where they say the same.

    `epochs`: only the first so many are looked at, and not the fold's end.
    """
    return next(_differences(then, now, epochs), None)


def _differences(then: FoldTrace, now: FoldTrace, epochs: int | None) -> Iterator[Divergence]:
    yield from _beginnings(then, now)
    first = 0
    for number, (old, new) in enumerate(zip_longest(then.epochs[:epochs], now.epochs[:epochs]), start=1):
        steps = (new or old).steps - first
        yield from _steps(then, now, epoch=number, first=first, count=steps)
        if old is None or new is None:
            yield _at(then, number, None, "end", _there(old), _there(new))
            return
        yield from _epochs(then, old, new)
        first = old.steps
    if epochs is None:
        yield from _ends(then, now)


def _beginnings(then: FoldTrace, now: FoldTrace) -> Iterator[Divergence]:
    old, new = then.started, now.started
    if old is None or new is None:
        if old is not new:
            yield _at(then, 0, None, "end", _there(old), _there(new))
        return
    for name in _SIZES:
        if getattr(old, name) != getattr(new, name):
            yield _at(then, 0, None, "sizes", f"{getattr(old, name)} {_words(name)}", str(getattr(new, name)))
    if old.weights_sha256 != new.weights_sha256:
        yield _at(then, 0, None, "initial weights", old.weights_sha256, new.weights_sha256)


def _steps(then: FoldTrace, now: FoldTrace, *, epoch: int, first: int, count: int) -> Iterator[Divergence]:
    """The first step of an epoch whose loss is not the same bits."""
    if then.losses is None or now.losses is None:
        return
    old, new = then.losses[first : first + count], now.losses[first : first + count]
    together = min(len(old), len(new))
    other = np.flatnonzero(old[:together].view(np.uint32) != new[:together].view(np.uint32))
    if len(other):
        step = int(other[0])
        yield _at(then, epoch, step + 1, "loss", repr(float(old[step])), repr(float(new[step])))


def _epochs(then: FoldTrace, old: EpochFinished, new: EpochFinished) -> Iterator[Divergence]:
    if comparable_body(old) == comparable_body(new):
        return
    if old.weights_sha256 != new.weights_sha256:
        yield _at(then, old.epoch, None, "weights", old.weights_sha256, new.weights_sha256)
    for item in fields(old):
        yield from _field(then, old.epoch, item.name, "settings" if item.name == "lr" else "scores", old, new)


def _ends(then: FoldTrace, now: FoldTrace) -> Iterator[Divergence]:
    old, new = then.finished, now.finished
    last = len(then.epochs)
    if old is None or new is None:
        if old is not new:
            yield _at(then, last, None, "end", _there(old), _there(new))
        return
    old, new = keep_common_scores(old, new)
    if comparable_body(old) == comparable_body(new):
        return
    yield from _field(then, last, "predictions_sha256", "predictions", old, new)
    for item in fields(old):
        yield from _field(then, last, item.name, "scores", old, new)


def keep_common_scores(old: FoldFinished, new: FoldFinished) -> tuple[FoldFinished, FoldFinished]:
    """Both ends with the scores that both have: a metric may have been added, or its package be missing in one."""
    common = sorted(old.scores.keys() & new.scores.keys())
    return (
        replace(old, scores={name: old.scores[name] for name in common}),
        replace(new, scores={name: new.scores[name] for name in common}),
    )


def _field(trace: FoldTrace, epoch: int, name: str, kind: Kind, old: Body, new: Body) -> Iterator[Divergence]:
    was, now = getattr(old, name), getattr(new, name)
    both_unknown = was != was and now != now  # nan is what differs from itself
    if was != now and not both_unknown:
        yield _at(trace, epoch, None, kind, f"{_words(name)} {was}", str(now))


def _at(trace: FoldTrace, epoch: int, step: int | None, kind: Kind, then: str, now: str) -> Divergence:
    return Divergence(
        repeat=trace.repeat, fold=trace.fold, epoch=epoch, step=step, kind=kind, then=then[:200], now=now[:200]
    )


def _there(body: Any) -> str:
    return "recorded" if body is not None else "missing"


def _words(name: str) -> str:
    return name.replace("_", " ")
