"""Compute losses, and class weights from training labels."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

ClassWeights: TypeAlias = Callable[[NDArray[np.int64], int], NDArray[np.float32]]


def equal_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:  # noqa: ARG001
    """One for each class.  # [class] float32"""
    return np.ones(classes, dtype=np.float32)


def balanced_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Images / (classes * images of the class), so that every class weighs the same in sum; 0 for an absent class.

    The heuristic of King & Zeng, "Logistic regression in rare events data" (2001).  # [class] float32
    """
    count = np.bincount(labels, minlength=classes).astype(np.float64)
    weights = np.divide(len(labels), classes * count, out=np.zeros(classes), where=count > 0)
    return weights.astype(np.float32)
