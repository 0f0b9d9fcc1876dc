"""Few images for a rehearsal: every class, whole units, the same ones every time."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from foldproof import folds
from foldproof.data.dataset import Dataset, Sample
from foldproof.folds import Scheme
from foldproof.plan.subset import LEAST_UNITS, pick_few


def of(*groups: tuple[str, str, int]) -> Dataset:
    """Images by (label, group, how many); no group is a unit an image."""
    kinds = [(label, group) for label, group, count in groups for _ in range(count)]
    return Dataset.of([Sample(f"{n:064x}", label, f"{n}.png", group) for n, (label, group) in enumerate(kinds)])


def test_all_are_taken_where_they_are_few():
    dataset = of(("a", "", 5), ("b", "", 5))
    assert pick_few(dataset, 10) is dataset


def test_classes_have_even_shares():
    counts = pick_few(of(("a", "", 1000), ("b", "", 500), ("c", "", 20)), 90).count_by_class
    assert sum(counts.values()) == 90
    assert counts["c"] == 20
    assert abs(counts["a"] - counts["b"]) <= 1


def test_more_classes_than_images_still_have_two_each():
    dataset = of(*((f"{number:03d}", "", 5) for number in range(150)))
    assert set(pick_few(dataset, 200).count_by_class.values()) == {LEAST_UNITS}


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["", "", "x", "y", "z"]), st.integers(1, 40)), max_size=20
    ),
    st.integers(4, 60),
)
def test_units_stay_whole_and_what_could_be_cut_can_still_be(groups, most):
    dataset = of(
        ("a", "", 2), ("b", "", 2), *((label, group and label + group, count) for label, group, count in groups)
    )
    part = pick_few(dataset, most)
    whole, taken = (Counter(s.group for s in one.samples if s.group) for one in (dataset, part))
    assert all(taken[group] == whole[group] for group in taken)
    made, scheme = folds.assign_at_most(part, Scheme(5, 1))
    assert scheme.k >= 2
    assert len(made.fold_of) == len(part)
    assert pick_few(dataset, most) == part
