"""Label a stream of images, in their order: decoded and judged by threads that never outnumber the cores.

A thread decodes a few images or puts a chunk through one model, and both wait in one line: neither keeps the other
from a core. What waits is bounded, however many images there are.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from foldproof.data.values import Scaled
from foldproof.errors import DataError, FoldproofError, ModelError
from foldproof.events.fold_id import FoldId
from foldproof.executors.failure import is_of_memory
from foldproof.predict.ensemble import Ensemble, Judge, Judgements
from foldproof.predict.images import Input, Item, model_input
from foldproof.predict.rows import Labelled, MeanOfFolds, Unlabelled
from foldproof.provenance.machine import available_cores
from foldproof.training.chunks import CHUNK

AHEAD_BYTES = 1 << 26  # of pixels that may wait to be judged; one chunk may, whatever it takes
PIECE = 8  # images that a thread decodes at once

Row: TypeAlias = Labelled | Unlabelled
_T = TypeVar("_T")
_S = TypeVar("_S")


class _Decoding(NamedTuple):
    items: tuple[Item, ...]
    pieces: list[Future[list[Input | str]]]


class _Judging(NamedTuple):
    items: tuple[Item, ...]
    inputs: list[Input | str]  # or why there is none
    asked: list[Future[Judgements]]


@dataclass(frozen=True)
class Labeller:
    """Models at work on a device. `threads`: of one model, on which its bits depend.

    `trained_on`: how many of the folds trained on an image, by the SHA-256 of its file.
    """

    ensemble: Ensemble
    device: torch.device
    threads: int
    trained_on: Mapping[str, int]
    most_pixels: int

    def label(self, items: Iterable[Item]) -> Iterator[Row]:
        """A row an item, in their order. A row is the same bits whatever other items there are.

        Raises ModelError where a model fails.
        """
        workers = max(1, available_cores() // self.threads)
        most = max(1, min(workers + 1, AHEAD_BYTES // (CHUNK * self.ensemble.form.image_bytes)))
        with _pool(workers, self.threads) as pool, _pool(1, self.threads) as device_queue:
            ask = pool if self.device.type == "cpu" else device_queue

            def decode(chunk: tuple[Item, ...]) -> _Decoding:
                parts = [chunk[start : start + PIECE] for start in range(0, len(chunk), PIECE)]
                return _Decoding(chunk, [pool.submit(self._inputs, part) for part in parts])

            def judge(decoding: _Decoding) -> _Judging:
                inputs = [one for piece in decoding.pieces for one in piece.result()]
                pixels = [one.pixels for one in inputs if isinstance(one, Input)]
                judges = self.ensemble.judges if pixels else ()
                asked = [ask.submit(_judged_by, judge, np.stack(pixels)) for judge in judges]
                return _Judging(decoding.items, inputs, asked)

            for judging in _begun(judge, _begun(decode, _chunks(items), most), most):
                yield from self._rows(judging)

    def _inputs(self, items: Sequence[Item]) -> list[Input | str]:
        return [self._input(item) for item in items]

    def _input(self, item: Item) -> Input | str:
        try:
            return model_input(item, self.ensemble.form, most_pixels=self.most_pixels)
        except DataError as error:
            return error.what

    def _rows(self, judging: _Judging) -> Iterator[Row]:
        found: dict[FoldId, NDArray[np.float32]] = {}
        for asked in judging.asked:
            found |= asked.result()
        there = iter(self._judged(found) if found else ())
        for item, one in zip(judging.items, judging.inputs, strict=True):
            if isinstance(one, str):
                yield Unlabelled(item.path, one)
            elif (said := next(there)) is None:
                yield Unlabelled(item.path, "a model answers with probabilities that are no numbers")
            else:
                seen = None if one.sha256 is None else self.trained_on.get(one.sha256, 0)
                yield Labelled(item.path, *said, seen)

    def _judged(self, found: Judgements) -> Iterator[tuple[int, NDArray[np.float32], int] | None]:
        """Class, probabilities and disagreement of each image; None where a fold's answer is no number."""
        folds = np.stack([found[fold_id] for fold_id in self.ensemble.fold_ids])
        judged = MeanOfFolds.by(folds)
        for place, is_number in enumerate(np.isfinite(folds).min(axis=(0, 2)).tolist()):
            said = int(judged.numbers[place]), judged.probabilities[place], int(judged.folds_disagree[place])
            yield said if is_number else None


def _judged_by(judge: Judge, pixels: Scaled) -> Judgements:
    try:
        with torch.inference_mode():
            return judge.judge(pixels)
    except FoldproofError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {str(error)[:200]}"
        if is_of_memory(said):
            raise ModelError(
                f"the memory does not hold {CHUNK} images on their way through a model: {said}",
                next_step="use a larger machine; --by fold:0 holds one model instead of all",
            ) from error
        raise ModelError(
            f"a model fails on these images: {said}", next_step="see where with `foldproof --debug predict`"
        ) from error


def _chunks(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    left = iter(items)
    while chunk := tuple(islice(left, CHUNK)):
        yield chunk


def _begun(begin: Callable[[_T], _S], things: Iterable[_T], most: int) -> Iterator[_S]:
    """What `begin` makes of each thing, in their order; `most` more are begun before one is given away."""
    waiting: deque[_S] = deque()
    for thing in things:
        waiting.append(begin(thing))
        if len(waiting) > most:
            yield waiting.popleft()
    yield from waiting


@contextmanager
def _pool(workers: int, threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads in each of which torch computes with `threads`: it does not hand that on to them."""
    pool = ThreadPoolExecutor(workers, "predict", initializer=torch.set_num_threads, initargs=(threads,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
