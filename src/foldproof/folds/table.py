"""Write assignments as folds.csv, for people and pandas, and read them back. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from foldproof.data.dataset import Dataset
from foldproof.errors import DamagedFile
from foldproof.folds.cut import STRATIFIED, Assignment, Scheme

SCHEMA_VERSION = 2  # 1, still written where all folds are stratified, had no `scheme`
COLUMNS = ("v", "k", "seed", "repeat", "fold", "sha256", "label", "group", "path")
WITH_SCHEME = (*COLUMNS, "scheme")
_SHA256 = re.compile("[0-9a-f]{64}")


class Row(NamedTuple):
    """A line of folds.csv. A tuple and no dataclass, for there may be a million and they are sorted."""

    k: int
    seed: int
    repeat: int
    sha256: str
    label: str
    path: str
    group: str
    fold: int
    scheme: str = STRATIFIED


def make_rows(dataset: Dataset, scheme: Scheme, assignment: Assignment) -> list[Row]:
    return [
        Row(scheme.k, scheme.seed, assignment.repeat, s.sha256, s.label, s.path, s.group, fold, scheme.name)
        for s, fold in zip(dataset.samples, assignment.fold_of.tolist(), strict=True)
    ]


def known_folds(rows: Iterable[Row], scheme: Scheme, repeat: int) -> dict[str, int]:
    """Content hash to fold, of one repeat of one scheme."""
    return {row.sha256: row.fold for row in rows_of(rows, scheme, repeat)}


def rows_of(rows: Iterable[Row], scheme: Scheme, repeat: int) -> list[Row]:
    """The rows of one repeat of one scheme."""
    wanted = (scheme.k, scheme.seed, repeat)
    return [row for row in rows if row[:3] == wanted and row.scheme == scheme.name]


def merge(old: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """The old rows brought up to date: rows of images that are gone stay, so that they come back to their fold.

    Folds that the data define replace their old rows.
    """
    fresh = list(new)
    current = {(*row[:4], row.scheme) for row in fresh}
    said = {row.scheme for row in fresh} - {STRATIFIED}
    gone = {
        (*row[:6], row.scheme): row for row in old if (*row[:4], row.scheme) not in current and row.scheme not in said
    }
    return sorted([*gone.values(), *fresh])


def to_csv(rows: Iterable[Row]) -> str:
    """The content of folds.csv, with a newline at the end of each line."""
    lines = _Lines()
    writer = csv.writer(lines, lineterminator="\r\n")  # quotes what holds either character, as a reader needs
    rows = list(rows)
    version, columns = (1, COLUMNS) if all(row.scheme == STRATIFIED for row in rows) else (SCHEMA_VERSION, WITH_SCHEME)
    writer.writerow(columns)
    writer.writerows(
        (version, k, seed, repeat, fold, sha256, label, group, path, scheme)[: len(columns)]
        for k, seed, repeat, sha256, label, path, group, fold, scheme in rows
    )
    return "".join(lines)


class _Lines(list[str]):
    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


def from_csv(text: str) -> list[Row]:
    """The rows that `to_csv` wrote. Raises DamagedFile with the line that is not one."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))  # a spreadsheet's mark of UTF-8
    header = tuple(_next_line(reader, 1) or ())
    if header not in (COLUMNS, WITH_SCHEME):
        known = f"foldproof keeps the folds that it makes here: {', '.join(COLUMNS)}"
        raise DamagedFile(
            f"folds.csv has the columns {', '.join(header) or '(none)'}; {known}",
            next_step="restore it from git; folds of your own go into a file of another name, which folds.file names",
        )
    rows: list[Row] = []
    heads: dict[tuple[str, ...], tuple[int, int, int, int]] = {}
    texts: dict[str, str] = {}  # each kept once, for every partition repeats the names of all images
    while (values := _next_line(reader, reader.line_num + 1)) is not None:
        try:
            *numbers, sha256, label, group, path = values[: len(COLUMNS)]
            if len(values) != len(header):
                raise ValueError(f"{len(values)} cells, but {len(header)} columns")
            head = tuple(numbers)
            if head not in heads:
                heads[head] = _head(*head, newest=SCHEMA_VERSION if header == WITH_SCHEME else 1)
            if sha256 not in texts and not _SHA256.fullmatch(sha256):
                raise ValueError(f"{sha256[:80]!r} is not a SHA-256")
        except (ValueError, TypeError) as error:
            raise _not_a_row(reader.line_num, error) from error
        k, seed, repeat, fold = heads[head]
        sha256, label, path, group = [texts.setdefault(text, text) for text in (sha256, label, path, group)]
        scheme = texts.setdefault(values[-1], values[-1]) if header == WITH_SCHEME else STRATIFIED
        rows.append(Row(k, seed, repeat, sha256, label, path, group, fold, scheme))
    return rows


def _head(version: str, k: str, seed: str, repeat: str, fold: str, *, newest: int) -> tuple[int, int, int, int]:
    if int(version) > newest:
        raise ValueError(f"schema version {version}, newer than this foldproof")
    if not (0 if int(version) == 1 else -1) <= int(fold) < int(k):
        raise ValueError(f"fold {fold} of {k}")
    return int(k), int(seed), int(repeat), int(fold)


def _next_line(lines: Iterator[list[str]], number: int) -> list[str] | None:
    try:
        return next(lines, None)
    except csv.Error as error:
        raise _not_a_row(number, error) from error


def _not_a_row(number: int, error: Exception) -> DamagedFile:
    return DamagedFile(
        f"folds.csv, line {number} is not a row of folds: {error}", next_step="restore the file from git"
    )
