"""Show scores per group, if images belong to groups."""

import numpy as np

from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.report.document import Block, Column, Section, Table
from foldproof.analysis.report.gather import Material, Shown, metric_column
from foldproof.analysis.report.spelling import count

MOST_ROWS = 12


def groups(material: Material) -> Section | None:
    """None where no image is in a group."""
    candidates = [*filter(None, [material.leading]), *material.detailed]
    shown = next((one for one in candidates if one.table is not None and (one.table.groups != "").any()), None)
    if shown is None or shown.table is None:
        return None
    blocks: list[Block] = [*_scored_by_group(material), _worst(shown, shown.table, material)]
    lead = "A group never straddles folds: its images were all predicted by a model that had seen none of them."
    return Section("groups", "Groups", lead, tuple(blocks))


def _scored_by_group(material: Material) -> list[Table]:
    known = sorted({key for shown in material.experiments for key in shown.line.pooled_by_group})
    if not known:
        return []
    columns = (
        Column("experiment", "experiment", "name"),
        *map(metric_column, known),
    )
    rows = tuple((s.name, *(s.line.pooled_by_group.get(key) for key in known)) for s in material.experiments)
    note = "A group is scored as one: by the mean of its images' probabilities."
    return [Table(key="by-group", title="Scored by group", columns=columns, rows=rows, note=note)]


def _worst(shown: Shown, table: OutOfFold, material: Material) -> Table:
    in_group = np.flatnonzero(table.groups != "")
    names, number = np.unique(table.groups[in_group], return_inverse=True)
    sizes = np.bincount(number)
    right = np.bincount(number, weights=table.predicted[in_group] == table.labels[in_group])
    first = np.full(len(names), len(table), dtype=np.int64)
    np.minimum.at(first, number, in_group)
    order = np.lexsort((-sizes, right / sizes))[:MOST_ROWS]
    columns = (
        Column("group", "group", "name"),
        Column("images", "predictions", "count"),
        Column("right", "right", "count"),
        Column("accuracy", "accuracy", "share"),
        Column("fold", "repeat.fold", "fraction"),
    )
    rows = tuple(
        (
            material.privacy.group(str(names[g])),
            int(sizes[g]),
            int(right[g]),
            float(right[g] / sizes[g]),
            f"{table.repeats[first[g]]}.{table.folds[first[g]]}",
        )
        for g in order
    )
    note = (
        f"The worst {len(rows)} of {count(len(names))} groups. Fold: of the first partition."
        f" Run {shown.record.run}, last epoch."
    )
    return Table(
        key="groups", title=f"{shown.name}: groups with the most mistakes", columns=columns, rows=rows, note=note
    )
