"""One patient on both sides of data.test: found by group, however folders, patterns or a table say it."""

from pathlib import Path

import pytest

from conftest import draw
from foldproof.config.schema import DataSettings
from foldproof.data.labels.from_path import said_by_path
from foldproof.data.labels.said import Rules
from foldproof.training_data.inspection import inspect

TRAINED, TESTED = ("ann", "bob", "eve"), ("bob", "zoe")


def drawn(folder: Path, shape: str) -> None:
    """`shape`: how part, class and patient make the folders of an image."""
    number = 0
    for part, patients in (("train", TRAINED), ("test", TESTED)):
        for patient in patients:
            for label, name in enumerate(("flu", "well")):
                for _ in range(2):
                    number += 1
                    where = shape.format(part=part, name=name, patient=patient, number=number)
                    draw(folder / f"{where}.png", label=label, number=number)


def inspected(folder: Path, **data: object):
    return inspect(folder, DataSettings(path=folder.name, **data))


PATIENT_LAST, IN_NAMES = "{part}/{name}/{patient}/{number}", "{part}/{name}/{patient}_{number}"
BY_FOLDER = {
    "patients around classes": ("{part}/{patient}/{name}/{number}", "parent", "parent"),
    "a pattern for the class": (PATIENT_LAST, "t[a-z]+/(flu|well)/", "parent"),
    "patterns for both": (PATIENT_LAST, "^[^/]+/([^/]+)", "^[^/]+/[^/]+/([^/]+)"),
    "in the names": (IN_NAMES, "parent", "/([a-z]+)_[0-9]+[.]"),
}


@pytest.mark.parametrize("how", BY_FOLDER)
def test_a_patient_of_the_test_who_is_trained_on_is_found_by_folders_and_patterns(tmp_path, how):
    shape, label_by, group_by = BY_FOLDER[how]
    drawn(tmp_path / "set", shape)
    seen = inspected(tmp_path / "set", test="set/test", label_by=label_by, group_by=group_by)
    assert {sample.group for sample in seen.dataset.samples} == set(TRAINED)
    assert {(sample.group, sample.label) for sample in seen.held_out.samples} == {
        (patient, name) for patient in TESTED for name in ("flu", "well")
    }
    (found,) = [finding for finding in seen.errors if finding.code == "held-out-group"]
    assert found.text.startswith("of group 'bob', as is set/test/")


def test_a_patient_of_the_test_who_is_trained_on_is_found_by_a_table_however_the_number_is_written(tmp_path):
    rows = ["file,label,PatientID,split"]
    for number in range(12):
        draw(tmp_path / "scans" / f"{number}.png", label=number % 2, number=number)
        patient = ("7", "8", "nan")[number % 3] if number < 6 else ("7.0", "9", "nan")[number % 3]
        rows.append(f"{number}.png,{'ab'[number % 2]},{patient},{'train' if number < 6 else 'test'}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    seen = inspected(tmp_path / "scans", labels="labels.csv", test="test")
    (found,) = [finding for finding in seen.errors if finding.code == "held-out-group"]
    assert "of group '7'" in found.text


@pytest.mark.parametrize(
    ("path", "label_by", "group"),
    [
        ("train/p1/flu/1.png", "parent", "p1"),
        ("val/p1/flu/1.png", "parent", "p1"),
        ("site/p1/flu/1.png", "parent", "site/p1"),
        ("flu/train/p1/1.png", "top", "p1"),
        ("flu/p1/left/1.png", None, "p1/left"),
        ("train/flu/p1/1.png", "/(flu)/", "p1"),
        ("train/flu/1.png", "parent", ""),
    ],
)
def test_a_part_of_the_set_is_no_part_of_a_group(path, label_by, group):
    assert said_by_path(Rules(label_by=label_by, group_by="parent"))(path).group == group
