"""Render a report as one HTML page that loads and runs nothing."""

import base64
import re
from importlib.resources import files
from itertools import count
from typing import Any

import jinja2
from markupsafe import Markup, escape

from foldproof.analysis.report.document import Drawing, Report, Table
from foldproof.analysis.report.spelling import KINDS, spelled

NUMERIC = frozenset(KINDS) - {"text", "name", "setting", "code"}
MOST_ROWS = 60  # of a table
_COMMAND = re.compile(r"`(foldproof [^`]+)`")


def render_page(report: Report) -> str:
    """Every text is escaped; only the figures, drawn here, and the style sheet are markup."""
    from foldproof.analysis.report.figures.palette import AS_VARIABLES

    numbers = count(1)

    def svg(drawing: Drawing) -> Markup:
        drawn = drawing.draw().svg(prefix=f"f{next(numbers)}-", alt=drawing.alt, colours=AS_VARIABLES)
        return Markup(drawn)  # noqa: S704 - from an XML tree, so its texts are escaped

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("foldproof.analysis.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "svg": svg,
        "spelled": spelled,
        "fewer": fewer_rows,
        "kind": lambda block: type(block).__name__,
        "code": _code,
        "base64": lambda content: base64.b64encode(content).decode("ascii"),
    }
    style = files("foldproof.analysis.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    page = environment.get_template("page.html.jinja")
    return page.render(report=report, numeric=NUMERIC, style=Markup(style))  # noqa: S704 - our own file


def _code(text: str) -> Markup:
    """Commands between backticks, as the program's own sentences have them, as code; all else escaped."""
    parts = _COMMAND.split(text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if at % 2 else escape(p) for at, p in enumerate(parts))


def fewer_rows(table: Table, most: int = MOST_ROWS) -> tuple[tuple[Any, ...], ...]:
    """At most `most` of the rows, evenly spaced, among them the first and the last."""
    if len(table.rows) <= most:
        return table.rows
    step = (len(table.rows) - 1) / (most - 1)
    return tuple(table.rows[round(index * step)] for index in range(most))
