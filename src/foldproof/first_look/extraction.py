"""Decoded images in; their features by the canonical pass, computed in processes of one thread, out."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from foldproof.errors import ModelError
from foldproof.executors import worker
from foldproof.first_look.feature_key import BACKBONE, THREADS
from foldproof.provenance.machine import available_cores
from foldproof.training.chunks import CHUNK

_classifier: Any = None  # of a worker process


class Extractors:
    """Processes that compute features, one for each core; leaving the context ends them at once.

    Two of one thread and not one of two: threads that wait for each other suffer from any neighbour.
    """

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._processes: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def start(self) -> None:
        """Have the processes load the model, while something else goes on here."""
        if self._pool is not None:
            return
        count = available_cores()
        spawn = multiprocessing.get_context("spawn")
        before = multiprocessing.active_children()
        self._pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=_prepare)
        with worker.starting():
            for _ in range(count):
                self._pool.submit(_ready)
        self._processes = [process for process in multiprocessing.active_children() if process not in before]

    def features(self, images: Path, count: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Features of a `.npy` of [image, size, size, 3] uint8, chunk by chunk as they are done.  # [image, feature]

        Raises ModelError where a process dies, or a model cannot be built.
        """
        self.start()
        assert self._pool is not None
        chunks = {
            self._pool.submit(_features, images, start): slice(start, min(start + CHUNK, count))
            for start in range(0, count, CHUNK)
        }
        for done in as_completed(chunks):
            yield chunks[done], _result(done)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is None:
            return
        for process in self._processes:  # what they do now, nobody waits for: they may still be loading the model
            process.kill()
        self._pool.shutdown(cancel_futures=True)


def _result(done: Future[NDArray[np.float32]]) -> NDArray[np.float32]:
    try:
        return done.result()
    except BrokenProcessPool as error:
        raise ModelError(
            "a process that computed features died; perhaps the memory ran out",
            next_step="try again with fewer at once: close other programs, or bind to one core (`taskset -c 0 …`)",
        ) from error


def _prepare() -> None:
    """In a worker: become one, and load the model."""
    global _classifier
    worker.begin(THREADS, portable=False)
    import torch

    from foldproof.models.backbone import build
    from foldproof.training import determinism

    determinism.settle(torch.device("cpu"), threads=THREADS)
    _classifier = build(BACKBONE, classes=2, pretrained=True)


def _ready() -> None:
    """Answered once the model is loaded."""


def _features(images: Path, start: int) -> NDArray[np.float32]:
    from foldproof.training.frozen.features import frozen_features

    pixels = np.load(images, mmap_mode="r")[start : start + CHUNK]
    rows: NDArray[np.float32] = frozen_features(_classifier, pixels, device="cpu").numpy()
    return rows
