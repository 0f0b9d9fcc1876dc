"""Test whether pairs of image files show the same picture, however it was processed. Only reads."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foldproof.data.likeness import likeness
from foldproof.data.readers import read
from foldproof.errors import BadImage

_SAMPLED = 12  # pairs
_LEAST = 6
_ENOUGH = 0.75  # of them, whose second picture is more like the first than all other second ones


def are_same_pictures(folder: Path, pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether most second pictures are more like their own first one than like any other, by their thumbnails."""
    step = max(1, len(pairs) // _SAMPLED)
    found = [(_grey(folder / first), _grey(folder / second)) for first, second in pairs[::step][:_SAMPLED]]
    seen = [(first, second) for first, second in found if first is not None and second is not None]
    if len(seen) < _LEAST:
        return False
    likenesses = np.stack([first for first, _ in seen]) @ np.stack([second for _, second in seen]).T
    return float((likenesses.argmax(axis=1) == np.arange(len(seen))).mean()) >= _ENOUGH


def _grey(path: Path) -> NDArray[np.float64] | None:
    """The thumbnail without its mean, of length one; None of what shows nothing or is not read as 8-bit colour."""
    try:
        pixels = read(path).pixels
    except BadImage:
        return None
    if pixels.dtype != np.uint8:
        return None
    thumbnail = np.frombuffer(likeness(pixels).thumbnail, dtype=np.uint8).astype(np.float64)
    thumbnail -= thumbnail.mean()
    length = float(np.linalg.norm(thumbnail))
    return thumbnail / length if length else None
