"""`Dataset`: manifest order, classes, the fingerprint and the file that carries them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foldproof.data.dataset import Dataset, Sample, are_uneven, hash_rows
from foldproof.errors import DamagedFile


def sample(content: str, label: str = "cat", *, path: str = "", group: str = "") -> Sample:
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    return Sample(sha256, label, path or f"{label}/{content}.png", group)


DATASET = Dataset.of([sample("a"), sample("b", "dog"), sample("c", "dog", group="farm")])


def test_manifest_order_is_by_content_hash() -> None:
    hashes = [image.sha256 for image in DATASET.samples]
    assert hashes == sorted(hashes)
    assert Dataset.of(list(reversed(DATASET.samples))) == DATASET


def test_class_numbers_follow_the_sorted_names() -> None:
    assert DATASET.classes == ("cat", "dog")
    assert DATASET.labels.dtype == np.int64
    assert [DATASET.classes[number] for number in DATASET.labels] == [image.label for image in DATASET.samples]
    assert DATASET.count_by_class == {"cat": 1, "dog": 2}
    assert len(DATASET) == 3


def test_an_image_is_named_by_the_first_64_bits_of_its_content_hash() -> None:
    assert DATASET.keys.dtype == np.uint64
    assert [f"{key:016x}" for key in DATASET.keys.tolist()] == [image.sha256[:16] for image in DATASET.samples]


def test_the_empty_dataset_has_no_classes() -> None:
    empty = Dataset.of([])
    assert (len(empty), empty.classes, empty.labels.tolist(), empty.keys.tolist()) == (0, (), [], [])
    assert empty.fingerprint == hashlib.sha256().hexdigest()


def test_the_fingerprint_is_the_one_that_was_published() -> None:
    assert DATASET.fingerprint == "c1596f2a6cf18781690a448e6dd10e3556148c71173912fbd18921b0bd854d7e"


def test_a_rename_changes_nothing_and_a_label_a_group_or_a_byte_changes_the_fingerprint() -> None:
    first, *rest = DATASET.samples
    renamed = Dataset.of([first._replace(path="elsewhere.png"), *rest])
    assert renamed.fingerprint == DATASET.fingerprint
    others = (
        [first._replace(label="eel"), *rest],
        [first._replace(group="zoo"), *rest],
        [first._replace(sha256="0" * 64), *rest],
        [first, *DATASET.samples],
        rest,
    )
    assert len({Dataset.of(samples).fingerprint for samples in others} | {DATASET.fingerprint}) == 6


def test_rows_that_join_to_the_same_text_have_different_hashes() -> None:
    tables = ([["ab", "c"]], [["a", "bc"]], [["abc"]], [["ab"], ["c"]], [["ab", "c", ""]], [["ab", "c"], []])
    assert len({hash_rows(rows) for rows in tables}) == len(tables)


def test_the_file_carries_the_dataset() -> None:
    content = json.loads(json.dumps(DATASET.to_json()))
    assert Dataset.from_json(content) == DATASET
    assert content["v"] == 2
    assert content["classes"] == ["cat", "dog"]


def test_a_file_of_the_first_schema_is_still_read() -> None:
    stored = Path(__file__).parents[1] / "golden" / "dataset_v1" / "dataset.json"
    content = json.loads(stored.read_text(encoding="utf-8"))
    assert content["v"] == 1
    assert Dataset.from_json(content) == DATASET


def test_what_looks_alike_is_kept_in_the_file_and_not_in_the_fingerprint() -> None:
    alike = Dataset.of([image._replace(duplicate=DATASET.samples[0].sha256[:16]) for image in DATASET.samples])
    assert alike.fingerprint == DATASET.fingerprint
    assert Dataset.from_json(json.loads(json.dumps(alike.to_json()))) == alike != DATASET


GOOD: dict[str, Any] = DATASET.to_json()
ROW = GOOD["samples"][0]


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        None,
        {**GOOD, "v": "1"},
        {**GOOD, "samples": None},
        {**GOOD, "samples": [ROW[:4]]},
        {**GOOD, "v": 1},
        {**GOOD, "samples": [[*ROW, "more"]]},
        {**GOOD, "samples": [[5, *ROW[1:]]]},
        {**GOOD, "samples": [[ROW[0], "not a hash", *ROW[2:]]]},
        {**GOOD, "samples": [[*ROW[:4], None]]},
        {"v": 1, "samples": []},
    ],
    ids=str,
)
def test_a_file_that_does_not_describe_a_dataset_is_refused(content: Any) -> None:
    with pytest.raises(DamagedFile, match=r"dataset\.json cannot be read"):
        Dataset.from_json(content)


def test_a_file_of_a_newer_schema_says_so() -> None:
    with pytest.raises(DamagedFile, match="newer schema, 3"):
        Dataset.from_json({**GOOD, "v": 3})


def test_a_file_whose_samples_were_changed_does_not_fit_its_fingerprint() -> None:
    with pytest.raises(DamagedFile, match="fingerprint"):
        Dataset.from_json({**GOOD, "samples": GOOD["samples"][1:]})


@pytest.mark.parametrize(
    ("counts", "uneven"), [((3, 1), False), ((31, 10), True), ((4, 1, 0), True), ((5, 0), False), ((), False)]
)
def test_classes_are_uneven_where_the_largest_has_over_three_times_the_images_of_the_smallest(counts, uneven):
    assert are_uneven(counts) is uneven
