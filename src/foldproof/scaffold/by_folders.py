"""Paths of images in; how folders, or else the beginnings of names, label them, out. Pure."""

from collections import Counter
from collections.abc import Sequence
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
from foldproof.scaffold.names import label_in_names, stands_in_one_folder
from foldproof.scaffold.seen import ENOUGH, Look


def by_folders(path: str, below: Sequence[str]) -> Look | None:
    """By class folders, be they in parts of a set, in groups or around them; None where there are not two classes."""
    masks = masks_among(below)
    images = [one for one in below if one not in masks]
    seen = _by_parts(path, images) if holds_parts(images) else _by_classes(path, images)
    if seen is None and masks:
        seen = _below_images(path, images)
    return seen and replace(seen, masks=len(masks))


def _below_images(path: str, images: Sequence[str]) -> Look | None:
    """By the class folders in the one folder of images that lies beside one of masks."""
    tops = {one.partition("/")[0] for one in images}
    seen = _by_classes(path, [one.partition("/")[2] for one in images]) if len(tops) == 1 else None
    is_plain = seen is not None and seen.label_by is None and seen.group_by is None
    return replace(seen, label_by="parent", candidate=None) if seen and is_plain else None


def _by_parts(path: str, below: Sequence[str]) -> Look | None:
    """Parts of a data set such as train and test, each with class folders; what is none, or has none, is left out."""
    parts = parts_of({one.partition("/")[0] for one in below if "/" in one})
    held = {top for top, part in parts.items() if part is Part.TESTING}
    labelled = [one for one in below if one.partition("/")[0] in parts and not lies_in_no_class(one)]
    trained = [one for one in labelled if one.partition("/")[0] not in held]
    count = Counter(one.split("/")[-2] for one in trained)
    if len(count) < 2:
        return None
    test = [one for one in labelled if one.partition("/")[0] in held]
    tops = {one.partition("/")[0] for one in below if "/" in one}
    copies = copies_of(trained)
    return Look(
        path=path,
        label_by="parent",
        group_by=COPIES if copies else None,
        groups=copies,
        test="/".join([path, *_around([one.split("/")[:-2] for one in test])]) if test else None,
        exclude=tuple(sorted(tops - {one.partition("/")[0] for one in labelled})),
        count_by_class=count,
        note=f"the folder that an image lies in, since {', '.join(parts)} are parts of a set by their names",
    )


def _around(folders: Sequence[Sequence[str]]) -> list[str]:
    """The folders that all have in common, from the first on."""
    common: list[str] = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    return common


def _by_classes(path: str, below: Sequence[str]) -> Look | None:
    parts = [PurePosixPath(one).parts for one in below]
    deep = [one for one in parts if len(one) > 2]
    if copy := copy_in_itself([one for one in below if "/" in one]):
        others = {one for one in below if not one.startswith(f"{copy}/")}
        if all(one.removeprefix(f"{copy}/") in others for one in below if one not in others):
            without = _by_classes(path, sorted(others))
            return without and replace(without, exclude=(*without.exclude, copy))
        return Look(path=path, label_by="parent", count_by_class=Counter(one[-2] for one in parts if len(one) > 1))
    if (original := original_among(below)) is not None:
        versions = sorted({one[0] for one in parts} - {original})
        return Look(
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
        return Look(path=path, label_by="top", exclude=exclude, count_by_class=count) if len(count) > 1 else None
    if _classes_below_groups(deep, parts):
        count = Counter(one[-2] for one in deep)
        groups = len({one[:-2] for one in deep})
        return Look(path=path, label_by="parent", group_by="parent", groups=groups, count_by_class=count)
    count = Counter(one[0] for one in parts if len(one) > 1)
    if len(count) < 2:
        return None
    if copies := copies_of(below):
        return Look(path=path, count_by_class=count, group_by=COPIES, groups=copies)
    groups = len({one[1:-1] for one in deep})
    by_folder = "parent" if len(deep) == len(parts) and groups > 1 else None
    candidate = None if by_folder else candidate_of(below)
    return Look(
        path=path, count_by_class=count, group_by=by_folder, groups=groups if by_folder else 0, candidate=candidate
    )


def by_names(path: str, below: Sequence[str]) -> Look | None:
    """Classes at the beginning of the names, where no folder says any."""
    pattern = label_in_names(below) if stands_in_one_folder(below) else None
    if pattern is None:
        return None
    label_of = labelling(pattern)
    count = Counter(map(label_of, below))
    return Look(path=path, count_by_class=count, label_by=pattern, note="the class stands in the file's name")


def _classes_below_groups(deep: Sequence[tuple[str, ...]], parts: Sequence[tuple[str, ...]]) -> bool:
    """Whether folders such as patients hold the same few class folders again and again."""
    if not deep or len(deep) < ENOUGH * len(parts):
        return False
    inner = {one[-2] for one in deep}
    outer = {one[:-2] for one in deep}
    pairs = {(one[:-2], one[-2]) for one in deep}
    return 1 < len(inner) < len(outer) and len(pairs) > 1.5 * len(outer)
