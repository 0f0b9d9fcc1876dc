"""Print how a training's time was spent, by part."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from foldproof.records.record import RunRecord
from foldproof.storage import cleaned
from foldproof.training.spent import PARTS

_SAID = {"backward": "backward, optimiser", "step": "rest of the step", "start-up": "model, start-up"}


def print_profile(spent: Mapping[Path, Mapping[str, float]], console: Console) -> None:
    """A row a part, a column a run: seconds summed over its folds, and the share of that."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("where the time went")
    for folder in spent:
        table.add_column(cleaned(RunRecord.read(folder).experiment, most=60), justify="right")
    for part in PARTS:
        if any(part in seconds for seconds in spent.values()):
            table.add_row(_SAID.get(part, part), *(_cell(seconds, part) for seconds in spent.values()))
    table.add_row("all folds", *(f"{sum(seconds.values()):.2f} s      " for seconds in spent.values()))
    console.print(table)
    console.print(Text("wall time of the folds, summed; on a GPU, waiting for each part slows the training"))


def profile_json(spent: Mapping[Path, Mapping[str, float]]) -> dict[str, Any]:
    """Seconds by run and part, as plain JSON values."""
    return {folder.name: dict(seconds) for folder, seconds in spent.items()}


def _cell(seconds: Mapping[str, float], part: str) -> str:
    if part not in seconds:
        return ""
    share = seconds[part] / (sum(seconds.values()) or 1.0)
    return f"{seconds[part]:.2f} s {share:4.0%}"
