"""Probable label errors: what is suggested, what is not, and the file that a person opens."""

import csv
import io

import numpy as np
import pytest

from foldproof.analysis.label_errors import COLUMNS, LabelError, find_label_errors, to_csv
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.events.fold_id import FoldId


def table_of(probabilities, labels, *, classes=("ant", "bee", "cat"), repeats=1):
    """Predictions of images 0, 1, … in repeats; `probabilities` is [repeat x image, class]."""
    images = len(labels)
    numbers = np.arange(images)
    return OutOfFold(
        classes=classes,
        paths=np.array([f"{classes[labels[n]]}/{n}.png" for n in numbers] * repeats, dtype=np.str_),
        sha256=np.array([f"{n:064x}" for n in numbers] * repeats, dtype=np.str_),
        groups=np.array([f"g{n}" for n in numbers] * repeats, dtype=np.str_),
        labels=np.tile(np.array(labels, dtype=np.int64), repeats),
        repeats=np.repeat(np.arange(repeats), images),
        folds=np.tile(numbers % 2, repeats),
        probabilities=np.array(probabilities, dtype=np.float32).reshape(-1, len(classes)),
    )


def sure_of(*classes, of=3, by=0.9):
    rest = (1 - by) / (of - 1)
    return [[by if number == one else rest for number in range(of)] for one in classes]


def test_an_image_that_looks_like_another_class_is_suggested_with_the_evidence():
    right = [0] * 9 + [1] * 10 + [2] * 10
    (one,) = find_label_errors(table_of(sure_of(*[0] * 8, 2, *right[9:]), right))
    assert (one.path, one.label, one.suggested) == ("ant/8.png", "ant", "cat")
    assert one.own_probability == pytest.approx(0.05)
    assert one.suggested_probability == pytest.approx(0.9)
    assert (one.group, one.fold_id) == ("g8", (0, 0))
    assert one.sha256.endswith("8")


def test_the_surest_comes_first():
    labels = [0] * 10 + [1] * 10 + [2] * 10
    rows = sure_of(*labels)
    rows[3], rows[14] = [0.05, 0.9, 0.05], [0.98, 0.01, 0.01]
    assert [one.path for one in find_label_errors(table_of(rows, labels))] == ["bee/14.png", "ant/3.png"]


def test_where_every_image_looks_like_its_label_nothing_is_suggested():
    labels = [0, 1, 2] * 4
    assert find_label_errors(table_of(sure_of(*labels), labels)) == ()


def test_a_hesitant_mistake_is_not_suggested_where_the_model_is_sure_elsewhere():
    labels = [0] * 10 + [1] * 10 + [2] * 10
    rows = sure_of(*labels)
    rows[0] = [0.45, 0.5, 0.05]
    assert find_label_errors(table_of(rows, labels)) == ()


def test_repeats_are_averaged_and_their_agreement_counted():
    labels = [0] * 6 + [1] * 6
    rows = sure_of(*labels, of=2, by=0.6) * 3
    rows[2], rows[14] = [0.0, 1.0], [0.0, 1.0]  # image 2 in the first two of three repeats
    rows[5] = [0.4, 0.6]  # image 5 in one
    (one,) = find_label_errors(table_of(rows, labels, classes=("ant", "bee"), repeats=3))
    assert one.path == "ant/2.png"
    assert one.suggested_probability == pytest.approx((1 + 1 + 0.4) / 3)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([], ("ant", "bee")),
        ([0], ("ant",)),
        ([0, 0, 0], ("ant",)),
        ([0, 0, 1, 1], ("ant", "bee")),
        ([0, 0, 0, 0], ("ant", "bee")),
        (list(range(200)) * 2, tuple(f"c{number:03d}" for number in range(200))),
    ],
    ids=["no images", "one image", "one class", "two images a class", "a class without images", "200 classes"],
)
def test_odd_tables_give_an_answer(labels, classes):
    random = np.random.default_rng(0)
    rows = random.dirichlet(np.ones(len(classes)), len(labels)) if labels else []
    for one in find_label_errors(table_of(rows, labels, classes=classes)):
        assert one.label != one.suggested


def test_a_class_that_is_never_predicted_does_not_hide_the_others():
    labels = [0] * 10 + [1] * 10 + [2] * 10
    rows = sure_of(*labels)
    rows[20:] = [[0.5, 0.45, 0.05]] * 10
    rows[0] = [0.02, 0.95, 0.03]
    found = find_label_errors(table_of(rows, labels))
    assert "ant/0.png" in {one.path for one in found}


def test_rows_that_are_no_numbers_are_left_out():
    labels = [0] * 9 + [1] * 10 + [2] * 10
    rows = sure_of(*[0] * 8, 2, *labels[9:])
    rows[15] = [float("nan")] * 3
    rows[16] = [float("inf"), 0.0, 0.0]
    assert [one.path for one in find_label_errors(table_of(rows, labels))] == ["ant/8.png"]
    assert find_label_errors(table_of([[float("nan")] * 3] * 4, [0, 1, 2, 0])) == ()


def test_planted_errors_are_found_among_noise():
    random = np.random.default_rng(3)
    truth = random.integers(0, 5, 1000)
    logits = random.normal(0, 1, (1000, 5)) + 6 * np.eye(5)[truth]
    rows = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = truth.copy()
    labels[:50] = (labels[:50] + random.integers(1, 5, 50)) % 5
    found = find_label_errors(table_of(rows, labels.tolist(), classes=tuple("abcde")))
    planted = {int(one.sha256, 16) for one in found} & set(range(50))
    assert len(planted) >= 43
    assert len(planted) >= 0.7 * len(found)


def error(**other):
    known = {
        "path": "ant/1.png",
        "sha256": "0" * 64,
        "group": "",
        "label": "ant",
        "suggested": "bee",
        "own_probability": 0.1,
        "suggested_probability": 0.9,
        "fold_id": FoldId(0, 0),
    }
    return LabelError(**{**known, **other})


def rows_of(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_file_has_a_row_a_suggestion():
    header, row = rows_of(to_csv({"20260102-030405-abcdef": [error()]}))
    assert tuple(header) == COLUMNS
    assert row == ["ant/1.png", "0" * 64, "ant", "bee", "0.1", "0.9", "20260102-030405-abcdef"]


@pytest.mark.parametrize("name", ["=1+1", "+49", "-2", "@cmd", "\t=1", "\r=1", "＝1"])
def test_no_cell_is_a_formula_to_a_spreadsheet_and_the_path_stays_the_files(name):
    _, row = rows_of(to_csv({"r": [error(path=f"{name}/1.png", label=name, suggested=name)]}))
    assert row[0] == f"./{name}/1.png"
    assert row[2:4] == [f"'{name}"] * 2


@pytest.mark.parametrize("name", ['a,"b"', "two\nlines", "émoji 🐝", "<b>bold</b>", "'quoted'"])
def test_any_name_comes_back_as_it_was(name):
    _, row = rows_of(to_csv({"r": [error(path=f"{name}/1.png", label=name)]}))
    assert (row[0], row[2]) == (f"{name}/1.png", name)
