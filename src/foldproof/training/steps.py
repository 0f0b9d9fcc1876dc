"""Store the loss of every training step in steps.f32, little-endian float32, to locate a divergence."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foldproof.errors import StorageError

FILE_NAME = "steps.f32"


def append_losses(folder: Path, losses: NDArray[np.float32], *, first_step: int) -> None:
    """Write the losses of an epoch's steps at their place; what stood behind it is cut. Raises StorageError."""
    path = folder / FILE_NAME
    try:
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.truncate(4 * first_step)
            file.seek(4 * first_step)
            file.write(losses.astype("<f4").tobytes())
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}", next_step="free some space, then run it again"
        ) from error


def read_losses(folder: Path) -> NDArray[np.float32]:
    """The loss of every step so far.  # [step] float32"""
    return np.fromfile(folder / FILE_NAME, dtype="<f4").astype(np.float32)
