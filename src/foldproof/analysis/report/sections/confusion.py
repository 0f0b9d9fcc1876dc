"""Show which class is predicted for which, pooled over folds."""

from foldproof.analysis.confusion import Confusion, confusion_of
from foldproof.analysis.report.document import Block, Column, Figure, Section, Table, Text
from foldproof.analysis.report.figures.confusion import MOST_WITH_TEXT, Matrix
from foldproof.analysis.report.gather import Material, Shown
from foldproof.analysis.report.privacy import name
from foldproof.analysis.report.spelling import listed

LEGEND = (("blue", "right"), ("red", "taken for another"))
_MOST_PAIRS = 12
_CELL = (
    Column("experiment", "experiment", "name"),
    Column("true", "true class", "name"),
    Column("predicted", "taken for", "name"),
    Column("count", "predictions", "count"),
    Column("share", "of the true class", "share"),
)


def confusion(material: Material) -> Section | None:
    """None where no predictions are at hand."""
    found = [(shown, confusion_of(shown.table)) for shown in material.detailed if shown.table is not None]
    if not found:
        return None
    blocks: list[Block] = [_figure(found), _pairs(found)]
    for shown, one in found:
        never = [name(c.name) for c in one.by_class if c.images and not c.predicted]
        if never:
            blocks.append(Text(f"{shown.name} never says {listed(never)}.", "gap"))
    blocks += [_classes(shown, one, index) for index, (shown, one) in enumerate(found)]
    lead = "Each row is a true class and sums to 100 %; what lies off the diagonal are mistakes."
    left_out = len(material.experiments) - len(material.detailed)
    if left_out:
        blocks.append(Text(f"Drawn for {len(material.detailed)} experiments; {left_out} others are left out.", "note"))
    return Section("confusion", "Confusion", lead, tuple(blocks))


def _figure(found: list[tuple[Shown, Confusion]]) -> Figure:
    many = any(len(one.classes) > MOST_WITH_TEXT for _, one in found)
    runs = listed([shown.record.run for shown, _ in found])
    return Figure(
        key="confusion",
        title="Confusion matrices",
        caption=(
            "Out-of-fold predictions at the last epoch, all folds together, in percent of the true class"
            f" ({'too many classes for numbers in the cells; ' if many else ''}runs {runs})."
        ),
        drawings=tuple(Matrix(shown.name, one) for shown, one in found),
        legend=LEGEND,
        data=_counts(found),
    )


def _counts(found: list[tuple[Shown, Confusion]]) -> Table:
    rows = tuple(
        (shown.name, name(true), name(one.classes[p]), int(one.counts[t, p]), float(one.shares[t, p]))
        for shown, one in found
        for t, true in enumerate(one.classes)
        for p in one.counts[t].nonzero()[0][: len(one.classes)]
    )
    return Table(key="confusion", title="Counts of the matrices", columns=_CELL, rows=rows, folded=True)


def _pairs(found: list[tuple[Shown, Confusion]]) -> Table:
    each = max(3, _MOST_PAIRS // len(found))
    rows = tuple(
        (shown.name, name(one.classes[m.true]), name(one.classes[m.predicted]), m.count, m.share)
        for shown, one in found
        for m in one.most_mixed(each)
    )
    return Table(key="most-confused", title="Most confused pairs", columns=_CELL, rows=rows)


def _classes(shown: Shown, one: Confusion, index: int) -> Table:
    columns = (
        Column("class", "class", "name"),
        Column("images", "images", "count"),
        Column("predicted", "predicted", "count"),
        Column("recall", "recall (sensitivity)", "share"),
        Column("specificity", "specificity", "share"),
        Column("precision", "precision", "share"),
        Column("f1", "F1", "share"),
    )
    rows = tuple(
        (name(c.name), c.images, c.predicted, c.recall, c.specificity, c.precision, c.f1) for c in one.by_class
    )
    note = (
        "One against the rest, where the most probable class is what is said; counts summed over folds."
        f" Run {shown.record.run}, last epoch."
    )
    title = f"{shown.name} by class"
    return Table(key=f"classes-{index}", title=title, columns=columns, rows=rows, note=note, folded=True)
