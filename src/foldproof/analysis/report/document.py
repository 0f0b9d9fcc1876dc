"""Hold the report as values: sections of text, tables, figures and pictures. Nothing here knows how it will look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias


class Drawing(Protocol):
    """Something that can be drawn; `title` is shown above it, `alt` says in words what is to be seen."""

    @property
    def title(self) -> str: ...

    @property
    def alt(self) -> str: ...

    def draw(self) -> Any:
        """A `figures.canvas.Canvas`."""
        ...


@dataclass(frozen=True)
class Column:
    """`kind` says how a value is spelled: see `spelling.KINDS`."""

    key: str
    title: str
    kind: str = "text"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of plain values, spelled by whoever shows them. `folded`: shown when asked for."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One or more drawings, what they show in words, and their numbers."""

    key: str
    title: str
    caption: str
    drawings: tuple[Drawing, ...]
    data: Table
    legend: tuple[tuple[str, str], ...] = ()  # (name of a colour, what it stands for)


@dataclass(frozen=True)
class Text:
    """A paragraph; `kind` is plain, note (small print) or gap (something that is missing)."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Items:
    """A list; `kind` as of Text."""

    items: tuple[str, ...]
    kind: str = "plain"


@dataclass(frozen=True)
class Facts:
    """Terms and what they are, both text; `kind` is tiles (few, large) or list."""

    pairs: tuple[tuple[str, str], ...]
    kind: str = "list"


@dataclass(frozen=True)
class Command:
    """Something to type."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A small image as a WebP file's bytes; `mark` is set large, `text` small below it, `about` says all of it."""

    content: bytes
    mark: str
    text: str
    about: str


@dataclass(frozen=True)
class Pictures:
    """Pictures under headings, such as their true class."""

    key: str
    title: str
    groups: tuple[tuple[str, tuple[Picture, ...]], ...]
    note: str = ""


@dataclass(frozen=True)
class Beside:
    """Two blocks that stand side by side where there is room."""

    first: "Block"
    second: "Block"


Block: TypeAlias = Table | Figure | Text | Items | Facts | Command | Pictures | Beside


@dataclass(frozen=True)
class Section:
    """A part of the report; `lead` says in a sentence what to look for, `short` is a shorter title."""

    key: str
    title: str
    lead: str
    blocks: tuple[Block, ...]
    short: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that a report shows. `headline` is the verdict, `detail` what stands in brackets behind it.

    `results` is the least table that says what came out.
    """

    title: str
    word: str
    headline: str
    detail: str
    sections: tuple[Section, ...]
    results: Table
    made_by: str
    summary: Mapping[str, Any] = field(default_factory=dict)  # the comparison as plain values
