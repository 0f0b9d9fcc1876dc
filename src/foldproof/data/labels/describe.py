"""Label each image by the rules, or set it aside as held out or unused. Start reading here."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from foldproof.data.labels.from_path import EXIF, PARENT, TOP, said_by_path
from foldproof.data.labels.from_table import said_by_table
from foldproof.data.labels.listed import listed_in
from foldproof.data.labels.masks import masks_among
from foldproof.data.labels.names import Names
from foldproof.data.labels.parts import (
    Part,
    are_parts,
    copy_in_itself,
    folder_of_test,
    holds_parts,
    lies_in_no_class,
    parts_in_classes,
    parts_of,
    test_among,
)
from foldproof.data.labels.said import IN_NO_FOLDER, UNLABELLED, Classes, ImageLabel, Labelling, Rules
from foldproof.data.labels.variants import refuse_variants
from foldproof.data.labels.wrapping import lies_in_a_folder, strip_wrapping, wrapping
from foldproof.data.patterns import left_out
from foldproof.data.taken import times_taken
from foldproof.errors import DataError, nearest

MASKS = "that are masks of others, by the names of folders or files, left out; data.masks: train takes them"


def describe(paths: Sequence[str], folder: Path, rules: Rules) -> Labelling:
    """What `rules` say of the images `paths`, which lie in `folder`.

    Raises DataError where a table or a pattern does not fit them, and where the parts of a data set, such as train and
    val, would be taken for classes or trained on as one.
    """
    left = _excluded(paths, rules)
    taken = [path for path in paths if path not in left]
    made = _by_table(taken, folder, rules) if rules.table else _by_path(taken, folder, rules)
    made = replace(
        made,
        left={**made.left, **left},
        lacking=_without(made.lacking, tuple(left), folder, rules),
        idle=tuple(one for one in rules.exclude if not left_out(paths, [one])),
    )
    if rules.time_by == EXIF:
        made = replace(made, said=_taken(made.said, folder))
    made = replace(made, labels=frozenset(one.label for one in (*made.said.values(), *made.held_out.values())) - {""})
    return made if rules.classes is None else _with_classes(made, rules.classes)


def _excluded(paths: Sequence[str], rules: Rules) -> dict[str, str]:
    """Why images are left out before anything is said of them, by path."""
    left = {path: f"left out by data.exclude: {pattern}" for path, pattern in left_out(paths, rules.exclude).items()}
    masks = () if rules.masks else masks_among([path for path in paths if path not in left])
    return {**left, **dict.fromkeys(sorted(masks), MASKS)}


def _without(lacking: tuple[str, ...], left: Sequence[str], folder: Path, rules: Rules) -> tuple[str, ...]:
    """What a table names and is not there, but for images that are left out on purpose."""
    if not lacking or not left or rules.table is None:
        return lacking
    names = Names.of(left, file=rules.table, folder=folder)
    return tuple(name for name in lacking if not names.exact(name))


def _is_apart(path: str, rules: Rules) -> bool:
    return rules.held_folder is not None and path.startswith(f"{rules.held_folder}/")


def _by_path(everything: Sequence[str], folder: Path, rules: Rules) -> Labelling:
    """Of images in a folder that is held out, no label is said: they are labelled from there."""
    paths = [path for path in everything if not _is_apart(path, rules)]
    wrap = wrapping(paths) if rules.label_by is None else ""
    of_path = said_by_path(rules, wrap)
    needs_folder = rules.label_by in (None, "top", "parent")
    left = {path: IN_NO_FOLDER for path in paths if needs_folder and not lies_in_a_folder(path, wrap)}
    is_part = rules.label_by == "parent" and holds_parts(everything)
    left |= {path: IN_NO_FOLDER for path in paths if is_part and lies_in_no_class(path)}
    said = {path: of_path(path) for path in paths if path not in left}
    if rules.label_by is None:
        _refuse_no_classes(folder / wrap, strip_wrapping(wrap, list(said)), is_grouped=rules.group_by is not None)
    if rules.as_folds:
        _refuse_testing({one.split for one in said.values()}, f"{folder.name}/", "folder")
    held = {path: ImageLabel("") for path in everything if _is_apart(path, rules)}
    held |= {path: said.pop(path) for path in sorted(_listed(list(said), folder, rules))}
    return Labelling(
        said=said,
        left=left,
        held_out=held,
        written={label: {label: count} for label, count in Counter(one.label for one in said.values()).items()},
        places=_places(said, rules, wrap),
        notes=(f"all images lie in {wrap}: the folders in it are the classes; data.label_by: top says otherwise",)
        if wrap
        else (),
    )


def _places(said: Mapping[str, ImageLabel], rules: Rules, wrap: str) -> Mapping[str, str]:
    """An example of each class, where it is not the first folder that says it."""
    if rules.label_by == TOP or (rules.label_by is None and not wrap):
        return {}
    first = {one.label: path for path, one in sorted(said.items(), reverse=True)}
    if rules.label_by not in (None, PARENT):
        return {label: f"names such as {path}" for label, path in first.items()}
    return {label: f"folders such as {path.rpartition('/')[0]}" for label, path in first.items()}


def _refuse_no_classes(folder: Path, paths: Sequence[str], *, is_grouped: bool) -> None:
    """Raises DataError where the first folders are parts, copies or forms of a data set, and so no classes."""
    if not is_grouped:
        refuse_variants(folder, paths)
    if holds_parts(paths):
        raise _parts(folder, {path.partition("/")[0] for path in paths})
    if twice := copy_in_itself(paths):
        raise _twice(folder, twice)
    if not is_grouped and (inner := parts_in_classes(paths)):
        raise _parts_inside(folder, inner)


def _listed(paths: Sequence[str], folder: Path, rules: Rules) -> Collection[str]:
    return () if rules.held_list is None else listed_in(rules.held_list, paths, folder=folder)


def _by_table(paths: Sequence[str], folder: Path, rules: Rules) -> Labelling:
    assert rules.table is not None
    found = said_by_table(rules.table, rules.columns, paths, folder=folder, keep=rules.classes or ())
    said = dict(found.said)
    of_path = said_by_path(replace(rules, label_by="top"))
    if rules.group_by or rules.time_by:
        said = {path: _filled(one, of_path(path)) for path, one in said.items()}
    splits = {one.split for one in said.values() if one.split}
    listed = _listed(list(said), folder, rules)
    held = {
        path: one
        for path, one in said.items()
        if _is_apart(path, rules) or path in listed or (rules.held_split and one.split == rules.held_split)
    }
    if rules.held_split and not held:
        raise DataError(
            f"data.test: {rules.table.name} has no split '{rules.held_split}'"
            + (f"; it has {', '.join(sorted(splits))}" if splits else ": it has no column of splits"),
            next_step=nearest(rules.held_split, splits) or "name one that is there, or another table",
        )
    rest = {path: one for path, one in said.items() if path not in held}
    remaining = {one.split for one in rest.values() if one.split}
    if rules.as_folds and not found.has_fold:
        _refuse_testing(remaining, rules.table.name, "split")
    elif not rules.as_folds and not rules.held_split and are_parts(remaining):
        raise _split_column(rules.table.name, remaining)
    elif not (splits or rules.as_folds or "split" in rules.columns) and (test := folder_of_test(rest)):
        raise _test_in_table(rules.table.name, folder, test)
    return Labelling(
        said=rest,
        held_out=held,
        left={path: UNLABELLED for path in paths if path not in said},
        lacking=found.lacking,
        notes=found.notes,
        written=found.written,
        places=found.places,
    )


def _taken(said: Mapping[str, ImageLabel], folder: Path) -> dict[str, ImageLabel]:
    """With the times at which cameras took the images, where no table says others."""
    times = times_taken(folder, [path for path, one in said.items() if not one.time])
    return {path: one._replace(time=times.get(path, one.time)) for path, one in said.items()}


def _filled(one: ImageLabel, other: ImageLabel) -> ImageLabel:
    """The table's word, and the path's where the table has none."""
    return one._replace(group=one.group or other.group, time=one.time or other.time)


def _with_classes(made: Labelling, classes: Classes) -> Labelling:
    renamed = {label: renamed_by(classes, label) for label in made.labels} | {"": ""}
    left = {
        path: f"of class '{one.label}', which data.classes leaves out"
        for path, one in made.said.items()
        if renamed[one.label] is None
    }
    return replace(
        made,
        said=_relabelled(made.said, renamed),
        held_out=_relabelled(made.held_out, renamed),
        left={**made.left, **left},
        written=_rewritten(made.written, renamed),
        places={name: place for label, place in made.places.items() if (name := renamed.get(label)) is not None},
    )


def _rewritten(
    written: Mapping[str, Mapping[str, int]], renamed: Mapping[str, str | None]
) -> Mapping[str, Mapping[str, int]]:
    """The spellings of each class, once labels are merged into it."""
    made: dict[str, dict[str, int]] = {}
    for label, spellings in written.items():
        if (name := renamed.get(label)) is not None:
            made.setdefault(name, {}).update(spellings)
    return made


def renamed_by(classes: Classes, label: str) -> str | None:
    """The class that a label stands for; None where it is left out."""
    if isinstance(classes, Mapping):
        return classes.get(label, label) or None
    return label if label in classes else None


def refuse_unknown(classes: Classes, labels: Collection[str]) -> None:
    """Raises DataError where `classes` names a label that no image has."""
    if missing := sorted(set(classes) - set(labels)):
        raise DataError(
            f"data.classes names '{missing[0]}', and no image has that label",
            next_step=nearest(missing[0], labels) or f"labels there are: {', '.join(sorted(labels)[:12])}",
        )


def _relabelled(said: Mapping[str, ImageLabel], renamed: Mapping[str, str | None]) -> dict[str, ImageLabel]:
    return {path: one._replace(label=label) for path, one in said.items() if (label := renamed[one.label]) is not None}


def _refuse_testing(splits: set[str], where: str, what: str) -> None:
    testing = test_among(splits)
    if testing:
        raise DataError(
            f"{where} has a {what} '{testing}', which folds must not train on",
            next_step=f"keep it apart: data.test: {testing if what == 'split' else 'the path of that folder'}",
        )


def _parts(folder: Path, labels: set[str]) -> DataError:
    test = test_among(labels)
    parts = parts_of(labels)
    others = sorted(label for label in labels if parts.get(label, Part.UNLABELLED) is Part.UNLABELLED)
    held = f", data.test: …/{folder.name}/{test}" if test else ""
    held += f", data.exclude: [{', '.join(others[:3])}]" if others else ""
    return DataError(
        f"{folder} holds {', '.join(sorted(labels))}: parts of a data set, not classes",
        next_step=f"as they are, one fold: data.label_by: parent, folds.scheme: predefined{held}. Folds of our own:\n"
        f"  data.label_by: parent{held}. Classes after all: data.label_by: top",
    )


def _parts_inside(folder: Path, parts: Collection[str]) -> DataError:
    test = test_among(parts)
    without = f" Without the test: data.exclude: ['*/{test}'] as well." if test else ""
    return DataError(
        f"the class folders in {folder} hold {', '.join(sorted(parts))}: parts of a data set",
        next_step=f"folds of our own over all of them: data.label_by: top.{without}",
    )


def _twice(folder: Path, copy: str) -> DataError:
    return DataError(
        f"{folder} holds {copy}, and {copy} the other classes again: a copy of the set in itself, and no class",
        next_step=f"leave the copy out: data.exclude: [{copy}]. Take both: data.label_by: parent.\n"
        "  A class after all: data.label_by: top",
    )


def _test_in_table(name: str, folder: Path, test: str) -> DataError:
    return DataError(
        f"{name} labels images of {folder.name}/{test}, a test by its name, which would be trained on",
        next_step=f"keep it apart: data.test: …/{folder.name}/{test}. Train on it all the same: data.columns: "
        "{split: ''}",
    )


def _split_column(name: str, splits: set[str]) -> DataError:
    test = test_among(splits)
    held = f"data.test: {test}" if test else "data.columns: {split: ''}"
    return DataError(
        f"{name} has a column of splits: {', '.join(sorted(splits))}; trained on as one, they would not be kept apart",
        next_step=f"folds of our own: {held}. As they are, one fold: folds.scheme: predefined"
        f"{f', {held}' if test else ''}.\n  Take no notice of them: data.columns: {{split: ''}}",
    )
