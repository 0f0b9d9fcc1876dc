"""Features that are kept: a frozen trunk and images in; a file with a row an image, made by whoever asks first, out.

A row depends on its image alone, so rows of images that another file has already are copied from there.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldproof.config.identity import digest
from foldproof.config.schema import Precision
from foldproof.data.dataset import Dataset
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.images import decoder_of, row_names
from foldproof.data.rows.cache import GB, building, clean, kept, make_room, remove, use
from foldproof.data.rows.copies import StoredRow, rows_elsewhere
from foldproof.data.rows.files import RowIndex, header, is_whole, read_index, row_sums, write_index
from foldproof.errors import StorageError
from foldproof.provenance.numeric import NumericClass
from foldproof.storage import replacing

SCHEMA_VERSION = 1
NUMBER = "<f4"
SOURCES = 1_000  # other files to copy from: a pass over many images leaves them in parts until it is done

Positions: TypeAlias = NDArray[np.int64]
Part: TypeAlias = tuple[Positions, NDArray[np.float32]]  # rows of some images: [image, feature]
Compute: TypeAlias = Callable[[Positions], Iterable[Part]]


@dataclass(frozen=True, kw_only=True)
class FeatureStore:
    """A cache folder with what it may hold in 10^9 bytes, and what features depend on besides trunk and images.

    `width`: numbers a row.
    """

    cache: Path
    limit_gb: float
    width: int
    backbone: str
    numeric_class: NumericClass
    precision: Precision


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Rows: the names of images, each 32 bytes, and what makes a row of an image."""

    store: FeatureStore
    maker: str
    names: tuple[bytes, ...]

    @staticmethod
    def of(store: FeatureStore, dataset: Dataset, form: Form, *, trunk: str) -> "Wanted":
        """The features of all images of `dataset`, in manifest order; `trunk` is its `trunk_digest`."""
        about = ("features", SCHEMA_VERSION, store.precision, trunk, decoder_of(form))
        maker = digest({"about": about, "numeric_class": store.numeric_class})[:32]
        return Wanted(store=store, maker=maker, names=tuple(row_names(dataset)))

    def part(self, positions: Sequence[int] | Positions) -> "Wanted":
        """Those of some images."""
        return Wanted(store=self.store, maker=self.maker, names=tuple(self.names[position] for position in positions))

    @property
    def path(self) -> Path:
        key = hashlib.sha256(self.maker.encode() + b"".join(self.names)).hexdigest()[:32]
        return self.store.cache / f"features-{key}.npy"

    @property
    def bytes(self) -> int:
        return len(self.names) * (4 * self.store.width + 36)


def lacking(wanted: Wanted) -> Positions:
    """The images whose rows no file has, so that they have to be computed.  # [image] positions, ascending"""
    if is_whole(wanted.path):
        return np.zeros(0, dtype=np.int64)
    return _lacking(wanted, _rows_elsewhere(wanted))


def keep(wanted: Wanted, compute: Compute, *, in_use: bool = True) -> Path:
    """A `.npy` of [image, feature] float32 in the cache, made where it is not there; `in_use`: by this process until it
    ends.

    `compute` gives the rows of positions, part by part in any order. Raises StorageError where there is no room or
    nothing can be written, and whatever `compute` raises.
    """
    path, store = wanted.path, wanted.store
    with building(path):
        if not is_whole(path):
            clean(store.cache, mine=path)
            rows = _rows_elsewhere(wanted)
            room_for(wanted)
            with replacing(path) as temporary, temporary.open("wb") as file:
                sums = _write(file, wanted, rows, compute)
            names = np.frombuffer(b"".join(wanted.names), dtype=np.uint8).reshape(-1, 32)
            about = {"backbone": store.backbone}
            write_index(path, RowIndex((store.width,), NUMBER, wanted.maker, names, sums, about))
        if in_use:
            use(path)
    return path


def room_for(wanted: Wanted) -> None:
    """Make room for its file. Raises StorageError where the cache may not hold as much."""
    store = wanted.store
    make_room(store.cache, needed=wanted.bytes, limit=store.limit_gb * GB, what="the features of all images")


def remove_parts(wanted: Wanted) -> None:
    """Remove the files all of whose rows its own has too, but for those in use: parts of a pass, and fewer images."""
    names = frozenset(wanted.names)
    for item in kept(wanted.store.cache):
        if item.maker == wanted.maker and item.path != wanted.path:
            index = read_index(item.path)
            if index is not None and names.issuperset(map(bytes, index.names)):
                remove(item.path)


def _rows_elsewhere(wanted: Wanted) -> dict[bytes, StoredRow]:
    found = rows_elsewhere(wanted.store.cache, wanted.path, wanted.maker, frozenset(wanted.names), sources=SOURCES)
    width = (wanted.store.width,)
    return {name: row for name, row in found.items() if row.values.shape == width and row.is_sound}


def _lacking(wanted: Wanted, rows: dict[bytes, StoredRow]) -> Positions:
    return np.array([place for place, name in enumerate(wanted.names) if name not in rows], dtype=np.int64)


def _write(file: BinaryIO, wanted: Wanted, rows: dict[bytes, StoredRow], compute: Compute) -> NDArray[np.uint32]:
    """Write a `.npy` and return the checksum of each row."""
    total, width = len(wanted.names), wanted.store.width
    start = header((total, width), NUMBER)
    file.write(start)
    sums = np.zeros(total, dtype=np.uint32)

    def put(positions: Iterable[int], values: NDArray[np.float32]) -> None:
        for place, row in zip(positions, np.ascontiguousarray(values, dtype=NUMBER), strict=True):
            file.seek(len(start) + 4 * width * place)
            file.write(row.data)

    for place, name in enumerate(wanted.names):
        if name in rows:
            put([place], np.asarray(rows[name].values)[None])
            sums[place] = rows[name].checksum
    left = _lacking(wanted, rows)
    done = total - len(left)
    for positions, values in compute(left) if len(left) else ():
        if values.shape != (len(positions), width):
            raise StorageError(f"features of shape {values.shape} came for {len(positions)} images of {width} each")
        put(positions.tolist(), values)
        sums[positions] = row_sums(np.ascontiguousarray(values, dtype=NUMBER))
        done += len(positions)
    if done != total:
        raise StorageError(f"the features of {total - done} of {total} images did not come")
    return sums
