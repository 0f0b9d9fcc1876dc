"""Score predictions by metrics, each with what a comparison and a report need to know of it. Pure.

Every metric takes `probabilities` [image, class] float and `labels` [image] int, in float64, and gives one float; zero
images give nan. `described` says the rest. A metric is registered in `registry.SEAMS["metrics"]`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldproof import registry
from foldproof.errors import UnknownName

Probabilities: TypeAlias = NDArray[np.floating]
Labels: TypeAlias = NDArray[np.integer]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Score: TypeAlias = Callable[[Probabilities, Labels], float]


@dataclass(frozen=True)
class Additive:
    """How a metric is a weighted sum over the rows of a fold: `value` of a row, and its `weight` within its fold.

    `stratum`: rows that share one are held against each other when asking what is chance (the class, for a score that
    averages over classes).
    """

    value: Callable[[Probabilities, Labels], Floats]
    weight: Callable[[Ints], Floats]
    stratum: Callable[[Ints], Ints]
    least: float  # smallest step of a value: one image more or less


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric as it is known everywhere: its function, and how its scores are compared and spoken of.

    `is_fraction`: from 0 to 1, shown as percent, differences as points. `is_loss`: never below 0, judged on the scale
    of logarithms. `additive`: where a score is a sum over images, which lets a comparison count images, not folds.
    """

    name: str
    function: Score
    higher_is_better: bool
    title: str
    unit: str = ""
    is_fraction: bool = False
    is_loss: bool = False
    additive: Additive | None = field(default=None, repr=False)

    @property
    def most_apart(self) -> float:
        """How far two scores can lie apart."""
        return 1.0 if self.is_fraction else math.inf


def described(
    *,
    higher_is_better: bool,
    title: str = "",
    unit: str = "",
    is_fraction: bool = False,
    is_loss: bool = False,
    additive: Additive | None = None,
) -> Callable[[Score], Score]:
    """Say of a metric what `Metric` holds, in attributes of these names; the first is enough, and a plain one too."""
    said = {name: value for name, value in locals().items() if value or name == "higher_is_better"}

    def describe(function: Score) -> Score:
        vars(function).update(said)
        return function

    return describe


def metric_of(name: str) -> Metric:
    """The metric called `name`, by its name in the settings, a registered name or a dotted path.

    Raises UnknownName where nothing is called so, or where it does not say which direction is better: a guess would
    name the loser.
    """
    if name in LOGGED_BY_OTHERS:
        return LOGGED_BY_OTHERS[name]
    function = registry.load("metrics", name)
    called = name.rpartition(":")[2]
    higher_is_better = getattr(function, "higher_is_better", None)
    if not isinstance(higher_is_better, bool):
        raise UnknownName(
            f"the metric '{name}' does not say which direction is better",
            next_step=f"set `{called}.higher_is_better = True`, or False, where it is defined",
        )
    return Metric(
        name=name,
        function=function,
        higher_is_better=higher_is_better,
        title=getattr(function, "title", called.replace("_", " ")),
        unit=getattr(function, "unit", ""),
        is_fraction=getattr(function, "is_fraction", False),
        is_loss=getattr(function, "is_loss", False),
        additive=getattr(function, "additive", None),
    )


def _unmeasured(probabilities: Probabilities, labels: Labels) -> float:  # noqa: ARG001
    return math.nan


LOGGED_BY_OTHERS = {  # known by their scores only
    name: Metric(name=name, function=_unmeasured, higher_is_better=True, title=title, is_fraction=True)
    for name, title in (("f1", "F1"), ("auc", "AUC"))
}


def _is_right(probabilities: Probabilities, labels: Labels) -> Floats:
    return np.asarray(probabilities.argmax(axis=1) == labels, dtype=np.float64)


def _surprise(probabilities: Probabilities, labels: Labels) -> Floats:
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return np.asarray(-np.log(np.maximum(chosen, float(np.finfo(np.float32).tiny))), dtype=np.float64)


def _equal_weights(labels: Ints) -> Floats:
    return np.full(len(labels), 1 / len(labels), dtype=np.float64)


def _class_weights(labels: Ints) -> Floats:
    counts = np.bincount(labels)
    weights: Floats = 1 / (counts[labels] * (counts > 0).sum())
    return weights


def _one_stratum(labels: Ints) -> Ints:
    return np.zeros(len(labels), dtype=np.int64)


def _stratum_by_class(labels: Ints) -> Ints:
    return labels


@described(
    higher_is_better=True,
    title="accuracy",
    is_fraction=True,
    additive=Additive(_is_right, _equal_weights, _one_stratum, least=1.0),
)
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


@described(
    higher_is_better=True,
    title="balanced accuracy",
    is_fraction=True,
    additive=Additive(_is_right, _class_weights, _stratum_by_class, least=1.0),
)
def balanced_accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Mean recall over the classes that occur."""
    recall = recall_by_class(probabilities, labels)
    present = recall[~np.isnan(recall)]
    return float(present.mean()) if len(present) else float("nan")


@described(higher_is_better=True, title="macro F1", is_fraction=True)
def macro_f1(probabilities: Probabilities, labels: Labels) -> float:
    """Mean over classes of F1 from counts; a class neither present nor predicted does not count."""
    predicted, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    hits = np.bincount(labels[predicted == labels], minlength=classes)
    involved = np.bincount(labels, minlength=classes) + np.bincount(predicted, minlength=classes)
    return float(np.mean(2 * hits[involved > 0] / involved[involved > 0])) if involved.any() else float("nan")


@described(
    higher_is_better=False,
    title="log loss",
    unit="nats",
    is_loss=True,
    additive=Additive(_surprise, _equal_weights, _one_stratum, least=0.0),
)
def log_loss(probabilities: Probabilities, labels: Labels) -> float:
    """Mean negative log-probability of the true class, in nats; probabilities below the least float32 count as it.

    By Python's logarithm and an exact sum: numpy's logarithm is other bits on other processors.
    """
    if len(labels) == 0:
        return float("nan")
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    least = float(np.finfo(np.float32).tiny)
    return -math.fsum(map(math.log, np.maximum(chosen, least).tolist())) / len(chosen)
