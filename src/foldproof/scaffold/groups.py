"""Find what in file names may say which images belong together. Pure.

A part of the names that many images share, and none too many: `p01` of p01_1.jpg, p01_2.jpg. It is proposed and not
used: whether these are of one patient, only a person knows.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from string import digits

PATTERNS = (
    r"([A-Za-z]*[0-9]+)[_-][^/]*$",  # p01_left.jpg, IMG12-3.png
    r"([A-Za-z]+[_-]?[0-9]+)[_-][^/]*$",  # case_7_2.png
    r"([^/]*[0-9])[_-][0-9]+[.][^/.]+$",  # 00012_00003_00029.png: class, track, frame
    r"([^/]*[^/0-9])[0-9]+[.][^/.]+$",  # anna_3.jpg, roof (2).jpg
)
_LEAST_GROUPS = 10
_LARGEST = 0.2  # of all images


@dataclass(frozen=True)
class GroupPattern:
    """A pattern for data.group_by, how many groups it finds and one of them with two of its images."""

    pattern: str
    groups: int
    example: str
    images: tuple[str, ...]


def candidate_of(paths: Sequence[str], labels: Sequence[str] = ()) -> GroupPattern | None:
    """The first pattern that finds a group in every path, several images in most groups, and no group too large.

    `labels`: of the images; without them the folder that each lies in first.
    """
    labels = labels or [path.partition("/")[0] for path in paths]
    classes = {label.lower() for label in labels}
    for pattern in PATTERNS:
        found = [re.search(pattern, path) for path in paths]
        if not found or not all(found):
            continue
        names = [match[1] for match in found if match]
        sizes = Counter(names)
        shared = sum(size > 1 for size in sizes.values())
        plausible = len(sizes) >= _LEAST_GROUPS and max(sizes.values()) <= _LARGEST * len(paths)
        is_new = not {name.lower().strip("_- ") for name in sizes} <= classes and _tells_apart(names, labels)
        if plausible and shared >= len(sizes) / 2 and is_new:
            example = next(name for name, size in sizes.items() if size > 1)
            of_it = [path for path, name in zip(paths, names, strict=True) if name == example]
            return GroupPattern(pattern, len(sizes), example, tuple(of_it[:2]))
    return None


def _tells_apart(names: Sequence[str], labels: Sequence[str]) -> bool:
    """Neither one name for each class, nor a running number that starts over in each."""
    by_class: dict[str, list[str]] = {}
    for name, label in zip(names, labels, strict=True):
        by_class.setdefault(label, []).append(name)
    if len(by_class) < 2:
        return True
    return any(len(set(found)) > 1 for found in by_class.values()) and not all(map(_is_running, by_class.values()))


def _is_running(names: Sequence[str]) -> bool:
    words = {name.rstrip(digits) for name in names}
    numbers = sorted(int(name[len(name.rstrip(digits)) :] or -1) for name in names)
    return len(words) == 1 and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
