"""Suggest the line that makes a list of test images from ids, as CUB-200 keeps them.

`images.txt` has an id and a path in each line, `train_test_split.txt` an id and 1 for training or 0.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from foldproof.data.labels.parts import Part, part_of
from foldproof.errors import DamagedFile
from foldproof.scaffold.typed import python_line
from foldproof.storage import read_text

_MOST_BYTES = 64 * 2**20
_ENOUGH = 0.8  # of the lines of an index, whose image is there


def line_for_split(folder: Path, images: Path) -> str | None:
    """What to say and to type where a split by ids lies around the `images` in `folder`."""
    around = [where for where in images.parents if where.is_relative_to(folder)]
    files = [file for where in around for file in sorted(where.glob("*.txt"))]
    for file in files:
        split = _pairs(file) if _is_split(file) else {}
        for other in files if set(split.values()) == {"0", "1"} else ():
            index = _pairs(other)
            there = sum((images / name).is_file() for name in index.values())
            if index.keys() == split.keys() and there >= _ENOUGH * len(index):
                held = sum(value == "0" for value in split.values())
                return _said(file.relative_to(folder), other.relative_to(folder), held)
    return None


def _is_split(file: Path) -> bool:
    words = {part_of(word) for word in file.stem.replace("-", "_").split("_")}
    return {Part.TRAINING, Part.TESTING} <= words


def _pairs(file: Path) -> Mapping[str, str]:
    """By the first of the two words of each line the second; nothing of another file."""
    with suppress(OSError, DamagedFile):
        return dict(_two_words(read_text(file, most_bytes=_MOST_BYTES)))
    return {}


def _two_words(text: str) -> Iterator[tuple[str, str]]:
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    if all(len(line) == 2 for line in lines):
        yield from ((first, second.strip()) for first, second in lines)


def _said(split: Path, index: Path, held: int) -> str:
    code = (
        f"s=dict(l.split() for l in open({split.as_posix()!r})); [print(l.split(None,1)[1].strip()) "
        f"for l in open({index.as_posix()!r}) if s[l.split()[0]]=='0']"
    )
    return (
        f"{split.as_posix()} says 0 of {held:,} images: a test, where 1 is training as in CUB-200; here every image "
        f"is in a fold. To keep them apart, in this folder: {python_line(code)} > test.txt; then delete "
        "params.yaml and `foldproof init` again"
    )
