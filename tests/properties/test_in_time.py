"""Folds in time, against the rule written out: parts of whole moments, each as near to its share as the next allows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldproof.data.dataset import Dataset, Sample
from foldproof.folds import derived


def parts_of(sizes: list[int], count: int) -> list[list[int]]:
    """Moments in parts: each takes one more as long as that brings it no farther from an equal share of what is left,
    and leaves one for each part that follows; the last takes the rest.
    """
    found, first = [], 0
    for part in range(count, 1, -1):
        share = sum(sizes[first:]) / part
        end = first + 1
        while len(sizes) - end >= part and abs(sum(sizes[first : end + 1]) - share) <= abs(
            sum(sizes[first:end]) - share
        ):
            end += 1
        found.append(list(range(first, end)))
        first = end
    return [*found, list(range(first, len(sizes)))]


@pytest.mark.slow
@given(st.lists(st.integers(1, 6), min_size=3, max_size=9), st.data())
def test_each_part_is_as_near_to_an_equal_share_of_what_is_left_as_whole_moments_allow(sizes, data):
    k = data.draw(st.integers(2, len(sizes) - 1))
    moments = data.draw(st.permutations([moment for moment, size in enumerate(sizes) for _ in range(size)]))
    samples = [
        Sample(f"{2 * at + number:064x}", label, f"{at:03d}{label}.png")
        for at in range(len(moments))
        for number, label in enumerate("ab")
    ]
    dataset = Dataset.of(samples)
    when = {sample.path: str(10 * moments[int(sample.path[:3])]) for sample in samples}
    made = derived.assign_in_time(dataset, when, k)
    part_of = {moment: part - 1 for part, inside in enumerate(parts_of(sizes, k + 1)) for moment in inside}
    expected = [part_of[int(when[sample.path]) // 10] for sample in dataset.samples]
    assert np.array_equal(made.fold_of, expected)
    assert made.ordered
    assert made.repeat == 0
