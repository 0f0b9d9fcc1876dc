"""Print the plan of a run, or the result of a rehearsal, to a terminal."""

from rich.console import Console
from rich.text import Text

from foldproof.plan.preview import Preview
from foldproof.rehearsal.rehearsed import Rehearsed
from foldproof.storage import cleaned
from foldproof.trackers.plan_shown import duration, plan_line, plan_table, size


def print_plan(preview: Preview, console: Console) -> None:
    """A row an experiment, then all together, what comes before it, and what disk it takes."""
    console.print(plan_table(preview.plans, parallel_folds=preview.parallel_folds))
    line = plan_line(preview.plans, parallel_folds=preview.parallel_folds)
    console.print(Text(f"{line}, on {preview.device}"), soft_wrap=True)
    if preview.features_seconds:
        before = f"before that, about {duration(preview.features_seconds)} for features of {preview.images:,} images"
        console.print(Text(f"{before}, once for all folds that share them"), soft_wrap=True)
    writes = sum(plan.bytes or 0 for plan in preview.plans)
    decoded = f"{preview.images:,} decoded images take up to {size(preview.decoded_bytes)}"
    console.print(Text(f"writes about {size(writes)}; {decoded}; {size(preview.free_bytes)} free"), soft_wrap=True)


def print_rehearsed(found: Rehearsed, console: Console) -> None:
    """A line a step; then, where all is well, what the whole would be."""
    count = len(found.experiments)
    what = found.experiments[0] if count == 1 else f"{count} experiments"
    console.print(Text(f"{what}: 1 fold, 1 epoch, {found.images:,} of {found.whole.images:,} images"), soft_wrap=True)
    width = max(len(step.name) for step in found.steps)
    for step in found.steps:
        line = Text("  ")
        line.append("failed" if step.problem else "ok    ", style="bold red" if step.problem else "green")
        line.append(f"  {step.name.ljust(width)}  {step.seconds:7.2f} s")
        console.print(line, soft_wrap=True)
        if step.problem:
            console.print(Text(f"          {cleaned(step.problem, most=500)}"), soft_wrap=True)
    if found.kept:
        console.print(Text(f"what it wrote is kept in {found.kept}"), soft_wrap=True)
    else:
        whole = found.whole
        said = plan_line(whole.plans, parallel_folds=whole.parallel_folds).partition(", about")[0]
        console.print(
            Text(f"all of it: {said}, about {duration(found.seconds)} of training on {whole.device}"), soft_wrap=True
        )
