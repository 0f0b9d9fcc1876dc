"""Draw ROC or precision-recall curves in one panel."""

from dataclasses import dataclass

from foldproof.analysis.operating import Curve
from foldproof.analysis.report.figures.canvas import Canvas
from foldproof.analysis.report.spelling import PERCENT

COLOURS = ("blue", "red", "green", "purple", "orange")


@dataclass(frozen=True)
class LabelledCurve:
    """A curve and what it says; `colour` is that of `palette.LIGHT`."""

    name: str
    curve: Curve
    about: str
    colour: str = "muted"
    bold: bool = False


@dataclass(frozen=True)
class Operating:
    """`x` and `y` name the axes. `chance`: whether the diagonal, where nothing is known, is drawn."""

    title: str
    heading: str
    x: str
    curves: tuple[LabelledCurve, ...]
    chance: bool

    @property
    def alt(self) -> str:
        return f"{self.heading} against {self.x}: {len(self.curves)} curves."

    def draw(self) -> Canvas:
        canvas = Canvas(x=(0, 1), y=(0, 1.005), height=330)
        fifths = [0, 0.2, 0.4, 0.6, 0.8, 1.0]
        canvas.y_axis(self.heading, lambda value: f"{100 * value:.0f}{PERCENT}", ticks=fifths)
        canvas.x_axis(self.x, lambda value: f"{100 * value:.0f}{PERCENT}", ticks=fifths)
        if self.chance:
            canvas.line([0, 1], [0, 1], "muted", dashed=True, about="what guessing would give")
        for one in self.curves:
            width = 2.6 if one.bold else 1.4 if one.colour != "muted" else 0.8
            canvas.line(one.curve.x.tolist(), one.curve.y.tolist(), one.colour, width=width, about=one.about)
        return canvas
