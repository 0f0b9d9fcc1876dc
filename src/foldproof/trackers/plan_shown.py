"""Show what is about to run: a table for a terminal, one line for anywhere."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from foldproof.trackers import RunPlan

_UNITS = ("B", "kB", "MB", "GB", "TB")


def plan_table(plans: Sequence[RunPlan], *, parallel_folds: int) -> Table:
    """A row an experiment: what is trained, what is there already, how long it takes and what it writes."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("experiment", no_wrap=True)
    for title in ("folds", "epochs", "time", "disk"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for plan in plans:
        folds = plan.all_folds
        left = folds - plan.finished
        table.add_row(
            Text(plan.experiment),
            f"{left}" if not plan.finished else f"{left} of {folds}",
            f"{plan.epochs}",
            "" if plan.seconds is None else duration(plan.seconds / max(1, min(parallel_folds, left))),
            "" if plan.bytes is None else size(plan.bytes),
            Text(_there(plan), style="dim"),
        )
    return table


def _there(plan: RunPlan) -> str:
    begins = f"begins with {plan.begins_with}" if plan.begins_with else ""
    if not plan.goes_on:
        return begins
    if plan.finished == plan.all_folds:
        return f"done in {plan.goes_on}"
    epochs = plan.epochs_done - plan.finished * plan.epochs
    there = [f"{plan.finished} folds"] if plan.finished else []
    there += [f"{epochs} epochs of other folds"] if epochs > 0 else []
    goes_on = f"goes on in {plan.goes_on}{': has ' if there else ''}{', '.join(there)}"
    return f"{goes_on}; {begins}" if begins else goes_on


def plan_line(plans: Sequence[RunPlan], *, parallel_folds: int) -> str:
    """What is about to happen, in one line with an estimate."""
    runs = len(plans)
    folds = sum(plan.all_folds for plan in plans)
    if folds and all(plan.finished == plan.all_folds for plan in plans):
        return f"{runs} experiment{'s' if runs != 1 else ''}, nothing to train"
    at_once = min(parallel_folds, folds)
    seconds = seconds_of(plans, parallel_folds=parallel_folds)
    estimate = "" if seconds is None or round(seconds) == 0 else f", about {duration(seconds)}"
    return f"{runs} experiment{'s' if runs != 1 else ''}, {folds} folds, {at_once} at once{estimate}"


def seconds_of(plans: Sequence[RunPlan], *, parallel_folds: int) -> float | None:
    """The estimated time of all together; None where that of one is not known."""
    known = [plan.seconds for plan in plans if plan.seconds is not None]
    folds = sum(plan.all_folds - plan.finished for plan in plans)
    return sum(known) / max(1, min(parallel_folds, folds)) if len(known) == len(plans) else None


def duration(seconds: float) -> str:
    """`8 s`, `2 min 5 s`, `3 h 20 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: float) -> str:
    """`512 B`, `3.4 MB`, in powers of 1,000."""
    step = 0
    while count >= 999.5 and step < len(_UNITS) - 1:
        count, step = count / 1000, step + 1
    return f"{count:.0f} {_UNITS[step]}" if step == 0 or count >= 99.5 else f"{count:.1f} {_UNITS[step]}"
