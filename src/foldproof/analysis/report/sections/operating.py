"""Show ROC and precision-recall curves with their areas."""

from foldproof.analysis.operating import OneAgainstRest, macro, one_against_rest
from foldproof.analysis.report.document import Block, Column, Figure, Section, Table, Text
from foldproof.analysis.report.figures.operating import COLOURS, LabelledCurve, Operating
from foldproof.analysis.report.gather import Material, Shown
from foldproof.analysis.report.privacy import name
from foldproof.analysis.report.spelling import listed, number, share
from foldproof.events.fold_id import FoldId

_MOST_CLASSES = 10  # drawn one by one; of more, the worst five
_WORST = 5


def operating(material: Material) -> Section | None:
    """Of the leading experiment; None where no predictions are at hand."""
    shown = material.leading
    if shown is None or shown.table is None:
        return None
    classes = len(shown.table.classes)
    wanted = [1] if classes == 2 else range(classes)
    all_of = [one_against_rest(shown.table, c) for c in wanted]
    found = [one for one in all_of if one is not None]
    lead = "What each threshold costs: how many are found against how many alarms are false."
    if not found:
        gap = Text(f"{shown.name}: no class has both images and others to be told from, with finite scores.", "gap")
        return Section("operating", "ROC and precision-recall", lead, (gap,), "ROC")
    blocks: list[Block] = [_figure(shown, found, binary=classes == 2)]
    missing = [name(shown.table.classes[c]) for c, one in zip(wanted, all_of, strict=True) if one is None]
    if missing:
        blocks.append(Text(f"Left out, without images of both kinds: {listed(missing)}.", "gap"))
    return Section("operating", "ROC and precision-recall", lead, tuple(blocks), "ROC")


def _figure(shown: Shown, found: list[OneAgainstRest], *, binary: bool) -> Figure:
    worst = sorted(found, key=lambda one: one.auroc.mean)[:_WORST]
    drawn = found if len(found) <= _MOST_CLASSES else worst
    colours = {one.name: ("blue" if binary else COLOURS[worst.index(one)]) for one in worst}
    mean = sum(one.auroc.mean for one in found) / len(found)
    which = f"for {name(found[0].name)}" if binary else f"one class against the rest, macro mean {number(mean)}"
    roc = [_drawn(one, colours, binary=binary, kind="roc") for one in drawn]
    pr = [_drawn(one, colours, binary=binary, kind="pr") for one in drawn]
    if not binary:
        about = f"macro mean of {len(found)} classes"
        roc.append(LabelledCurve("macro", macro([one.roc for one in found]), about, "ink", bold=True))
    legend = tuple((colour, name(one)) for one, colour in colours.items() if not binary)
    return Figure(
        key="operating",
        title=shown.name,
        caption=(
            f"Area under the ROC curve {which}: taken in each fold and averaged. The curves are of all out-of-fold"
            f" predictions together, last epoch, run {shown.record.run}. Dashed: guessing."
            + ("" if len(drawn) == len(found) else f" Of {len(found)} classes, the {_WORST} worst are drawn.")
        ),
        drawings=(
            Operating("ROC", "recall", "false positive rate", tuple(roc), chance=True),
            Operating("Precision-recall", "precision", "recall", tuple(pr), chance=False),
        ),
        legend=legend if binary else (*legend, ("ink", "macro mean")),
        data=_table(shown, found),
    )


def _drawn(one: OneAgainstRest, colours: dict[str, str], *, binary: bool, kind: str) -> LabelledCurve:
    about = f"{name(one.name)}: area under the ROC curve {number(one.auroc.mean)}"
    if kind == "pr":
        about = f"{name(one.name)}: average precision {number(one.average_precision)}, {share(one.average_precision)}"
    curve = one.roc if kind == "roc" else one.precision_recall
    return LabelledCurve(name(one.name), curve, about, colours.get(one.name, "muted"), bold=binary)


def _table(shown: Shown, found: list[OneAgainstRest]) -> Table:
    assert shown.table is not None
    fold_ids = shown.table.fold_ids
    columns = (
        Column("class", "class", "name"),
        Column("images", "images", "count"),
        Column("auroc", "AUROC, mean ± sd over folds", "number_around"),
        Column("average_precision", "average precision, pooled", "number"),
        *(Column(f"fold_{r}_{f}", f"AUROC, {FoldId(r, f)}", "number") for r, f in fold_ids),
    )
    rows = tuple(
        (name(one.name), one.images, one.auroc, one.average_precision, *(one.by_fold[fold_id] for fold_id in fold_ids))
        for one in found
    )
    title = f"{shown.name}: areas by class"
    return Table(key="operating", title=title, columns=columns, rows=rows, folded=True)
