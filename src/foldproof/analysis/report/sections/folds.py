"""Show how much the folds of an experiment differ, and whether one is an outlier."""

from foldproof.analysis.report.document import Block, Column, Figure, Section, Table, Text
from foldproof.analysis.report.figures.folds import LEGEND, Strip, Strips
from foldproof.analysis.report.gather import Material, Shown
from foldproof.analysis.report.spelling import KINDS, PERCENT
from foldproof.analysis.verdict import disagreement_in_words


def folds(material: Material) -> Section:
    """Each fold's score, an experiment a row."""
    lead = "One fold far from the others is a question to its images or its training, not an average."
    scored = [shown for shown in material.experiments if shown.line.folds]
    blocks: list[Block] = []
    if scored:
        blocks.append(every_fold(material, key="folds"))
        blocks += [Text(_odd(shown), "gap") for shown in scored if _flagged(shown)]
    else:
        blocks.append(Text("No fold has finished.", "gap"))
    return Section("folds", "Folds", lead, tuple(blocks))


def _flagged(shown: Shown) -> bool:
    return shown.line.disagreement is not None and shown.line.disagreement.flagged


def _odd(shown: Shown) -> str:
    found = shown.line.disagreement
    assert found is not None
    text = disagreement_in_words(found, name=shown.name, repeats=len({repeat for repeat, _ in shown.line.folds}))
    return f"{text[0].upper()}{text[1:]}; adjusted by Holm."


def every_fold(material: Material, *, key: str) -> Figure:
    """A dot a fold, of the experiments that have one."""
    scored = [shown for shown in material.experiments if shown.line.folds]
    metric = material.metric_title
    strips = tuple(
        Strip(
            shown.name,
            shown.line.folds,
            shown.line.interval,
            shown.line.disagreement.fold_id if shown.line.disagreement and _flagged(shown) else None,
        )
        for shown in scored
    )
    spell = KINDS[material.score_kind]
    return Figure(
        key=key,
        title="Every fold",
        caption=f"{metric.capitalize()} of each fold at its last epoch, with the mean and its 95 % interval.",
        drawings=(Strips("Every fold", metric, strips, lambda value: spell(value).replace(f".00{PERCENT}", PERCENT)),),
        legend=LEGEND if any(map(_flagged, scored)) else LEGEND[:2],
        data=_table(material, scored),
    )


def _table(material: Material, scored: list[Shown]) -> Table:
    is_accuracy = material.comparison.metric == "accuracy"
    beside = () if is_accuracy else (Column("accuracy", "accuracy", "share"),)
    columns = (
        Column("experiment", "experiment", "name"),
        Column("repeat", "repeat", "count"),
        Column("fold", "fold", "count"),
        Column("epoch", "epoch", "count"),
        Column("score", material.metric_title, material.score_kind),
        *beside,
        Column("loss", "loss", "number"),
        Column("run", "run", "code"),
    )
    rows = tuple(
        (
            shown.name,
            *place,
            shown.record.epochs[place][-1].epoch,
            score,
            *(() if is_accuracy else (shown.record.epochs[place][-1].val_accuracy,)),
            shown.record.epochs[place][-1].val_loss,
            shown.record.run,
        )
        for shown in scored
        for place, score in shown.line.folds.items()
        if shown.record.epochs.get(place)
    )
    return Table(key="folds", title="Every fold", columns=columns, rows=rows, folded=True)
