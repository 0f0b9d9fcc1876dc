"""Train one epoch of a fold again from its stored state and find the first step that differs."""

import shutil
from dataclasses import dataclass, replace

from foldproof.analysis.divergence import FoldTrace, parting
from foldproof.errors import DamagedFile
from foldproof.events.types import Body, EpochFinished, FoldFinished, FoldStarted
from foldproof.records.record import read_journal
from foldproof.reproduce.recorded import Recorded
from foldproof.reproduce.states import last_before_the_end
from foldproof.training.loop import train
from foldproof.training.resuming import state
from foldproof.training.steps import read_losses
from foldproof.training.task import FoldTask


@dataclass(frozen=True)
class Trained:
    """Problems in sentences, and what was trained."""

    problems: tuple[str, ...]
    said: str


def train_on(recorded: Recorded, task: FoldTask) -> Trained:
    """Train from the last stored state before the end, or where there is none the first epoch from its beginning."""
    fold_id = task.fold_id
    start = None
    try:
        stored = last_before_the_end(recorded.folder, fold_id, task.train.epochs)
        if stored is not None:
            start = state.read(stored.checked())
    except DamagedFile as error:
        return Trained((error.what,), "")
    if start is not None and start.fold_key not in {
        event.about.get("fold_key") for event in read_journal(recorded.folder, fold_id)
    }:
        return Trained((f"{start.name} is the state of a different fold or experiment",), "")
    last = None if start is not None else 1
    shutil.rmtree(task.folder, ignore_errors=True)
    task.folder.mkdir(parents=True)
    bodies = [body for body in train(replace(task, stop_after=last), start) if body is not None]
    then = recorded.trace(fold_id)
    now = _trace(task, bodies)
    found = parting(then, now, epochs=last)
    first = 1 if start is None else start.epoch
    where = f"epoch {first} of {task.train.epochs} trained again from " + (
        "its initial weights" if start is None else f"the state stored before step {start.step + 1} of it"
    )
    if found is None:
        return Trained((), f"{where}: equal bits")
    return Trained((f"parts at {found.place} ({found.kind}: {found.then} then, {found.now} now)",), where)


def _trace(task: FoldTask, bodies: list[Body]) -> FoldTrace:
    return FoldTrace(
        repeat=task.repeat,
        fold=task.fold,
        started=next((body for body in bodies if isinstance(body, FoldStarted)), None),
        epochs=tuple(body for body in bodies if isinstance(body, EpochFinished)),
        finished=next((body for body in bodies if isinstance(body, FoldFinished)), None),
        losses=read_losses(task.folder),
    )
