"""Folds that the data say: a group a fold, as written down, in the order of time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldproof import folds
from foldproof.data.dataset import Dataset, Sample
from foldproof.errors import FoldsError
from foldproof.folds import Row, Scheme, derived
from foldproof.folds.derived import natural_key


def dataset(groups: list[str] | None = None, *, count: int = 12, duplicate: dict[int, str] | None = None) -> Dataset:
    """Images of two classes by turns; image number n is at `n.png`."""
    tied = duplicate or {}
    samples = [
        Sample(f"{n:064x}", "cat" if n % 2 else "dog", f"{n}.png", groups[n] if groups else "", tied.get(n, ""))
        for n in range(len(groups) if groups else count)
    ]
    return Dataset.of(samples)


def written(texts: list[str]) -> dict[str, str]:
    return {f"{number}.png": text for number, text in enumerate(texts)}


def test_each_group_is_a_fold_in_the_natural_order_of_names():
    names = ["p10"] * 4 + ["p2"] * 4 + ["p1"] * 4
    made, k = derived.one_group_a_fold(dataset(names))
    assert k == 3
    assert made.fold_of.tolist() == [2] * 4 + [1] * 4 + [0] * 4
    assert natural_key("p9") < natural_key("p10") < natural_key("q")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a"] * 11 + [""], "1 images are in no group"),
        (["a"] * 12, "there is 1 group"),
        ([f"g{n}" for n in range(200)], "200 groups"),
    ],
)
def test_groups_that_make_no_folds_are_refused(names, said):
    with pytest.raises(FoldsError, match=said):
        derived.one_group_a_fold(dataset(names))


def test_a_class_that_only_one_group_has_cannot_be_learnt_without_it():
    samples = [Sample(f"{n:064x}", "rare" if n < 2 else "cat" if n % 2 else "dog", f"{n}.png", "a" if n < 4 else "b")
               for n in range(8)]  # fmt: skip
    with pytest.raises(FoldsError, match="fold 0 trains on no image of class 'rare'"):
        derived.one_group_a_fold(Dataset.of(samples))


def test_written_folds_are_taken_as_they_are_and_minus_one_trains_in_all():
    made, k = derived.assign_as_written(
        dataset(), written(["0", "0", "1", "1", "2", "2", "-1", "train", "", "-1", "0", "1"])
    )
    assert k == 3
    assert made.fold_of.tolist() == [0, 0, 1, 1, 2, 2, -1, -1, -1, -1, 0, 1]
    for fold in made.folds(k):
        assert set(fold.train) | set(fold.validation) == set(range(12))
        assert {6, 7, 8, 9} <= set(fold.train)


def test_train_and_val_are_one_fold():
    made, k = derived.assign_as_written(dataset(), written(["train"] * 8 + ["val"] * 4))
    (fold,) = made.folds(k)
    assert (fold.train.tolist(), fold.validation.tolist()) == (list(range(8)), list(range(8, 12)))


@pytest.mark.parametrize(
    ("texts", "said"),
    [([], "no folds are listed"), (["val"] * 12, "nothing to train on"), (["val", "0"] * 6, "at once")],
)
def test_written_folds_that_are_none_are_refused(texts, said):
    with pytest.raises(FoldsError, match=said):
        derived.assign_as_written(dataset(), written(texts))


def test_written_folds_that_tear_a_group_apart_are_refused():
    torn = dataset(duplicate={0: "same", 1: "same"})
    with pytest.raises(FoldsError, match=r"0\.png, 1\.png"):
        derived.assign_as_written(torn, written(["0", "1"] * 6))


def test_in_time_every_fold_trains_on_the_past_alone():
    made = derived.assign_in_time(dataset(), written([f"2024-01-{n + 1:02d}" for n in range(12)]), 3)
    assert made.fold_of.tolist() == [-1] * 3 + [0] * 3 + [1] * 3 + [2] * 3
    for fold in made.folds(3):
        assert fold.train.max() < fold.validation.min()


def test_times_are_numbers_moments_or_words_that_sort():
    for texts in (
        [f"{n}" for n in range(12)],
        [f"2024-03-01T{n:02d}:00:00+00:00" for n in range(12)],
        list("abcdefghijkl"),
    ):
        assert derived.assign_in_time(dataset(), written(texts), 2).fold_of.tolist() == [-1] * 4 + [0] * 4 + [1] * 4


def test_too_few_times_name_the_largest_k_that_works():
    with pytest.raises(FoldsError, match="3 different times") as raised:
        derived.assign_in_time(dataset(), written(["1", "2", "3"] * 4), 3)
    assert "at most 2" in raised.value.next_step


@given(
    times=st.lists(st.integers(0, 20), min_size=12, max_size=40),
    k=st.integers(1, 4),
    same=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=3),
    near=st.integers(0, 6),
)
def test_no_image_ever_validates_beside_a_later_one_that_trained_it(times, k, same, near):
    """`near`: in so many places, two images that follow each other in time are of one group."""
    tied = {number: f"d{index}" for index, pair in enumerate(same) for number in pair}
    order = sorted(range(len(times)), key=times.__getitem__)
    group = {number: f"g{place}" for place in range(near) for number in order[2 * place : 2 * place + 2]}
    images = dataset([group.get(n, "") for n in range(len(times))], duplicate=tied)
    when = {f"{n}.png": str(time) for n, time in enumerate(times)}
    try:
        made = derived.assign_in_time(images, when, k)
    except FoldsError:
        return
    at = np.array([times[int(sample.path[:-4])] for sample in images.samples])
    for fold in made.folds(k):
        assert len(fold.validation)
        assert len(fold.train)
        assert at[fold.train].max() < at[fold.validation].min()
        for tie in ("group", "duplicate"):
            sides = [
                {getattr(images.samples[place], tie) for place in side} - {""} for side in (fold.train, fold.validation)
            ]
            assert sides[0].isdisjoint(sides[1])


def test_a_group_is_whole_where_time_is_cut_and_the_cut_waits_for_its_end():
    groups = ["a"] * 2 + ["b"] * 2 + ["a", "c"] + ["", ""] * 3
    made = derived.assign_in_time(dataset(groups), written([str(n) for n in range(12)]), 2)
    assert made.fold_of.tolist() == [-1] * 5 + [0] * 4 + [1] * 3
    assert made.told.endswith("which leaves 8 stretches of time")
    apart = derived.assign_in_time(dataset(), written([str(n) for n in range(12)]), 2)
    assert "stretches" not in apart.told


def test_a_group_that_lasts_all_the_time_is_named_with_the_largest_k_that_works():
    groups = ["", "", "a", "a", "long", "b", "b", "", "", "", "", "long"]  # in four stretches: 0, 1, 2 to 3, the rest
    when = written([f"2024-01-{n + 1:02d}" for n in range(12)])
    assert derived.assign_in_time(dataset(groups), when, 1).fold_of.tolist() == [-1] * 4 + [0] * 8
    with pytest.raises(FoldsError, match="group 'long' lasts from 2024-01-05 to 2024-01-12") as raised:
        derived.assign_in_time(dataset(groups), when, 5)
    assert "at most 3" in raised.value.next_step
    assert "data.group_by" in raised.value.next_step
    with pytest.raises(FoldsError, match=r"images that are the same as 0\.png") as raised:
        derived.assign_in_time(dataset(duplicate={0: "d", 11: "d"}), when, 1)
    assert raised.value.next_step == "set data.near_duplicates: report"


def test_folds_of_all_schemes_stand_in_one_table_and_come_back():
    images = dataset(["a"] * 6 + ["b"] * 6)
    made, k = derived.one_group_a_fold(images)
    loo = Scheme(k, 1, "leave-one-group-out")
    rows = folds.make_rows(images, loo, made)
    old = folds.make_rows(images, Scheme(2, 1), folds.assign(images, Scheme(2, 1)))
    both = folds.merge(old, rows)
    assert folds.from_csv(folds.to_csv(both)) == both
    assert folds.known_folds(both, loo, 0) == {
        s.sha256: int(f) for s, f in zip(images.samples, made.fold_of, strict=True)
    }
    assert folds.rows_of(both, Scheme(2, 1), 0) == sorted(old)


def test_a_table_of_stratified_folds_is_written_as_ever():
    text = folds.to_csv([Row(2, 1, 0, "a" * 64, "cat", "x.png", "", 1)])
    assert text.splitlines()[0] == "v,k,seed,repeat,fold,sha256,label,group,path"
    assert text.splitlines()[1].startswith("1,")
