"""The fingerprint under hypothesis: a function of contents, labels and groups, and of nothing else."""

import hashlib
import json
from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from foldproof.data.dataset import Dataset, Sample, hash_rows

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
SAMPLES = st.builds(
    Sample,
    sha256=st.integers(0, 4).map(lambda n: hashlib.sha256(bytes([n])).hexdigest()),
    label=st.sampled_from(["a", "b", "ab"]),
    path=TEXT,
    group=st.sampled_from(["", "a", "ba"]),
    duplicate=st.sampled_from(["", "0123456789abcdef"]),
)
SETS = st.lists(SAMPLES, max_size=6)
some = settings(max_examples=100, deadline=None)


def content(samples: list[Sample]) -> Counter[tuple[str, str, str]]:
    return Counter((sample.sha256, sample.label, sample.group) for sample in samples)


@some
@given(SETS, st.randoms(use_true_random=False))
def test_order_and_names_change_nothing(samples: list[Sample], random: Random) -> None:
    renamed = [sample._replace(path=str(random.random())) for sample in samples]
    random.shuffle(renamed)
    one, other = Dataset.of(samples), Dataset.of(renamed)
    assert one.fingerprint == other.fingerprint
    assert one.labels.tolist() == other.labels.tolist()
    assert one.keys.tolist() == other.keys.tolist()


@some
@given(SETS, SETS)
def test_two_sets_share_a_fingerprint_only_if_they_hold_the_same(one: list[Sample], other: list[Sample]) -> None:
    same = Dataset.of(one).fingerprint == Dataset.of(other).fingerprint
    assert same == (content(one) == content(other))


@some
@given(SETS)
def test_the_file_carries_the_dataset(samples: list[Sample]) -> None:
    dataset = Dataset.of(samples)
    assert Dataset.from_json(json.loads(json.dumps(dataset.to_json()))) == dataset


TABLES = st.lists(st.lists(TEXT, max_size=3), max_size=3)


@some
@given(TABLES, TABLES)
def test_two_tables_share_a_hash_only_if_they_are_equal(one: list[list[str]], other: list[list[str]]) -> None:
    assert (hash_rows(one) == hash_rows(other)) == (one == other)
