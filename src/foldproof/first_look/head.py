"""Features, labels and folds in; what a linear head says of every image that it has not seen, as one table, out."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.data.dataset import Dataset
from foldproof.folds import Assignment, Fold
from foldproof.provenance.machine import available_cores

STRENGTH = 1.0  # inverse of the penalty, on features as they are
MOST_STEPS = 300

Floats = NDArray[np.float32]


def predict_out_of_fold(dataset: Dataset, features: Floats, made: Assignment, k: int) -> OutOfFold:
    """Every image judged by a logistic regression on the images of the other folds.

    `features` is [image in manifest order, feature].
    """
    from threadpoolctl import threadpool_limits

    probabilities = np.zeros((len(dataset), len(dataset.classes)), dtype=np.float32)

    def judge(fold: Fold) -> None:
        probabilities[fold.validation] = _judged(features, dataset.labels, fold)

    # Several fits of one thread each: the products are too small for several threads, which spin beside a neighbour.
    with (
        threadpool_limits(1, user_api="blas"),
        warnings.catch_warnings(),
        ThreadPoolExecutor(available_cores()) as pool,
    ):
        warnings.simplefilter("ignore")
        list(pool.map(judge, made.folds(k)))
    return OutOfFold(
        classes=dataset.classes,
        paths=np.array([sample.path for sample in dataset.samples], dtype=np.str_),
        sha256=np.array([sample.sha256 for sample in dataset.samples], dtype=np.str_),
        groups=np.array([sample.group for sample in dataset.samples], dtype=np.str_),
        labels=dataset.labels,
        repeats=np.zeros(len(dataset), dtype=np.int64),
        folds=made.fold_of,
        probabilities=probabilities,
    )


def _judged(features: Floats, labels: NDArray[np.int64], fold: Fold) -> Floats:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=MOST_STEPS, tol=1e-3)
    model.fit(features[fold.train], labels[fold.train])
    probabilities: Floats = model.predict_proba(features[fold.validation]).astype(np.float32)
    return probabilities
