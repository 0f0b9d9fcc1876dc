"""File names in; what in them may say which images belong together, out. Pure.

A part of the names that many images share, and none too many: `p01` of p01_1.jpg, p01_2.jpg. It is proposed and not
used: whether these are of one patient, only a person knows.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

PATTERNS = (
    r"([A-Za-z]*[0-9]+)[_-][^/]*$",  # p01_left.jpg, IMG12-3.png
    r"([A-Za-z]+[_-]?[0-9]+)[_-][^/]*$",  # case_7_2.png
    r"([^/]*[^/0-9])[0-9]+[.][^/.]+$",  # anna_3.jpg, roof (2).jpg
)
_LEAST_GROUPS = 10
_LARGEST = 0.2  # of all images


@dataclass(frozen=True)
class Candidate:
    """A pattern for data.group_by, how many groups it finds and one of them with two of its images."""

    pattern: str
    groups: int
    example: str
    images: tuple[str, ...]


def candidate_of(paths: Sequence[str]) -> Candidate | None:
    """The first pattern that finds a group in every path, several images in most groups, and no group too large."""
    classes = {path.partition("/")[0].lower() for path in paths}
    for pattern in PATTERNS:
        found = [re.search(pattern, path) for path in paths]
        if not found or not all(found):
            continue
        names = [match[1] for match in found if match]
        sizes = Counter(names)
        shared = sum(size > 1 for size in sizes.values())
        plausible = len(sizes) >= _LEAST_GROUPS and max(sizes.values()) <= _LARGEST * len(paths)
        if plausible and shared >= len(sizes) / 2 and not {name.lower().strip("_- ") for name in sizes} <= classes:
            example = next(name for name, size in sizes.items() if size > 1)
            of_it = [path for path, name in zip(paths, names, strict=True) if name == example]
            return Candidate(pattern, len(sizes), example, tuple(of_it[:2]))
    return None
