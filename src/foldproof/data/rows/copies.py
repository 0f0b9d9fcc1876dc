"""Find rows that other cache files already hold, with their checksums."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.data.rows.cache import kept
from foldproof.data.rows.files import read_index

SOURCES = 8  # other files to copy from


@dataclass(frozen=True)
class StoredRow:
    """A row of another file, made from the same image in the same way."""

    values: NDArray[Any]  # on disk
    checksum: int

    @property
    def is_sound(self) -> bool:
        """Whether every bit is as it was written."""
        return zlib.crc32(np.ascontiguousarray(self.values).data) == self.checksum


def rows_elsewhere(
    cache: Path, path: Path, maker: str, wanted: frozenset[bytes], *, sources: int = SOURCES
) -> dict[bytes, StoredRow]:
    """The rows of other files than `path`, the most recently used first, that have wanted names; not yet checked."""
    rows: dict[bytes, StoredRow] = {}
    for item in [item for item in kept(cache) if item.maker == maker and item.path != path][:sources]:
        if len(rows) < len(wanted):
            found = rows_in(item.path)
            rows = {name: found[name] for name in wanted.intersection(found)} | rows
    return rows


def rows_in(path: Path) -> dict[bytes, StoredRow]:
    """The rows of a file by name; none where it is not what its index says."""
    index = read_index(path)
    try:
        values = np.asarray(np.load(path, mmap_mode="r"))
    except (OSError, ValueError):
        return {}
    if index is None or values.shape != index.shape or values.dtype != np.dtype(index.number):
        return {}
    return {
        bytes(name): StoredRow(row, checksum)
        for name, row, checksum in zip(index.names, values, index.sums.tolist(), strict=True)
    }
