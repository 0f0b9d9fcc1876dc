"""Train folds in local processes; the parent never imports torch.

Workers are spawned, keep their imports from task to task, and end when the parent does. A worker that dies takes only
its fold with it: the parent writes the failure into that fold's journal and starts another worker.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self, TypeAlias

from foldproof.errors import FoldproofError, ModelError
from foldproof.events.types import Event, FoldFailed
from foldproof.executors import ExecutorContext
from foldproof.executors.failure import is_of_memory, unbuildable
from foldproof.executors.placing import free_number, placed, seems_cpu
from foldproof.executors.printed import Printed
from foldproof.executors.queue import FeatureQueue, FoldQueue
from foldproof.executors.run_task import journal_of
from foldproof.executors.worker import Broken, Done, Load, StopTask, starting, work
from foldproof.provenance.machine import available_cores
from foldproof.training.task import FeatureSpan, FeatureTask, FoldTask, ModelRequest, Probe

Work: TypeAlias = FoldTask | FeatureTask

STOPPING_SECONDS = 6.0
_GRACE_SECONDS = 5.0


@dataclass
class Worker:
    """A process, its number among those that are alive, the pipe to it, and the task it is busy with."""

    number: int
    process: BaseProcess
    pipe: Connection
    task: Work | None = None
    printed: Printed | None = None


class ProcessExecutor:
    """Trains in up to `parallel_folds` processes of `threads` threads each."""

    def __init__(self, context: ExecutorContext) -> None:
        self._context = context
        self._spawn = multiprocessing.get_context("spawn")
        self._workers: list[Worker] = []
        self._devices: tuple[str, ...] = ()  # that folds are spread over

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        """Start one to ask, and where they will train on the CPU, as it seems, all: they load while images are read."""
        on_cpu = seems_cpu(self._context.device)
        self._grow(max(1, min(self.parallel_folds("cpu"), self._context.folds)) if on_cpu else 1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            if error is None and worker.task is None and worker.process.is_alive():
                worker.pipe.send(None)
            else:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join(_GRACE_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
            worker.process.close()
        self._workers.clear()

    def probe(self, request: ModelRequest) -> Probe:
        worker = self._workers[0]
        try:
            worker.pipe.send(request)
            for other in self._workers[1:]:
                with suppress(OSError):
                    other.pipe.send(Load(request))
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            raise ModelError(
                f"the worker died while building '{request.backbone}': {_read_failure(worker)}",
                next_step="try a smaller batch size, image size or backbone; or --set execution.executor=inline, which "
                "shows more",
            ) from None
        match answer:
            case Probe():
                self._devices = answer.devices
                self._grow(self.parallel_folds(answer.device))
                return answer
            case FoldproofError():
                raise _meant(answer, request)
            case Broken(text=text):
                raise unbuildable(text, request)
        raise AssertionError(answer)

    def parallel_folds(self, device: str) -> int:
        if self._context.parallel_folds is not None:
            return self._context.parallel_folds
        if device.startswith("cuda"):
            return max(1, len(self._devices))
        return max(1, available_cores() // self._context.threads)

    def extract(self, tasks: Sequence[FeatureTask]) -> Iterator[FeatureSpan]:
        yield from self._carry_out(FeatureQueue(tasks))

    def run(self, tasks: Sequence[FoldTask]) -> Generator[Event, None, None]:
        yield from self._carry_out(FoldQueue(tasks))

    def _carry_out(self, queue: FoldQueue | FeatureQueue) -> Iterator[Any]:
        if not queue:
            return
        self._grow(min(self.parallel_folds(queue.device), len(queue)))
        self._give_out(queue)
        stopping = self._context.stopping
        try:
            while (busy := self._busy()) and not stopping.asked:
                for ready in wait([*busy, stopping.waitable]):
                    if ready is not stopping.waitable:
                        yield from self._hear(busy[ready], queue)  # type: ignore[index]
            yield from self._drain()
        finally:
            self._stop_the_busy()

    def _busy(self) -> dict[Connection, Worker]:
        return {worker.pipe: worker for worker in self._workers if worker.task is not None}

    def _drain(self) -> Iterator[Any]:
        """Ask those still busy to stop, and receive their last events within a few seconds; no new task starts."""
        for pipe in self._busy():
            with suppress(OSError):
                pipe.send(StopTask())
        deadline = time.monotonic() + STOPPING_SECONDS
        while (busy := self._busy()) and (left := deadline - time.monotonic()) > 0:
            for ready in wait(list(busy), timeout=left):
                yield from self._hear(busy[ready], FoldQueue())  # type: ignore[index]

    def _hear(self, worker: Worker, queue: FoldQueue | FeatureQueue) -> Iterator[Any]:
        """Handle one message of a worker; a worker that is done, or dead, makes room for the next task."""
        match self._receive(worker):
            case Event() | FeatureSpan() as heard:
                yield heard
            case Done():
                worker.task = None
                self._give_out(queue)
            case FoldproofError() as error:
                raise _meant(error, worker.task.model) if isinstance(worker.task, FeatureTask) else error
            case Broken(text=text) if worker.task is not None:
                raise unbuildable(text, worker.task.model)
            case None:
                yield from self._write_failure(worker)
                if queue:
                    self._start_worker()
                    self._give_out(queue)

    def _stop_the_busy(self) -> None:
        """After an interruption no worker may keep writing."""
        for worker in [worker for worker in self._workers if worker.task is not None]:
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
            self._workers.remove(worker)

    def _receive(self, worker: Worker) -> Any:
        try:
            return worker.pipe.recv()
        except (EOFError, OSError):
            return None

    def _give_out(self, queue: FoldQueue | FeatureQueue) -> None:
        """Give every idle worker a task, as far as some may start now."""
        for worker in [worker for worker in self._workers if worker.task is None]:
            worker.task = queue.take(busy.task for busy in self._workers if isinstance(busy.task, FoldTask))
            if worker.task is not None:
                worker.pipe.send(placed(worker.task, self._devices, worker.number))

    def _write_failure(self, worker: Worker) -> Iterator[Event]:
        """Record in the journal of its fold that the worker is dead. Raises ModelError where it computed features."""
        task, reason = worker.task, _read_failure(worker)
        self._workers.remove(worker)
        worker.pipe.close()
        if isinstance(task, FeatureTask):
            raise ModelError(
                f"{reason} while it computed features",
                next_step="compute fewer at once: close other programs, or bind to one core (`taskset -c 0 …`)",
            )
        if task is not None:
            with journal_of(task, executor="process") as journal:
                yield journal.append(FoldFailed(error="WorkerDied", reason=reason))

    def _grow(self, count: int) -> None:
        while len(self._workers) < count:
            self._start_worker()

    def _start_worker(self) -> Worker:
        ours, theirs = self._spawn.Pipe()
        heard, printing = self._spawn.Pipe(duplex=False) if os.name == "posix" else (None, None)
        process = self._spawn.Process(
            target=work, args=(theirs, self._context.threads, self._context.portable, printing), daemon=True
        )
        with starting():
            process.start()
        theirs.close()
        if printing is not None:
            printing.close()
        printed = Printed(heard) if heard is not None else None
        worker = Worker(free_number([worker.number for worker in self._workers]), process, ours, printed=printed)
        self._workers.append(worker)
        return worker


def _meant(error: FoldproofError, request: ModelRequest) -> FoldproofError:
    return unbuildable(error.what, request) if is_of_memory(error.what) else error


def _read_failure(worker: Worker) -> str:
    last = worker.printed.last_lines() if worker.printed is not None else ""
    return f"{_end_of(worker)}; its last output: {last}" if last else _end_of(worker)


def _end_of(worker: Worker) -> str:
    worker.process.join(_GRACE_SECONDS)
    code = worker.process.exitcode
    if code is not None and code < 0 and os.name != "nt":
        name = signal.Signals(-code).name
        hint = "; perhaps out of memory" if name == "SIGKILL" else ""
        return f"the worker was ended by {name}{hint}"
    return f"the worker ended with code {code}"
