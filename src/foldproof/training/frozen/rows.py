"""Keep the features of images in files, a row an image, and compute only what no file has.

A row depends on its image alone, so rows of images that another file has already are copied from there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldproof.config.identity import digest
from foldproof.config.schema import Precision
from foldproof.data.dataset import Dataset
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.images import decoder_of, row_names
from foldproof.data.rows.cache import GB, building, kept, make_once, make_room, remove, row_file
from foldproof.data.rows.copies import rows_elsewhere, rows_in
from foldproof.data.rows.files import is_whole, read_index, write_rows
from foldproof.errors import StorageError
from foldproof.provenance.numeric import NumericClass

SCHEMA_VERSION = 1
NUMBER = "<f4"
SOURCES = 1_000  # other files to copy from: a pass over many images leaves them in parts until it is done
PART = 64  # rows after which, or after an eighth of those before, a pass that is killed need not compute them again

Positions: TypeAlias = NDArray[np.int64]
Part: TypeAlias = tuple[Positions, NDArray[np.float32]]  # rows of some images: [image, feature]
Compute: TypeAlias = Callable[[Positions], Iterable[Part]]  # of images at positions, part by part in any order
Rows: TypeAlias = dict[bytes, NDArray[np.float32]]  # by name, [feature] each


@dataclass(frozen=True, kw_only=True)
class FeatureStore:
    """A cache folder with what it may hold in 10^9 bytes, and what features depend on besides trunk and images.

    `width`: numbers a row. `numeric_class`: or what stands for it where torch is not loaded.
    """

    cache: Path
    limit_gb: float
    width: int
    backbone: str
    numeric_class: NumericClass | tuple[str, ...]
    precision: Precision


@dataclass(frozen=True, kw_only=True)
class FeatureRows:
    """The names of images, each 32 bytes, what makes a row of an image, and where rows are kept."""

    store: FeatureStore
    maker: str
    names: tuple[bytes, ...]

    @staticmethod
    def of(store: FeatureStore, dataset: Dataset, form: Form, *, trunk: str) -> "FeatureRows":
        """The features of all images of `dataset`, in manifest order; `trunk` is its `trunk_digest`."""
        about = ("features", SCHEMA_VERSION, store.precision, trunk, decoder_of(form))
        maker = digest({"about": about, "numeric_class": store.numeric_class})[:32]
        return FeatureRows(store=store, maker=maker, names=tuple(row_names(dataset)))

    @property
    def path(self) -> Path:
        return row_file(self.store.cache, "features", self.maker, self.names)

    @property
    def bytes(self) -> int:
        return len(self.names) * (4 * self.store.width + 36)


def lacking(wanted: FeatureRows) -> Positions:
    """The images whose rows no file has, so that they have to be computed.  # [image] positions, ascending"""
    if is_whole(wanted.path):
        return np.zeros(0, dtype=np.int64)
    return _lacking(wanted, _rows_elsewhere(wanted))


def kept_or_computed(wanted: FeatureRows, compute: Compute) -> NDArray[np.float32]:
    """[image, feature], mapped from where `keep` keeps it; what cannot be kept is computed and has the same bits.

    Raises whatever `compute` raises.
    """
    try:
        rows: NDArray[np.float32] = np.load(keep(wanted, compute), mmap_mode="c")  # torch warns of what is read-only
    except (StorageError, OSError, ValueError):
        rows = np.empty((len(wanted.names), wanted.store.width), dtype=np.float32)
        for positions, values in compute(np.arange(len(rows))):
            rows[positions] = values
    return rows


def keep(wanted: FeatureRows, compute: Compute) -> Path:
    """A `.npy` of [image, feature] float32 in the cache, in use by this process until it ends; `compute` gives what no
    file has.

    Raises StorageError where there is no room or nothing can be written, and whatever `compute` raises.
    """

    def build() -> None:
        store, rows = wanted.store, _rows_elsewhere(wanted)
        make_room(store.cache, needed=wanted.bytes, limit=store.limit_gb * GB, what="the features of all images")
        _write(wanted, rows | _computed(wanted, _lacking(wanted, rows), compute))
        del rows  # a system may not remove a file that is mapped
        _remove_parts(wanted)

    return make_once(wanted.path, build)


def _rows_elsewhere(wanted: FeatureRows) -> Rows:
    found = rows_elsewhere(wanted.store.cache, wanted.path, wanted.maker, frozenset(wanted.names), sources=SOURCES)
    width = (wanted.store.width,)
    return {name: row.values for name, row in found.items() if row.values.shape == width and row.is_sound}


def _lacking(wanted: FeatureRows, rows: Rows) -> Positions:
    return np.array([place for place, name in enumerate(wanted.names) if name not in rows], dtype=np.int64)


def _computed(wanted: FeatureRows, left: Positions, compute: Compute) -> Rows:
    """The rows of the images `left`. Now and then those that came are stored by themselves, in case of a kill."""
    stored: Rows = {}
    fresh: Rows = {}
    for positions, values in compute(left) if len(left) else ():
        if values.shape != (len(positions), wanted.store.width):
            raise StorageError(
                f"features of shape {values.shape} came for {len(positions)} images of {wanted.store.width} each"
            )
        fresh |= zip((wanted.names[position] for position in positions), values.astype(NUMBER), strict=True)
        if max(PART, len(stored) // 8) <= len(fresh) < len(left) - len(stored):
            stored |= _stored(replace(wanted, names=tuple(fresh)), fresh)
            fresh = {}
    return stored | fresh


def _stored(part: FeatureRows, rows: Rows) -> Rows:
    """The same rows, in a file of their own."""
    with building(part.path):
        _write(part, rows)
    return {name: row.values for name, row in rows_in(part.path).items()}


def _write(wanted: FeatureRows, rows: Rows) -> None:
    """Write the file and its index. Raises StorageError where a row is lacking."""
    if left := len(_lacking(wanted, rows)):
        raise StorageError(f"the features of {left} of {len(wanted.names)} images did not come")
    write_rows(
        wanted.path,
        (np.ascontiguousarray(rows[name][None]) for name in wanted.names),
        row=(wanted.store.width,),
        number=NUMBER,
        maker=wanted.maker,
        names=wanted.names,
        about={"backbone": wanted.store.backbone},
    )


def _remove_parts(wanted: FeatureRows) -> None:
    """Remove the files all of whose rows its own has too, but for those in use: parts of a pass, and fewer images."""
    names = frozenset(wanted.names)
    for item in kept(wanted.store.cache):
        if item.maker == wanted.maker and item.path != wanted.path:
            index = read_index(item.path)
            if index is not None and names.issuperset(map(bytes, index.names)):
                remove(item.path)
