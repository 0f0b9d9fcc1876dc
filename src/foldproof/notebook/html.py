"""Render cells of text as an HTML table for a notebook, every text escaped. Pure."""

from collections.abc import Sequence

from markupsafe import Markup, escape


def table(rows: Sequence[Sequence[object]]) -> str:
    """A table whose first row is the header."""
    header, *others = rows
    head = Markup("").join(Markup("<th>{}</th>").format(cell) for cell in header)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in others
    )
    return str(Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, body))


def paragraph(text: str, *, strong: bool = False) -> str:
    """A sentence below a table."""
    said = Markup("<b>{}</b>").format(text) if strong else escape(text)
    return str(Markup("<p>{}</p>").format(said))
