"""Draw the fold scores of experiments, a strip of dots for each experiment."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foldproof.analysis.comparison import Estimate
from foldproof.analysis.report.figures.canvas import Canvas, room, shorten
from foldproof.events.fold_id import FoldId

LEGEND = (("blue", "a fold"), ("ink", "mean with its 95 % interval"), ("red", "a fold apart from the others"))


@dataclass(frozen=True)
class Strip:
    """The folds of one experiment; `odd` is the fold that disagrees with the others, where one does."""

    name: str
    scores: Mapping[FoldId, float]
    interval: Estimate
    odd: FoldId | None = None


@dataclass(frozen=True)
class Strips:
    """`axis` names the score; `spell` writes a score with its unit."""

    title: str
    axis: str
    strips: tuple[Strip, ...]
    spell: Callable[[float], str]

    @property
    def alt(self) -> str:
        return f"{self.axis}: a dot a fold and the mean with its interval, an experiment a row."

    def draw(self) -> Canvas:
        values = [v for s in self.strips for v in (*s.scores.values(), s.interval.low, s.interval.high)]
        rows = max(len(self.strips), 1)
        canvas = Canvas(
            x=room(values, least=0.02), y=(rows - 0.35, -0.75), height=62 + 44 * rows, left=14, right=14, top=4
        )
        canvas.x_axis(self.axis, self.spell, grid=True)
        for row, strip in enumerate(self.strips):
            canvas.text(shorten(strip.name, 44), canvas.x[0], row - 0.38, offset=(2, 0))
            canvas.line([strip.interval.low, strip.interval.high], [row, row], "ink", width=1.4)
            for fold_id, score in strip.scores.items():
                if math.isfinite(score):
                    odd = fold_id == strip.odd
                    about = f"{strip.name}, {fold_id}: {self.spell(score)}"
                    about += ", apart from the others" if odd else ""
                    canvas.dot(score, row, "red" if odd else "blue", size=8 if odd else 6.5, hollow=odd, about=about)
            mean = strip.interval.value
            if math.isfinite(mean):
                edge = f"{strip.name}, mean: {self.spell(mean)}"
                canvas.line([mean, mean], [row - 0.2, row + 0.2], "ink", width=2.4, about=edge)
        return canvas
