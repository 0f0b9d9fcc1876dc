"""Probable label errors under hypothesis: never more than expected, whatever the predictions are."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foldproof.analysis.label_errors import suggested, wrong_labels

some = settings(max_examples=100, deadline=None)


def by_hand(probabilities, labels):
    """The definition, image by image."""
    classes = range(probabilities.shape[1])
    own = {c: probabilities[labels == c, c] for c in classes}
    threshold = {c: values.sum() / len(values) if len(values) else np.inf for c, values in own.items()}
    joint = np.zeros((len(classes), len(classes)))
    for row, label in zip(probabilities, labels, strict=True):
        reached = [c for c in classes if row[c] >= threshold[c]]
        if reached:
            joint[label, max(reached, key=lambda c: row[c])] += 1
    chosen = np.zeros(len(labels), dtype=bool)
    for label in set(labels):
        joint[label, label] = max(joint[label, label], 1)
        among = [i for i in range(len(labels)) if labels[i] == label]
        for other in set(classes) - {label}:
            among.sort(key=lambda i: (probabilities[i, label] - probabilities[i, other], i))
            count = np.rint(joint[label, other] / joint[label].sum() * len(among))
            chosen[among[: int(count)]] = True
    return chosen & (probabilities.argmax(axis=1) != labels)


@some
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(0, 40), st.floats(0.1, 5))
def test_it_is_what_the_definition_says(seed, classes, images, sharpness):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, images)
    logits = sharpness * random.normal(0, 1, (images, classes))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    chosen = suggested(probabilities, labels)
    assert chosen.tolist() == by_hand(probabilities, labels).tolist()
    expected = wrong_labels(probabilities, labels)
    for label in range(classes):
        others = expected[label].sum() - expected[label, label]
        assert np.count_nonzero(chosen & (labels == label)) <= others
