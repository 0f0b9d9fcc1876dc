"""A file of pixels and its index: rows in, proof that every row is as it was written out.

`images-KEY.npy` holds the pixels. `images-KEY.rows` beside it names each row by what it was made from and has its
CRC-32, and the state of the file when all rows were last checked; it is itself checked by a CRC-32 at its end.
"""

import io
import json
import math
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.provenance.machine import available_cores
from foldproof.storage import write_atomically

BLOCK = 1 << 24  # bytes a thread checks at once


@dataclass(frozen=True)
class Index:
    """What the rows of a file of pixels are: [image, size, size, channel] of 8 or 16 bits.

    `decoder`: hash of what else the pixels depend on. `seen`: inode, bytes and times of the file when last found whole.
    """

    size: int
    resize: str
    decoder: str
    names: NDArray[np.uint8]  # [image, 32]
    sums: NDArray[np.uint32]  # [image] CRC-32
    seen: tuple[int, ...] = ()
    channels: int = 3
    bits: int = 8

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return len(self.sums), self.size, self.size, self.channels


def index_file(path: Path) -> Path:
    return path.with_suffix(".rows")


def write_index(path: Path, index: Index) -> None:
    """Write the index of the file of pixels `path`, which is whole as it stands. Raises StorageError."""
    head = {
        "v": 1,
        "images": len(index.sums),
        "size": index.size,
        "resize": index.resize,
        "decoder": index.decoder,
        "channels": index.channels,
        "bits": index.bits,
        "seen": _state(path),
    }
    content = json.dumps(head).encode() + b"\n" + index.names.tobytes() + index.sums.astype("<u4").tobytes()
    write_atomically(index_file(path), content + b"%08x" % zlib.crc32(content))


def read_head(path: Path) -> dict[str, Any]:
    """The first line of an index, unchecked and for people; empty where there is none."""
    try:
        with index_file(path).open("rb") as file:
            head = json.loads(file.readline(4096))
    except (OSError, ValueError):
        return {}
    return head if isinstance(head, dict) else {}


def read_index(path: Path) -> Index | None:
    """The index of the file of pixels `path`, or None where it is missing or damaged."""
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
        return Index(
            head["size"],
            head["resize"],
            head["decoder"],
            names,
            sums,
            tuple(head["seen"]),
            head.get("channels", 3),  # files of before had no others
            head.get("bits", 8),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


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


def kind_of(bits: int) -> np.dtype[Any]:
    """The kind of number that holds 8 or 16 bits; of several bytes, the lowest comes first."""
    return np.dtype("|u1" if bits == 8 else "<u2")


def header(shape: Sequence[int], bits: int = 8) -> bytes:
    """What a `.npy` of this shape begins with."""
    file = io.BytesIO()
    about = {"descr": kind_of(bits).str, "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(file, about)
    return file.getvalue()


def row_sums(rows: NDArray[Any]) -> NDArray[np.uint32]:
    """CRC-32 of the bytes of each row of a C-contiguous array."""
    return np.array([zlib.crc32(row.data) for row in rows], dtype=np.uint32)


def _all_rows_fit(path: Path, index: Index) -> bool:
    start, row = header(index.shape, index.bits), math.prod(index.shape[1:]) * index.bits // 8
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
