"""The Brier score."""

import numpy as np

from foldproof.metrics import described


@described(higher_is_better=False, title="Brier score", is_loss=True)
def brier(probabilities, labels):
    """Mean squared distance of the probabilities to the true class; zero images give nan."""
    if len(labels) == 0:
        return float("nan")
    truth = np.eye(probabilities.shape[1])[labels]
    return float(np.mean(np.sum((probabilities.astype(np.float64) - truth) ** 2, axis=1)))
