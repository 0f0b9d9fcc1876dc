"""What `singles.py` and `nested.py` made in; how often a 95 % interval of a score holds the truth, out: coverage.json.

The truth is how the models that were trained score, on average, on thousands of images that nobody trained on. The
interval called foldproof is that of `foldproof.analysis.intervals`, as `foldproof compare` shows it.
"""

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import nested
import numpy as np
from kept import part_file
from numpy.typing import NDArray
from scipy import special, stats
from singles import CLASSES, PARTS, REPEATS, Single, settings

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.foreign.tables import candidate_of
from foldproof.analysis.intervals import interval_of
from foldproof.analysis.lines import scores_of
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.scoring import ACCURACY, BALANCED
from foldproof.analysis.statistics.shares import wilson_interval

RESULT = Path(__file__).parent / "coverage.json"
NAMES = np.array([f"{number:05}" for number in range(4000)])
Z = float(stats.norm.ppf(0.975))
Bounds = tuple[float, float]


def draws(setting: Single) -> dict[str, NDArray[Any]]:
    """All draws made so far, end to end; empty where there are none."""
    files = [part_file(setting, part) for part in range(PARTS) if part_file(setting, part).exists()]
    parts = [dict(np.load(file)) for file in files]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def candidate(predicted: NDArray[np.int8], fold: NDArray[np.int8], labels: NDArray[np.int8], groups: Any) -> Candidate:
    """An experiment that said this.  # [repeat, image], [repeat, image], [image], [image]"""
    repeats, images = predicted.shape
    table = OutOfFold(
        classes=tuple(map(str, range(CLASSES))),
        paths=np.tile(NAMES[:images], repeats),
        sha256=np.tile(NAMES[:images], repeats),
        groups=np.tile(groups, repeats),
        labels=np.tile(labels.astype(np.int64), repeats),
        repeats=np.repeat(np.arange(repeats), images),
        folds=fold.ravel().astype(np.int64),
        probabilities=np.eye(CLASSES, dtype=np.float32)[predicted.ravel()],
    )
    return candidate_of("one", table)


def bounds(one: Candidate, metric: str, k: int) -> dict[str, Bounds]:
    """Every interval of the score of one experiment."""
    assert one.table is not None
    scores = scores_of(one, metric)
    values = np.array(list(scores.values()))
    found = interval_of(one, scores, metric)
    spread = values.std(ddof=1) * np.sqrt(1 / len(values) + 1 / (k - 1)) * stats.t.ppf(0.975, len(values) - 1)
    odds = special.logit(np.clip(values, 0.001, 0.999))
    of_odds = odds.std(ddof=1) * np.sqrt(1 / len(values) + 1 / (k - 1)) * stats.t.ppf(0.975, len(values) - 1)
    mean, images = float(values.mean()), len(np.unique(one.table.sha256))
    right = np.asarray(one.table.predicted == one.table.labels)
    within = np.mean([right[(one.table.repeats == r) & (one.table.folds == f)].var(ddof=1) for r, f in scores])
    half = Z * float(np.sqrt(within / images))
    said = {
        "foldproof": (found.low, found.high),
        "corrected t": (mean - spread, mean + spread),
        "logit-t": tuple(special.expit(odds.mean() + side * of_odds) for side in (-1, 1)),
        "Wilson": wilson_interval(mean, images, Z),
    }
    return said | ({"Bayle": (mean - half, mean + half)} if metric == ACCURACY else {})


def truths(found: Mapping[str, NDArray[Any]], metric: str, repeats: int) -> NDArray[np.float64]:
    """How well the models of each draw truly score, on average.  # [draw]"""
    truth, share = found["truth"][:, :repeats].mean((1, 2)), found["share"]  # [draw, class]
    weight = share if metric == ACCURACY else (share > 0) / (share > 0).sum(1, keepdims=True)
    return np.asarray((truth * weight).sum(1), dtype=np.float64)


def judged(setting: Single) -> list[dict[str, Any]]:
    """A row a metric and number of repeats."""
    found = draws(setting)
    return [
        _row(setting, found, metric, repeats)
        for metric in (ACCURACY, BALANCED)
        for repeats in (1, REPEATS)
        if found and (metric == ACCURACY or setting.design == "uneven")
    ]


def _row(setting: Single, found: Mapping[str, NDArray[Any]], metric: str, repeats: int) -> dict[str, Any]:
    truth = truths(found, metric, repeats)
    held: dict[str, list[bool]] = {}
    widths: dict[str, list[float]] = {}
    of_nested = _nested(setting, len(truth)) if metric == ACCURACY and repeats == 1 else []
    for draw, true in enumerate(truth):
        groups = found["groups"][draw].astype(np.str_) if setting.design == "grouped" else np.full(setting.images, "")
        one = candidate(
            found["predicted"][draw, :repeats], found["fold"][draw, :repeats], found["labels"][draw], groups
        )
        beside = of_nested[draw] if draw < len(of_nested) else {}
        for name, (low, high) in (bounds(one, metric, setting.k) | beside).items():
            held.setdefault(name, []).append(bool(low <= true <= high))
            widths.setdefault(name, []).append(float(high - low))
    return {
        "learner": setting.learner,
        "design": setting.design,
        "images": setting.images,
        "k": setting.k,
        "metric": metric,
        "repeats": repeats,
        "true": float(truth.mean()),
        "draws": {name: len(some) for name, some in held.items()},
        "held": {name: sum(some) for name, some in held.items()},
        "width": {name: float(np.mean(some)) for name, some in widths.items()},
    }


def _nested(setting: Single, most: int) -> list[dict[str, Bounds]]:
    """The intervals that need trainings of their own, of the same draws; errors become shares of right answers."""
    beside = nested.Nested(setting)
    if beside not in nested.settings():
        return []
    files = [part_file(beside, part) for part in range(nested.PARTS)]
    found = [1 - np.load(file)["bounds"] for file in files if file.exists()]  # [draw, 2, 2]
    some = np.concatenate(found)[:most] if found else np.empty((0, 2, 2))
    return [{"nested": (one[0, 1], one[0, 0]), "conservative z": (one[1, 1], one[1, 0])} for one in some]


def main() -> None:
    """Write coverage.json from what has been made so far."""
    with ProcessPoolExecutor(2) as pool:
        rows = [row for some in pool.map(judged, settings()) for row in some]
    RESULT.write_text(json.dumps({"v": 1, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        about = f"{row['learner']} {row['design']} {row['images']} k{row['k']} r{row['repeats']} {row['metric']}"
        shown = "  ".join(
            f"{name} {100 * row['held'][name] / row['draws'][name]:.0f}/{100 * row['width'][name]:.1f}"
            for name in row["held"]
        )
        print(about, "n", row["draws"]["foldproof"], shown)


if __name__ == "__main__":
    sys.exit(main())
