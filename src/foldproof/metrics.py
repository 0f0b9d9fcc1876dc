"""Probabilities and labels in, one float out, no state. Pure.

Every metric takes `probabilities` [image, class] float and `labels` [image] int, in float64, says which direction is
better, and is registered in `registry.SEAMS["metrics"]`. Zero images give nan.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Probabilities: TypeAlias = NDArray[np.floating]
Labels: TypeAlias = NDArray[np.integer]
Metric: TypeAlias = Callable[[Probabilities, Labels], float]


def direction(*, higher_is_better: bool) -> Callable[[Metric], Metric]:
    """Say of a metric which direction is better, in an attribute `higher_is_better`, which one's own may set too."""

    def said(metric: Metric) -> Metric:
        vars(metric)["higher_is_better"] = higher_is_better
        return metric

    return said


@direction(higher_is_better=True)
def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Fraction of images whose most probable class is theirs; the first class wins a tie."""
    if len(labels) == 0:
        return float("nan")
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def recall_by_class(probabilities: Probabilities, labels: Labels) -> NDArray[np.float64]:
    """Fraction of each class's images that were recognised; nan for a class without images.  # [class]"""
    right = probabilities.argmax(axis=1) == labels
    classes = probabilities.shape[1]
    count = np.bincount(labels, minlength=classes).astype(np.float64)
    hits = np.bincount(labels[right], minlength=classes).astype(np.float64)
    recall: NDArray[np.float64] = np.divide(hits, count, out=np.full(classes, np.nan), where=count > 0)
    return recall


@direction(higher_is_better=True)
def balanced_accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Mean recall over the classes that occur."""
    recall = recall_by_class(probabilities, labels)
    present = recall[~np.isnan(recall)]
    return float(present.mean()) if len(present) else float("nan")


@direction(higher_is_better=True)
def macro_f1(probabilities: Probabilities, labels: Labels) -> float:
    """Mean over classes of F1 from counts; a class neither present nor predicted does not count."""
    predicted, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    hits = np.bincount(labels[predicted == labels], minlength=classes)
    involved = np.bincount(labels, minlength=classes) + np.bincount(predicted, minlength=classes)
    return float(np.mean(2 * hits[involved > 0] / involved[involved > 0])) if involved.any() else float("nan")


@direction(higher_is_better=False)
def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """Mean negative log-probability of the true class, in nats; probabilities below the least float32 count as it.

    By Python's logarithm and an exact sum: numpy's logarithm is other bits on other processors.
    """
    if len(labels) == 0:
        return float("nan")
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    least = float(np.finfo(np.float32).tiny)
    return -math.fsum(map(math.log, np.maximum(chosen, least).tolist())) / len(chosen)
