"""Understand the name of a logged metric: what it measures, on which part, of which fold. Pure.

A name is understood whole or not at all: `val_acc_teacher` is nobody's accuracy here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MEASURES: Mapping[str, tuple[str, ...]] = {  # as comparisons call them, the preferred first
    "accuracy": (
        "accuracy",
        "acc",
        "accuracy_score",
        *("acc1", "top1", "top_1"),
        *(f"{top}_{acc}" for top in ("top1", "top_1") for acc in ("acc", "accuracy")),
        *(f"{acc}_{top}" for top in ("top1", "top_1") for acc in ("acc", "accuracy")),
    ),
    "balanced_accuracy": ("balanced_accuracy", "balanced_acc", "bal_acc", "balanced_accuracy_score"),
    "macro_f1": ("macro_f1", "f1_macro"),
    "f1": ("f1", "f1_score", "f1score", "fscore", "f_score"),
    "auc": ("auc", "auroc", "roc_auc", "rocauc", "auc_roc", "roc_auc_score"),
}
_PARTS: Mapping[str, int] = {  # the preferred first; a metric of no part between them
    **dict.fromkeys(("val", "valid", "validation", "vali", "eval", "evaluation", "dev"), 0),
    **dict.fromkeys(("test", "testing", "holdout"), 2),
}
_OPTIMISTIC = frozenset({"best", "max", "highest"})
_NEUTRAL = frozenset({"epoch", "final", "last", "multiclass", "binary", "categorical", "sparse", "metrics", "metric"})
_FOLD = re.compile(r"(?:^|[^a-z])(k[ _-]?fold|fold|split|cv|k)[ _.#/=:-]*(\d{1,3})(?!\d)", re.IGNORECASE)
_VAGUE = ("split", "cv", "k")  # words for other things, too
_FOLD_WORD = re.compile(r"(?:^|_)(?:k_?fold|folds?|split|cv)(?:_|$)")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class MetricName:
    """`measure` is one of MEASURES. `fold` is None where the name says none, `vague` where it may be of something else;
    `by_step`: its steps are the folds.
    """

    measure: str
    part: int
    optimistic: bool
    fold: int | None = None
    vague: bool = False
    by_step: bool = False

    @property
    def rank(self) -> tuple[bool, int, int]:
        """The least is preferred: what is no best epoch's, the first of MEASURES, the validation part."""
        return self.optimistic, list(MEASURES).index(self.measure), self.part


def measured(name: str) -> MetricName | None:
    """None for a loss, a training metric, a mean over folds, or a name that is not understood."""
    match = fold_in(name)
    fold = int(match[2]) if match else None
    bare = f"{name[: match.start()]}_{name[match.end(2) :]}" if match else name
    words = re.sub(r"[^a-z0-9]+", "_", _CAMEL.sub("_", bare).lower()).strip("_")
    by_step = fold is None and _FOLD_WORD.search(words) is not None
    words = _FOLD_WORD.sub("_", words) if by_step else words
    tokens = [token for token in words.split("_") if token and token not in _NEUTRAL]
    optimistic = not _OPTIMISTIC.isdisjoint(tokens)
    parts = [token for token in tokens if token in _PARTS]
    left = "_".join(token for token in tokens if token not in _OPTIMISTIC and token not in _PARTS)
    measure = next((known for known, spellings in MEASURES.items() if left in spellings), None)
    if measure is None or len(parts) > 1:
        return None
    vague = match is not None and is_vague(match)
    return MetricName(measure, _PARTS[parts[0]] if parts else 1, optimistic, fold, vague, by_step)


def fold_in(name: str) -> re.Match[str] | None:
    """Where a name says a fold, its number in group 2: `cv5_fold2` is fold 2."""
    return min(_FOLD.finditer(name), key=lambda match: (is_vague(match), match[1].lower() != "fold"), default=None)


def is_vague(match: re.Match[str]) -> bool:
    """Whether what was found may number something else: `acc_k5` is mostly an accuracy among five."""
    return match[1].lower() in _VAGUE


def number_all(folds: Iterable[int]) -> bool:
    """Whether numbers run from 0 or 1 on without a gap, each as often as the others."""
    times = Counter(folds)
    first = min(times, default=0)
    return first in (0, 1) and sorted(times) == list(range(first, first + len(times))) and len(set(times.values())) == 1


def bare_name(name: str) -> str:
    """The name of a metric without its fold: `fold_3/val_acc` and `val_acc-fold3` are `val_acc`."""
    match = fold_in(name)
    if match is None:
        return name
    left = f"{name[: match.start()]}_{name[match.end(2) :]}"
    return re.sub(r"[ _.#/-]+", "_", _CAMEL.sub("_", left)).strip("_").lower()
