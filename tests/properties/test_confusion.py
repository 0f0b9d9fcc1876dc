"""Classes that are mixed up, against a plain count."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foldproof.analysis.confusion import Confusion


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30), st.integers(0, 14))
def test_the_most_mixed_pairs_are_those_with_the_most_mistakes_and_equal_ones_in_the_order_of_their_classes(said, most):
    counts = np.zeros((4, 4), dtype=np.int64)
    np.add.at(counts, tuple(np.array(said, dtype=np.int64).reshape(-1, 2).T), 1)
    images = Counter(truth for truth, _ in said)
    wrong = Counter(pair for pair in said if pair[0] != pair[1])
    expected = sorted(wrong, key=lambda pair: (-wrong[pair], pair))[:most]
    found = Confusion(tuple("abcd"), counts).most_mixed(most)
    assert [(one.true, one.predicted, one.count, one.share) for one in found] == [
        (*pair, wrong[pair], wrong[pair] / images[pair[0]]) for pair in expected
    ]
