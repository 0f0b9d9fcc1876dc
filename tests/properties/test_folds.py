"""Folds under hypothesis: a partition, even, leak-free; a function of contents, labels, groups and seed alone."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from foldproof import folds
from foldproof.data.dataset import Dataset, Sample
from foldproof.errors import FoldsError
from foldproof.folds import Assignment, Row, Scheme
from foldproof.folds.units import units_of

few = settings(max_examples=50, deadline=None)
SCHEMES = st.builds(Scheme, k=st.integers(2, 6), seed=st.integers(0, 2**63 - 1))


def sample(content: str, label: str, *, group: str = "") -> Sample:
    return Sample(hashlib.sha256(content.encode()).hexdigest(), label, f"{label}/{content}.png", group)


@st.composite
def plain(draw: st.DrawFn, *, least: int = 6) -> list[Sample]:
    """Images of 2 to 4 classes, all different, without groups."""
    salt = draw(st.integers(0, 999))
    sizes = draw(st.lists(st.integers(least, 17), min_size=2, max_size=4))
    return [sample(f"{salt}-{label}-{n}", f"class{label}") for label, size in enumerate(sizes) for n in range(size)]


@st.composite
def tangled(draw: st.DrawFn) -> list[Sample]:
    """Images of which some share a group, across classes too, and some their bytes under another name."""
    samples = draw(plain())
    contents = st.integers(0, 30).map(lambda n: f"tangled {n}")
    groups = st.sampled_from(["", "a", "b", "c", "d"])
    extra = draw(st.lists(st.tuples(contents, groups), max_size=30))
    labels = {content: f"class{draw(st.integers(0, 1))}" for content in sorted({content for content, _ in extra})}
    return samples + [
        sample(content, labels[content], group=group)._replace(path=f"extra/{n}.png")
        for n, (content, group) in enumerate(extra)
    ]


@st.composite
def knotted(draw: st.DrawFn) -> list[Sample]:
    """Groups and look-alikes of many sizes with one to all of 2 to 4 classes in each: what a greedy cut trips over."""
    classes = draw(st.integers(2, 4))
    labels = st.lists(st.integers(0, classes - 1), min_size=1, max_size=draw(st.integers(1, 9)))
    units = draw(st.lists(st.tuples(st.sampled_from(["group", "duplicate", "bytes", "none"]), labels), max_size=16))
    samples = []
    for number, (tie, brought) in enumerate(units):
        for n, label in enumerate(brought):
            content = f"{number}" if tie == "bytes" else f"{number} {n}"
            name = {tie: f"{number:016x}"} if tie in ("group", "duplicate") else {}
            at = f"class{brought[0] if tie == 'bytes' else label}"
            samples.append(sample(content, at)._replace(path=f"{number}/{n}.png", **name))
    return samples


def attempt(dataset: Dataset, scheme: Scheme, **how: Any) -> Assignment | FoldsError:
    try:
        return folds.assign(dataset, scheme, **how)
    except FoldsError as error:
        return error


def can_be_cut(dataset: Dataset, k: int) -> bool:
    """Whether any placement of the units has every class in every fold: all of them are tried."""
    kinds = [frozenset(unit.brought) for unit in units_of(dataset)]
    whole = frozenset(range(len(dataset.classes)))
    states = {(frozenset(),) * k}
    for kind in kinds:
        states = {
            tuple(sorted((*state[:n], state[n] | kind, *state[n + 1 :]), key=sorted))
            for state in states
            for n in range(k)
        }
    return (whole,) * k in states


def fold_by_image(dataset: Dataset, made: Assignment) -> dict[str, int]:
    return {image.sha256: int(fold) for image, fold in zip(dataset.samples, made.fold_of, strict=True)}


def counts(dataset: Dataset, made: Assignment, k: int) -> np.ndarray:
    """[class, fold]"""
    table = np.zeros((len(dataset.classes), k), dtype=int)
    np.add.at(table, (dataset.labels, made.fold_of), 1)
    return table


@few
@given(tangled(), SCHEMES, st.integers(0, 3))
def test_every_image_validates_exactly_once_and_trains_everywhere_else(
    samples: list[Sample], scheme: Scheme, repeat: int
) -> None:
    dataset = Dataset.of(samples)
    cut = folds.assign(dataset, scheme, repeat=repeat).folds(scheme.k)
    everything = np.arange(len(dataset))
    assert [(fold.repeat, fold.index) for fold in cut] == [(repeat, index) for index in range(scheme.k)]
    assert np.array_equal(np.sort(np.concatenate([fold.validation for fold in cut])), everything)
    for fold in cut:
        assert np.array_equal(np.union1d(fold.train, fold.validation), everything)
        assert len(fold.train) + len(fold.validation) == len(dataset)
        assert np.all(np.diff(fold.train) > 0)
        assert np.all(np.diff(fold.validation) > 0)


@few
@given(tangled(), SCHEMES)
def test_neither_a_group_nor_the_same_bytes_lie_in_two_folds(samples: list[Sample], scheme: Scheme) -> None:
    dataset = Dataset.of(samples)
    made = folds.assign(dataset, scheme)
    homes: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for image, fold in zip(dataset.samples, made.fold_of, strict=True):
        homes["bytes", image.sha256].add(int(fold))
        if image.group:
            homes["group", image.group].add(int(fold))
    assert all(len(folds_of_it) == 1 for folds_of_it in homes.values())


@few
@given(plain(), SCHEMES, st.integers(0, 3))
def test_every_class_is_spread_evenly_where_there_are_no_groups(
    samples: list[Sample], scheme: Scheme, repeat: int
) -> None:
    dataset = Dataset.of(samples)
    table = counts(dataset, folds.assign(dataset, scheme, repeat=repeat), scheme.k)
    assert np.all(table.max(axis=1) - table.min(axis=1) <= 1)


@pytest.mark.slow
@few
@given(tangled(), SCHEMES, st.randoms(use_true_random=False))
def test_neither_names_nor_their_order_count(samples: list[Sample], scheme: Scheme, random: Random) -> None:
    moved = [image._replace(path=f"elsewhere/{random.random()}/{n}") for n, image in enumerate(samples)]
    random.shuffle(moved)
    one, other = Dataset.of(samples), Dataset.of(moved)
    here, there = folds.assign(one, scheme), folds.assign(other, scheme)
    assert fold_by_image(one, here) == fold_by_image(other, there)
    assert folds.digest(one, [here]) == folds.digest(other, [there])


@few
@given(plain(), SCHEMES, st.data())
def test_images_that_were_assigned_stay_and_the_rest_is_spread_evenly(
    samples: list[Sample], scheme: Scheme, data: st.DataObject
) -> None:
    later = data.draw(st.lists(st.integers(100, 200), unique=True, max_size=20))
    before = Dataset.of(samples)
    rows = folds.make_rows(before, scheme, folds.assign(before, scheme))
    after = Dataset.of([*samples, *(sample(f"later {n}", f"class{n % 2}") for n in later)])
    made = folds.assign(after, scheme, known=folds.known_folds(rows, scheme, 0))
    now = fold_by_image(after, made)
    assert all(now[row.sha256] == row.fold for row in rows)
    assert made.moved == 0
    table = counts(after, made, scheme.k)
    assert np.all(table.max(axis=1) - table.min(axis=1) <= 1)


@few
@given(tangled(), SCHEMES, st.sets(st.integers(0, 40), min_size=2, max_size=6))
def test_a_group_found_later_pulls_its_images_into_one_fold_and_says_how_many_moved(
    samples: list[Sample], scheme: Scheme, chosen: set[int]
) -> None:
    before = Dataset.of(samples)
    known = fold_by_image(before, folds.assign(before, scheme))
    joined = [s._replace(group="found later") if n in chosen else s for n, s in enumerate(samples)]
    after = Dataset.of(joined)
    try:
        made = folds.assign(after, scheme, known=known)
    except FoldsError:
        return
    now = [(image, int(fold)) for image, fold in zip(after.samples, made.fold_of, strict=True)]
    assert len({fold for image, fold in now if image.group == "found later"}) <= 1
    assert made.moved == sum(known[image.sha256] != fold for image, fold in now)


@few
@given(plain(), SCHEMES)
def test_images_that_were_gone_come_back_to_their_fold(samples: list[Sample], scheme: Scheme) -> None:
    whole = Dataset.of(samples)
    first = folds.make_rows(whole, scheme, folds.assign(whole, scheme))
    fewer = Dataset.of([s for n, s in enumerate(whole.samples) if n % 7])
    try:
        made = folds.assign(fewer, scheme, known=folds.known_folds(first, scheme, 0))
    except FoldsError:
        return
    table = folds.merge(first, folds.make_rows(fewer, scheme, made))
    again = folds.assign(whole, scheme, known=folds.known_folds(table, scheme, 0))
    assert folds.make_rows(whole, scheme, again) == first
    assert folds.merge(table, first) == sorted(first)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ROWS = st.builds(
    lambda k, fold, **other: Row(k=k, fold=fold % k, **other),
    k=st.integers(2, 100),
    fold=st.integers(0, 99),
    seed=st.integers(0, 2**63 - 1),
    repeat=st.integers(0, 99),
    sha256=st.integers(0, 2**256 - 1).map("{:064x}".format),
    label=NAMES,
    path=NAMES,
    group=NAMES,
)


@few
@given(st.lists(ROWS, max_size=6))
def test_a_table_reads_back_as_it_was_written(rows: Sequence[Row]) -> None:
    assert folds.from_csv(folds.to_csv(rows)) == list(rows)


many = settings(max_examples=300, deadline=None)


@pytest.mark.slow
@many
@given(knotted(), SCHEMES, st.integers(0, 2))
def test_every_class_is_in_every_fold_and_no_unit_straddles_or_the_largest_k_that_works_is_said(
    samples: list[Sample], scheme: Scheme, repeat: int
) -> None:
    dataset = Dataset.of(samples)
    made = attempt(dataset, scheme, repeat=repeat)
    if isinstance(made, FoldsError):
        largest = re.search(r"set folds\.k to at most (\d+)", str(made))
        if largest:
            assert int(largest[1]) < scheme.k
            folds.assign(dataset, replace(scheme, k=int(largest[1])))
        return
    assert np.all(counts(dataset, made, scheme.k) > 0)
    homes: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for image, fold in zip(dataset.samples, made.fold_of.tolist(), strict=True):
        for tie, name in (("bytes", image.sha256), ("group", image.group), ("alike", image.duplicate)):
            if name:
                homes[tie, name].add(fold)
    assert all(len(home) == 1 for home in homes.values())


@pytest.mark.slow
@many
@given(knotted(), st.integers(2, 4))
def test_a_cut_that_exists_is_found(samples: list[Sample], k: int) -> None:
    dataset = Dataset.of(samples)
    assume(len(dataset.classes) > 1)
    found = isinstance(attempt(dataset, Scheme(k, seed=1)), Assignment)
    assert found == can_be_cut(dataset, k)
    advised = re.search(r"at most (\d+)", "" if found else str(attempt(dataset, Scheme(k, seed=1))))
    if not found:
        works = [smaller for smaller in range(2, k) if can_be_cut(dataset, smaller)]
        assert (int(advised[1]) if advised else 0) == max(works, default=0)


@st.composite
def tight(draw: st.DrawFn) -> tuple[list[Sample], int]:
    """For each of 2 to 4 folds, all classes in groups of which none can be spared: only a search fits them together."""
    classes, k = draw(st.integers(2, 6)), draw(st.integers(2, 4))
    samples = []
    for fold in range(k):
        parts = draw(st.lists(st.integers(0, classes - 1), min_size=classes, max_size=classes))
        samples += [
            sample(f"{fold} {label}", f"class{label}")._replace(group=f"{fold} {part}")
            for label, part in enumerate(parts)
        ]
    return samples, k


@pytest.mark.slow
@many
@given(tight(), st.integers(0, 9))
def test_groups_that_only_just_fit_are_fitted_together(case: tuple[list[Sample], int], seed: int) -> None:
    samples, k = case
    dataset = Dataset.of(samples)
    made = folds.assign(dataset, Scheme(k, seed))
    assert np.all(counts(dataset, made, k) == 1)


@pytest.mark.slow
@many
@given(knotted(), SCHEMES, st.randoms(use_true_random=False))
def test_knots_are_cut_alike_whatever_the_names_and_their_order(
    samples: list[Sample], scheme: Scheme, random: Random
) -> None:
    renamed = [
        image._replace(
            path=f"elsewhere/{random.random()}/{n}",
            group=image.group and f"{image.group} renamed",
            duplicate=image.duplicate[::-1],
        )
        for n, image in enumerate(samples)
    ]
    random.shuffle(renamed)
    one, other = Dataset.of(samples), Dataset.of(renamed)
    here, there = attempt(one, scheme), attempt(other, scheme)
    if isinstance(here, Assignment) and isinstance(there, Assignment):
        assert fold_by_image(one, here) == fold_by_image(other, there)
    else:
        assert str(here) == str(there)


@pytest.mark.slow
@many
@given(knotted(), SCHEMES)
def test_groups_are_placed_at_least_as_evenly_as_by_lot(samples: list[Sample], scheme: Scheme) -> None:
    """The sum of squared shares is at most its mean over random placements (method of conditional expectations)."""
    dataset = Dataset.of(
        [*samples, *(sample(f"{label} {n}", label) for label in ("class0", "class1") for n in range(9))]
    )
    made = attempt(dataset, scheme)
    if isinstance(made, FoldsError):
        return
    table = counts(dataset, made, scheme.k)
    totals = [int(total) for total in table.sum(axis=1)]
    shares = sum(Fraction(int(cell), totals[label]) ** 2 for label, row in enumerate(table) for cell in row)
    units = [Fraction(n, totals[label]) ** 2 for unit in units_of(dataset) for label, n in unit.brought.items()]
    assert shares <= Fraction(len(totals), scheme.k) + (1 - Fraction(1, scheme.k)) * sum(units)


@pytest.mark.slow
@many
@given(knotted(), SCHEMES)
def test_groups_of_one_class_differ_between_folds_by_at_most_the_largest(samples: list[Sample], scheme: Scheme) -> None:
    pure = [image._replace(label=f"class{int(image.path.split('/')[0]) % 3}") for image in samples]
    dataset = Dataset.of(pure)
    made = attempt(dataset, scheme)
    if isinstance(made, FoldsError):
        return
    table = counts(dataset, made, scheme.k)
    units = units_of(dataset)
    largest = [max(unit.brought.get(label, 0) for unit in units) for label in range(len(dataset.classes))]
    assert np.all(table.max(axis=1) - table.min(axis=1) <= largest)
    sizes = table.sum(axis=0)
    assert sizes.max() - sizes.min() <= sum(largest)


@few
@given(knotted(), SCHEMES, st.sets(st.integers(0, 15), max_size=5))
def test_what_has_a_fold_keeps_it_or_the_refusal_names_the_table(
    samples: list[Sample], scheme: Scheme, gone: set[int]
) -> None:
    whole = Dataset.of(samples)
    fewer = Dataset.of([image for image in samples if int(image.path.split("/")[0]) not in gone])
    before = attempt(fewer, scheme)
    if isinstance(before, FoldsError):
        return
    known = fold_by_image(fewer, before)
    made = attempt(whole, scheme, known=known)
    if isinstance(made, FoldsError):
        anew = attempt(whole, scheme)
        assert ("folds.csv" in made.next_step) == isinstance(anew, Assignment)
        return
    now = fold_by_image(whole, made)
    assert all(now[sha256] == fold for sha256, fold in known.items())
    assert made.moved == 0
    assert np.all(counts(whole, made, scheme.k) > 0)
