"""Run a worker process: receive requests over a pipe, send back events and answers.

Messages in: a `ModelRequest`, such a one to `Load`, a `FoldTask`, a `FeatureTask`, `StopTask` for the fold that trains,
or None to end. Messages out: `Event`s, then a `Done`, or the `FoldproofError` by which nothing can be recorded; a
`FeatureSpan` and a `Done`; a `Probe` for a request. A request or feature task that cannot be met: a `FoldproofError`,
or `Broken`.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from types import ModuleType
from typing import TYPE_CHECKING

from foldproof import installed_first
from foldproof.errors import FoldproofError
from foldproof.executors.memory import keep_freed_memory
from foldproof.executors.printed import print_into
from foldproof.executors.run_task import run_task
from foldproof.provenance.numeric import PORTABLE
from foldproof.training.task import FeatureSpan, FeatureTask, FoldTask, ModelRequest

if TYPE_CHECKING:
    from foldproof.training.frozen.extraction import Extractor

# Sent to all processes of a terminal or a job; the parent decides what they mean.
_INTERRUPTIONS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_SAFE_PATH, _OURS = "PYTHONSAFEPATH", "foldproof"  # Python asks only whether it is set


@dataclass(frozen=True)
class Done:
    """The task sent last has ended, well or not."""


@dataclass(frozen=True)
class StopTask:
    """End the task that runs at its next step, with a checkpoint."""


@dataclass(frozen=True)
class Load:
    """Load what this model is built with, while others are asked about it. There is no answer."""

    request: ModelRequest


@dataclass(frozen=True)
class Broken:
    """An unexpected failure; `text` is its traceback."""

    text: str


@contextmanager
def starting() -> Iterator[None]:
    """A process started in the block hears no interruption before `begin`, and imports nothing from where we stand
    that Python or an installed package has.

    The Python of such a process would look into the current folder first, for `socket` and `signal` too. It would also
    run the script again that started us: one that calls `run` outside of any `if` would start runs in runs.
    """
    before, main, path = os.environ.get(_SAFE_PATH), sys.modules["__main__"], sys.path[:]
    os.environ[_SAFE_PATH] = before or _OURS
    sys.modules["__main__"] = ModuleType("__main__")
    sys.path[:] = installed_first()
    try:
        with _signals_held_back():
            yield
    finally:
        sys.modules["__main__"] = main
        sys.path[:] = path
        if before is None:
            del os.environ[_SAFE_PATH]


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Interruptions are heard after the block."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTIONS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def begin(threads: int, portable: bool) -> None:
    """Make this process a worker: deaf to interruptions, of so many threads, and gone as soon as its parent is.

    What libraries warn of is not printed, unless `python -W` or PYTHONWARNINGS asks for it.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for number in _INTERRUPTIONS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTIONS)
    if os.environ.get(_SAFE_PATH) == _OURS:
        del os.environ[_SAFE_PATH]
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    os.environ.update(PORTABLE if portable else {})
    keep_freed_memory()
    threading.Thread(target=_die_with_the_parent, daemon=True).start()


def work(pipe: Connection, threads: int, portable: bool, printing: Connection | None = None) -> None:
    """Serve requests until None comes or the parent is gone. `portable`: compute as every processor with AVX2 does.

    `printing`: where what is printed goes.
    """
    if printing is not None:
        print_into(printing)
    begin(threads, portable)
    import foldproof.training.loop  # noqa: F401 - loaded while the parent reads images
    from foldproof.training.probe import probe

    extractor: Extractor | None = None
    while True:
        try:
            message = pipe.recv()
        except EOFError:
            return
        match message:
            case None:
                os._exit(0)  # what Python would tidy up takes a second, and nothing of it is left to anybody
            case Load(request):
                _load(request)
            case StopTask():
                continue  # what it was meant for has ended by itself
            case ModelRequest():
                pipe.send(_answer(partial(probe, message)))
            case FeatureTask():
                extractor = _extract(message, extractor, pipe)
            case FoldTask():
                extractor = None  # its memory is the fold's now
                _train(message, pipe)


def _load(request: ModelRequest) -> None:
    """Whatever fails here fails again, and is said, where it matters."""
    from foldproof.training.loading import load

    with suppress(Exception):
        load(request)


def _train(task: FoldTask, pipe: Connection) -> None:
    """Whatever comes in meanwhile, the end of the pipe too, means: stop."""
    try:
        for event in run_task(task, executor="process", stop=pipe.poll):
            pipe.send(event)
    except FoldproofError as error:
        pipe.send(error)
    pipe.send(Done())


def _extract(task: FeatureTask, extractor: "Extractor | None", pipe: Connection) -> "Extractor | None":
    """Send the rows, or why there are none. The trunk comes back for the next part."""
    from foldproof.training.frozen.extraction import Extractor

    def rows() -> FeatureSpan:
        nonlocal extractor
        extractor = Extractor.of(task.model, extractor)
        return extractor.rows(task)

    pipe.send(_answer(rows))
    pipe.send(Done())
    return extractor


def _answer(ask: Callable[[], object]) -> object:
    import traceback

    try:
        return ask()
    except FoldproofError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a user's model may raise anything; the parent shows it
        return Broken("".join(traceback.format_exception(error)))


def _die_with_the_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
