"""Cut an array of positions into consecutive batches. Pure."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CHUNK = 32  # images, as many as the canonical pass of a frozen backbone takes at once
LEAST_TO_TRAIN = 2  # batch normalisation has no variance of one image


def chunks(positions: NDArray[np.int64], size: int, *, least: int = 1) -> Iterator[NDArray[np.int64]]:
    """Consecutive parts of `size`; a last part of fewer than `least` joins the one before it."""
    edges = list(range(0, len(positions), size))
    if len(edges) > 1 and len(positions) - edges[-1] < least:
        edges.pop()
    for start, end in zip(edges, [*edges[1:], len(positions)], strict=True):
        yield positions[start:end]


def batch_sizes(images: int, batch_size: int) -> NDArray[np.int64]:
    """Images in each step of an epoch of training.  # [step] int64"""
    return np.array([len(part) for part in chunks(np.arange(images), batch_size, least=LEAST_TO_TRAIN)], dtype=np.int64)
