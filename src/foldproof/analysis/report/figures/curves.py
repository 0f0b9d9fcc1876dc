"""Draw a quantity by epoch, training and validation: thin lines for folds, means and bands."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from foldproof.analysis.report.figures.canvas import Canvas, room
from foldproof.analysis.report.spelling import PERCENT, number, share
from foldproof.events.fold_id import FoldId
from foldproof.records.record import Spread

LEGEND = (("blue", "validation"), ("orange", "training"))


@dataclass(frozen=True)
class Curves:
    """`title` is the quantity; values are by epoch from 1, each fold as far as it came. The mean and the band of one
    standard deviation are over the folds that have the epoch.
    """

    title: str
    training: Mapping[FoldId, Sequence[float]]
    validation: Mapping[FoldId, Sequence[float]]
    fraction: bool

    @property
    def alt(self) -> str:
        return f"{self.title} by epoch: a thin line a fold, the mean and a band of one standard deviation."

    def draw(self) -> Canvas:
        series = {"orange": self.training, "blue": self.validation}
        values = [value for lines in series.values() for line in lines.values() for value in line]
        epochs = max((len(line) for lines in series.values() for line in lines.values()), default=1)
        scale = room(values, least=0.02, low=0.0, high=1.0 if self.fraction else math.inf)
        canvas = Canvas(x=(0.5, 1.5) if epochs == 1 else (1, epochs), y=scale, left=50, top=12)
        canvas.y_axis("", _percent if self.fraction else _plain)
        canvas.x_axis("epoch", lambda value: f"{value:.0f}", ticks=_whole(epochs))
        spell: Callable[[float], str] = share if self.fraction else number
        for colour, lines in series.items():
            part = "validation" if colour == "blue" else "training"
            means = [Spread.of(at) for at in group_by_epoch(lines)]
            along = range(1, len(means) + 1)
            canvas.band(along, [m.mean - m.sd for m in means], [m.mean + m.sd for m in means], colour, 0.16)
            for fold_id, line in lines.items():
                last = f"{spell(line[-1])} at epoch {len(line)}" if line else ""
                about = f"{part}, {fold_id}: {last}"
                canvas.line(range(1, len(line) + 1), line, colour, width=0.9, alpha=0.5, about=about)
            if means:
                about = f"{part}, mean over folds: {spell(means[-1].mean)} at epoch {len(means)}"
                canvas.line(along, [m.mean for m in means], colour, width=2.4, about=about)
        return canvas


def group_by_epoch(lines: Mapping[FoldId, Sequence[float]]) -> list[list[float]]:
    """What the folds have at each epoch."""
    longest = max((len(line) for line in lines.values()), default=0)
    return [[line[epoch] for line in lines.values() if epoch < len(line)] for epoch in range(longest)]


def _whole(epochs: int) -> list[float]:
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if epochs <= 8 * s)
    return [float(epoch) for epoch in range(1, epochs + 1) if epoch % step == 0 or (epoch == 1 and step < 10**9)]


def _percent(value: float) -> str:
    return f"{100 * value:.4g}{PERCENT}"


def _plain(value: float) -> str:
    return f"{value:.4g}"
