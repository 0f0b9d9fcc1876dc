"""Draw marks as an SVG whose texts are text and whose marks carry titles.

Sizes are in points. Texts are written as SVG has them, so that the reader's fonts apply.
"""

import base64
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import PIL.Image

from foldproof.analysis.report.figures.palette import LIGHT
from foldproof.analysis.report.spelling import pick_evenly

SMALL, USUAL = 10.0, 11.0
_DROP = {"top": 0.8, "center": 0.35, "bottom": -0.2}  # of the baseline below the place, in sizes
_FONTS = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
_MOST_POINTS = 200  # of a line
_RASTER, _RULES, _BANDS, _BOXES, _LINES, _DOTS, _TEXTS = range(7)  # from the lowest to the highest


class Canvas:
    """One panel; its scales are `x` from left to right and `y` from below. Colours are names of `palette.LIGHT`."""

    def __init__(
        self,
        *,
        x: tuple[float, float],
        y: tuple[float, float],
        width: float = 380,
        height: float = 250,
        left: float = 46,
        right: float = 12,
        top: float = 26,
        bottom: float = 34,
    ) -> None:
        self.size = (width, height)
        self.x, self.y = x, y
        self._left, self._top = left, top
        self._inner = (width - left - right, height - top - bottom)
        self._marks: list[tuple[int, ET.Element]] = []

    def x_axis(
        self, title: str, spell: Callable[[float], str], *, ticks: Sequence[float] | None = None, grid: bool = False
    ) -> None:
        """Ticks below, and what they mean."""
        at = _ticks(self.x, ticks)
        if grid:
            self.rules([((t, self.y[0]), (t, self.y[1])) for t in at], "line", 0.8)
        for t in at:
            self.text(spell(t), t, self.y[0], offset=(0, -6), colour="muted", size=SMALL, ha="middle", va="top")
        middle = self._left + self._inner[0] / 2
        self._words(title, (middle, self.size[1] - 5), "muted", SMALL, ha="middle", va="bottom")

    def y_axis(self, title: str, spell: Callable[[float], str], *, ticks: Sequence[float] | None = None) -> None:
        """Ticks on the left with quiet lines across, and what they mean, above."""
        at = _ticks(self.y, ticks)
        self.rules([((self.x[0], t), (self.x[1], t)) for t in at], "line", 0.8)
        for t in at:
            self.text(spell(t), self.x[0], t, offset=(-6, 0), colour="muted", size=SMALL, ha="end")
        if title:
            self.heading(title)

    def heading(self, text: str) -> None:
        """A few words at the top left."""
        self._words(text, (4, 5), "ink", USUAL, va="top")

    def line(
        self,
        x: Sequence[float],
        y: Sequence[float],
        colour: str,
        *,
        width: float = 1.0,
        alpha: float = 1.0,
        dashed: bool = False,
        about: str = "",
    ) -> None:
        """A line through the points that are numbers; a lone one is a dot."""
        known = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(a) and math.isfinite(b)]
        if len(known) == 1:
            self._circle(_LINES, known[0], (3 + width) / 2, about, fill=colour, opacity=alpha)
        elif known:
            look = {"fill": "none", "stroke": colour, "stroke-width": width, "opacity": alpha}
            look |= {"stroke-dasharray": "4 3"} if dashed else {}
            self._add(_LINES, "polyline", about, points=self._points(pick_evenly(known, _MOST_POINTS)), **look)

    def rules(
        self, pieces: Sequence[tuple[tuple[float, float], tuple[float, float]]], colour: str, width: float
    ) -> None:
        """Straight pieces from point to point, below everything else."""
        look: dict[str, Any] = {"stroke": colour, "stroke-width": width}
        for piece in pieces:
            self._add(_RULES, "polyline", points=self._points(piece), **look)

    def band(self, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str, alpha: float) -> None:
        """The area between two lines, where both are numbers."""
        known = [(a, b, c) for a, b, c in zip(x, low, high, strict=True) if math.isfinite(b) and math.isfinite(c)]
        shown = pick_evenly(known, _MOST_POINTS)
        if len(shown) > 1:
            outline = [*((a, b) for a, b, _ in shown), *((a, c) for a, _, c in reversed(shown))]
            self._add(_BANDS, "polygon", points=self._points(outline), fill=colour, opacity=alpha)

    def box(
        self, x: float, y: float, width: float, height: float, colour: str, *, alpha: float = 1.0, about: str = ""
    ) -> None:
        """A filled rectangle."""
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        self._add(_BOXES, "polygon", about, points=self._points(corners), fill=colour, opacity=alpha)

    def dot(self, x: float, y: float, colour: str, *, size: float = 6.5, hollow: bool = False, about: str = "") -> None:
        """A round mark."""
        fill, stroke = ("paper", colour) if hollow else (colour, "paper")
        look = {"fill": fill, "stroke": stroke, "stroke-width": 1.6 if hollow else 0.8}
        self._circle(_DOTS, (x, y), size / 2, about, **look)

    def text(
        self,
        text: str,
        x: float,
        y: float,
        *,
        colour: str = "ink",
        size: float = USUAL,
        offset: tuple[float, float] = (0, 0),
        ha: str = "start",
        va: str = "center",
        upwards: bool = False,
        about: str = "",
    ) -> None:
        """Words at a place of the scales, moved by `offset` points; `upwards` turns them to be read from below."""
        left, top = self._place(x, y)
        at = (left + offset[0], top - offset[1])
        self._words(text, at, colour, size, ha="end" if upwards else ha, va=va, upwards=upwards, about=about)

    def image(self, pixels: Any) -> None:
        """A raster over the whole panel: [row from the top, column, rgba] uint8."""
        file = io.BytesIO()
        PIL.Image.fromarray(pixels).save(file, format="PNG")
        width, height = self._inner
        place: dict[str, Any] = {
            "x": self._left,
            "y": self._top,
            "width": width,
            "height": height,
            "preserveAspectRatio": "none",
        }
        href = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
        self._add(_RASTER, "image", style="image-rendering: pixelated", href=href, **place)

    def svg(self, *, alt: str, colours: Mapping[str, str] = LIGHT, alone: bool = False) -> str:
        """The SVG element, with colours as `colours` has them by name; with `alone` a file with a background."""
        width, height = self.size
        root = ET.Element("svg", {"viewBox": f"0 0 {width:g} {height:g}", "role": "img", "aria-label": alt})
        if alone:
            root.attrib |= {"xmlns": "http://www.w3.org/2000/svg", "font-family": _FONTS}
            root.attrib |= {"width": f"{width:g}", "height": f"{height:g}"}
            ET.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
        for _, mark in sorted(self._marks, key=lambda mark: mark[0]):
            drawn = ET.SubElement(root, mark.tag, {key: colours.get(value, value) for key, value in mark.items()})
            drawn.text = mark.text
            drawn.extend(mark)
        return ET.tostring(root, encoding="unicode", short_empty_elements=True)

    def _words(
        self,
        text: str,
        at: tuple[float, float],
        colour: str,
        size: float,
        *,
        ha: str = "start",
        va: str,
        upwards: bool = False,
        about: str = "",
    ) -> None:
        """Words at a place in points from the upper left corner."""
        turned = " rotate(-90)" if upwards else ""
        look = {"transform": f"translate({at[0]:.2f} {at[1]:.2f}){turned}", "font-size": size, "text-anchor": ha}
        self._add(_TEXTS, "text", about, y=_DROP[va] * size, fill=colour, **look).text = text

    def _place(self, x: float, y: float) -> tuple[float, float]:
        """In points from the upper left corner."""
        across, down = (x - self.x[0]) / (self.x[1] - self.x[0]), (self.y[1] - y) / (self.y[1] - self.y[0])
        return self._left + across * self._inner[0], self._top + down * self._inner[1]

    def _points(self, points: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{x:.2f},{y:.2f}" for x, y in (self._place(*point) for point in points))

    def _circle(self, depth: int, at: tuple[float, float], radius: float, about: str, **look: Any) -> None:
        x, y = self._place(*at)
        self._add(depth, "circle", about, cx=x, cy=y, r=radius, **look)

    def _add(self, depth: int, tag: str, about: str = "", **attributes: Any) -> ET.Element:
        """A mark; `about` is said where one points at it."""
        spelled = {
            key: f"{round(value, 2):g}" if isinstance(value, float) else str(value) for key, value in attributes.items()
        }
        mark = ET.Element(tag, spelled)
        if about:
            ET.SubElement(mark, "title").text = about
        self._marks.append((depth, mark))
        return mark


def shorten(text: str, most: int) -> str:
    """`text` with at most `most` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def room(
    values: Iterable[float], *, least: float, low: float = -math.inf, high: float = math.inf
) -> tuple[float, float]:
    """A scale with all the numbers in it and some air: at least `least` wide, within `low` and `high`."""
    known = [value for value in values if math.isfinite(value)] or [0.0]
    first, last = min(known), max(known)
    air = max((least - (last - first)) / 2, 0.06 * (last - first))
    first, last = first - air, last + air
    if last > high:
        first, last = max(first - (last - high), low), high
    if first < low:
        first, last = low, min(last + (low - first), high)
    return first, last


def _ticks(scale: tuple[float, float], wanted: Sequence[float] | None) -> list[float]:
    """Those wanted that lie on the scale, else a few round numbers."""
    low, high = sorted(scale)
    if wanted is not None:
        return [tick for tick in wanted if low <= tick <= high]
    power = 10.0 ** math.floor(math.log10((high - low) / 5))
    step = power * next(s for s in (1, 2, 2.5, 5, 10) if 5 * s * power >= (high - low) * (1 - 1e-9))
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
