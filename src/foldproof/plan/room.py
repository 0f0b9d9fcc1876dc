"""Check that disk and memory suffice for the folds to be trained."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from foldproof.errors import StorageError
from foldproof.events.types import Notice
from foldproof.plan.tasks import Model
from foldproof.storage import next_step, write_atomically
from foldproof.training.resuming.state_files import KEPT

FOLD_BYTES = 1 << 20  # journal, losses, predictions and the blocks that small files fill


def check_disk(runs: Path, work: Sequence[tuple[Model, int]], *, at_once: int) -> None:
    """Raises StorageError where nothing can be written into `runs`, or less than `work`, (model, folds), will write."""
    try:
        runs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make {runs}: {error.strerror}", next_step=next_step(error)) from error
    trial = write_atomically(runs / ".trial", b"\0" * 4096)
    with suppress(OSError):
        trial.unlink()
    needed = needed_bytes(work, at_once=at_once)
    free = shutil.disk_usage(runs).free
    if free < needed:
        folds = sum(count for _, count in work)
        raise StorageError(
            f"{runs} has {free / 1e9:.2f} GB free, and {folds} folds will write about {needed / 1e9:.2f} GB",
            next_step="free some space, or train a smaller backbone or fewer experiments at a time",
        )


def needed_bytes(work: Sequence[tuple[Model, int]], *, at_once: int) -> int:
    """Initial and final weights and the last state of every fold, and the states of those that run at once."""
    kept = sum(kept_bytes(model, folds) for model, folds in work)
    return kept + at_once * KEPT * max(model.probe.state_bytes for model, _ in work)


def kept_bytes(model: Model, folds: int) -> int:
    """Of those, what so many folds of one experiment keep."""
    return folds * (2 * model.probe.weights_bytes + model.probe.state_bytes + FOLD_BYTES)


def memory_notices(work: Sequence[tuple[Model, int]], *, at_once: int) -> tuple[Notice, ...]:
    """A warning where the folds that run at once, measured at one step of the probe, hardly fit the memory."""
    model, folds = max(work, key=lambda item: item[0].probe.memory_bytes)
    workers = min(at_once, sum(count for _, count in work))
    needed = model.probe.memory_bytes * workers
    available = psutil.virtual_memory().available + model.probe.memory_bytes  # the process that was measured is there
    if folds == 0 or needed <= available:
        return ()
    text = (
        f"{workers} folds at once take about {needed / 1e9:.1f} GB of memory and {available / 1e9:.1f} GB are free: "
        "lower execution.parallel_folds or train.batch_size if folds are killed"
    )
    return (Notice(code="little_memory", text=text),)
