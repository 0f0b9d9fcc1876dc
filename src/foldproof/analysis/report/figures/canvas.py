"""Draw on matplotlib and return an SVG whose texts are text and whose marks carry titles.

Sizes are in points, of which 72 make an inch. Scales are drawn here: matplotlib's axes take four times as long, and a
report has dozens. Texts are written as SVG has them, so that the reader's fonts and no mathematics apply.
"""

import base64
import copy
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import PIL.Image
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D

from foldproof.analysis.report.figures.palette import AS_COLOURS, STAND_INS

SMALL, USUAL = 10.0, 11.0
_ANCHOR = {"left": "start", "center": "middle", "right": "end"}
_DROP = {"top": 0.8, "center": 0.35, "bottom": -0.2}  # of the baseline below the place, in sizes
_FONTS = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
_MOST_POINTS = 200  # of a line
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "foldproof",
    "path.simplify": True,
}
_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_ABOUT = "about"


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
        self._inner = (width - left - right, height - top - bottom)
        self._middle = left + self._inner[0] / 2
        self._per_x, self._per_y = self._inner[0] / (x[1] - x[0]), self._inner[1] / (y[1] - y[0])
        self._scales = Affine2D().translate(-x[0], -y[0]).scale(self._per_x, self._per_y).translate(left, bottom)
        self._figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
        FigureCanvasSVG(self._figure)
        self._about: list[str] = []
        self._raster: ET.Element | None = None
        self._texts: list[ET.Element] = []

    def x_axis(
        self, title: str, spell: Callable[[float], str], *, ticks: Sequence[float] | None = None, grid: bool = False
    ) -> None:
        """Ticks below, and what they mean."""
        low, high = sorted(self.x)
        at = [t for t in (_ticks(low, high) if ticks is None else ticks) if low <= t <= high]
        if grid:
            self.rules([((t, self.y[0]), (t, self.y[1])) for t in at], "line", 0.8)
        for t in at:
            self.text(spell(t), t, self.y[0], offset=(0, -6), colour="muted", size=SMALL, ha="center", va="top")
        self._words(title, (self._middle, 5), "muted", SMALL, ha="center", va="bottom")

    def y_axis(self, title: str, spell: Callable[[float], str], *, ticks: Sequence[float] | None = None) -> None:
        """Ticks on the left with quiet lines across, and what they mean, above."""
        low, high = sorted(self.y)
        at = [t for t in (_ticks(low, high) if ticks is None else ticks) if low <= t <= high]
        self.rules([((self.x[0], t), (self.x[1], t)) for t in at], "line", 0.8)
        for t in at:
            self.text(spell(t), self.x[0], t, offset=(-6, 0), colour="muted", size=SMALL, ha="right")
        if title:
            self.heading(title)

    def heading(self, text: str) -> None:
        """A few words at the top left."""
        self._words(text, (4, self.size[1] - 5), "ink", USUAL, ha="left", va="top")

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
        xs, ys = _thinned(x, y)
        self._add(
            Line2D(
                xs,
                ys,
                color=STAND_INS[colour],
                linewidth=width,
                alpha=alpha,
                linestyle=(0, (4, 3)) if dashed else "-",
                marker="o" if len(xs) == 1 else None,
                markersize=3 + width,
                solid_joinstyle="round",
                solid_capstyle="round",
                zorder=2,
            ),
            about,
        )

    def rules(
        self, pieces: Sequence[tuple[tuple[float, float], tuple[float, float]]], colour: str, width: float
    ) -> None:
        """Straight pieces from point to point, below everything else."""
        if pieces:
            self._add(LineCollection(pieces, colors=STAND_INS[colour], linewidths=width, zorder=0.5))

    def band(self, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str, alpha: float) -> None:
        """The area between two lines, where both are numbers."""
        known = [(a, b, c) for a, b, c in zip(x, low, high, strict=True) if math.isfinite(b) and math.isfinite(c)]
        if len(known) > 1:
            a, b, c = zip(*_thinned_rows(known), strict=True)
            outline = [*zip(a, b, strict=True), *zip(reversed(a), reversed(c), strict=True)]
            self._add(Polygon(outline, color=STAND_INS[colour], alpha=alpha, linewidth=0, zorder=0.8))

    def box(
        self, x: float, y: float, width: float, height: float, colour: str, *, alpha: float = 1.0, about: str = ""
    ) -> None:
        """A filled rectangle."""
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        self._add(Polygon(corners, facecolor=STAND_INS[colour], alpha=alpha, linewidth=0, zorder=0.9), about)

    def dot(self, x: float, y: float, colour: str, *, size: float = 6.5, hollow: bool = False, about: str = "") -> None:
        """A round mark."""
        self._add(
            Line2D(
                [x],
                [y],
                linestyle="none",
                marker="o",
                markersize=size,
                markerfacecolor=STAND_INS["paper" if hollow else colour],
                markeredgecolor=STAND_INS[colour if hollow else "paper"],
                markeredgewidth=1.6 if hollow else 0.8,
                zorder=4,
            ),
            about,
        )

    def text(
        self,
        text: str,
        x: float,
        y: float,
        *,
        colour: str = "ink",
        size: float = USUAL,
        offset: tuple[float, float] = (0, 0),
        ha: str = "left",
        va: str = "center",
        upwards: bool = False,
        about: str = "",
    ) -> None:
        """Words at a place of the scales, moved by `offset` points; `upwards` turns them to be read from below."""
        left, below = self._scales.transform((x, y))
        at = (float(left) + offset[0], float(below) + offset[1])
        self._words(text, at, colour, size, ha="right" if upwards else ha, va=va, upwards=upwards, about=about)

    def image(self, pixels: Any, *, about: str = "") -> None:
        """A raster over the whole panel: [row from the top, column, rgba] uint8."""
        file = io.BytesIO()
        PIL.Image.fromarray(pixels).save(file, format="PNG")
        left, top = self._scales.transform((self.x[0], self.y[1]))
        place = {"x": left, "y": self.size[1] - top, "width": self._inner[0], "height": self._inner[1]}
        raster = ET.Element("image", {key: f"{value:g}" for key, value in place.items()})
        raster.attrib |= {"preserveAspectRatio": "none", "style": "image-rendering: pixelated"}
        raster.attrib["href"] = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
        if about:
            ET.SubElement(raster, "title").text = about
        self._raster = raster

    def svg(self, *, prefix: str, alt: str, colours: Mapping[str, str] = AS_COLOURS, alone: bool = False) -> str:
        """The SVG element; with `alone` a file with a background. Ids begin with `prefix`, one to a page."""
        file = io.BytesIO()
        with mpl.rc_context(_STYLE):
            self._figure.canvas.print_svg(file, metadata=_METADATA)  # type: ignore[attr-defined]
        root = ET.fromstring(file.getvalue())  # noqa: S314 - our own
        root.extend(copy.deepcopy(self._texts))
        _rewrite(root, prefix=prefix, about=self._about, colours=colours)
        if self._raster is not None:
            root.insert(0, self._raster)
        width, height = self.size
        root.attrib.clear()
        root.attrib |= {"viewBox": f"0 0 {width:g} {height:g}", "role": "img", "aria-label": alt}
        if alone:
            root.attrib |= {
                "xmlns": "http://www.w3.org/2000/svg",
                "font-family": _FONTS,
                "width": f"{width:g}",
                "height": f"{height:g}",
            }
            root.insert(0, ET.Element("rect", {"width": "100%", "height": "100%", "fill": "#ffffff"}))
        return ET.tostring(root, encoding="unicode", short_empty_elements=True)

    def _words(
        self,
        text: str,
        at: tuple[float, float],
        colour: str,
        size: float,
        *,
        ha: str,
        va: str,
        upwards: bool = False,
        about: str = "",
    ) -> None:
        """Words at a place in points from the lower left corner."""
        x, y = at[0], self.size[1] - at[1]
        turned = " rotate(-90)" if upwards else ""
        words = ET.Element(
            "text",
            {
                "transform": f"translate({x:.2f} {y:.2f}){turned}",
                "y": f"{_DROP[va] * size:.2f}",
                "style": f"font-size: {size:g}px; text-anchor: {_ANCHOR[ha]}; fill: {STAND_INS[colour]}",
            },
        )
        words.text = text
        if about:
            ET.SubElement(words, "title").text = about
        self._texts.append(words)

    def _add(self, artist: Any, about: str = "") -> None:
        artist.set_transform(self._scales)
        self._figure.add_artist(artist)
        if about:
            artist.set_gid(f"{_ABOUT}-{len(self._about)}")
            self._about.append(about)


def short(text: str, most: int) -> str:
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


def _ticks(low: float, high: float) -> list[float]:
    return [float(t) for t in MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]


def _thinned(x: Sequence[float], y: Sequence[float]) -> tuple[list[float], list[float]]:
    rows = _thinned_rows([(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(a) and math.isfinite(b)])
    return [a for a, _ in rows], [b for _, b in rows]


def _thinned_rows(rows: list[Any]) -> list[Any]:
    if len(rows) <= _MOST_POINTS:
        return rows
    step = (len(rows) - 1) / (_MOST_POINTS - 1)
    return [rows[round(index * step)] for index in range(_MOST_POINTS)]


_COLOUR = re.compile(r"#[0-9a-f]{6}")


def _rewrite(root: ET.Element, *, prefix: str, about: list[str], colours: Mapping[str, str]) -> None:
    """Namespaces dropped, ids prefixed or dropped, colours replaced, and what a mark says put into its title."""
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    used = {ref for e in root.iter() for value in e.attrib.values() for ref in re.findall(r"#([\w-]+)", value)}
    for element in root.iter():
        element.tag = _local(element.tag)
        name = element.attrib.pop("id", "")
        element.attrib = {_local(key): _value(key, value, prefix, colours) for key, value in element.attrib.items()}
        if name in used:
            element.attrib["id"] = prefix + name
        kind, _, number = name.partition("-")
        if kind == _ABOUT:
            title = ET.Element("title")
            title.text = about[int(number)]
            element.insert(0, title)


def _value(key: str, value: str, prefix: str, colours: Mapping[str, str]) -> str:
    if _local(key) == "style":
        value = _COLOUR.sub(lambda match: colours.get(match[0], match[0]), value)
        return _prefixed(value, prefix)
    if _local(key) == "d":
        return " ".join(value.split())
    return _prefixed(value, prefix) if _local(key) in ("href", "clip-path") else value


def _prefixed(value: str, prefix: str) -> str:
    if value.startswith("data:"):
        return value
    return re.sub(r"(?<=url\(#)|(?<=^#)", prefix, value)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
