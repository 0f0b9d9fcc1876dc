"""Show the most confident mistakes and the probable label errors as pictures, by class."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from foldproof.analysis.label_errors import LabelError, find_label_errors
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.report.document import Block, Column, Items, Picture, Pictures, Section, Table, Text
from foldproof.analysis.report.gather import Material, Shown
from foldproof.analysis.report.pictures import NotShown, thumbnail
from foldproof.analysis.report.privacy import name
from foldproof.analysis.report.spelling import PERCENT, listed
from foldproof.events.fold_id import FoldId
from foldproof.records.facts import range_in_use

MOST_MISTAKES, MOST_LABELS = 24, 12
_BELOW = "Below each picture: what it was taken for, and how sure of it the model was."


@dataclass(frozen=True)
class Case:
    """An image and what was said of it; `label` and `said` are names of classes."""

    path: str
    sha256: str
    label: str
    said: str
    probability: float
    fold_id: FoldId

    @property
    def place(self) -> str:
        return f"{self.fold_id.repeat}.{self.fold_id.fold}"


def mistakes(material: Material) -> Section | None:
    """Of the leading experiment; None where no predictions are at hand."""
    shown = material.leading
    if shown is None or shown.table is None:
        return None
    cases = confident_mistakes(shown.table, most=MOST_MISTAKES)
    lead = f"Images that {shown.name} got wrong and was sure of: either hard, or labelled wrong. Look at them first."
    blocks: list[Block] = []
    if cases:
        blocks += _block("mistakes", "Most confident mistakes", cases, shown, material)
    else:
        blocks.append(Text(f"{shown.name} made no mistake on any image.", "plain"))
    suspected = [_suspect(one) for one in find_label_errors(shown.table)[:MOST_LABELS]]
    if suspected:
        blocks += _block("labels", "Probable label errors", suspected, shown, material)
    return Section("mistakes", "Mistakes", lead, tuple(blocks))


def _suspect(one: LabelError) -> Case:
    return Case(
        path=one.path,
        sha256=one.sha256,
        label=one.label,
        said=one.suggested,
        probability=one.suggested_probability,
        fold_id=one.fold_id,
    )


def confident_mistakes(table: OutOfFold, *, most: int) -> list[Case]:
    """The wrong predictions with the highest probability, most confident first; an image counts once."""
    confidence = np.nan_to_num(table.probabilities.max(axis=1))
    wrong = np.flatnonzero(table.predicted != table.labels)
    found: dict[str, Case] = {}
    for row in wrong[np.argsort(-confidence[wrong], kind="stable")]:
        if len(found) == most:
            break
        found.setdefault(str(table.sha256[row]), _case(table, int(row), float(confidence[row])))
    return list(found.values())


def _case(table: OutOfFold, row: int, probability: float) -> Case:
    return Case(
        path=str(table.paths[row]),
        sha256=str(table.sha256[row]),
        label=table.classes[table.labels[row]],
        said=table.classes[table.predicted[row]],
        probability=probability,
        fold_id=FoldId(int(table.repeats[row]), int(table.folds[row])),
    )


def _block(key: str, title: str, cases: list[Case], shown: Shown, material: Material) -> Iterator[Block]:
    pictures, gaps = _pictures(cases, shown, material)
    if pictures:
        yield Pictures(
            key, title, tuple((f"labelled {label}", tuple(some)) for label, some in pictures.items()), _BELOW
        )
    if gaps:
        yield Items(tuple(gaps), "gap")
    yield _table(key, title, cases, shown, material, folded=bool(pictures))


def _pictures(cases: Iterable[Case], shown: Shown, material: Material) -> tuple[dict[str, list[Picture]], list[str]]:
    """Pictures by label, and why some are not shown."""
    if not material.privacy.images or material.data_folder is None:
        return {}, []
    found: dict[str, list[Picture]] = defaultdict(list)
    within = range_in_use(shown.record.facts)
    gaps: dict[str, list[str]] = defaultdict(list)
    for case in sorted(cases, key=lambda case: (case.label, -case.probability)):
        try:
            content = thumbnail(material.data_folder, case.path, sha256=case.sha256, within=within)
        except NotShown as reason:
            gaps[str(reason)].append(material.privacy.path(case.path))
        else:
            found[name(case.label)].append(_picture(case, content, material))
    return found, [f"not shown, the file {reason}: {listed(paths, most=4)}" for reason, paths in gaps.items()]


def _picture(case: Case, content: bytes, material: Material) -> Picture:
    said = name(case.said, most=24)
    percent = f"{100 * case.probability:.0f}{PERCENT}"
    about = (
        f"{material.privacy.path(case.path)}: labelled {name(case.label)}, taken for {name(case.said)} with"
        f" {100 * case.probability:.1f} %, {case.fold_id}"
    )
    return Picture(content=content, mark=said, text=percent, about=about)


def _table(key: str, title: str, cases: list[Case], shown: Shown, material: Material, *, folded: bool) -> Table:
    columns = (
        Column("path", "image", "code"),
        Column("label", "labelled", "name"),
        Column("said", "taken for", "name"),
        Column("probability", "with", "share"),
        Column("fold", "repeat.fold", "fraction"),
    )
    rows = tuple(
        (
            material.privacy.path(case.path),
            name(case.label),
            name(case.said),
            case.probability,
            f"{case.fold_id.repeat}.{case.fold_id.fold}",
        )
        for case in cases
    )
    note = f"By the model that had not seen the image; last epoch of run {shown.record.run}."
    return Table(
        key=key,
        title="Which images these are" if folded else title,
        columns=columns,
        rows=rows,
        note=note,
        folded=folded,
    )
