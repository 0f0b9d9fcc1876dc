"""Examine many files in threads, skipping those that the index remembers."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import PIL
import PIL.features

from foldproof.data.dataset import hash_rows
from foldproof.data.examine import (
    Examined,
    ExaminedPicture,
    Hashes,
    Stamp,
    Trouble,
    examine_file,
    examine_image,
    stamp_of,
)
from foldproof.data.index import SCHEMA_VERSION, FileIndex
from foldproof.data.readers import MOST_PIXELS, reader_named, suffix_of
from foldproof.provenance.machine import available_cores

CHUNK = 64  # files a thread takes at once
SPARE, SPARE_ANYWAY = 3, 1000  # contents that may be remembered, for each image and besides: of other versions
WAITING = 16  # chunks handed out at once, for each thread

Progress: TypeAlias = Callable[[str, int, int], None]


def no_progress(what: str, done: int, total: int) -> None:
    """Nobody listens."""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """How to look at files. `deep` reads every one, whatever the index remembers; `progress` hears (what, done, of).

    `odd` hears, before anything is decoded, which images are of another depth than most, by path with the reason.
    """

    index: FileIndex
    most_pixels: int = MOST_PIXELS
    deep: bool = False
    progress: Progress = no_progress
    odd: Callable[[Mapping[str, str]], None] | None = None


@dataclass(frozen=True)
class Surveyed:
    """Hashes and troubles by path; pictures by path too, where the same content is the same object."""

    hashes: Mapping[str, Hashes]
    pictures: Mapping[str, ExaminedPicture]
    troubles: Mapping[str, Trouble]


def survey(folder: Path, files: Sequence[str], images: Sequence[str], how: Survey) -> Surveyed:
    """Hash `files`, paths relative to `folder`, and decode those that are `images`; each content is decoded once.

    What cannot be read or decoded, or changed meanwhile, is a trouble of that file. Where `how.deep` finds other bytes
    in a file whose times have not changed, that is a trouble too.
    """
    work = _Work(folder, frozenset(images), how)
    due = work.due(files)
    done = len(files) - len(due)
    with ThreadPoolExecutor(available_cores()) as pool:
        for read_ns, chunk in _in_order(pool, due, work.examine):
            done += len(chunk)
            work.take(chunk, read_ns=read_ns)
            how.progress("reading images", done, len(files))
    for path in work.left():  # another file with the same content was to be decoded, and changed meanwhile
        work.claimed.clear()
        work.take([work.examine(path)], read_ns=0)
    return work.sorted_out()


class _Work:
    """What is known while files are read, and how to find out more. `keys` by path, `outcomes` of contents by key."""

    def __init__(self, folder: Path, images: frozenset[str], how: Survey) -> None:
        self._folder, self._images, self._how = folder, images, how
        self._keys = _Keys(how.most_pixels)
        self._stored = how.index.stored()
        self._hashes: dict[str, Hashes] = {}
        self._troubles: dict[str, Trouble] = {}
        self._key_of: dict[str, str] = {}
        self._outcomes = how.index.pictures()
        self.claimed = set(self._outcomes)  # of keys: some thread decodes them, or has

    def due(self, files: Sequence[str]) -> list[str]:
        """The files that have to be read; the others' hashes are taken from the index."""
        self._how.index.forget(self._stored.keys() - set(files))
        if self._how.deep:
            return list(files)
        due: list[str] = []
        for path in files:
            known = self._stored.get(path)
            if known is None or not _is_untouched(self._folder, path, known[0]):
                due.append(path)
                continue
            if path in self._images:
                key = self._key_of[path] = self._keys.of(path, known[1].sha256)
                if key not in self._outcomes:
                    due.append(path)
                    continue
            self._hashes[path] = known[1]
        return due

    def examine(self, path: str) -> tuple[str, Examined]:
        """Read one file. Called by several threads."""
        if path not in self._images:
            return path, examine_file(self._folder / path)

        def is_known(sha256: str) -> bool:
            key = self._keys.of(path, sha256)
            if key in self.claimed:
                return True
            self.claimed.add(key)
            return False

        return path, examine_image(self._folder / path, most_pixels=self._how.most_pixels, is_known=is_known)

    def take(self, chunk: Sequence[tuple[str, Examined]], *, read_ns: int) -> None:
        """Remember what was found in files that were read after `read_ns`."""
        files: list[tuple[str, Stamp, Hashes]] = []
        outcomes: dict[str, ExaminedPicture | Trouble] = {}
        for path, examined in chunk:
            if examined.hashes is not None:
                self._hashes[path] = examined.hashes
            if (trouble := self._trouble(path, examined)) is not None:
                self._troubles[path] = trouble
                continue
            assert examined.stamp is not None
            assert examined.hashes is not None
            files.append((path, examined.stamp, examined.hashes))
            if path in self._images:
                key = self._key_of[path] = self._keys.of(path, examined.hashes.sha256)
                if (outcome := examined.picture or examined.trouble) is not None:
                    outcomes[key] = outcome
        self._outcomes |= outcomes
        self._how.index.keep(files, outcomes, read_ns=read_ns)

    def _trouble(self, path: str, examined: Examined) -> Trouble | None:
        """What is wrong with this file rather than with its content."""
        if examined.stamp is None or examined.hashes is None:
            return examined.trouble
        stamp, hashes = self._stored.get(path, (None, None))
        if stamp == examined.stamp and hashes != examined.hashes:
            self._how.index.forget([path])
            return Trouble("bit-rot", "other bytes than before, though nobody wrote to it")
        return None

    def left(self) -> list[str]:
        """Images of whose content nothing is known yet."""
        return [path for path in self._images - self._troubles.keys() if self._key_of[path] not in self._outcomes]

    def sorted_out(self) -> Surveyed:
        """All that was found. The index forgets contents that are in no file where there are too many of them."""
        if len(self._outcomes) > SPARE * len(self._images) + SPARE_ANYWAY:
            self._how.index.keep_only(frozenset(self._key_of.values()))
        pictures: dict[str, ExaminedPicture] = {}
        troubles = dict(self._troubles)
        for path in self._images - self._troubles.keys():
            match self._outcomes[self._key_of[path]]:
                case Trouble() as trouble:
                    troubles[path] = trouble
                case picture:
                    pictures[path] = picture
        return Surveyed(self._hashes, pictures, troubles)


class _Keys:
    """Names what was found in a content by all that it depends on: the bytes, the reader and its libraries."""

    def __init__(self, most_pixels: int) -> None:
        pillow = (PIL.__version__, *(str(PIL.features.version(name)) for name in ("jpg", "webp", "avif", "jpg_2000")))
        deep = (version("tifffile"), version("imagecodecs"))
        self._about: tuple[str | int, ...] = ("picture", SCHEMA_VERSION, *pillow, *deep, most_pixels)
        self._tails: dict[str, str] = {}

    def of(self, path: str, sha256: str) -> str:
        suffix = suffix_of(path)
        if suffix not in self._tails:
            self._tails[suffix] = hash_rows([(*self._about, reader_named(suffix))])[:16]
        return f"{sha256}{self._tails[suffix]}"


def _is_untouched(folder: Path, path: str, stamp: Stamp) -> bool:
    try:
        return stamp_of(os.stat(f"{folder}/{path}")) == stamp  # noqa: PTH116 (a Path object a file takes as long as stat)
    except OSError:
        return False


def _in_order(
    pool: ThreadPoolExecutor, due: Sequence[str], work: Callable[[str], tuple[str, Examined]]
) -> Iterator[tuple[int, list[tuple[str, Examined]]]]:
    """The time before a chunk was read, and the chunk; a bounded number of them is under way at once."""

    def look(paths: Sequence[str]) -> tuple[int, list[tuple[str, Examined]]]:
        return time.time_ns(), [work(path) for path in paths]

    chunks = iter([due[start : start + CHUNK] for start in range(0, len(due), CHUNK)])
    under_way: list[Future[tuple[int, list[tuple[str, Examined]]]]] = []
    under_way += [pool.submit(look, paths) for paths in islice(chunks, WAITING)]
    while under_way:
        yield under_way.pop(0).result()
        under_way += [pool.submit(look, paths) for paths in islice(chunks, 1)]
