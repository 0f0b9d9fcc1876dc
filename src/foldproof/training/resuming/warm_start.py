"""Find the end state of another fold that a `FoldTask` can start from."""

from dataclasses import dataclass, replace

from foldproof.errors import DamagedFile
from foldproof.events.reuse import Reuse
from foldproof.events.types import Notice
from foldproof.training.resuming.state import State, read
from foldproof.training.resuming.state_files import end_state
from foldproof.training.task import FoldTask, WarmStart


@dataclass(frozen=True)
class WarmState:
    """A state of this fold that another fold has reached, and whose that is."""

    state: State
    reuse: Reuse


def find_warm_state(task: FoldTask) -> tuple[WarmState | None, tuple[Notice, ...]]:
    """The state of the longest warm start that is complete, and notices about those passed over."""
    notices: list[Notice] = []
    for warm_start in task.warm_starts:
        try:
            return WarmState(replace(_read_end(warm_start), fold_key=task.fold_key), warm_start.reuse), tuple(notices)
        except DamagedFile as error:
            text = f"this fold cannot begin with the {warm_start.reuse}: {error.what}"
            notices.append(Notice(code="beginning_missing", text=text))
    return None, tuple(notices)


def _read_end(warm_start: WarmStart) -> State:
    """The state after its last epoch. Raises DamagedFile where it is not there, not whole, or of something else."""
    of, path = warm_start.reuse, end_state(warm_start.folder, epochs=warm_start.reuse.epochs)
    if not path.exists():
        raise DamagedFile(f"run {of.run} holds no state of its end", next_step="train from the first epoch")
    state = read(path)
    if (state.fold_key, state.epoch, state.step) != (warm_start.fold_key, of.epochs + 1, 0):
        raise DamagedFile(
            f"{path.name} of run {of.run} belongs to a different fold", next_step="train from the first epoch"
        )
    return state
