"""Render a report as a Markdown page with its figures beside it."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from foldproof.analysis.report.document import (
    Beside,
    Block,
    Column,
    Command,
    Facts,
    Figure,
    Items,
    Pictures,
    Report,
    Table,
    Text,
)
from foldproof.analysis.report.page import MOST_ROWS, NUMERIC
from foldproof.analysis.report.spelling import pick_evenly, spelled

_COMMAND = re.compile(r"(`foldproof [^`|<>]+`)")
_SPACE = re.compile(r"(?:(?![\u00a0\u202f])\s)+")  # all but what keeps a unit by its number
_SPECIAL = re.compile(
    r"[\\`*{}\[\]<>#|~$&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\.|^[-+](?=\s)|(?<=^\d)[.)](?=\s)",
    re.IGNORECASE,
)


def render_markdown(report: Report, *, folder: str) -> tuple[str, dict[str, bytes]]:
    """The text, and the files it shows by name; `folder` is where they will lie, relative to the text."""
    files: dict[str, bytes] = {}
    lines = [
        f"# {_plain(report.headline[:1].upper() + report.headline[1:])}",
        "",
        *([_plain(report.detail), ""] if report.detail else []),
        f"{_plain(report.title)}. Made by {report.made_by}.",
        "",
    ]
    for section in report.sections:
        lines += [f"## {_plain(section.title)}", ""]
        lines += [_plain(section.lead), ""] if section.lead else []
        for block in section.blocks:
            lines += [*_block(block, folder, files), ""]
    lines += ["## Results", "", *_table(report.results)]
    return "\n".join(lines).rstrip("\n") + "\n", files


def _block(block: Block, folder: str, files: dict[str, bytes]) -> Iterator[str]:
    match block:
        case Table():
            yield from _folded(block) if block.folded else (f"### {_plain(block.title)}", "", *_table(block))
        case Figure():
            yield from _figure(block, folder, files)
        case Pictures():
            yield from _pictures(block, folder, files)
        case Text():
            yield f"> {_plain(block.text)}" if block.kind == "gap" else _plain(block.text)
        case Items():
            yield from (f"- {_plain(item)}" for item in block.items)
        case Facts():
            yield from ("| | |", "|---|---|")
            yield from (f"| {_plain(term)} | {_plain(text)} |" for term, text in block.pairs)
        case Beside():
            yield from (*_block(block.first, folder, files), "", *_block(block.second, folder, files))
        case Command():
            yield from ("```console", f"$ {block.text}", "```")


def _figure(figure: Figure, folder: str, files: dict[str, bytes]) -> Iterator[str]:
    yield from (f"### {_plain(figure.title)}", "")
    for number, drawing in enumerate(figure.drawings):
        name = f"{figure.key}-{number}.svg" if len(figure.drawings) > 1 else f"{figure.key}.svg"
        files[name] = drawing.draw().svg(alt=drawing.alt, alone=True).encode()
        if drawing.title != figure.title:
            yield from (f"**{_plain(drawing.title)}**", "")
        yield from (f"![{_plain(drawing.alt)}]({PurePosixPath(folder, name)})", "")
    if figure.legend:
        yield from (f"Colours: {'; '.join(f'{colour}: {_plain(text)}' for colour, text in figure.legend)}.", "")
    yield from (_plain(figure.caption), "")
    yield from _folded(figure.data)


def _pictures(pictures: Pictures, folder: str, files: dict[str, bytes]) -> Iterator[str]:
    yield from (f"### {_plain(pictures.title)}", "", _plain(pictures.note), "")
    number = 0
    for title, some in pictures.groups:
        yield from (f"**{_plain(title)}**", "")
        for picture in some:
            name = f"{pictures.key}-{number:02}.webp"
            number += 1
            files[name] = picture.content
            yield f"![{_plain(picture.about)}]({PurePosixPath(folder, name)}) {_plain(picture.mark)} {picture.text}"
        yield ""


def _folded(table: Table) -> Iterator[str]:
    yield from ("<details>", f"<summary>{_html(table.title)}</summary>", "", *_table(table), "", "</details>")


def _table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(_plain(column.title) for column in table.columns)} |"
    yield f"|{'|'.join('---:' if column.kind in NUMERIC else '---' for column in table.columns)}|"
    shown = pick_evenly(table.rows, MOST_ROWS)
    for row in shown:
        yield f"| {' | '.join(_cell(value, column) for value, column in zip(row, table.columns, strict=True))} |"
    if len(shown) < len(table.rows):
        yield from ("", f"{len(shown)} of {len(table.rows)} rows, evenly spaced.")
    if table.note:
        yield from ("", _plain(table.note))


def _cell(value: object, column: Column) -> str:
    return _plain(spelled(value, column.kind))


def _plain(text: str) -> str:
    """`text` as Markdown shows it: nothing in it is markup, but for commands of this program."""
    parts = _COMMAND.split(_SPACE.sub(" ", text).strip())
    return "".join(part if at % 2 else _SPECIAL.sub(r"\\\g<0>", part) for at, part in enumerate(parts))


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
