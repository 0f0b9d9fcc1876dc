"""Tabulate the experiments: their differences and their scores."""

from foldproof.analysis.report.document import Column, Section, Table
from foldproof.analysis.report.gather import Material, Shown, metric_column
from foldproof.analysis.report.spelling import setting

_NOTE = (
    "Average, sd and loss: validation part at the last epoch, over folds; in brackets the 95 % interval."
    " Best epoch: each fold scored at the epoch that suits it best, which is optimistic and enters no verdict."
)


def benchmark(material: Material) -> Section:
    blocks = [_table(material), *_pooled(material), _settings(material)]
    lead = "Every experiment with what sets it apart. Where intervals overlap widely, the order may be chance."
    return Section("benchmark", "Benchmark", lead, tuple(blocks))


def _table(material: Material) -> Table:
    comparison = material.comparison
    metric, kind = material.metric_title, material.score_kind
    several = len({shown.line.images for shown in material.experiments}) > 1
    columns = [
        Column("experiment", "experiment", "name"),
        *(Column(key, key.removeprefix("train."), "setting") for key in comparison.differing),
        Column("score", f"{metric}, average", f"{kind}_interval"),
        Column("sd", "sd", kind),
        Column("loss", "loss", "number"),
        Column("best_epoch_optimistic", "best epoch (optimistic)", "share"),
        Column("folds", "folds", "fraction"),
        *([Column("images", "images", "count")] if several else []),
        Column("seconds", "took", "seconds"),
        Column("run", "run", "code"),
    ]
    rows = tuple(
        (
            shown.name,
            *(shown.line.settings.get(key) for key in comparison.differing),
            shown.line.interval,
            shown.line.score.sd,
            shown.line.loss.mean,
            shown.line.best_epoch_accuracy.mean,
            f"{len(shown.line.folds)}/{shown.line.expected_folds}",
            *([shown.line.images] if several else []),
            shown.line.seconds,
            shown.record.run,
        )
        for shown in material.experiments
    )
    return Table(key="benchmark", title="Experiments", columns=tuple(columns), rows=rows, note=_NOTE)


def _pooled(material: Material) -> list[Table]:
    known = list(dict.fromkeys(name for shown in material.experiments for name in shown.line.pooled))
    if not known:
        return []
    columns = (Column("experiment", "experiment", "name"), *map(metric_column, known))
    rows = tuple((s.name, *(s.line.pooled.get(name) for name in known)) for s in material.experiments)
    note = "Over all out-of-fold predictions at once, each by a model that had not seen the image; last epoch."
    return [Table(key="pooled", title="Pooled over folds", columns=columns, rows=rows, note=note)]


def _settings(material: Material) -> Table:
    keys = list(dict.fromkeys(key for shown in material.experiments for key in shown.line.settings))
    columns = (
        Column("setting", "setting", "code"),
        *(Column(f"run_{index}", shown.name, "setting") for index, shown in enumerate(material.experiments)),
    )
    rows = tuple((key, *(_setting(shown, key) for shown in material.experiments)) for key in keys)
    return Table(key="settings", title="All settings", columns=columns, rows=rows, folded=True)


def _setting(shown: Shown, key: str) -> str | None:
    return setting(shown.line.settings[key], most=60) if key in shown.line.settings else None


def results(material: Material) -> Table:
    """What a person would write down by hand: experiment, rate, epochs, average accuracy."""
    columns = (
        Column("experiment", "experiment", "name"),
        Column("lr", "lr", "setting"),
        Column("epochs", "epochs", "setting"),
        Column("accuracy", "average accuracy", "share"),
    )
    rows = tuple(
        (
            shown.name,
            shown.line.settings.get("train.lr"),
            shown.line.settings.get("train.epochs"),
            shown.line.accuracy.mean,
        )
        for shown in material.experiments
    )
    return Table(key="results", title="Results", columns=columns, rows=rows)
