"""Train one fold and journal its events; a failure is an event too, except for a full disk."""

import os
import platform
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from foldproof.errors import FoldproofError, StorageError
from foldproof.events.journal import JournalWriter
from foldproof.events.types import Body, Event, FoldFailed, FoldResumed
from foldproof.executors.failure import failed
from foldproof.storage import next_step, redact, remove_unfinished, write_atomically
from foldproof.training.task import FoldTask


def run_task(task: FoldTask, *, executor: str, stop: Callable[[], bool]) -> Iterator[Event]:
    """Train the fold, or what is left of it, and pass on each event once it stands in the fold's journal.

    When `stop` turns true it ends after the step, with a checkpoint. Raises StorageError where nothing can be written,
    DamagedFile where the journal does not check: what is recorded stays, and the fold can go on later.
    """
    with closing(run_task_by_steps(task, executor=executor, stop=stop)) as happening:
        yield from (event for event in happening if event is not None)


def run_task_by_steps(task: FoldTask, *, executor: str, stop: Callable[[], bool]) -> Generator[Event | None]:
    """`run_task`, and None after every step: another fold may train before the next one."""
    from foldproof.training.loop import train
    from foldproof.training.resuming.state import read_latest
    from foldproof.training.resuming.warm_start import find_warm_state

    with journal_of(task, executor=executor) as journal:
        remove_unfinished(task.folder)
        try:
            has_begun = bool(journal.events)
            start, notices = read_latest(task.folder, fold_key=task.fold_key)
            yield from map(journal.append, notices)
            if start is not None:
                yield journal.append(FoldResumed(epoch=start.epoch, step=start.step, file=start.name))
                yield from journal.record(train_until(stop, train(task, start)))
                return
            if has_begun:
                yield journal.append(FoldResumed(epoch=1, step=0, file=""))
            warm, notices = find_warm_state(task)
            yield from map(journal.append, notices)
            if warm is None:
                yield from journal.record(train_until(stop, train(task)))
            else:
                training, replayed = train_until(stop, train(task, warm.state)), len(warm.state.bodies)
                yield from journal.record(training, first=replayed, **warm.reuse.to_about())
        except StorageError:
            raise
        except FoldproofError as error:
            yield journal.append(FoldFailed(error=type(error).__name__, reason=redact(str(error))))
        except Exception as error:  # noqa: BLE001 - a fold is isolated here; the reason and the traceback are kept
            text = redact("".join(traceback.format_exception(error)))
            write_atomically(task.folder / "failure.txt", text)
            yield journal.append(failed(error, task))


def train_until(stop: Callable[[], bool], training: Generator[Body | None]) -> Iterator[Body | None]:
    """What a training says, until it is asked to stop and has said its last; None after a step, as it does."""
    from foldproof.training.loop import Stop

    for body in training:
        if body is not None or not stop():
            yield body
        else:
            last = training.throw(Stop())
            while last is not None:
                yield last
                last = next(training, None)


def journal_of(task: FoldTask, *, executor: str) -> JournalWriter:
    """The writer of the fold's journal; its folder is made where it is missing. Raises StorageError."""
    try:
        task.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make {task.folder}: {error.strerror}", next_step=next_step(error)) from error
    about = {"host": platform.node(), "pid": os.getpid(), "executor": executor, "fold_key": task.fold_key}
    return JournalWriter(task.folder, run=task.run, repeat=task.repeat, fold=task.fold, about=about)
