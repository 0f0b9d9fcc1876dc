"""Write rows as they come: a path and its suffix in, a writer of CSV, JSON or parquet out."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from foldproof.errors import StorageError
from foldproof.predict.rows import Labelled, Unlabelled, columns
from foldproof.storage import replacing

SUFFIXES = (".csv", ".parquet", ".json")
_VALUES = 1 << 20  # of probabilities that wait for a group of rows of a parquet file
_FORMULA = tuple("=+-@\t\r")
_NUMBER = re.compile(r"[-+][0-9.,]+")

Put: TypeAlias = Callable[[str], object]


class RowWriter(Protocol):
    """Takes rows in their order; `close` writes what is left."""

    def write(self, row: Labelled | Unlabelled) -> None: ...
    def close(self) -> None: ...


class CsvRows:
    """A line an image; images without a label have none. Numbers are the shortest that give the same bits back.

    No cell begins a formula when a spreadsheet opens the file: a path is then written `./=a.png`, which is the same
    file, and a class has an apostrophe put before it unless it is a number.
    """

    def __init__(self, put: Put, classes: Sequence[str]) -> None:
        self._lines = csv.writer(_Sink(put), lineterminator="\n")
        self._lines.writerow(columns(classes))
        self._classes = [_harmless(name, "'") for name in classes]

    def write(self, row: Labelled | Unlabelled) -> None:
        if isinstance(row, Labelled):
            self._lines.writerow(
                (
                    _harmless(row.path, "./"),
                    self._classes[row.number],
                    *map(str, (row.probability, *row.probabilities)),
                    row.folds_disagree,
                    "" if row.seen is None else row.seen,
                )
            )

    def close(self) -> None:
        """Every line is written."""


class JsonRows:
    """One document: what `about` says, and `images`, each with what is said of it or with `error`."""

    def __init__(self, put: Put, classes: Sequence[str], about: Mapping[str, Any]) -> None:
        self._put, self._classes, self._before = put, classes, "\n"
        put(json.dumps({"v": 1, **about, "classes": list(classes)})[:-1] + ', "images": [')

    def write(self, row: Labelled | Unlabelled) -> None:
        said: dict[str, Any] = {"path": row.path}
        if isinstance(row, Labelled):
            said["class"] = self._classes[row.number]
            said["probability"] = _number(row.probability)
            said["probabilities"] = dict(zip(self._classes, map(_number, row.probabilities), strict=True))
            said |= {"folds_disagree": row.folds_disagree, "seen": row.seen}
        else:
            said["error"] = row.reason
        self._put(self._before + json.dumps(said, allow_nan=False))
        self._before = ",\n"

    def close(self) -> None:
        self._put("\n]}\n")


class ParquetRows:
    """A row an image, in groups of bounded size; images without a label have none."""

    def __init__(self, file: Path, classes: Sequence[str], about: Mapping[str, Any]) -> None:
        numbers = [(name, pa.float32()) for name in ("probability", *columns(classes)[3:-2])]
        ends = [("folds_disagree", pa.int32()), ("seen", pa.int32())]
        said = {"foldproof": json.dumps({"v": 1, **about})}
        self._schema = pa.schema([("path", pa.string()), ("class", pa.string()), *numbers, *ends], metadata=said)
        self._file = pq.ParquetWriter(file, self._schema)
        self._classes, self._waiting = classes, list[Labelled]()

    def write(self, row: Labelled | Unlabelled) -> None:
        if isinstance(row, Labelled):
            self._waiting.append(row)
            if len(self._waiting) * len(self._classes) >= _VALUES:
                self._put()

    def close(self) -> None:
        self._put()
        self._file.close()

    def _put(self) -> None:
        if rows := self._waiting:
            table = np.stack([row.probabilities for row in rows])
            texts = ([row.path for row in rows], [self._classes[row.number] for row in rows])
            numbers = (np.array([row.probability for row in rows]), *np.ascontiguousarray(table.T))
            ends = ([row.folds_disagree for row in rows], [row.seen for row in rows])
            arrays = [
                pa.array(values, field.type)
                for values, field in zip((*texts, *numbers, *ends), self._schema, strict=True)
            ]
            self._file.write_table(pa.table(arrays, schema=self._schema))
            self._waiting = []


@contextmanager
def writing(file: Path, classes: Sequence[str], about: Mapping[str, Any]) -> Iterator[RowWriter]:
    """A writer of `file`, which takes its place when the block ends well. Raises StorageError."""
    with replacing(file) as temporary:
        if file.suffix.lower() == ".parquet":
            yield from _closed(ParquetRows(temporary, classes, about))
            return
        with temporary.open("w", encoding="utf-8", newline="") as text:
            if file.suffix.lower() == ".json":
                yield from _closed(JsonRows(text.write, classes, about))
            else:
                yield from _closed(CsvRows(text.write, classes))


def check_output(file: Path, inputs: Sequence[str]) -> None:
    """Raises StorageError where a table cannot be `file`: by its suffix or folder, or since it is one of `inputs`."""
    if file.suffix.lower() not in SUFFIXES:
        raise StorageError(
            f"cannot write {file}: by its name it is no table", next_step="end it in .csv, .parquet or .json"
        )
    if not file.parent.is_dir():
        raise StorageError(f"cannot write {file}: there is no folder {file.parent}", next_step="make it first")
    if file.is_dir():
        raise StorageError(f"cannot write {file}: it is a folder", next_step="name a file")
    if file.exists() and any(Path(one).exists() and file.samefile(one) for one in inputs):
        raise StorageError(f"{file} is what is to be labelled", next_step="name another file with -o")


def _closed(writer: RowWriter) -> Iterator[RowWriter]:
    yield writer
    writer.close()


def _number(value: np.float32) -> float:
    """The number that is shortest to write and has the same bits as float32."""
    return float(str(value))


def _harmless(cell: str, before: str) -> str:
    return before + cell if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell


class _Sink:
    def __init__(self, put: Put) -> None:
        self.write = put
