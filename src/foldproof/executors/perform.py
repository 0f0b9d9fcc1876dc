"""One fold, recorded: a `FoldTask` in, journaled events out; a failure is an event too."""

import os
import platform
import traceback
from collections.abc import Iterator

from foldproof.errors import FoldproofError
from foldproof.events.journal import JournalWriter
from foldproof.events.types import Event, FoldFailed
from foldproof.storage import redact
from foldproof.training.task import FoldTask


def perform(task: FoldTask, *, executor: str) -> Iterator[Event]:
    """Train the fold and pass on each event once it stands in the fold's journal."""
    from foldproof.training.loop import train

    with journal_of(task, executor=executor) as journal:
        try:
            yield from journal.record(train(task))
        except FoldproofError as error:
            yield journal.append(FoldFailed(error=type(error).__name__, reason=redact(str(error))))
        except Exception as error:  # noqa: BLE001 - a fold is isolated here; the reason and the traceback are kept
            text = redact("".join(traceback.format_exception(error)))
            (task.folder / "failure.txt").write_text(text, encoding="utf-8")
            yield journal.append(FoldFailed(error=type(error).__name__, reason=redact(str(error).strip())))


def journal_of(task: FoldTask, *, executor: str) -> JournalWriter:
    """The writer of the fold's journal; its folder is made where it is missing."""
    task.folder.mkdir(parents=True, exist_ok=True)
    about = {
        "host": platform.node(),
        "pid": os.getpid(),
        "executor": executor,
        "attempt": 1,
        "fold_key": task.fold_key,
    }
    return JournalWriter(task.folder, run=task.run, repeat=task.repeat, fold=task.fold, about=about)
