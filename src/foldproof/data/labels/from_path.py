"""Get the label, group or time of an image from its folders or a pattern. Pure."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import TypeAlias

from foldproof.data.labels.parts import part_of
from foldproof.data.labels.said import ImageLabel, Rules
from foldproof.errors import DataError, SettingsError

FromPath: TypeAlias = Callable[[str], str]
PARENT, TOP = "parent", "top"
EXIF = "exif"  # a time that no path says: the file does


def said_by_path(rules: Rules, wrap: str = "") -> Callable[[str], ImageLabel]:
    """What `rules` say of an image by its path only. `wrap`: folders around all of them, which say nothing; patterns
    are searched in the whole path.

    The function raises DataError for a path in which a pattern finds nothing; this one SettingsError for a pattern
    that is none.
    """
    label_of = labelling(rules.label_by, rules.below)
    group_of = read_beside(rules.group_by, "data.group_by", "group", rules)
    by_path = None if rules.time_by == EXIF else rules.time_by
    time_of = read_beside(by_path, "folds.time_by", "time", rules)

    is_class = rules.label_by in (None, TOP)  # the first folder, which else may be a part such as train

    def said(path: str) -> ImageLabel:
        inside = path.removeprefix(f"{wrap}/") if wrap else path
        group = group_of(inside if rules.group_by == PARENT else path)
        time = time_of(inside if by_path == PARENT else path)
        return ImageLabel(label_of(inside), group, split="" if is_class else path.partition("/")[0], time=time)

    return said


def labelling(label_by: str | None, below: str = "") -> FromPath:
    """The class of a path. Raises SettingsError for an expression that is none."""
    if label_by in (None, TOP):
        return lambda path: path.partition("/")[0]
    if label_by == PARENT:
        return lambda path: PurePosixPath(path).parent.name
    return found_by(str(label_by), "data.label_by", "label", below)


def read_beside(rule: str | None, setting: str, what: str, rules: Rules) -> FromPath:
    """What else a path says; "parent" is all its folders but that of the class. Nothing without a rule.

    A folder such as train or test says no group: whoever is in both is one.
    """
    if rule is None:
        return lambda path: ""  # noqa: ARG005
    if rule != PARENT:
        return found_by(rule, setting, what, rules.below)
    if rules.label_by == PARENT:
        return lambda path: _joined(path.split("/")[:-2])
    if rules.label_by in (None, TOP):
        return lambda path: _joined(path.split("/")[1:-1])
    label_of = labelling(rules.label_by, rules.below)
    return lambda path: _joined([folder for folder in path.split("/")[:-1] if folder != label_of(path)])


def _joined(folders: Sequence[str]) -> str:
    return "/".join(folder for folder in folders if part_of(folder) is None)


def found_by(pattern: str, setting: str, what: str, below: str = "") -> FromPath:
    """The first group of a regular expression searched in the path, or all that it matches.

    It is searched with `below` before the path, and where nothing is found there, without.
    """
    try:
        expression = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise SettingsError(
            f"{setting} is not a regular expression: {error}", next_step=f"fix it: {pattern!r}; or use 'parent'"
        ) from None

    def search(path: str) -> str:
        match = (expression.search(f"{below}/{path}") if below else None) or expression.search(path)
        found = (match[1] if expression.groups else match[0]) if match else None
        if not found:
            raise DataError(
                f"{setting} finds no {what} in {path}",
                next_step=f"make the expression {pattern!r} match every image, or move this one away",
            )
        return found

    return search
