"""Print tables of runs, folds and comparisons to a terminal."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from foldproof.analysis.comparison import Comparison, Estimate
from foldproof.analysis.tables import folds_table, pairs_table, telling_pairs
from foldproof.analysis.verdict import MetricUnit, names_of
from foldproof.cli.out import echo
from foldproof.errors import DamagedFile
from foldproof.metrics import metric_of
from foldproof.records.record import RunRecord, Spread
from foldproof.storage import cleaned, redact

_WIDEST = 60  # characters of one setting
_NAMED = 3  # experiments of which the same is said


def print_comparison(comparison: Comparison, console: Console) -> None:
    """A row an experiment; every fold; every pair; what the columns mean; and the verdict last, where eyes are."""
    unit = MetricUnit.of(comparison.metric)
    title = metric_of(comparison.metric).title + (" %" if unit.is_fraction else "")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("experiment", no_wrap=True)
    for key in comparison.differing:
        table.add_column(Text(key.removeprefix("train.")), justify="right", overflow="fold")
    for column in (title, "95 % interval", "loss", "best*", "folds"):
        table.add_column(Text(column), justify="right", no_wrap=True, min_width=len(column))
    for name, line in zip(names_of(comparison.lines), comparison.lines, strict=True):
        table.add_row(
            Text(name),
            *(Text(cleaned(str(line.settings.get(key, "")), most=_WIDEST)) for key in comparison.differing),
            _spread(line.score, unit),
            _bounds(line.interval, unit),
            _number(line.loss.mean),
            MetricUnit.of("accuracy").plain(line.best_epoch_accuracy.mean),
            f"{len(line.folds)}/{line.expected_folds}",
        )
    console.print(table)
    for rows in (folds_table(comparison), _pairs(comparison)):
        if len(rows) > 1:
            console.print()
            console.print(_cells(rows))
    console.print()
    for note in _notes(comparison):
        _say(Text(note, style="dim"), console)
    if comparison.verdict:
        console.print()
        _say(Text("verdict: ", style="bold") + Text(comparison.verdict.text), console)
        for said in comparison.verdict.notes:
            _say(Text(said), console, indent=2)


def _say(text: Text, console: Console, *, indent: int = 0) -> None:
    """A sentence: wrapped under its beginning at a terminal, on one line anywhere else."""
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, indent)))
    else:
        console.print(Text(" " * indent) + text, soft_wrap=True)


def _pairs(comparison: Comparison) -> list[list[str]]:
    """The table of pairs without the probabilities, which the other formats have: it is to fit a screen."""
    head, *rows = [[*row[:4], row[5]] for row in pairs_table(comparison, telling_pairs(comparison))]
    return [[head[0], MetricUnit.of(comparison.metric).name, head[2], "p", head[4]], *rows]


def _cells(rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, title in enumerate(rows[0]):
        table.add_column(Text(title), justify="right" if number else "left")
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    return table


def _notes(comparison: Comparison) -> list[str]:
    notes = [f"{metric_of(comparison.metric).title}, loss: validation part at the last epoch; mean ± sd over folds"]
    if any(line.best_epoch_accuracy.n for line in comparison.lines):
        notes.append("* accuracy of each fold at its own best epoch: optimistic, not for choosing")
    if comparison.pairs:
        notes.append("p: two-sided, adjusted for all pairs (Holm)")
    if any(line.disagreement and line.disagreement.flagged for line in comparison.lines):
        notes.append("! this fold lies apart from the rest of its experiment")
    if not comparison.same_images:
        notes.append("not the same images: each pair is compared on the images it has in common")
    shown, count = len(telling_pairs(comparison)), len(comparison.pairs)
    if shown < count:
        notes.append(f"pairs with the best average; --json has all {count}")
    return [*notes, *_lacking(comparison)]


def _lacking(comparison: Comparison) -> Iterator[str]:
    """What is not known of some experiments: a line each, or one for all of whom the same is to be said."""
    by_lack: dict[str, list[str]] = {}
    for name, line in zip(names_of(comparison.lines), comparison.lines, strict=True):
        if len(line.folds) < line.expected_folds:
            missing = line.expected_folds - len(line.folds)
            lack = f"{missing} of {line.expected_folds} folds have no result ({line.status})"
            by_lack.setdefault(lack, []).append(name)
        if line.folds and line.without_table and not comparison.unverified:
            lack = f"known only by the scores of its folds: {cleaned(line.without_table, most=300)}"
            by_lack.setdefault(lack, []).append(name)
    for lack, names in by_lack.items():
        yield f"{', '.join(names[:_NAMED])}{f' and {len(names) - _NAMED} more' if len(names) > _NAMED else ''}: {lack}"


def _spread(spread: Spread, unit: MetricUnit) -> str:
    if spread.n == 0:
        return "-"
    return f"{unit.plain(spread.mean)} ± {unit.plain(spread.sd)}" if spread.n > 1 else unit.plain(spread.mean)


def _bounds(interval: Estimate, unit: MetricUnit) -> str:
    return "-" if math.isnan(interval.low) else f"{unit.number(interval.low)} to {unit.number(interval.high)}"


def print_runs(records: tuple[RunRecord, ...], console: Console) -> None:
    """A row a run, newest last."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("run", "experiment", "status"):
        table.add_column(title, no_wrap=True)
    for title in ("folds", "accuracy", "took"):
        table.add_column(title, justify="right", no_wrap=True)
    for record in records:
        table.add_row(
            record.run,
            record.title,
            record.status,
            f"{len(record.finished)}/{record.expected_folds}",
            _around(record.last_accuracy),
            _took(record),
        )
    console.print(table)


def print_damaged(damaged: Mapping[Path, DamagedFile]) -> None:
    """A line on stderr for every run that cannot be read."""
    for error in damaged.values():
        echo(f"note: {cleaned(redact(error.what), most=1000)}", err=True)


def _took(record: RunRecord) -> str:
    from foldproof.trackers.plan_shown import duration

    if record.started_at is None or record.ended_at is None:
        return ""
    return duration(record.ended_at - record.started_at)


def _around(spread: Spread) -> str:
    if spread.n == 0:
        return "-"
    return f"{_number(spread.mean)} ± {_number(spread.sd)}" if spread.n > 1 else _number(spread.mean)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"
