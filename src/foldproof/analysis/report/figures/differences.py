"""Differences of experiments with their intervals in; a forest plot with the region of practical equivalence out."""

import math
from dataclasses import dataclass
from typing import Any

from foldproof.analysis.comparison import Interval

LEGEND = (("blue", "difference with its 95 % interval"), ("green", "practically equal"))


@dataclass(frozen=True)
class Forest:
    """`rows` are (what, difference as a fraction); `rope` is the region of practical equivalence, ± a fraction."""

    title: str
    rows: tuple[tuple[str, Interval], ...]
    rope: float

    @property
    def alt(self) -> str:
        return f"{self.title}: a row a pair, with the 95 % interval and the region of practical equivalence."

    def draw(self) -> Any:
        from foldproof.analysis.report.figures.canvas import Canvas, room, short

        rows = max(len(self.rows), 1)
        values = [100 * v for _, i in self.rows for v in (i.value, i.low, i.high)]
        scale = room([*values, 0.0, 150 * self.rope, -150 * self.rope], least=2.0)
        canvas = Canvas(x=scale, y=(rows - 0.35, -0.75), height=62 + 40 * rows, left=14, right=14, top=4)
        canvas.box(-100 * self.rope, -0.75, 200 * self.rope, rows + 0.4, "green", alpha=0.13)
        canvas.x_axis("difference in points", _signed, grid=True)
        canvas.rules([((0, -0.75), (0, rows - 0.35))], "muted", 1.0)
        for row, (what, found) in enumerate(self.rows):
            canvas.text(short(what, 52), canvas.x[0], row - 0.38, offset=(2, 0))
            if not math.isfinite(found.value):
                canvas.text("nothing to compare", canvas.x[0], row, colour="muted", offset=(2, 0))
                continue
            bounds = f" ({_signed(100 * found.low)} to {_signed(100 * found.high)})" if math.isfinite(found.low) else ""
            about = f"{what}: {_signed(100 * found.value)} points{bounds}"
            canvas.line([100 * found.low, 100 * found.high], [row, row], "blue", width=2.2, about=about)
            canvas.dot(100 * found.value, row, "blue", size=7.5, about=about)
        return canvas


def _signed(value: float) -> str:
    return "0" if abs(value) < 5e-3 else f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")
