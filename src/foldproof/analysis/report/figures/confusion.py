"""Draw a confusion matrix, its cells darker where there is more."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from foldproof.analysis.confusion import Confusion
from foldproof.analysis.report.figures.canvas import Canvas, shorten
from foldproof.analysis.report.privacy import name

MOST_WITH_TEXT = 20
_WIDTH = 380.0
_MOST_LETTERS = 13
_ACCENT = (40, 128, 190)  # between the two blues, seen on light and on dark


@dataclass(frozen=True)
class Matrix:
    """Rows are true classes, columns what they were taken for; a row sums to one."""

    title: str
    confusion: Confusion

    @property
    def alt(self) -> str:
        return "Confusion matrix: true classes in rows, predicted ones in columns, as shares of the row."

    def draw(self) -> Canvas:
        size = len(self.confusion.classes)
        longest = min(max(len(name(one)) for one in self.confusion.classes), _MOST_LETTERS)
        many = size > MOST_WITH_TEXT
        left = 14.0 if many else 24 + 6.4 * longest
        across = (_WIDTH - left - 12) / size > 6.4 * longest + 4
        bottom = 14.0 if many else 24.0 if across else 16 + 6.4 * longest
        height = _WIDTH - left - 12 + 26 + bottom
        canvas = Canvas(x=(0, size), y=(size, 0), width=_WIDTH, height=height, left=left, bottom=bottom, top=26)
        canvas.heading("true class ↓   predicted →")
        if many:
            canvas.image(self._pixels())
        else:
            self._cells(canvas, across=across)
        canvas.rules([((0, 0), (size, 0)), ((0, size), (size, size))], "muted", 0.8)
        canvas.rules([((0, 0), (0, size)), ((size, 0), (size, size))], "muted", 0.8)
        return canvas

    def _cells(self, canvas: Canvas, *, across: bool) -> None:
        names, counts, shares = [name(c) for c in self.confusion.classes], self.confusion.counts, self.confusion.shares
        size = len(names)
        label = min(10.0, 180 / size + 2)
        below: dict[str, Any] = {"ha": "middle", "va": "top"} if across else {"upwards": True}
        for row, true in enumerate(names):
            canvas.text(shorten(true, _MOST_LETTERS), 0, row + 0.5, offset=(-5, 0), ha="end", size=label, about=true)
            canvas.text(shorten(true, _MOST_LETTERS), row + 0.5, size, offset=(0, -5), size=label, about=true, **below)
            for column, predicted in enumerate(names):
                share = shares[row, column]
                if not counts[row, column]:
                    continue
                about = f"{true} taken for {predicted}: {counts[row, column]:,} images, {100 * share:.1f} % of {true}"
                right = row == column
                shade = 0.07 + 0.75 * share
                canvas.box(column, row, 1, 1, "blue" if right else "red", alpha=shade, about=about)
                colour = "paper" if shade > 0.55 else "ink"
                canvas.text(
                    _percent(share), column + 0.5, row + 0.5, ha="middle", size=min(10.0, 150 / size), colour=colour
                )

    def _pixels(self) -> Any:
        shares = np.nan_to_num(self.confusion.shares)
        pixels = np.zeros((*shares.shape, 4), dtype=np.uint8)
        pixels[..., :3] = (213, 94, 0)
        pixels[np.arange(len(shares)), np.arange(len(shares)), :3] = _ACCENT
        pixels[..., 3] = np.where(shares > 0, 40 + 215 * np.sqrt(shares), 0)
        return pixels


def _percent(share: float) -> str:
    return "<1" if share < 0.005 else f"{100 * share:.0f}"
