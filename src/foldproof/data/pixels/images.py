"""Decode a dataset once into a cache file that workers map into memory.

The file is a `.npy`; its name is a hash of all that its content depends on. Images that another file of the same size
has are copied from there.
"""

import hashlib
import math
import shutil
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import numpy as np
import PIL
import PIL.features

from foldproof.data.dataset import Dataset, Sample, hash_rows
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.originals import Originals, decoded_original
from foldproof.data.readers import reader_named, suffix_of
from foldproof.data.rows.cache import GB, make_once, make_room, row_file
from foldproof.data.rows.copies import StoredRow, rows_elsewhere
from foldproof.data.rows.files import write_rows
from foldproof.data.values import Scaled
from foldproof.data.walk import some
from foldproof.errors import DataError, NoRoom
from foldproof.provenance.foldproof_code import DECODING, code_digest
from foldproof.provenance.machine import available_cores

SCHEMA_VERSION = 2
CHUNK = 32  # images a thread decodes at once
AHEAD = 4  # chunks a thread that may wait to be written
ROW_BYTES = 36  # of the index, for an image

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True)
class _Chunk:
    pixels: Scaled  # [image, size, size, channel]
    problems: tuple[str, ...]


def decoded(
    dataset: Dataset,
    originals: Originals,
    *,
    cache: Path,
    limit_gb: float = math.inf,
    progress: Progress | None = None,
) -> Path:
    """A `.npy` in `cache`: [image in manifest order, size, size, channels], upright; kept until this process ends.

    It is uint8, or uint16 where the form asks for more than 8 bits.
    Pixels are Pillow's decoding and bilinear resizing; a picture that has the size already stays as it is. A file that
    is there and whole is used again, and two processes may ask at once. The least recently used files go, so that all
    together take at most `limit_gb` (10^9 bytes) unless more is in use. `progress` hears (images done, images).
    Raises DataError with the files that cannot be read or are no longer what `dataset` says, NoRoom where the disk or
    the limit has none, StorageError.
    """
    form = originals.form
    decoder, names = decoder_of(form), row_names(dataset)
    path = row_file(cache, "images", decoder, names)

    def build() -> None:
        rows = rows_elsewhere(cache, path, decoder, frozenset(names))
        needed = len(dataset) * (form.image_bytes + ROW_BYTES)
        make_room(cache, needed=needed, limit=limit_gb * GB, what="the decoded images")
        _refuse_full_disk(cache, needed=needed)
        with closing(_decode(dataset, names, rows, originals)) as chunks:
            blocks = _usable(chunks, len(dataset), progress or _unheard)
            write_rows(path, blocks, row=form.shape, number=form.number, maker=decoder, names=names, about=form.about)

    return make_once(path, build)


def decoder_of(form: Form) -> str:
    """All that the pixels of one file of one image depend on, but for the file and its reader."""
    pillow = (PIL.__version__, *(str(PIL.features.version(name)) for name in ("jpg", "webp", "avif", "jpg_2000")))
    about: list[tuple[str | int, ...]] = [("images", SCHEMA_VERSION, form.size, form.resize, *pillow)]
    about.append(("code", code_digest(DECODING), version("numpy")))
    if form.channels != 3:
        about.append(("channels", form.channels))
    if form.within is not None:
        scale = (repr(form.within.low), repr(form.within.high), form.within.bits)
        about.append(("range", *scale, version("tifffile"), version("imagecodecs")))
    return hash_rows(about)[:32]


def row_names(dataset: Dataset) -> list[bytes]:
    """What each image's pixels are made from, 32 bytes: the hash of its content hash and its reader's name."""
    suffixes = [suffix_of(sample.path) for sample in dataset.samples]
    reader = {suffix: f" {reader_named(suffix)}".encode() for suffix in set(suffixes)}
    return [
        hashlib.sha256(sample.sha256.encode() + reader[suffix]).digest()
        for sample, suffix in zip(dataset.samples, suffixes, strict=True)
    ]


def _decode(
    dataset: Dataset, names: Sequence[bytes], rows: Mapping[bytes, StoredRow], originals: Originals
) -> Generator[_Chunk]:
    """Chunks in manifest order. Threads, not processes: Pillow decodes and resizes without holding the interpreter."""
    decode_chunk = partial(_decode_chunk, rows=rows, originals=originals)
    threads = available_cores()
    waiting: deque[Future[_Chunk]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for start in range(0, len(dataset), CHUNK):
            part = slice(start, start + CHUNK)
            waiting.append(pool.submit(decode_chunk, dataset.samples[part], names[part]))
            if len(waiting) > AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _decode_chunk(
    samples: Sequence[Sample], names: Sequence[bytes], *, rows: Mapping[bytes, StoredRow], originals: Originals
) -> _Chunk:
    pixels = np.zeros((len(samples), *originals.form.shape), dtype=originals.form.number)
    problems: list[str] = []
    for place, (sample, name) in enumerate(zip(samples, names, strict=True)):
        if name in rows:
            pixels[place] = rows[name].values
            if zlib.crc32(pixels[place].data) == rows[name].checksum:
                continue
        try:
            pixels[place] = decoded_original(sample, originals)
        except DataError as error:
            problems.append(f"{sample.path}: {error.what}")
    return _Chunk(pixels, tuple(problems))


def _usable(chunks: Iterable[_Chunk], images: int, progress: Progress) -> Iterator[Scaled]:
    """The pixels of the chunks. Raises DataError after the last where images cannot be used."""
    problems: list[str] = []
    done = 0
    for chunk in chunks:
        problems += chunk.problems
        yield chunk.pixels
        done += len(chunk.pixels)
        progress(done, images)
    if problems:
        raise DataError(
            f"{len(problems)} of {images} images cannot be used: {some(problems, between='; ')}",
            next_step="replace or convert them, or take them out of the folder; then `foldproof data add` it again",
        )


def _refuse_full_disk(cache: Path, *, needed: int) -> None:
    free = shutil.disk_usage(cache).free
    if free < needed * 1.05:
        raise NoRoom(
            f"the decoded images take {needed / GB:.1f} GB and {cache} has {free / GB:.1f} GB left",
            next_step="free some space, or set a smaller data.image_size",
        )


def _unheard(done: int, total: int) -> None:
    """Nobody listens."""
