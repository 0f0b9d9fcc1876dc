"""The end of another fold as the beginning of this one: a `FoldTask` in; the `State` to go on from, if any, out."""

from dataclasses import dataclass, replace

from foldproof.errors import DamagedFile
from foldproof.events.reuse import Reuse
from foldproof.events.types import Notice
from foldproof.training.resuming.state import State, read
from foldproof.training.resuming.state_files import end_state
from foldproof.training.task import Beginning, FoldTask


@dataclass(frozen=True)
class Begun:
    """A state of this fold that another fold has reached, and whose that is."""

    state: State
    reuse: Reuse


def begun(task: FoldTask) -> tuple[Begun | None, tuple[Notice, ...]]:
    """From the longest beginning that is there and whole, and notices about those passed over."""
    notices: list[Notice] = []
    for beginning in task.beginnings:
        try:
            return Begun(replace(_end(beginning), fold_key=task.fold_key), beginning.reuse), tuple(notices)
        except DamagedFile as error:
            text = f"this fold cannot begin with the {beginning.reuse}: {error.what}"
            notices.append(Notice(code="beginning_missing", text=text))
    return None, tuple(notices)


def _end(beginning: Beginning) -> State:
    """The state after its last epoch. Raises DamagedFile where it is not there, not whole, or of something else."""
    of, path = beginning.reuse, end_state(beginning.folder, epochs=beginning.reuse.epochs)
    if not path.exists():
        raise DamagedFile(f"run {of.run} holds no state of its end", next_step="train from the first epoch")
    state = read(path)
    if (state.fold_key, state.epoch, state.step) != (beginning.fold_key, of.epochs + 1, 0):
        raise DamagedFile(
            f"{path.name} of run {of.run} belongs to a different fold", next_step="train from the first epoch"
        )
    return state
