"""Show learning curves of every experiment: each fold, the mean and its band."""

import math
from collections.abc import Mapping
from typing import Any

from foldproof.analysis.report.document import Column, Figure, Section, Table, Text
from foldproof.analysis.report.figures.curves import LEGEND, Curves, group_by_epoch
from foldproof.analysis.report.gather import Material, Shown
from foldproof.events.fold_id import FoldId
from foldproof.records.record import Spread

QUANTITIES = (("accuracy", True), ("loss", False))


def curves(material: Material) -> Section:
    lead = (
        "A thin line is a fold, the thick one the mean over folds, the band one standard deviation around it."
        " Training and validation drifting apart is overfitting; folds drifting apart is instability."
    )
    blocks = tuple(_of(shown, index) for index, shown in enumerate(material.experiments))
    return Section("curves", "Learning curves", lead, blocks, "Curves")


def _of(shown: Shown, index: int) -> Figure | Text:
    if not any(shown.record.epochs.values()):
        return Text(f"{shown.name}: no epoch has ended, so there is no curve.", "gap")
    drawings = tuple(
        Curves(
            quantity,
            training=_lines(shown, f"train_{quantity}"),
            validation=_lines(shown, f"val_{quantity}"),
            fraction=fraction,
        )
        for quantity, fraction in QUANTITIES
    )
    return Figure(
        key=f"curves-{index}",
        title=shown.name,
        caption=_caption(shown),
        drawings=drawings,
        legend=LEGEND,
        data=_table(shown, index),
    )


def _caption(shown: Shown) -> str:
    lost = sum(
        not math.isfinite(getattr(epoch, f"{part}_{quantity}"))
        for epochs in shown.record.epochs.values()
        for epoch in epochs
        for part in ("train", "val")
        for quantity, _ in QUANTITIES
    )
    gap = f" {lost} values are not finite and are left out." if lost else ""
    return f"{shown.name}, run {shown.record.run}, {len(shown.record.epochs)} folds.{gap}"


def _lines(shown: Shown, quantity: str) -> Mapping[Any, list[float]]:
    return {place: [getattr(e, quantity) for e in epochs] for place, epochs in shown.record.epochs.items() if epochs}


def _table(shown: Shown, index: int) -> Table:
    means = {f"{p}_{q}": group_by_epoch(_lines(shown, f"{p}_{q}")) for q, _ in QUANTITIES for p in ("val", "train")}
    folds = _lines(shown, "val_accuracy")
    epochs = len(means["val_accuracy"])
    columns = (
        Column("epoch", "epoch", "count"),
        *(
            Column(
                key,
                f"{'validation' if key.startswith('val') else 'training'} {key.partition('_')[2]}",
                "share_around" if key.endswith("accuracy") else "number_around",
            )
            for key in means
        ),
        *(Column(f"fold_{r}_{f}", f"validation accuracy, {FoldId(r, f)}", "share") for r, f in folds),
    )
    rows = tuple(
        (
            epoch + 1,
            *(Spread.of(values[epoch]) for values in means.values()),
            *(line[epoch] if epoch < len(line) else None for line in folds.values()),
        )
        for epoch in range(epochs)
    )
    note = "Mean ± sample standard deviation over the folds that have the epoch."
    title = f"{shown.name} by epoch"
    return Table(key=f"curves-{index}", title=title, columns=columns, rows=rows, note=note, folded=True)
