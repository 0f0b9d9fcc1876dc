"""Find a table whose rows are pixels, and suggest the lines that turn it into pictures."""

import csv
import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from foldproof.data.tables.usual import usual_column
from foldproof.scaffold.typed import python_line

_SUFFIXES = (".csv", ".tsv", ".txt")
_MOST_LINE = 2_000_000  # characters of a row
_LEAST_EDGE = 8  # of a picture, in pixels


class PixelTable(NamedTuple):
    """`shape`: width, height and channels of a picture; `label`: the place of its class in a row; `pixels`: Python that
    takes them out of a row `r`.
    """

    file: Path
    shape: tuple[int, int, int]
    label: int
    pixels: str
    has_header: bool

    @property
    def said(self) -> str:
        width, height, channels = self.shape
        colours = f" in {channels} channels" if channels > 1 else ""
        return (
            f"{self.file.name} holds pixels, a picture of {width} x {height}{colours} in each row: no files of images"
        )

    @property
    def way(self) -> str:
        """What to type, to have a folder `images` with one for each class."""
        width, height, channels = self.shape
        rows = f"list(csv.reader(open({self.file.name!r})))[{int(self.has_header)}:]"
        code = (
            f"import csv,pathlib as p,PIL.Image as I; [(f:=p.Path('images',p.Path(r[{self.label}]).name,f'{{n}}.png'), "
            f"f.parent.mkdir(parents=True,exist_ok=True), I.frombytes('{'RGB' if channels == 3 else 'L'}',"
            f"({width},{height}),bytes(map(int,{self.pixels}))).save(f)) for n,r in enumerate({rows})]"
        )
        return python_line(code)


def pixel_table_in(folder: Path) -> PixelTable | None:
    """The largest table in `folder` of which each row is a labelled picture; None without one."""
    files = [file for file in folder.glob("*.*") if file.suffix.lower() in _SUFFIXES and file.is_file()]
    for file in sorted(files, key=lambda file: (-file.stat().st_size, file.name)):
        with suppress(OSError, ValueError, csv.Error):
            if (found := _pixel_table(file)) is not None:
                return found
    return None


def _pixel_table(file: Path) -> PixelTable | None:
    with file.open(encoding="utf-8", newline="") as stream:
        lines = [stream.readline(_MOST_LINE) for _ in range(2)]
    first, second = (next(iter(csv.reader([line])), []) for line in lines)
    if len(first) != len(second):
        return None
    has_header = not all(map(_is_byte, first[1:-1] or first))
    usual = usual_column("label", first) if has_header else ""
    for at, cell in enumerate(second):
        if (shape := _shape(len(cell.split()))) and all(map(_is_byte, cell.split())):
            others = [place for place in range(len(first)) if place != at]
            return PixelTable(file, shape, first.index(usual) if usual else others[0], f"r[{at}].split()", has_header)
    return _of_columns(file, second, first.index(usual) if usual else None, has_header=has_header)


def _of_columns(file: Path, cells: Sequence[str], label: int | None, *, has_header: bool) -> PixelTable | None:
    """A pixel a column, and the class before or after them."""
    for place in (0, len(cells) - 1) if label is None else (label,):
        rest = range(1, len(cells)) if place == 0 else range(len(cells) - 1)
        shape = _shape(len(rest))
        if place in (0, len(cells) - 1) and shape and all(_is_byte(cells[at]) for at in rest):
            return PixelTable(file, shape, place, f"r[{rest.start}:{rest.stop}]", has_header)
    return None


def _shape(count: int) -> tuple[int, int, int] | None:
    for channels in (1, 3):
        edge = math.isqrt(count // channels)
        if edge >= _LEAST_EDGE and edge * edge * channels == count:
            return edge, edge, channels
    return None


def _is_byte(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4 and int(text) < 256
