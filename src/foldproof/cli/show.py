"""Values in, tables for a terminal out."""

import math
from collections.abc import Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from foldproof.analysis.compare import Comparison, Line
from foldproof.errors import DamagedFile
from foldproof.record import RunRecord, Spread
from foldproof.storage import cleaned, redact

_WIDEST = 60  # characters of one setting


def print_comparison(comparison: Comparison, console: Console) -> None:
    """A row a run; then every fold; then what the columns mean."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("experiment")
    for key in comparison.differing:
        table.add_column(Text(key.removeprefix("train.")), justify="right", no_wrap=True)
    for title in ("accuracy", "loss", "best epoch*", "folds"):
        table.add_column(title, justify="right", no_wrap=True)
    for line in comparison.lines:
        table.add_row(
            line.experiment,
            *(Text(cleaned(str(line.settings.get(key, "")), most=_WIDEST)) for key in comparison.differing),
            _around(line.accuracy),
            _number(line.loss.mean),
            _around(line.best_epoch_accuracy),
            f"{len(line.folds)}/{line.expected_folds}",
        )
    console.print(table)
    console.print()
    console.print(_fold_table(comparison.lines))
    console.print()
    for note in _notes(comparison):
        console.print(note, style="dim", markup=False, soft_wrap=True)


def _fold_table(lines: tuple[Line, ...]) -> Table:
    places = sorted({place for line in lines for place in line.folds})
    repeated = any(repeat for repeat, _ in places)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("accuracy by fold")
    for repeat, fold in places:
        table.add_column(f"{repeat}.{fold}" if repeated else str(fold), justify="right")
    for line in lines:
        table.add_row(line.experiment, *(_number(line.folds.get(place, math.nan)) for place in places))
    return table


def _notes(comparison: Comparison) -> list[str]:
    notes = [
        "accuracy, loss: validation part at the last epoch; mean ± sd over folds",
        "* each fold scored at its own best epoch: optimistic, not for choosing",
    ]
    if not comparison.same_images:
        notes.append("not the same images: these rows do not measure the same thing")
    elif not comparison.same_folds:
        notes.append("not the same folds: these rows cannot be compared fold by fold")
    for line in comparison.lines:
        if len(line.folds) < line.expected_folds:
            missing = line.expected_folds - len(line.folds)
            notes.append(f"{line.experiment}: {missing} of {line.expected_folds} folds have no result ({line.status})")
    return notes


def print_runs(records: tuple[RunRecord, ...], console: Console) -> None:
    """A row a run, newest last."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("run", "experiment", "status"):
        table.add_column(title, no_wrap=True)
    for title in ("folds", "accuracy", "took"):
        table.add_column(title, justify="right", no_wrap=True)
    for record in records:
        folds = record.facts["config"]["folds"]
        table.add_row(
            record.run,
            record.experiment,
            record.status,
            f"{len(record.finished)}/{folds['k'] * folds['repeats']}",
            _around(record.last_accuracy),
            _took(record),
        )
    console.print(table)


def print_damaged(damaged: Mapping[Path, DamagedFile]) -> None:
    """A line on stderr for every run that cannot be read."""
    for error in damaged.values():
        click.echo(f"note: {cleaned(redact(error.what), most=1000)}", err=True)


def _took(record: RunRecord) -> str:
    from foldproof.trackers.console import duration

    if record.started_at is None or record.ended_at is None:
        return ""
    return duration(record.ended_at - record.started_at)


def _around(spread: Spread) -> str:
    if spread.n == 0:
        return "-"
    return f"{_number(spread.mean)} ± {_number(spread.sd)}" if spread.n > 1 else _number(spread.mean)


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"
