"""Measure where the time of a fold goes, in seconds by part; with a watch that stands still.

Of parts within parts the inner one counts. On a GPU every part waits for the device, so that its time is its own and
not that of whoever waits next; that slows the training.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol, TypeVar

import torch

from foldproof.events.types import Body, FoldFinished
from foldproof.training import spent

Out = TypeVar("Out")
Result = TypeVar("Result")


class Watch(Protocol):
    """Times the block, or what a generator does between its values."""

    def part(self, name: str) -> AbstractContextManager[object]: ...
    def over(self, name: str, work: Generator[Out, None, Result]) -> Generator[Out, None, Result]: ...
    def whole(self, training: Generator[Body | None]) -> Generator[Body | None]: ...


class Still:
    """Measures nothing, and costs nothing."""

    _nothing = nullcontext()

    def part(self, name: str) -> AbstractContextManager[object]:  # noqa: ARG002
        return self._nothing

    def over(self, name: str, work: Generator[Out, None, Result]) -> Generator[Out, None, Result]:  # noqa: ARG002
        return work

    def whole(self, training: Generator[Body | None]) -> Generator[Body | None]:
        return training


STILL = Still()


class Running:
    """Sums seconds by part."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._within = ["other"]
        self._since = time.perf_counter()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        self._turn_to(name)
        try:
            yield
        finally:
            self._turn_back()

    def over(self, name: str, work: Generator[Out, None, Result]) -> Generator[Out, None, Result]:
        while True:
            with self.part(name):
                try:
                    made = next(work)
                except StopIteration as end:
                    result: Result = end.value
                    return result
            yield made

    def whole(self, training: Generator[Body | None]) -> Generator[Body | None]:
        """Pass a training on, and say before its end where the time went; what is done with a body is logging."""
        onwards: Callable[[], Body | None] = training.__next__
        said = False
        while True:
            try:
                body = onwards()
            except StopIteration:
                break
            onwards = training.__next__
            if isinstance(body, FoldFinished):
                said = True
                yield spent.notice(self._seconds)
            self._turn_to("idle" if body is None else "logging")
            try:
                yield body
            except Exception as error:  # noqa: BLE001 - thrown in, as by whoever stops a training
                onwards = _thrown(training, error)
            finally:
                self._turn_back()
        if not said:
            yield spent.notice(self._seconds)

    def _turn_to(self, name: str) -> None:
        self._count()
        self._within.append(name)

    def _turn_back(self) -> None:
        self._count()
        self._within.pop()

    def _count(self) -> None:
        if self._device.startswith("cuda"):
            torch.cuda.synchronize()
        now = time.perf_counter()
        self._seconds[self._within[-1]] += now - self._since
        self._since = now


def _thrown(training: Generator[Body | None], error: Exception) -> Callable[[], Body | None]:
    return lambda: training.throw(error)
