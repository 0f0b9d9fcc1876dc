"""The leak atlas: a real leak is seen, none is claimed where there is none."""

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from foldproof.data.dataset import Dataset, Sample
from foldproof.errors import FoldsError
from foldproof.leaks import Leak, leak_of, naive, sample_units

Set = tuple[Dataset, NDArray[np.float32], NDArray[np.int64]]


def made(*, originals: int, copies: int, seed: int = 0, signal: float = 0.3, noise: float = 0.1) -> Set:
    """Images of two classes as features: `copies` noisy versions of each original, told apart only a little."""
    random = np.random.default_rng(seed)
    total = originals * copies
    unit_of = np.repeat(np.arange(originals), copies)
    labels = unit_of % 2
    base = random.normal(size=(originals, 20)) + signal * (np.arange(originals) % 2)[:, None]
    features = base[unit_of] + noise * random.normal(size=(total, 20))
    samples = [
        Sample(hashlib.sha256(f"{seed} {n}".encode()).hexdigest(), "cd"[labels[n]], f"{n}.png", f"g{unit_of[n]}")
        for n in range(total)
    ]
    order = sorted(range(total), key=lambda n: samples[n])
    return Dataset.of(samples), features[order].astype(np.float32), unit_of[order]


@pytest.fixture(scope="module")
def copied() -> Leak:
    return leak_of(*made(originals=60, copies=4), k=5, seed=1)


def test_planted_copies_are_a_clear_leak_that_the_nearest_neighbour_shows_most(copied: Leak) -> None:
    linear, nearest = copied.gaps
    assert linear.accuracy.gap.low > 0
    assert nearest.accuracy.gap.low > 0.1
    assert nearest.accuracy.gap.value > linear.accuracy.gap.value
    assert nearest.accuracy.naive > 0.95
    assert copied.verdict.startswith("the naive split is too optimistic by about ")
    assert (copied.images, copied.units, copied.with_mate) == (240, 60, 240)


def test_a_gap_is_the_naive_score_minus_the_leak_proof_one_and_lies_in_its_interval(copied: Leak) -> None:
    for gap in copied.gaps:
        for score in (gap.accuracy, gap.balanced_accuracy, *gap.by_class):
            assert score.gap.value == pytest.approx(score.naive - score.leak_proof)
            assert score.gap.low <= score.gap.value <= score.gap.high
        recalls = [score.gap.value for score in gap.by_class]
        assert gap.balanced_accuracy.gap.value == pytest.approx(np.mean(recalls))


def test_images_without_mates_have_no_leak() -> None:
    leak = leak_of(*made(originals=150, copies=1), k=5, seed=3)
    assert leak.verdict == "no leak that this can see"
    assert leak.with_mate == 0
    for gap in leak.gaps:
        assert gap.accuracy.gap.low <= 0 <= gap.accuracy.gap.high


@pytest.mark.slow
def test_groups_that_mean_nothing_are_rarely_called_a_leak() -> None:
    """Groups of images that have no more in common than others: by the level, 1 in 40 may be called one."""
    called = 0
    for seed in range(8):
        dataset, features, _ = made(originals=100, copies=1, seed=seed)
        groups = np.random.default_rng(seed).permutation(100) // 4
        samples = [
            Sample(s.sha256, s.label, s.path, f"g{group}") for s, group in zip(dataset.samples, groups, strict=True)
        ]
        called += leak_of(Dataset.of(samples), features, groups, k=5, seed=seed).verdict != "no leak that this can see"
    assert called <= 1


def test_the_same_set_gives_the_same_leak_and_another_seed_another_cut(copied: Leak) -> None:
    again = leak_of(*made(originals=60, copies=4), k=5, seed=1)
    other = leak_of(*made(originals=60, copies=4), k=5, seed=2)
    assert again == copied
    assert other != copied


def test_balanced_accuracy_decides_where_a_class_has_three_times_the_images_of_another() -> None:
    dataset, features, units = made(originals=60, copies=2)
    few = np.flatnonzero((dataset.labels == 0) | (units < 20))
    small = Dataset(tuple(dataset.samples[position] for position in few))
    assert leak_of(dataset, features, units, k=5, seed=1, repeats=1).metric == "accuracy"
    leak = leak_of(small, features[few], units[few], k=5, seed=1, repeats=1)
    assert leak.metric == "accuracy"  # 3 times is not over 3 times
    fewer = np.flatnonzero((dataset.labels == 0) | (units < 18))
    small = Dataset(tuple(dataset.samples[position] for position in fewer))
    leak = leak_of(small, features[fewer], units[fewer], k=5, seed=1, repeats=1)
    assert leak.metric == "balanced accuracy"
    assert leak.score(leak.gaps[0]) == leak.gaps[0].balanced_accuracy


def test_too_few_groups_for_the_folds_are_refused() -> None:
    with pytest.raises(FoldsError, match="too few for 5 folds"):
        leak_of(*made(originals=6, copies=10), k=5, seed=1)


def test_the_naive_split_deals_every_class_evenly_and_separates_mates() -> None:
    dataset, _, units = made(originals=60, copies=4)
    fold_of = naive(dataset, k=5, seed=1, repeat=0)
    table = np.zeros((2, 5), dtype=int)
    np.add.at(table, (dataset.labels, fold_of), 1)
    assert (table == 24).all()
    assert sum(len(set(fold_of[units == unit])) > 1 for unit in range(60)) > 50
    assert (fold_of != naive(dataset, k=5, seed=1, repeat=1)).any()


def test_a_sample_of_a_large_set_keeps_units_whole() -> None:
    _, _, units = made(originals=60, copies=4)
    taken = sample_units(units, most=50)
    assert len(taken) == 48
    assert all(np.count_nonzero(units[taken] == unit) == 4 for unit in set(units[taken]))
    assert list(taken) == sorted(taken)
    assert len(sample_units(units, most=1000)) == len(units)


def test_json_holds_every_figure(copied: Leak) -> None:
    content = copied.to_json()
    assert content["verdict"] == copied.verdict
    assert [gap["classifier"] for gap in content["gaps"]] == ["linear", "nearest neighbour"]
    assert content["gaps"][0]["recall"]["c"]["gap"]["low"] == copied.gaps[0].by_class[0].gap.low


def test_progress_is_told_to_the_end() -> None:
    dataset, features, units = made(originals=20, copies=2)
    told: dict[str, tuple[int, int]] = {}

    def hear(what: str, done: int, total: int) -> None:
        told[what] = done, total

    leak_of(dataset, features, units, k=2, seed=1, repeats=2, progress=hear)
    assert told == {"linear classifiers": (8, 8), "nearest neighbours": (40, 40)}
