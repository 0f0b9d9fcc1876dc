"""A confusion matrix in; its cells, darker where there is more, out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from foldproof.analysis.confusion import Confusion
from foldproof.analysis.report.privacy import name

MOST_WITH_TEXT = 20
_ACCENT = (40, 128, 190)  # between the two blues, seen on light and on dark


@dataclass(frozen=True)
class Matrix:
    """Rows are true classes, columns what they were taken for; a row sums to one."""

    title: str
    confusion: Confusion

    @property
    def alt(self) -> str:
        return "Confusion matrix: true classes in rows, predicted ones in columns, as shares of the row."

    def draw(self) -> Any:
        from foldproof.analysis.report.figures.canvas import Canvas

        size = len(self.confusion.classes)
        left = 14.0 if size > MOST_WITH_TEXT else 24 + 6.4 * min(max(len(name(c)) for c in self.confusion.classes), 13)
        canvas = Canvas(x=(0, size), y=(size, 0), width=380, height=380 - left - 12 + 50, left=left, bottom=24, top=26)
        canvas.heading("true class ↓   predicted →")
        if size > MOST_WITH_TEXT:
            canvas.image(self._pixels())
        else:
            self._cells(canvas)
        canvas.rules([((0, 0), (size, 0)), ((0, size), (size, size))], "muted", 0.8)
        canvas.rules([((0, 0), (0, size)), ((size, 0), (size, size))], "muted", 0.8)
        return canvas

    def _cells(self, canvas: Any) -> None:
        from foldproof.analysis.report.figures.canvas import short

        names, counts, shares = [name(c) for c in self.confusion.classes], self.confusion.counts, self.confusion.shares
        size = len(names)
        text = min(10.0, 150 / size)
        for row, true in enumerate(names):
            canvas.text(short(true, 13), 0, row + 0.5, offset=(-5, 0), ha="right", size=min(10.0, 200 / size + 3))
            canvas.text(
                short(true, max(2, int(52 / size))), row + 0.5, size, offset=(0, -5), ha="center", va="top",
                size=min(10.0, 150 / size + 2), about=true,
            )  # fmt: skip
            for column, predicted in enumerate(names):
                share = shares[row, column]
                if not counts[row, column]:
                    continue
                about = f"{true} taken for {predicted}: {counts[row, column]:,} images, {100 * share:.1f} % of {true}"
                right = row == column
                shade = 0.07 + 0.75 * share
                canvas.box(column, row, 1, 1, "blue" if right else "red", alpha=shade, about=about)
                colour = "paper" if shade > 0.55 else "ink"
                canvas.text(_percent(share), column + 0.5, row + 0.5, ha="center", size=text, colour=colour)

    def _pixels(self) -> Any:
        shares = np.nan_to_num(self.confusion.shares)
        pixels = np.zeros((*shares.shape, 4), dtype=np.uint8)
        pixels[..., :3] = (213, 94, 0)
        pixels[np.arange(len(shares)), np.arange(len(shares)), :3] = _ACCENT
        pixels[..., 3] = np.where(shares > 0, 40 + 215 * np.sqrt(shares), 0)
        return pixels


def _percent(share: float) -> str:
    return "<1" if share < 0.005 else f"{100 * share:.0f}"
