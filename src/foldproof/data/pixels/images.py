"""Decode a dataset once into a cache file that workers map into memory.

The file is a `.npy`; its name is a hash of all that its content depends on. Images that another file of the same size
has are copied from there.
"""

import hashlib
import math
import shutil
import zlib
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import PIL
import PIL.features
from numpy.typing import NDArray

from foldproof.data.dataset import Dataset, Sample, hash_rows
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.originals import decoded_original
from foldproof.data.readers import MOST_PIXELS, reader_named, suffix_of
from foldproof.data.rows.cache import GB, building, clean, make_room, use
from foldproof.data.rows.copies import StoredRow, rows_elsewhere
from foldproof.data.rows.files import RowIndex, header, is_whole, row_sums, write_index
from foldproof.data.values import Scaled
from foldproof.data.walk import some
from foldproof.errors import DataError, NoRoom
from foldproof.provenance.foldproof_code import DECODING, code_digest
from foldproof.provenance.machine import available_cores
from foldproof.storage import replacing

SCHEMA_VERSION = 2
CHUNK = 32  # images a thread decodes at once
AHEAD = 4  # chunks a thread that may wait to be written
ROW_BYTES = 36  # of the index, for an image

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True)
class _Chunk:
    pixels: Scaled  # [image, size, size, channel]
    sums: NDArray[np.uint32]  # [image] CRC-32
    problems: tuple[str, ...]


def decoded(
    dataset: Dataset,
    folder: Path,
    form: Form,
    *,
    cache: Path,
    limit_gb: float = math.inf,
    most_pixels: int = MOST_PIXELS,
    progress: Progress | None = None,
) -> Path:
    """A `.npy` in `cache`: [image in manifest order, size, size, channels], upright; kept until this process ends.

    It is uint8, or uint16 where `form.within`, the values from black to white of images of more than 8 bits, needs it.
    Pixels are Pillow's decoding and bilinear resizing; a picture that has the size already stays as it is. A file that
    is there and whole is used again, and two processes may ask at once. The least recently used files go, so that all
    together take at most `limit_gb` (10^9 bytes) unless more is in use. `progress` hears (images done, images).
    Raises DataError with the files that cannot be read or are no longer what `dataset` says, NoRoom where the disk or
    the limit has none, StorageError.
    """
    decoder, names = decoder_of(form), row_names(dataset)
    key = hashlib.sha256(decoder.encode() + b"".join(names)).hexdigest()[:32]
    path = cache / f"images-{key}.npy"
    with building(path):
        if not is_whole(path):
            clean(cache, mine=path)
            rows = rows_elsewhere(cache, path, decoder, frozenset(names))
            needed = len(dataset) * (form.image_bytes + ROW_BYTES)
            make_room(cache, needed=needed, limit=limit_gb * GB, what="the decoded images")
            _refuse_full_disk(cache, needed=needed)
            chunks = _decode(dataset, names, rows, folder=folder, form=form, most_pixels=most_pixels)
            with replacing(path) as temporary, temporary.open("wb") as file:
                sums = _write(file, form, len(dataset), chunks, progress or _unheard)
            table = np.frombuffer(b"".join(names), dtype=np.uint8).reshape(-1, 32)
            write_index(path, RowIndex(form.shape, form.number, decoder, table, sums, form.about))
        use(path)
    return path


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
    dataset: Dataset,
    names: Sequence[bytes],
    rows: Mapping[bytes, StoredRow],
    *,
    folder: Path,
    form: Form,
    most_pixels: int,
) -> Generator[_Chunk]:
    """Chunks in manifest order. Threads, not processes: Pillow decodes and resizes without holding the interpreter."""
    decode_chunk = partial(_decode_chunk, rows=rows, folder=folder, form=form, most_pixels=most_pixels)
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
    samples: Sequence[Sample],
    names: Sequence[bytes],
    *,
    rows: Mapping[bytes, StoredRow],
    folder: Path,
    form: Form,
    most_pixels: int,
) -> _Chunk:
    pixels = np.zeros((len(samples), *form.shape), dtype=form.number)
    problems: list[str] = []
    for place, (sample, name) in enumerate(zip(samples, names, strict=True)):
        if name in rows:
            pixels[place] = rows[name].values
            if zlib.crc32(pixels[place].data) == rows[name].checksum:
                continue
        try:
            pixels[place] = decoded_original(sample, folder, form, most_pixels=most_pixels)
        except DataError as error:
            problems.append(f"{sample.path}: {error.what}")
    return _Chunk(pixels, row_sums(pixels), tuple(problems))


def _write(
    file: BinaryIO, form: Form, images: int, chunks: Generator[_Chunk], progress: Progress
) -> NDArray[np.uint32]:
    """Write a `.npy` and return the checksum of each row."""
    file.write(header((images, *form.shape), form.number))
    problems: list[str] = []
    sums: list[NDArray[np.uint32]] = []
    done = 0
    with closing(chunks):
        for chunk in chunks:
            problems += chunk.problems
            file.write(chunk.pixels.data)
            sums.append(chunk.sums)
            done += len(chunk.pixels)
            progress(done, images)
    if problems:
        raise DataError(
            f"{len(problems)} of {images} images cannot be used: {some(problems, between='; ')}",
            next_step="replace or convert them, or take them out of the folder; then `foldproof data add` it again",
        )
    return np.concatenate(sums)


def _refuse_full_disk(cache: Path, *, needed: int) -> None:
    free = shutil.disk_usage(cache).free
    if free < needed * 1.05:
        raise NoRoom(
            f"the decoded images take {needed / GB:.1f} GB and {cache} has {free / GB:.1f} GB left",
            next_step="free some space, or set a smaller data.image_size",
        )


def _unheard(done: int, total: int) -> None:
    """Nobody listens."""
