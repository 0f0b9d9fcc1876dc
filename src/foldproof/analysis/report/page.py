"""Render a report as one HTML page that loads and runs nothing."""

import base64
import re
from importlib.resources import files

import jinja2
from markupsafe import Markup, escape

from foldproof.analysis.report.document import Drawing, Report
from foldproof.analysis.report.figures.palette import AS_VARIABLES
from foldproof.analysis.report.spelling import KINDS, pick_evenly, spelled

NUMERIC = frozenset(KINDS) - {"text", "name", "setting", "code"}
MOST_ROWS = 60  # of a table
_COMMAND = re.compile(r"`(foldproof [^`]+)`")


def render_page(report: Report) -> str:
    """Every text is escaped; only the figures, drawn here, and the style sheet are markup."""

    def svg(drawing: Drawing) -> Markup:
        return Markup(drawing.draw().svg(alt=drawing.alt, colours=AS_VARIABLES))  # noqa: S704 - from an XML tree, so its texts are escaped

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("foldproof.analysis.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "svg": svg,
        "spelled": spelled,
        "fewer": lambda table: pick_evenly(table.rows, MOST_ROWS),
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
