"""Draw a forest plot of differences between experiments, with intervals and the region of practical equivalence."""

import math
from dataclasses import dataclass

from foldproof.analysis.comparison import Estimate
from foldproof.analysis.report.figures.canvas import Canvas, room, shorten

LEGEND = (("blue", "difference with its 95 % interval"), ("green", "practically equal"))


@dataclass(frozen=True)
class Forest:
    """`rows` are (what, difference); `rope` is the region of practical equivalence, ±.
    Both are shown times `factor`, in `unit`.
    """

    title: str
    rows: tuple[tuple[str, Estimate], ...]
    rope: float
    factor: float
    unit: str

    @property
    def alt(self) -> str:
        return f"{self.title}: a row a pair, with the 95 % interval and the region of practical equivalence."

    def draw(self) -> Canvas:
        rows = max(len(self.rows), 1)
        values = [self.factor * v for _, i in self.rows for v in (i.value, i.low, i.high)]
        scale = room(
            [*values, 0.0, 1.5 * self.factor * self.rope, -1.5 * self.factor * self.rope], least=0.02 * self.factor
        )
        canvas = Canvas(x=scale, y=(rows - 0.35, -0.75), height=62 + 40 * rows, left=14, right=14, top=4)
        canvas.box(-self.factor * self.rope, -0.75, 2 * self.factor * self.rope, rows + 0.4, "green", alpha=0.13)
        canvas.x_axis(f"difference in {self.unit}", _signed, grid=True)
        canvas.rules([((0, -0.75), (0, rows - 0.35))], "muted", 1.0)
        for row, (what, found) in enumerate(self.rows):
            canvas.text(shorten(what, 52), canvas.x[0], row - 0.38, offset=(2, 0))
            if not math.isfinite(found.value):
                canvas.text("nothing to compare", canvas.x[0], row, colour="muted", offset=(2, 0))
                continue
            bounds = (
                f" ({_signed(self.factor * found.low)} to {_signed(self.factor * found.high)})"
                if math.isfinite(found.low)
                else ""
            )
            about = f"{what}: {_signed(self.factor * found.value)} {self.unit}{bounds}"
            canvas.line([self.factor * found.low, self.factor * found.high], [row, row], "blue", width=2.2, about=about)
            canvas.dot(self.factor * found.value, row, "blue", size=7.5, about=about)
        return canvas


def _signed(value: float) -> str:
    return "0" if abs(value) < 5e-3 else f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")
