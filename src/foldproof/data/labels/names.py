"""Match the names in a table to the images that are present, and say why. Pure.

A name is a path below the folder of images or of the table, a mere name, or that without suffix. Where not every name
is found so, all are looked for by the longest common end of the paths: as written, in other case, with another suffix,
and with numbers whose leading zeros are lost. The first of these that finds an image of its own for every name is
taken, and said.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import TypeAlias

from foldproof.data.tables.usual import has_image_suffix
from foldproof.errors import UnclearTable

Found: TypeAlias = tuple[str, ...]  # the images that a name can mean
_SHOWN = 3
_LEAST = 0.8  # of the names, that have to be found by their ends where some images are not there
_COMPARED = 5_000  # names, among which the nearest are looked for
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


@dataclass(frozen=True)
class Matched:
    """The image that each name means, None where it is not there; and how that was found, where it had to be."""

    paths: Sequence[str | None]
    how: str = ""


@dataclass(frozen=True)
class Names:
    """The images by all that a table may call them. `root`: the name of their folder."""

    paths: frozenset[str]
    prefixes: tuple[str, ...]
    root: str = ""

    @staticmethod
    def of(paths: Iterable[str], *, file: Path, folder: Path) -> "Names":
        """The images at `paths` below `folder`, as the table in `file` may name them."""
        return Names(frozenset(paths), prefixes_of(file, folder), folder.resolve().name)

    def may_name(self, text: str) -> bool:
        """Whether a text looks as if it named an image."""
        return has_image_suffix(text) or bool(self.exact(text))

    def knows(self, text: str) -> Found:
        """The images whose names are this one but for folders, case, suffix and leading zeros."""
        return tuple(path for _, path in self._ends[_without_zeros].get(_without_zeros(_last(text)), ()))

    def exact(self, text: str) -> Found:
        """The images that `text` names by its path, or by its mere name with or without suffix."""
        path = _posix(text)
        for known in (text, path):
            if known in self.paths:
                return (known,)
        for prefix in self.prefixes:
            if path.startswith(prefix) and path[len(prefix) :] in self.paths:
                return (path[len(prefix) :],)
        if "/" in path:
            return ()
        return self._by_name.get(path) or self._by_stem.get(path) or ()

    def match(self, texts: Sequence[str], *, where: Callable[[int], str]) -> Matched:
        """The image that each of `texts` means. `where`: how the line of one is called.

        Raises UnclearTable where a text can mean several, or two different ones by their ends mean the same.
        """
        exact = [self.exact(text) for text in texts]
        if all(len(found) == 1 for found in exact):
            return Matched([found[0] for found in exact])
        by_end: list[tuple[str, list[Found]]] = []
        for how, key in _ENDS:
            ends = [self._by_end(text, key) for text in texts]
            by_end.append((how, ends))
            if all(len(found) == 1 for found in ends) and _are_apart(texts, ends):
                return Matched([found[0] for found in ends], self._told(how, texts, ends))
        if not any(exact):
            if all(len(found) < 2 for _, ends in by_end for found in ends):
                how, ends = max(by_end, key=lambda one: sum(map(len, one[1])))
                if sum(map(len, ends)) >= _LEAST * len(texts) and all(_are_apart(texts, ends) for _, ends in by_end):
                    return Matched([found[0] if found else None for found in ends], self._told(how, texts, ends))
            exact = next((ends for _, ends in by_end if any(len(found) > 1 for found in ends)), exact)
        for number, found in enumerate(exact):
            if len(found) > 1:
                raise _several(texts[number], found, where(number))
        return Matched([found[0] if found else None for found in exact])

    def _by_end(self, text: str, key: Callable[[str], str]) -> Found:
        parts = _keyed(_posix(text), key)
        there = self._ends[key].get(parts[0], ()) if parts else ()
        if len(there) < 2:
            return tuple(path for _, path in there)
        shared = [_shared(parts, end) for end, _ in there]
        return tuple(path for (_, path), count in zip(there, shared, strict=True) if count == max(shared))

    def _told(self, how: str, texts: Sequence[str], ends: Sequence[Found]) -> str:
        found = sum(map(bool, ends))
        example = next((text, one[0]) for text, one in zip(texts, ends, strict=True) if one)
        return f"matched by {how}: {found:,} of {len(texts):,}, such as {example[0]} = {example[1]}"

    @cached_property
    def _by_name(self) -> Mapping[str, Found]:
        return _grouped((path.rpartition("/")[2], path) for path in sorted(self.paths))

    @cached_property
    def _by_stem(self) -> Mapping[str, Found]:
        return _grouped((_stem(path), path) for path in sorted(self.paths))

    @cached_property
    def _ends(self) -> "_Ends":
        return _Ends(self)


class _Ends(dict[Callable[[str], str], dict[str, list[tuple[tuple[str, ...], str]]]]):
    """For each way to compare names, the images by their last part: all parts from the end, and the path."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, key: Callable[[str], str]) -> dict[str, list[tuple[tuple[str, ...], str]]]:
        made: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for path in sorted(self._names.paths):
            parts = _keyed(f"{self._names.root}/{path}", key)
            made.setdefault(parts[0], []).append((parts, path))
        self[key] = made
        return made


def nearest_names(text: str, paths: Sequence[str]) -> list[str]:
    """The three of `paths` whose names are nearest to `text`."""
    by_name = {_last(path): path for path in paths[:_COMPARED]}
    return [by_name[name] for name in difflib.get_close_matches(_last(text), by_name, n=_SHOWN, cutoff=0.0)]


def prefixes_of(file: Path, folder: Path) -> tuple[str, ...]:
    """What a path may begin with that is written from the table's folder, from the one around the images, or whole."""
    images = folder.resolve()
    base = file.resolve().parent
    below = [f"{images.relative_to(base).as_posix()}/"] if images.is_relative_to(base) and images != base else []
    return tuple(dict.fromkeys([*below, f"{images.name}/", f"{images.as_posix()}/", f"{folder.as_posix()}/"]))


def _posix(text: str) -> str:
    return text.replace("\\", "/").removeprefix("./")


def _last(text: str) -> str:
    return _posix(text).rstrip("/").rpartition("/")[2]


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _keyed(path: str, key: Callable[[str], str]) -> tuple[str, ...]:
    """The parts from the last one on; folders are compared as the way to compare has it, but for suffix and zeros."""
    *folders, name = [part for part in path.split("/") if part] or [""]
    as_is = key is _as_written
    return (key(name), *(folder if as_is else _in_any_case(folder) for folder in reversed(folders)))


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _as_written(name: str) -> str:
    return name


def _in_any_case(name: str) -> str:
    return unicodedata.normalize("NFC", name).lower()


def _without_suffix(name: str) -> str:
    return _SUFFIX.sub("", _in_any_case(name))


def _without_zeros(name: str) -> str:
    """`img_007.jpg`, `img_7` and `img_7.0`, as a spreadsheet makes of numbers, are one."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", re.sub(r"(?<=[0-9])\.0$", "", _without_suffix(name)))


_ENDS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("the longest common end of their paths", _as_written),
    ("the longest common end of their paths in whatever case", _in_any_case),
    ("the longest common end of their paths without suffix", _without_suffix),
    ("the longest common end of their paths without suffix and leading zeros", _without_zeros),
)


def _are_apart(texts: Sequence[str], found: Sequence[Found]) -> bool:
    """Whether no two different texts mean the same image."""
    meant: dict[str, str] = {}
    return all(meant.setdefault(images[0], text) == text for text, images in zip(texts, found, strict=True) if images)


def _several(text: str, found: Found, where: str) -> UnclearTable:
    return UnclearTable(
        f"{where}: {text} can be {', '.join(found[:_SHOWN])}{', …' if len(found) > _SHOWN else ''}",
        next_step="write the path below the folder of images",
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, Found]:
    found: dict[str, list[str]] = {}
    for name, path in pairs:
        found.setdefault(name, []).append(path)
    return {name: tuple(some) for name, some in found.items()}
