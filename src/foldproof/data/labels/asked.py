"""Turn a project's settings into label rules, and locate the held-out folder."""

from dataclasses import dataclass, replace
from pathlib import Path

from foldproof.config.schema import DataSettings, FoldSource
from foldproof.data.labels.said import Rules
from foldproof.errors import DataError
from foldproof.storage.nowhere import likely_name, why_no_path


@dataclass(frozen=True)
class Asked:
    """`rules` are for the images; `test_folder` holds images of its own that are held out, labelled by `test_rules`."""

    rules: Rules
    test_folder: Path | None
    test_rules: Rules


def asked_of(data: DataSettings, folds: FoldSource, *, root: Path, folder: Path) -> Asked:
    """What `data` and `folds` say of the images in `folder`; paths in them are relative to `root`.

    Raises DataError where data.test is neither a folder nor a file nor can be a split.
    """
    rules = Rules(
        label_by=data.label_by,
        group_by=data.group_by,
        time_by=folds.time_by,
        table=root / data.labels if data.labels else None,
        columns=data.columns or {},
        classes=data.classes,
        as_folds=folds.scheme == "predefined" and not folds.file,
        exclude=data.exclude or (),
        masks=data.masks == "train",
    )
    if data.test is None:
        return Asked(rules, None, rules)
    test = root / data.test
    if test.is_file():
        return Asked(replace(rules, held_list=test), None, rules)
    inside = test.resolve().is_relative_to(folder.resolve()) and test.resolve() != folder.resolve()
    is_split = rules.table is not None and not inside and "/" not in data.test
    if is_split or not test.is_dir():
        if not test.is_dir() and (wrong := why_no_path(test)):
            raise DataError(f"data.test: there is no folder {data.test}: {wrong[0]}", next_step=wrong[1])
        if rules.table is None:
            hint = likely_name(test, but=folder)
            raise DataError(
                f"data.test: there is no folder {data.test}{'; ' + hint if hint else ''}",
                next_step="fix the path; the name of a split needs data.labels, a table that has them",
            )
        return Asked(replace(rules, held_split=data.test), None, rules)
    if inside:
        rules = replace(rules, held_folder=test.resolve().relative_to(folder.resolve()).as_posix())
    if rules.table is not None:
        if not inside:
            raise DataError(
                f"data.test: {data.test} is not in {data.path}, whose table of labels says nothing of it",
                next_step="put it below that folder and into the table, or name a split of the table",
            )
        return Asked(rules, None, rules)
    alike = Rules(
        label_by=data.label_by or "top",
        group_by=data.group_by,
        classes=data.classes,
        exclude=rules.exclude,
        masks=rules.masks,
        below=rules.held_folder or "",
    )
    return Asked(rules, test, alike)
