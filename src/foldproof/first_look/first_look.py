"""`FirstLook`: what a first look at a folder found, as frozen values. Scores are fractions, times seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.analysis.comparison import Estimate
from foldproof.analysis.confusion import Confusion, Mixed
from foldproof.analysis.label_errors import LabelError
from foldproof.analysis.summary import finite
from foldproof.data.checks.findings import Finding
from foldproof.plan.installed_features import BACKBONE

WORST = 3


@dataclass(frozen=True, kw_only=True)
class FirstLook:
    """`folder` holds the class folders: `asked`, or a part of it. `passed_over`: images that were not chosen;
    `told`: how labels were understood, and what was left out.

    `accuracy` is the mean over folds with its 95 % interval, `majority` the largest class and the accuracy of always
    saying it. `k` of `asked_k` folds were possible. `naive_leak`: how many images a random split would be expected to
    validate beside a copy. `features_kept`: images whose features were there from before. `labelled_by`: in sentences,
    what was taken for the labels, where that is not the folder.
    """

    asked: Path
    folder: Path
    passed_over: int
    told: tuple[str, ...]
    images_by_class: Mapping[str, int]
    accuracy: Estimate
    balanced_accuracy: float
    majority: tuple[str, float]
    k: int
    asked_k: int
    seed: int
    confusion: Confusion
    findings: tuple[Finding, ...]
    label_errors: tuple[LabelError, ...]
    naive_leak: float
    seconds: float
    features_kept: int
    labelled_by: tuple[str, ...] = ()

    @property
    def images(self) -> int:
        return sum(self.images_by_class.values())

    @property
    def worst(self) -> tuple[Mixed, ...]:
        """The most frequent confusions."""
        return self.confusion.most_mixed(WORST)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        label, share = self.majority
        return {
            "v": 1,
            "folder": str(self.folder),
            "images": self.images,
            "images_not_looked_at": self.passed_over,
            "told": list(self.told),
            "classes": dict(self.images_by_class),
            "backbone": BACKBONE,
            "k": self.k,
            "k_asked": self.asked_k,
            "seed": self.seed,
            "accuracy": {
                "mean": self.accuracy.value,
                "low": finite(self.accuracy.low),
                "high": finite(self.accuracy.high),
            },
            "balanced_accuracy": self.balanced_accuracy,
            "majority": {"class": label, "accuracy": share},
            "confusion": self.confusion.counts.tolist(),
            "confusions": [
                {
                    "class": self.confusion.classes[mixed.true],
                    "taken_for": self.confusion.classes[mixed.predicted],
                    "images": mixed.count,
                    "share": mixed.share,
                }
                for mixed in self.worst
            ],
            "findings": [finding.to_json() for finding in sorted(self.findings)],
            "label_errors": [
                {
                    "path": error.path,
                    "label": error.label,
                    "suggested": error.suggested,
                    "own_probability": error.own_probability,
                    "suggested_probability": error.suggested_probability,
                }
                for error in self.label_errors
            ],
            "naive_leak": round(self.naive_leak, 3),
            "labelled_by": list(self.labelled_by),
            "seconds": round(self.seconds, 2),
            "features_kept": self.features_kept,
        }
