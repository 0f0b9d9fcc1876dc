"""A part of a work, timed; how long the whole takes, by a stated rule, out. Pure.

The rule: the first experiment is run for some folds and some epochs. Of these, MLflow's own record says how long a
fold's run lasted and how far apart its epochs ended; what is left of the whole process is its start and end. Then

    whole = start and end + folds x sum over experiments of (a fold + (its epochs - epochs timed) x an epoch)

Processor time is scaled by the same factor; memory is that of the part.
"""

from dataclasses import dataclass, replace

from benchmarks.measured import Measure
from benchmarks.works import Experiment, Work


@dataclass(frozen=True)
class Part:
    """How much of the first experiment is run."""

    folds: int
    epochs: int

    def __str__(self) -> str:
        return f"{self.folds} folds of {self.epochs} epochs"


PART = Part(folds=2, epochs=2)
SEARCH = Part(folds=1, epochs=1)


@dataclass(frozen=True)
class Pace:
    """Mean seconds of a fold's run, the first left out, and from the end of an epoch to that of the next.

    What the first fold takes longer is so part of the start, which is not multiplied.
    """

    fold: float
    epoch: float


def experiments_of(work: Work, part: Part | None) -> tuple[Experiment, ...]:
    """Those that are run: all, or the first with fewer epochs."""
    return work.experiments if part is None else (replace(work.experiments[0], epochs=part.epochs),)


def folds_of(work: Work, part: Part | None) -> int:
    """How many folds of each are run."""
    return work.folds if part is None else min(part.folds, work.folds)


def whole(measured: Measure, pace: Pace, part: Part, work: Work) -> Measure:
    """What the whole work would have measured."""
    start = measured.wall - folds_of(work, part) * pace.fold
    runs = [pace.fold + (epochs - part.epochs) * pace.epoch for epochs in work.epochs.values()]
    factor = (start + work.folds * sum(runs)) / measured.wall
    return replace(measured, wall=measured.wall * factor, cpu=measured.cpu * factor, others=measured.others * factor)
