"""Guess labels from folders, or from the beginnings of file names. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from foldproof.data.labels.copies import COPIES, copies_of
from foldproof.data.labels.from_path import labelling
from foldproof.data.labels.masks import masks_among
from foldproof.data.labels.parts import (
    Part,
    copy_in_itself,
    holds_parts,
    lies_in_no_class,
    original_among,
    parts_in_classes,
    parts_of,
    test_among,
)
from foldproof.scaffold.groups import candidate_of
from foldproof.scaffold.levels import are_no_classes, are_numbered, common_folders, group_folders
from foldproof.scaffold.names import label_in_names, stands_in_one_folder
from foldproof.scaffold.seen import ENOUGH, FolderLook
from foldproof.storage import cleaned

_BELOW_PARTS = "^[^/]+/([^/]+)/"


def guess_by_folders(path: str, below: Sequence[str]) -> FolderLook | None:
    """By class folders, be they in parts of a set, in groups or around them; None where there are not two classes."""
    masks = masks_among(below)
    images = [one for one in below if one not in masks]
    seen = _by_parts(path, images) if holds_parts(images) else _by_classes(path, images)
    if seen is None and masks:
        seen = _below_images(path, images)
    return seen and replace(seen, masks=len(masks))


def _below_images(path: str, images: Sequence[str]) -> FolderLook | None:
    """By the class folders in the one folder of images that lies beside one of masks."""
    tops = {one.partition("/")[0] for one in images}
    seen = _by_classes(path, [one.partition("/")[2] for one in images]) if len(tops) == 1 else None
    is_plain = seen is not None and seen.label_by is None and seen.group_by is None
    return replace(seen, label_by="parent", candidate=None) if seen and is_plain else None


def _by_parts(path: str, below: Sequence[str]) -> FolderLook | None:
    """Parts of a data set such as train and test, each with class folders; what is none, or has none, is left out."""
    parts = parts_of({one.partition("/")[0] for one in below if "/" in one})
    held = {top for top, part in parts.items() if part is Part.TESTING}
    labelled = [one for one in below if one.partition("/")[0] in parts and not lies_in_no_class(one)]
    trained = [one for one in labelled if one.partition("/")[0] not in held]
    level = 1 if _groups_in_classes(labelled, parts) else -2
    count = Counter(one.split("/")[level] for one in trained)
    if len(count) < 2 or are_no_classes(count):
        return None
    test = [one for one in labelled if one.partition("/")[0] in held]
    tops = {one.partition("/")[0] for one in below if "/" in one}
    return replace(
        _with_groups([one.split("/") for one in trained]) if level == 1 else _by_parent(trained, parts),
        path=path,
        test="/".join([path, *common_folders([one.split("/")[:level] for one in test])]) if test else None,
        exclude=tuple(sorted(tops - {one.partition("/")[0] for one in labelled})),
        count_by_class=count,
    )


def _groups_in_classes(labelled: Sequence[str], parts: Mapping[str, Part]) -> bool:
    """Whether below each part lie the same few folders, and in these such as training lacks, or all of one name but
    for its number: patients of classes.
    """
    folders = [one.split("/")[:-1] for one in labelled]
    if len({len(one) for one in folders}) != 1 or len(folders[0]) < 3:
        return False
    trained = [one for one in folders if parts[one[0]] is Part.TRAINING]
    classes, inner = {one[1] for one in trained}, {tuple(one[2:]) for one in trained}
    return (
        1 < len(classes) < len(inner)
        and {one[1] for one in folders} <= classes
        and (not {tuple(one[2:]) for one in folders} <= inner or are_numbered({one[2] for one in folders}))
    )


def _with_groups(trained: Sequence[Sequence[str]]) -> FolderLook:
    """By the folders below the parts, whatever part they are in, and by groups below these."""
    grouped = _grouped([tuple(one[2:-1]) for one in trained], [one[1] for one in trained], before="[^/]+/[^/]+/")
    note = f"the folder below {_some(sorted({one[0] for one in trained}))}, which are parts of a set by their names"
    return replace(grouped, label_by=_BELOW_PARTS, note=note)


def _by_parent(trained: Sequence[str], parts: Collection[str]) -> FolderLook:
    """By the folder that an image lies in."""
    copies = copies_of(trained)
    deep = [one.split("/")[1:] for one in trained]
    if _classes_below_groups([tuple(one) for one in deep], [tuple(one) for one in deep]):
        groups = {tuple(one[:-2]) for one in deep}
        note = (
            f"the folder that an image lies in, below {_some(sorted(parts))}, which are parts of a set by their names"
        )
        return FolderLook(path="", label_by="parent", group_by="parent", groups=len(groups), note=note)
    first = sorted({one[0] for one in deep})
    inner = {tuple(one[:-1]) for one in deep}
    may_be_first = min(map(len, deep)) > 2 and 1 < len(first) <= len(inner) / 2 and not are_no_classes(first)
    return FolderLook(
        path="",
        label_by="parent",
        group_by=COPIES if copies else None,
        groups=copies,
        note=f"the folder that an image lies in, since {', '.join(parts)} are parts of a set by their names",
        other=f"by the first ones ({_some(first)}): data.label_by: '{_BELOW_PARTS}'" if may_be_first else "",
    )


def _by_classes(path: str, below: Sequence[str]) -> FolderLook | None:
    parts = [PurePosixPath(one).parts for one in below]
    deep = [one for one in parts if len(one) > 2]
    if copy := copy_in_itself([one for one in below if "/" in one]):
        others = {one for one in below if not one.startswith(f"{copy}/")}
        if all(one.removeprefix(f"{copy}/") in others for one in below if one not in others):
            without = _by_classes(path, sorted(others))
            return without and replace(without, exclude=(*without.exclude, copy))
        return FolderLook(
            path=path, label_by="parent", count_by_class=Counter(one[-2] for one in parts if len(one) > 1)
        )
    if (original := original_among(below)) is not None:
        versions = sorted({one[0] for one in parts} - {original})
        return FolderLook(
            path=path,
            label_by="parent",
            exclude=tuple(versions),
            count_by_class=Counter(one[-2] for one in deep if one[0] == original),
            note=f"the folder that an image lies in; {', '.join(versions)}: versions of {original} by their names",
        )
    if inner := parts_in_classes([one for one in below if "/" in one]):
        test = test_among(inner)
        count = Counter(one[0] for one in deep if one[1] != test)
        exclude = (f"*/{test}",) if test else ()
        return FolderLook(path=path, label_by="top", exclude=exclude, count_by_class=count) if len(count) > 1 else None
    if _classes_below_groups(deep, parts):
        count = Counter(one[-2] for one in deep)
        grouped = _grouped([one[:-2] for one in deep], [""] * len(deep), before="")
        other = _by_the_first(deep)
        note = "by the folder that an image lies in" if other else ""
        return replace(grouped, path=path, label_by="parent", count_by_class=count, note=note, other=other)
    count = Counter(one[0] for one in parts if len(one) > 1)
    if len(count) < 2 or are_no_classes(count):
        return None
    if copies := copies_of(below):
        return FolderLook(path=path, count_by_class=count, group_by=COPIES, groups=copies)
    if len(deep) == len(parts):
        grouped = _grouped([one[1:-1] for one in deep], [one[0] for one in deep], before="[^/]+/")
        if grouped.groups > 1:
            other = _by_inner_ones(deep, grouped.groups)
            note = "by the first folders" if other else ""
            by_first = replace(grouped, path=path, count_by_class=count, note=note, other=other)
            return _crossed(path, deep) or by_first
    return FolderLook(path=path, count_by_class=count, candidate=candidate_of(below))


def _grouped(levels: Sequence[tuple[str, ...]], classes: Sequence[str], *, before: str) -> FolderLook:
    """Groups by folders; `before` matches what stands before these in a path."""
    if len(set(map(len, levels))) > 1:
        return FolderLook(path="", group_by="parent", groups=len(set(levels)))
    depth, names = group_folders(levels, classes)
    rule = "parent" if depth == len(levels[0]) else f"^{before}({'/'.join(['[^/]+'] * depth)})/"
    return FolderLook(path="", group_by=rule, groups=len(names), group_example="/".join(min(names)))


def _by_the_first(deep: Sequence[tuple[str, ...]]) -> str:
    """What is said where the first folders are so few that they may be the classes, and groups lie in them."""
    first = sorted({one[0] for one in deep})
    if min(map(len, deep)) < 4 or not 1 < len(first) <= len({one[:-2] for one in deep}) / 2:
        return ""
    return f"by the first ones ({_some(first)}): data.label_by: top"


def _crossed(path: str, deep: Sequence[tuple[str, ...]]) -> FolderLook | None:
    """Where each first folder, such as a site, holds the same few: these are the classes where only the first ones are
    of one name but for a number or letter.
    """
    inner = {one[0]: set[str]() for one in deep}
    for one in deep:
        inner[one[0]].add(one[1])
    first, second = sorted(inner), sorted(set().union(*inner.values()))
    if min(map(len, deep)) != 3 or max(map(len, deep)) != 3 or any(len(one) < len(second) for one in inner.values()):
        return None
    if len(second) < 2 or not are_numbered(first) or are_numbered(second):
        return None
    return FolderLook(
        path=path,
        label_by="parent",
        group_by="parent",
        groups=len(first),
        group_example=first[0],
        count_by_class=Counter(one[1] for one in deep),
        note="the folder that an image lies in, since these are the same in each first one",
        other=f"by the first ones ({_some(first)}): data.label_by: top",
    )


def _by_inner_ones(deep: Sequence[tuple[str, ...]], groups: int) -> str:
    """What is said where folders between the class and the groups may be classes as well."""
    for level in range(1, min(map(len, deep)) - 1):
        tops = {one[level]: set[str]() for one in deep}
        for one in deep:
            tops[one[level]].add(one[0])
        names = sorted(tops)
        if 2 < len(names) <= groups / 2 and all(len(around) == 1 for around in tops.values()):
            rule = "^" + "[^/]+/" * level + "([^/]+)/"
            return f"by {_some(names)} ({len(names)}): data.label_by: '{rule}'"
    return ""


def _some(names: Sequence[str]) -> str:
    return ", ".join(cleaned(name, most=40) for name in names[:3]) + (", …" if len(names) > 3 else "")


def guess_by_names(path: str, below: Sequence[str]) -> FolderLook | None:
    """Classes at the beginning of the names, where no folder says any."""
    masks = masks_among(below)
    images = [one for one in below if one not in masks]
    pattern = label_in_names(images) if stands_in_one_folder(images) else None
    if pattern is None:
        return None
    count = Counter(map(labelling(pattern), images))
    note = "the class stands in the file's name"
    return FolderLook(path=path, count_by_class=count, label_by=pattern, masks=len(masks), note=note)


def _classes_below_groups(deep: Sequence[tuple[str, ...]], parts: Sequence[tuple[str, ...]]) -> bool:
    """Whether folders such as patients hold the same few class folders again and again."""
    if not deep or len(deep) < ENOUGH * len(parts):
        return False
    inner = {one[-2] for one in deep}
    outer = {one[:-2] for one in deep}
    pairs = {(one[:-2], one[-2]) for one in deep}
    return 1 < len(inner) < len(outer) and len(pairs) > 1.5 * len(outer) and not are_no_classes(inner)
