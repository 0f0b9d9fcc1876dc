"""Draw a reliability diagram: confidence against the share of right answers."""

from dataclasses import dataclass

from foldproof.analysis.reliability import Reliability
from foldproof.analysis.report.figures.canvas import Canvas
from foldproof.analysis.report.spelling import PERCENT


@dataclass(frozen=True)
class Diagram:
    """Bars at the accuracy of each bin of confidence, a strip below with how many images lie in it."""

    title: str
    reliability: Reliability

    @property
    def alt(self) -> str:
        return "Reliability diagram: how often predictions were right, by how confident they were."

    def draw(self) -> Canvas:
        canvas = Canvas(x=(0, 1), y=(-0.14, 1.005), height=330)
        fifths = [0, 0.2, 0.4, 0.6, 0.8, 1.0]
        canvas.y_axis("how often right", lambda value: f"{100 * value:.0f}{PERCENT}", ticks=fifths)
        canvas.x_axis("how confident", lambda value: f"{100 * value:.0f}{PERCENT}", ticks=fifths)
        most = max(one.images for one in self.reliability.bins)
        for one in self.reliability.bins:
            if not one.images:
                continue
            about = (
                f"{100 * one.low:.0f} to {100 * one.high:.0f} % confident: {one.images:,} images,"
                f" right in {100 * one.accuracy:.1f} %, said {100 * one.confidence:.1f} %"
            )
            width = one.high - one.low
            canvas.box(one.low + 0.04 * width, 0, 0.92 * width, one.accuracy, "blue", alpha=0.55, about=about)
            share = 0.11 * one.images / most
            canvas.box(one.low + 0.04 * width, -0.02 - share, 0.92 * width, share, "muted", alpha=0.6, about=about)
            canvas.dot(one.confidence, one.accuracy, "blue", size=5.5, about=about)
        canvas.line([0, 1], [0, 1], "muted", dashed=True, about="as often right as confident")
        return canvas
