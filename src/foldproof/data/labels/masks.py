"""Find masks of other images by the usual names of folders and files. Pure.

A mask lies below a folder beside one of images or below it (`cat/images/1.png`, `cat/masks/1.png`; `cat_masks/1.png`;
`images_cat/1.png`, `masks_cat/1.png`; `cat/1.png`, `cat/masks/1.png`), where most have an image of the same name there;
or beside its image with a word before or after the name (`1.png`, `1_mask.png`, `mask_1.png`).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import dropwhile
from typing import NamedTuple

_OF_IMAGES = re.compile(
    r"(?:raw|original|rgb|input)?[ _-]?(?:image|img|photo|picture|original|input|rgb|scan|slice|source|src)s?|raw",
    re.IGNORECASE,
)
_OF_MASKS = re.compile(
    r"(?:[a-z]+[ _-])?(?:mask|trimap|annotation|segmentation|contour|ground[ _-]?truth|label)s?|gts?|segs?",
    re.IGNORECASE,
)
_WORD = r"(?:mask|segmentation|seg|gt|ground[ _-]?truth|annotation)s?"
_MASK_OF = re.compile(rf"(?P<before>.+?)[ _.-]+{_WORD}(?:[ _-]?\d+)?|{_WORD}[ _.-]+(?P<after>.+)", re.IGNORECASE)
_OF_ANY = re.compile(r"mask|trimap|seg|gt|truth|annotation|contour|label", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_ENOUGH = 0.5  # of the files of a folder of masks, that have an image of their name


class _View(NamedTuple):
    """A file seen from one of the folders above it: `name` is the rest of its path, without suffix."""

    around: str
    folder: str
    name: str


def masks_among(paths: Sequence[str]) -> frozenset[str]:
    """Which of the paths are masks of other ones."""
    return frozenset(path for path in (*_in_folders(paths), *_beside(paths)))


def _in_folders(paths: Sequence[str]) -> Iterator[str]:
    if not any(map(_OF_ANY.search, {path.rpartition("/")[0] for path in paths})):
        return
    names: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    images: defaultdict[str, set[str]] = defaultdict(set)
    for path in paths:
        folder, _, name = _stem(path).rpartition("/")
        images[folder].add(name)
        for around, part, below in _views(path):
            names[around, part][path] = below
            if _kind(part) == "images":
                images[around].add(below)
    twins = {(around, rest): folder for around, folder in names if (rest := _but_for(_OF_IMAGES, folder))}
    for (around, folder), found in names.items():
        twin = twins.get((around, _but_for(_OF_MASKS, folder)), "")
        beside = {*names.get((around, _image_of(folder) or ""), {}).values(), *names.get((around, twin), {}).values()}
        if _kind(folder) == "masks" or beside:
            there = images[around].union(beside)
            named = sum(name in there or _image_of(name) in there for name in found.values())
            if named >= _ENOUGH * len(found):
                yield from found


def _views(path: str) -> Iterator[_View]:
    """Folders of masks in one of masks (`annotations/trimaps/1.png`) say nothing more."""
    parts = _stem(path).split("/")
    for depth in range(len(parts) - 1):
        inner = dropwhile(lambda part: _kind(part) == "masks", parts[depth + 1 : -1])
        yield _View("/".join(parts[:depth]), parts[depth], "/".join([*inner, parts[-1]]))


def _beside(paths: Sequence[str]) -> Iterator[str]:
    called = [path for path in paths if _OF_ANY.search(path)]
    stems = {_stem(path) for path in paths} if called else set()
    yield from (path for path in called if _image_of(_stem(path)) in stems)


def _stem(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{name.rpartition('.')[0] or name}"


@lru_cache(maxsize=4096)
def _kind(folder: str) -> str:
    """What a folder of this name holds: "images", "masks", or what nobody knows."""
    return "images" if _OF_IMAGES.fullmatch(folder) else "masks" if _OF_MASKS.fullmatch(folder) else ""


@lru_cache(maxsize=4096)
def _but_for(word: re.Pattern[str], folder: str) -> tuple[str, ...]:
    """The other words of a folder's name that has one such word, as (`train`,) in train_images; else nothing."""
    words = _WORDS.findall(folder)
    rest = tuple(one.lower() for one in words if not word.fullmatch(one))
    return rest if len(rest) == len(words) - 1 else ()


def _image_of(name: str) -> str | None:
    """The name of the image that a mask of this name would be of."""
    folder, slash, last = name.rpartition("/")
    match = _MASK_OF.fullmatch(last)
    return f"{folder}{slash}{match['before'] or match['after']}" if match else None
