"""Wrong labels planted among right ones: how many are suggested, and how many suggestions are wrong.

    python benchmarks/label_errors.py FOLDER [SHARE [TIMES]]

FOLDER has a folder a class. A share of the labels, 0.05, is changed to another class, 10 times anew. Images are
predicted out of fold by a logistic regression on frozen ImageNet features, 5 folds. Beside it stand the simpler ways.
"""

import math
import sys
import tempfile
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from foldproof.analysis.label_errors import suggested
from foldproof.data.readers import MOST_PIXELS
from foldproof.data.scan import scan
from foldproof.data.survey import no_progress
from foldproof.leaks import naive
from foldproof.plan.installed_features import all_cores, features_of, installed_pass

FOLDS = 5


def features(folder):
    dataset = scan(folder).dataset
    with tempfile.TemporaryDirectory() as cache, all_cores() as executor:
        images = installed_pass(
            dataset, folder, within=None, most_pixels=MOST_PIXELS, cache=Path(cache), limit_gb=math.inf
        )
        table = features_of(images, executor, no_progress).astype(np.float64)
    deviation = table.std(axis=0)
    return dataset, (table - table.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def flipped(labels, share, random):
    wrong = labels.copy()
    which = random.permutation(len(labels))[: round(share * len(labels))]
    classes = labels.max() + 1
    wrong[which] = (wrong[which] + random.integers(1, classes, len(which))) % classes
    return wrong


def out_of_fold(table, labels, fold_of):
    probabilities = np.zeros((len(labels), labels.max() + 1))
    for fold in range(FOLDS):
        test = fold_of == fold
        model = LogisticRegression(C=0.01, max_iter=200, tol=1e-3).fit(table[~test], labels[~test])
        probabilities[test] = model.predict_proba(table[test])
    return probabilities


def counted_otherwise(probabilities, labels):
    """Confident learning without the calibrated count: what counts for another class than its label."""
    thresholds = [probabilities[labels == label, label].mean() for label in range(probabilities.shape[1])]
    reached = np.where(probabilities >= thresholds, probabilities, -1)
    return (reached.max(axis=1) >= 0) & (reached.argmax(axis=1) != labels)


def main(folder, share, times):
    dataset, table = features(folder)
    found = defaultdict(list)
    for seed in range(times):
        labels = flipped(dataset.labels, share, np.random.default_rng(seed))
        fold_of = naive(dataset, k=FOLDS, seed=seed, repeat=0)
        with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            probabilities = out_of_fold(table, labels, fold_of)
        best = probabilities.argmax(axis=1)
        ways = {
            "pruned by noise rate": suggested(probabilities, labels),
            "counted for another class": counted_otherwise(probabilities, labels),
            "every mistake": best != labels,
        }
        wrong = labels != dataset.labels
        for name, chosen in ways.items():
            hit = chosen & wrong
            found[name].append((chosen.sum(), hit.sum(), wrong.sum(), (best == dataset.labels)[hit].sum()))
    print(f"{folder.name}: {len(dataset)} images, {share:.0%} of the labels wrong, {times} times")
    print("| way | suggested | of these wrong | of the wrong found | class named right |\n|---|---|---|---|---|")
    for name, rows in found.items():
        chosen, hit, wrong, right = np.sum(rows, axis=0)
        parts = (f"{part:.1%}" for part in (hit / chosen, hit / wrong, right / hit))
        print(f"| {name} | {chosen / times:.1f} | {' | '.join(parts)} |")


if __name__ == "__main__":
    place, *numbers = sys.argv[1:]
    main(Path(place), float(numbers[0]) if numbers else 0.05, int(numbers[1]) if len(numbers) > 1 else 10)
