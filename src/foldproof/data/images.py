"""Decode once into a cache: a dataset and its folder in, one file of pixels out, which workers map into memory.

The file is a `.npy` with a CRC-32 behind its data. Its name is a hash of all that its content depends on.
"""

import hashlib
import math
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal, TypeAlias

import numpy as np
import PIL
import PIL.features
import PIL.Image
from numpy.typing import NDArray

from foldproof import registry
from foldproof.data.dataset import Dataset, Sample, hash_rows
from foldproof.data.readers import read
from foldproof.data.walk import some
from foldproof.errors import DataError, StorageError
from foldproof.provenance.machine import available_cores
from foldproof.storage import inside, locked, replacing

SCHEMA_VERSION = 1
CHUNK = 32  # images a thread decodes at once
BLOCK = 1 << 24  # bytes checked at once
WAIT_SECONDS = 3600.0  # for another process that decodes the same images

Resize: TypeAlias = Literal["squash"]
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True)
class _Chunk:
    pixels: NDArray[np.uint8]  # [image, size, size, 3]
    problems: tuple[str, ...]


def decoded(
    dataset: Dataset, folder: Path, *, size: int, resize: Resize, cache: Path, progress: Progress | None = None
) -> Path:
    """A `.npy` in `cache`: [image in manifest order, size, size, 3] uint8, RGB, upright.

    Pixels are Pillow's decoding and bilinear resizing; a picture that has the size already stays as it is. A file that
    is there and whole is used again, and two processes may ask at once. `progress` hears (images done, images).
    Raises DataError with the files that cannot be read or are no longer what `dataset` says, StorageError where the
    disk has no room.
    """
    shape = (len(dataset), size, size, 3)
    path = cache / f"images-{_key(dataset, size=size, resize=resize)}.npy"
    with locked(path.with_suffix(".lock"), what="the image cache", wait_seconds=WAIT_SECONDS):
        if not is_whole(path, shape):
            _refuse_full_disk(cache, needed=math.prod(shape))
            with replacing(path) as temporary, temporary.open("wb") as file:
                _write(file, shape, _decode(dataset, folder, size), progress or _unheard)
    return path


def is_whole(path: Path, shape: tuple[int, ...]) -> bool:
    """Whether `path` is a file that `decoded` wrote for this shape, with every bit as it was written."""
    try:
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            if np.lib.format.read_array_header_1_0(file) != (shape, False, np.dtype(np.uint8)):
                return False
            left, checksum = math.prod(shape), 0
            while left and (block := file.read(min(BLOCK, left))):
                left -= len(block)
                checksum = zlib.crc32(block, checksum)
            return not left and file.read() == b"%08x" % checksum
    except (OSError, ValueError):
        return False


def _key(dataset: Dataset, *, size: int, resize: str) -> str:
    suffixes = {sample.path: PurePosixPath(sample.path).suffix.lower() for sample in dataset.samples}
    readers = {suffix: registry.load("readers", suffix) for suffix in set(suffixes.values())}
    names = {suffix: f"{reader.__module__}:{reader.__qualname__}" for suffix, reader in readers.items()}
    pillow = (PIL.__version__, PIL.features.version("jpg") or "", PIL.features.version("webp") or "")
    head = [("images", SCHEMA_VERSION, size, resize, *pillow)]
    return hash_rows([*head, *((s.sha256, names[suffixes[s.path]]) for s in dataset.samples)])[:32]


def _decode(dataset: Dataset, folder: Path, size: int) -> Iterator[_Chunk]:
    """Chunks in manifest order. Threads, not processes: Pillow decodes and resizes without holding the interpreter."""
    chunks = [dataset.samples[start : start + CHUNK] for start in range(0, len(dataset), CHUNK)]
    with ThreadPoolExecutor(available_cores()) as pool:
        yield from pool.map(lambda samples: _decode_chunk(samples, folder, size), chunks)


def _decode_chunk(samples: Sequence[Sample], folder: Path, size: int) -> _Chunk:
    pixels = np.empty((len(samples), size, size, 3), dtype=np.uint8)
    problems: list[str] = []
    for place, sample in enumerate(samples):
        path = inside(folder, sample.path)
        try:
            pixels[place] = _resized(_read_checked(path, sample.sha256), size)
        except DataError as error:
            problems.append(error.what.replace(f"{path}", sample.path, 1))
    return _Chunk(pixels, tuple(problems))


def _read_checked(path: Path, sha256: str) -> NDArray[np.uint8]:
    """The pixels of a file whose content is still the one that was listed: else they would be kept under its name."""
    try:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    if not same:
        raise DataError(f"{path}: changed since it was listed")
    pixels = read(path).pixels
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise DataError(
            f"{path}: its reader returned {pixels.dtype} {list(pixels.shape)}, not uint8 [height, width, 3]"
        )
    return pixels


def _resized(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    if pixels.shape[:2] == (size, size):
        return pixels
    return np.asarray(PIL.Image.fromarray(pixels).resize((size, size), PIL.Image.Resampling.BILINEAR))


def _write(file: BinaryIO, shape: tuple[int, ...], chunks: Iterable[_Chunk], progress: Progress) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    problems: list[str] = []
    done = checksum = 0
    for chunk in chunks:
        problems += chunk.problems
        file.write(chunk.pixels.data)
        checksum = zlib.crc32(chunk.pixels.data, checksum)
        done += len(chunk.pixels)
        progress(done, shape[0])
    if problems:
        raise DataError(
            f"{len(problems)} of {shape[0]} images cannot be used: {some(problems, between='; ')}",
            next_step="replace or convert them, or take them out of the folder; then `foldproof data add` it again",
        )
    file.write(b"%08x" % checksum)


def _refuse_full_disk(cache: Path, *, needed: int) -> None:
    free = shutil.disk_usage(cache).free
    if free < needed * 1.05:
        raise StorageError(
            f"the decoded images take {needed / 2**30:.1f} GiB and {cache} has {free / 2**30:.1f} GiB left",
            next_step="free some space, or set a smaller data.image_size",
        )


def _unheard(done: int, total: int) -> None:
    """Nobody listens."""
