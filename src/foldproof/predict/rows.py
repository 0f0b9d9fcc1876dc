"""Define what is said of an image: a row of the table, or why there is none; and the mean over folds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


def columns(classes: Sequence[str]) -> tuple[str, ...]:
    """The names of a table's columns; that of a class is `p_CLASS`."""
    return ("path", "class", "probability", *(f"p_{name}" for name in classes), "folds_disagree", "seen")


class Labelled(NamedTuple):
    """What the models say of one image. `number`: of its class, which is the most probable.

    `folds_disagree`: how many folds' models name another class; `seen`: how many trained on the image, None where that
    is not known.
    """

    path: str
    number: int
    probabilities: NDArray[np.float32]  # [class]
    folds_disagree: int
    seen: int | None

    @property
    def probability(self) -> np.float32:
        value: np.float32 = self.probabilities[self.number]
        return value


class Unlabelled(NamedTuple):
    """An image of which nothing can be said, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class MeanOfFolds:
    """Images judged by all folds together.  # [image, class] float32, [image] int64"""

    probabilities: NDArray[np.float32]
    numbers: NDArray[np.int64]
    folds_disagree: NDArray[np.int64]

    @staticmethod
    def by(folds: NDArray[np.float32]) -> "MeanOfFolds":
        """The mean over folds of their probabilities.  # [fold, image, class], in the order of their ids

        Added one fold after another in float64, divided by their number and rounded to float32: an image's mean is
        the same bits on every machine. Of equal probabilities the first class is named.
        """
        total = np.zeros(folds.shape[1:], dtype=np.float64)
        for fold in folds:
            total += fold
        probabilities = (total / len(folds)).astype(np.float32)
        numbers = probabilities.argmax(axis=1)
        return MeanOfFolds(probabilities, numbers, (folds.argmax(axis=2) != numbers).sum(axis=0))
