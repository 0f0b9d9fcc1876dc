"""Set aside the images that a publisher's text file, such as test.txt, lists as the test set."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from foldproof.data.labels.describe import describe
from foldproof.data.labels.listed import listed_in
from foldproof.data.labels.parts import Part, part_of
from foldproof.data.labels.said import Rules
from foldproof.errors import FoldproofError
from foldproof.scaffold.seen import FolderLook

_SUFFIXES = frozenset({".txt", ".lst", ".list"})
_LARGEST = 0.8  # of all images, that a test can be


def add_listed_test(seen: FolderLook, folder: Path, below: Sequence[str]) -> FolderLook:
    """`below`: all images in the folder of `seen`, relative to it. As it is where a test is known, or none listed."""
    if seen.test is not None or not seen.images:
        return seen
    images = folder / seen.path
    for file in _lists(folder, images):
        with suppress(FoldproofError):
            listed = listed_in(file, below, folder=images)
            if 1 < len(listed) <= _LARGEST * len(below):
                rules = Rules(
                    label_by=seen.label_by,
                    table=folder / seen.table if seen.table else None,
                    columns=seen.columns or {},
                    classes=seen.classes,
                    exclude=seen.exclude,
                    held_list=file,
                )
                left = Counter(one.label for one in describe(below, images, rules).said.values())
                if left.keys() == seen.count_by_class.keys():
                    name = file.relative_to(folder).as_posix()
                    return replace(seen, test=name, test_list=name, listed=len(listed), count_by_class=left)
    return seen


def _lists(folder: Path, images: Path) -> Iterator[Path]:
    """Text files called as a test is, in the folder, around the images, and in the folders beside these."""
    around = [where for where in (images, *images.parents) if where.is_relative_to(folder)]
    beside = [inner for where in around for inner in sorted(where.glob("*/")) if inner not in around]
    for file in (file for where in (*around, *beside) for file in sorted(where.glob("*.*"))):
        if file.suffix.lower() in _SUFFIXES and part_of(file.stem) is Part.TESTING and file.is_file():
            yield file
