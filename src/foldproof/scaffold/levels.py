"""Decide which folder levels name no class, and which hold images that belong together. Pure.

`40X`, `study1`, `left` are takes of one thing, `patient00012` is one: neither is a class. What belongs together is all
of one patient, be it of several studies or at several magnifications.
"""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

_TAKE = re.compile(
    r"(?:stud(?:y|ies)|session|visit|series|scan|view|slice|frame|take|exam|examination|acquisition|shot|camera|cam|zoom"
    r"|mag|magnification|timepoint|follow[ _-]?up|patient|pat)s?[ _.-]?[0-9]+(?:[ _.-].*)?|[0-9]+(?:[.][0-9]+)?[ _-]?x"
    r"|left|right|o[ds]",
    re.IGNORECASE,
)
PATIENT = r"(?:^|/)((?i:patient|subject|participant|case)s?[ _-]?[0-9]+)/"  # for data.group_by
_NUMBER = re.compile(r"[0-9]+|(?<=[ _.-])[A-Za-z]$|(?<=[a-z])[A-Z]$")
_MANY = 10  # folders of one level in a class: of patients, not of kinds


class Together(NamedTuple):
    """`depth`: how many levels the folders have whose images belong together; `names`: of all of these folders."""

    depth: int
    names: frozenset[tuple[str, ...]]


def patients_in(paths: Sequence[str]) -> Collection[str]:
    """The folders called as patients are, where each path has one and some share it; else nothing."""
    found = [match[1] for path in paths if (match := re.search(PATIENT, path))]
    return set(found) if len(found) == len(paths) > len(set(found)) > 1 else ()


def are_no_classes(names: Collection[str]) -> bool:
    """Whether all folders are called as takes of one thing are, or as patients."""
    return bool(names) and all(map(_TAKE.fullmatch, names))


def are_numbered(names: Collection[str]) -> bool:
    """Whether all are one name but for a number or a letter at its end: `site 1`, `site 2`; `2019`, `2020`; `p01`."""
    return len(names) > 1 and len({_NUMBER.sub("", name) for name in names}) == 1


def common_folders(folders: Sequence[Sequence[str]]) -> list[str]:
    """The folders that all have in common, from the first on."""
    common: list[str] = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    return common


def group_folders(levels: Sequence[Sequence[str]], classes: Sequence[str]) -> Together:
    """The folders of images that belong together; `levels` are those between class and file, and as many for each.

    Levels at the end whose few names come again in most folders are takes. Of the others the outermost one counts that
    has many folders in each class, else the innermost.
    """
    depth = len(levels[0])
    while depth > 1 and _are_takes(levels, classes, depth):
        depth -= 1
    for outer in range(1, depth):
        found = {(label, *one[:outer]) for label, one in zip(classes, levels, strict=True)}
        if len(found) >= _MANY * len(set(classes)):
            depth = outer
            break
    return Together(depth, frozenset(tuple(one[:depth]) for one in levels))


def _are_takes(levels: Sequence[Sequence[str]], classes: Sequence[str], depth: int) -> bool:
    names = {one[depth - 1] for one in levels}
    around = {(label, *one[: depth - 1]) for label, one in zip(classes, levels, strict=True)}
    return are_no_classes(names) or 2 * len(names) <= len(around)
