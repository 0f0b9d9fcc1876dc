"""Outcomes in; how often each test names a better one of equals, and how often it finds a true gap, out: result.json.

The verdicts are those of `foldproof.analysis`, from the same code that `foldproof compare` runs.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import numpy as np
from kept import part_file
from numpy.typing import NDArray
from outcomes import FOLDS, REPEATS, Setting, settings
from scipy import stats

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.comparison import Pair
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.pairs import adjusted, judged, pairs_of
from foldproof.analysis.statistics.paired import Rows, corrected, estimate_by_images, estimate_by_runs
from foldproof.analysis.statistics.student import Student
from foldproof.analysis.summary import Summary
from foldproof.analysis.verdict import winner_of
from foldproof.records.record import Spread

RESULT = Path(__file__).parent / "result.json"
ROPE, LEVEL = 0.01, 0.05
CHECKED = 5  # draws of each setting whose verdict is also found from tables of predictions, the long way
NOTHING = Spread(float("nan"), float("nan"), 0)
Right = NDArray[np.bool_]  # [repeat, image]


def candidate(name: str, right: Right, fold: NDArray[np.int8]) -> Candidate:
    """An experiment whose predictions are right or wrong, as a run would have them."""
    repeats, images = right.shape
    flat = right.ravel()
    table = OutOfFold(
        classes=("right", "wrong"),
        paths=np.tile(IDS[:images], repeats),
        sha256=np.tile(IDS[:images], repeats),
        groups=np.zeros(repeats * images, dtype=np.str_),
        labels=np.zeros(repeats * images, dtype=np.int64),
        repeats=np.repeat(np.arange(repeats), images),
        folds=fold.ravel().astype(np.int64),
        probabilities=np.stack([flat, ~flat], axis=1).astype(np.float32),
    )
    summary = Summary(
        run=name, experiment=name, identity="", fingerprint="", folds_digest="", status="finished", k=FOLDS,
        repeats=repeats, settings={}, accuracy=NOTHING, loss=NOTHING, best_epoch_accuracy=NOTHING,
        best_epoch_loss=NOTHING, accuracy_by_fold={}, scores_by_fold={}, images_by_fold={}, seconds=None,
    )  # fmt: skip
    return Candidate(summary, table)


IDS = np.array([f"{number:05}" for number in range(5000)])


def verdict(rights: list[Right], fold: NDArray[np.int8]) -> tuple[int, ...]:
    """The experiments that some pair names better, from tables of predictions, as `foldproof compare` finds them."""
    candidates = [candidate(str(number), right, fold) for number, right in enumerate(rights)]
    return winners(pairs_of(candidates, metric="accuracy", rope=ROPE))


def winners(pairs: list[Pair]) -> tuple[int, ...]:
    """The experiments that are named better."""
    return tuple(sorted({won[0] for pair in pairs if (won := winner_of(pair)) is not None}))


@dataclass(frozen=True)
class Seen:
    """Two experiments: who was right, the differences per fold and repeat, and what every row adds to them."""

    a: Right
    b: Right
    by_fold: NDArray[np.float64]
    rows: Rows

    @cached_property
    def images(self) -> Student:
        """The difference, as the images alone make it uncertain."""
        return estimate_by_images(self.rows)

    @cached_property
    def runs(self) -> Student:
        """The difference, as images and training runs make it uncertain."""
        return estimate_by_runs(self.rows)

    def as_pair(self, a: int, b: int) -> Pair:
        """The pair of experiments `a` and `b`, not yet adjusted for others."""
        reading = max(self.images, self.runs, key=lambda one: one.half_width)
        return judged(Pair(a=a, b=b), reading, corrected(self.by_fold, k=FOLDS), "accuracy", ROPE)


def seen(a: Right, b: Right, fold: NDArray[np.int8]) -> Seen:
    """Two experiments side by side."""
    d = a.astype(np.float64) - b.astype(np.float64)
    repeats, images = d.shape
    place = fold.astype(np.int64) + FOLDS * np.arange(repeats)[:, None]
    counts = np.bincount(place.ravel(), minlength=FOLDS * repeats)
    by_fold = np.bincount(place.ravel(), weights=d.ravel(), minlength=FOLDS * repeats) / counts
    weight = 1 / (counts[place] * FOLDS * repeats)
    unit = np.tile(np.arange(images), repeats)
    residual = (weight * (d - (weight * d).sum())).ravel()
    squares = float((np.bincount(unit, weights=residual) ** 2).sum())
    rows = Rows(
        (weight * d).ravel(), residual, place.ravel(), unit, least=max(4 / images**2 - squares, 0.0) + 2 / images**2
    )
    return Seen(a, b, by_fold, rows)


def _plain(pair: Seen) -> float:
    return float(stats.ttest_1samp(pair.by_fold, 0.0).pvalue) if pair.by_fold.std() > 0 else 1.0


def _corrected(pair: Seen) -> float:
    return corrected(pair.by_fold, k=FOLDS).p


def _clustered(pair: Seen) -> float:
    return Student(pair.runs.location, pair.runs.scale, FOLDS - 1).p


def _both(pair: Seen) -> float:
    return max(pair.images.p, pair.runs.p)


def _wilcoxon(pair: Seen) -> float:
    return float(stats.wilcoxon(pair.by_fold).pvalue) if (pair.by_fold != 0).any() else 1.0


def _mcnemar(pair: Seen) -> float:
    only_a, only_b = int((pair.a & ~pair.b).sum()), int((pair.b & ~pair.a).sum())
    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def _bootstrap(pair: Seen) -> float:
    """Of the images, all predictions of one together: twice the share of draws on the wrong side of zero."""
    each = (pair.a.astype(np.float64) - pair.b.astype(np.float64)).mean(axis=0)
    values, counts = np.unique(each, return_counts=True)
    means = np.random.default_rng(7).multinomial(len(each), counts / len(each), size=4000) @ values
    return float(min(2 * min(np.mean(means <= 0), np.mean(means >= 0)) + 1 / len(means), 1.0))


TESTS: Mapping[str, Callable[[Seen], float]] = {
    "plain t": _plain,
    "Wilcoxon": _wilcoxon,
    "McNemar": _mcnemar,
    "bootstrap": _bootstrap,
    "corrected t": _corrected,
    "two-way, k - 1": _clustered,
    "both ways": _both,
}


def draws(setting: Setting) -> Iterator[tuple[int, NDArray[np.bool_], NDArray[np.int8]]]:
    """Every draw that has been made: number, [experiment, repeat, image], [repeat, image]."""
    part = 0
    while (file := part_file(setting, part)).exists():
        with np.load(file) as content:
            right, fold = content["right"], content["fold"]
        for number in range(len(right)):
            yield part * len(right) + number, right[number], fold[number]
        part += 1


def bound(false: int, of: int) -> float:
    """The upper end of the two-sided 95 % Clopper-Pearson interval."""
    return float(stats.beta.ppf(0.975, false + 1, of - false)) if false < of else 1.0


def equal(setting: Setting) -> list[dict[str, Any]]:
    """False winners among equals: two experiments (two disjoint pairs a draw) and five, with 1 and 3 repeats."""
    found = []
    for repeats in (1, REPEATS):
        twos: dict[str, list[bool]] = {name: [] for name in (*TESTS, "verdict")}
        fives: dict[str, list[bool]] = {name: [] for name in (*TESTS, "verdict")}
        excess: list[float] = []
        for number, rights, fold in draws(setting):
            some, cut = [right[:repeats] for right in rights], fold[:repeats]
            p = {name: np.ones((5, 5)) for name in TESTS}
            pairs = {(a, b): seen(some[a], some[b], cut) for a, b in combinations(range(5), 2)}
            for (a, b), pair in pairs.items():
                for name, test in TESTS.items():
                    p[name][a, b] = test(pair)
                excess.append(pair.runs.scale**2 / pair.images.scale**2)
            for name in TESTS:
                twos[name] += [bool(p[name][a, b] < LEVEL) for a, b in ((0, 1), (2, 3))]
                fives[name].append(bool(p[name][np.triu_indices(5, 1)].min() < LEVEL / 10))  # Holm's first step
            twos["verdict"] += [bool(winners(adjusted([pairs[at].as_pair(*at)]))) for at in ((0, 1), (2, 3))]
            named = winners(adjusted([pair.as_pair(*at) for at, pair in pairs.items()]))
            fives["verdict"].append(bool(named))
            if number < CHECKED:
                assert verdict(some, cut) == named
        for experiments, words in ((2, twos), (5, fives)):
            found.append(
                {
                    "kind": setting.kind,
                    "images": setting.images,
                    "repeats": repeats,
                    "experiments": experiments,
                    "comparisons": len(words["verdict"]),
                    "false": {name: sum(said) for name, said in words.items()},
                    "upper_bound": {name: bound(sum(said), len(said)) for name, said in words.items()},
                    "variance_of_runs_over_images": float(np.mean(excess)) if excess else None,
                }
            )
    return found


def power(setting: Setting) -> list[dict[str, Any]]:
    """How often the better one of two is found, and never the worse one."""
    found = []
    equals = {number: rights[0] for number, rights, _ in draws(Setting("seeds", setting.images))}
    for repeats in (1, REPEATS):
        right_ones: dict[str, list[bool]] = {name: [] for name in (*TESTS, "verdict")}
        gaps = []
        for number, rights, fold in draws(setting):
            if number not in equals:
                continue
            better, worse, cut = equals[number][:repeats], rights[0][:repeats], fold[:repeats]
            pair = seen(better, worse, cut)
            gaps.append(float(pair.by_fold.mean()))
            for name, test in TESTS.items():
                right_ones[name].append(bool(test(pair) < LEVEL and pair.by_fold.mean() > 0))
            right_ones["verdict"].append(winners(adjusted([pair.as_pair(0, 1)])) == (0,))
        found.append(
            {
                "images": setting.images,
                "points": setting.points,
                "true_gap": float(np.mean(gaps)) if gaps else None,
                "repeats": repeats,
                "comparisons": len(gaps),
                "found": {name: sum(said) for name, said in right_ones.items()},
            }
        )
    return found


def main() -> None:
    """Write result.json from what outcomes.py has made so far."""
    with ProcessPoolExecutor(2) as pool:
        null = list(chain(*pool.map(equal, [setting for setting in settings() if setting.kind != "gap"])))
        gaps = list(chain(*pool.map(power, [setting for setting in settings() if setting.kind == "gap"])))
    RESULT.write_text(json.dumps({"v": 1, "equal": null, "gap": gaps}, indent=1) + "\n", encoding="utf-8")
    for row in null:
        shown = "  ".join(
            f"{name} {100 * row['false'][name] / max(row['comparisons'], 1):.1f}" for name in row["false"]
        )
        print(row["kind"], row["images"], "r", row["repeats"], "of", row["experiments"], "n", row["comparisons"], shown)
    for row in gaps:
        shown = "  ".join(
            f"{name} {100 * row['found'][name] / max(row['comparisons'], 1):.0f}" for name in row["found"]
        )
        print("gap", row["images"], row["true_gap"], "r", row["repeats"], "n", row["comparisons"], shown)


if __name__ == "__main__":
    sys.exit(main())
