"""What a run would do in, a table and two lines for a terminal out."""

from rich.console import Console
from rich.text import Text

from foldproof.plan.foresee import Foreseen
from foldproof.trackers.plan_shown import plan_line, plan_table, size


def print_outlook(foreseen: Foreseen, console: Console) -> None:
    """A row an experiment, then all together and what disk it takes."""
    console.print(plan_table(foreseen.plans, parallel_folds=foreseen.parallel_folds))
    line = plan_line(foreseen.plans, parallel_folds=foreseen.parallel_folds)
    console.print(Text(f"{line}, on {foreseen.device}"), soft_wrap=True)
    writes = sum(plan.bytes or 0 for plan in foreseen.plans)
    decoded = f"{foreseen.images:,} decoded images take up to {size(foreseen.decoded_bytes)}"
    console.print(Text(f"writes about {size(writes)}; {decoded}; {size(foreseen.free_bytes)} free"), soft_wrap=True)
