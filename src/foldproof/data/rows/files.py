"""Write and read a file of rows and its index, with a checksum for every row.

`KIND-KEY.npy` holds the rows. `KIND-KEY.rows` beside it names each row by what it was made from and has its CRC-32,
and the state of the file when all rows were last checked; it is itself checked by a CRC-32 at its end.
"""

import io
import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.provenance.machine import available_cores
from foldproof.storage import replacing, write_atomically

BLOCK = 1 << 24  # bytes a thread checks at once
OWN = frozenset(("v", "images", "row", "number", "decoder", "seen"))


@dataclass(frozen=True)
class RowIndex:
    """What the rows of a file are: each of the shape `row`, of the kind of number `number`, such as `|u1` or `<f4`.

    `maker`: hash of what else they depend on. `about`: what a person may know of them. `seen`: inode, bytes and times
    of the file when last found whole.
    """

    row: tuple[int, ...]
    number: str
    maker: str
    names: NDArray[np.uint8]  # [row, 32]
    sums: NDArray[np.uint32]  # [row] CRC-32
    about: Mapping[str, Any]
    seen: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.sums), *self.row

    @property
    def row_bytes(self) -> int:
        return math.prod(self.row) * np.dtype(self.number).itemsize


def index_file(path: Path) -> Path:
    return path.with_suffix(".rows")


def write_index(path: Path, index: RowIndex) -> None:
    """Write the index of the file of rows `path`, which is complete. Raises StorageError."""
    head = {
        "v": 1,
        "images": len(index.sums),
        "row": index.row,
        "number": index.number,
        "decoder": index.maker,
        "seen": _state(path),
        **index.about,
    }
    content = json.dumps(head).encode() + b"\n" + index.names.tobytes() + index.sums.astype("<u4").tobytes()
    write_atomically(index_file(path), content + b"%08x" % zlib.crc32(content))


def write_rows(
    path: Path,
    blocks: Iterable[NDArray[Any]],
    *,
    row: tuple[int, ...],
    number: str,
    maker: str,
    names: Sequence[bytes],
    about: Mapping[str, Any],
) -> None:
    """Write a file of rows and its index; `blocks` are its rows, some at a time. Raises StorageError."""
    sums: list[NDArray[np.uint32]] = []
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(header((len(names), *row), number))
        for block in blocks:
            file.write(block.data)
            sums.append(row_sums(block))
    table = np.frombuffer(b"".join(names), dtype=np.uint8).reshape(-1, 32)
    write_index(path, RowIndex(row, number, maker, table, np.concatenate(sums), about))


def read_head(path: Path) -> dict[str, Any]:
    """The first line of an index, unchecked and for people; empty where there is none."""
    try:
        with index_file(path).open("rb") as file:
            head = json.loads(file.readline(4096))
    except (OSError, ValueError):
        return {}
    return head if isinstance(head, dict) else {}


def read_index(path: Path) -> RowIndex | None:
    """The index of the file of rows `path`, or None where it is missing or damaged."""
    try:
        content = index_file(path).read_bytes()
        if content[-8:] != b"%08x" % zlib.crc32(content[:-8]):
            return None
        line, _, rest = content[:-8].partition(b"\n")
        head = json.loads(line)
        count = head["images"]
        if head["v"] != 1 or len(rest) != 36 * count:
            return None
        names = np.frombuffer(rest, dtype=np.uint8, count=32 * count).reshape(count, 32)
        sums = np.frombuffer(rest, dtype="<u4", offset=32 * count).astype(np.uint32)
        about = {name: value for name, value in head.items() if name not in OWN}
        row, number = shape_of(head)
        return RowIndex(row, number, head["decoder"], names, sums, about, tuple(head["seen"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def shape_of(head: Mapping[str, Any]) -> tuple[tuple[int, ...], str]:
    """The shape and the kind of number of each row. Raises KeyError, TypeError where `head` is not that of an index."""
    if "row" in head:
        return tuple(head["row"]), head["number"]
    channels, bits = head.get("channels", 3), head.get("bits", 8)  # decoded images of before
    return (head["size"], head["size"], channels), "|u1" if bits == 8 else "<u2"


def is_whole(path: Path, *, deep: bool = False) -> bool:
    """Whether every bit of `path` is as it was written.

    A file whose inode, size and times are those of the last check is not read again, unless `deep`: see
    docs/decisions/0010-decoded-images.md.
    """
    index = read_index(path)
    if index is None:
        return False
    try:
        if not deep and _state(path) == index.seen:
            return True
        if not _all_rows_fit(path, index):
            return False
    except OSError:
        return False
    if _state(path) != index.seen:
        write_index(path, replace(index, seen=()))
    return True


def _state(path: Path) -> tuple[int, ...]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def header(shape: Sequence[int], number: str) -> bytes:
    """What a `.npy` of this shape and kind of number begins with."""
    file = io.BytesIO()
    about = {"descr": number, "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(file, about)
    return file.getvalue()


def row_sums(rows: NDArray[Any]) -> NDArray[np.uint32]:
    """CRC-32 of the bytes of each row of a C-contiguous array."""
    return np.array([zlib.crc32(row.data) for row in rows], dtype=np.uint32)


def _all_rows_fit(path: Path, index: RowIndex) -> bool:
    start, row = header(index.shape, index.number), index.row_bytes
    with path.open("rb") as file:
        if path.stat().st_size != len(start) + row * len(index.sums) or file.read(len(start)) != start:
            return False
    at_once = max(1, BLOCK // row)

    def fits(first: int) -> bool:
        expected = index.sums[first : first + at_once]
        with path.open("rb", buffering=0) as file:
            file.seek(len(start) + first * row)
            block = np.fromfile(file, dtype=np.uint8, count=row * len(expected))
        return len(block) == row * len(expected) and np.array_equal(row_sums(block.reshape(-1, row)), expected)

    with ThreadPoolExecutor(available_cores()) as pool:
        return all(pool.map(fits, range(0, len(index.sums), at_once)))
