"""Show whether models are right as often as their confidence says."""

from foldproof.analysis.reliability import BINS, Reliability, reliability_of
from foldproof.analysis.report.document import Block, Column, Figure, Section, Table, Text
from foldproof.analysis.report.figures.reliability import Diagram
from foldproof.analysis.report.gather import Material, Shown
from foldproof.analysis.report.spelling import listed, share


def reliability(material: Material) -> Section | None:
    """None where no predictions are at hand."""
    seen = [shown for shown in material.experiments if shown.table is not None]
    if not seen:
        return None
    found = [(shown, reliability_of(shown.table)) for shown in seen if shown.table is not None]
    known = [(shown, one) for shown, one in found if one is not None]
    blocks: list[Block] = []
    if known:
        blocks += [_table(known), _figure([pair for pair in known if pair[0] in material.detailed] or known[:1])]
    lost = [shown.name for shown, one in found if one is None]
    if lost:
        blocks.append(Text(f"Without numbers for every probability: {listed(lost)}.", "gap"))
    lead = (
        "Bars below the dashed line: more confident than right. The expected calibration error is the mean distance,"
        f" weighted by images, over {BINS} bins of equal width."
    )
    return Section("reliability", "Confidence", lead, tuple(blocks))


def _table(known: list[tuple[Shown, Reliability]]) -> Table:
    columns = (
        Column("experiment", "experiment", "name"),
        Column("error", "expected calibration error", "share"),
        Column("confidence", "mean confidence", "share"),
        Column("accuracy", "accuracy, pooled", "share"),
        Column("run", "run", "code"),
    )
    rows = tuple((s.name, r.error, r.confidence, r.accuracy, s.record.run) for s, r in known)
    return Table(key="calibration", title="Calibration", columns=columns, rows=rows)


def _figure(known: list[tuple[Shown, Reliability]]) -> Figure:
    columns = (
        Column("experiment", "experiment", "name"),
        Column("low", "from", "share"),
        Column("high", "to", "share"),
        Column("images", "predictions", "count"),
        Column("confidence", "said", "share"),
        Column("accuracy", "were right", "share"),
    )
    rows = tuple(
        (shown.name, b.low, b.high, b.images, b.confidence, b.accuracy)
        for shown, one in known
        for b in one.bins
        if b.images
    )
    errors = listed([f"{shown.name} {share(one.error)}" for shown, one in known])
    return Figure(
        key="reliability",
        title="Reliability",
        caption=(
            f"Out-of-fold predictions at the last epoch, by the confidence of the most probable class. Below: how many"
            f" predictions are that confident. Expected calibration error: {errors}."
        ),
        drawings=tuple(Diagram(shown.name, one) for shown, one in known),
        legend=(("blue", "how often right"), ("muted", "how many predictions")),
        data=Table(key="reliability", title="Bins", columns=columns, rows=rows, folded=True),
    )
