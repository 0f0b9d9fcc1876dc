"""Folders of patients, of tests and of masks in; no class is made of them, whatever lies beside."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from conftest import draw
from foldproof.config.read import load_settings
from foldproof.data.labels.masks import masks_among
from foldproof.errors import OtherTask, UnclearTable
from foldproof.project import Project
from foldproof.scaffold.look import look
from foldproof.scaffold.make import scaffold
from foldproof.training_data.inspection import Inspection, inspect


def draw_all(folder: Path, paths) -> None:
    for number, path in enumerate(paths):
        draw(folder / path, label=number % 3, number=number)


def write(file: Path, *lines: str, encoding: str = "utf-8") -> None:
    file.write_text("".join(f"{line}\n" for line in lines), encoding=encoding)


def inspected(folder: Path) -> Inspection:
    """The images as the settings that `init` makes have them."""
    made = scaffold(folder)
    settings = load_settings(made.settings_file).settings
    project = Project(made.settings_file)
    return inspect(project.path(settings.data.path), settings.data, settings.folds, project=project)


@pytest.mark.parametrize("inner", ["", "/visit 1", "/visit 1|/visit 2"])
def test_patients_below_the_classes_in_parts_of_a_set_are_groups_across_the_parts(tmp_path, inner):
    of = {"train": range(6), "val": range(4, 8), "test": range(8, 12)}
    folders = [f"{part}/{('well', 'ill')[n % 2]}/Q{n:02d}{one}" for part, some in of.items() for n in some
               for one in inner.split("|")]  # fmt: skip
    draw_all(tmp_path / "scans", (f"{folder}/{folder[:2]}{n}.png" for folder in folders for n in range(2)))
    assert "8 groups by the folder below the class" in look(tmp_path).grouped
    seen = inspected(tmp_path)
    visits = len(inner.split("|"))
    assert dict(seen.dataset.count_by_class) == {"well": 10 * visits, "ill": 10 * visits}
    assert {one.group for one in seen.dataset.samples} == {f"Q{n:02d}" for n in range(8)}
    assert all(f"/{one.group}/" in one.path for one in seen.dataset.samples)
    assert dict(seen.held_out.count_by_class) == {"well": 4 * visits, "ill": 4 * visits}


def test_patients_that_are_in_every_part_are_no_classes_where_their_names_are_numbers(tmp_path):
    draw_all(tmp_path / "scans", (f"{part}/{('well', 'ill')[n % 2]}/Q{n:02d}/{part}{at}.png"
                                  for part in ("train", "val", "test") for n in range(8) for at in (1, 2)))  # fmt: skip
    seen = inspected(tmp_path)
    assert dict(seen.dataset.count_by_class) == {"well": 16, "ill": 16}
    assert {one.group for one in seen.dataset.samples} == {f"Q{n:02d}" for n in range(8)}


def test_patients_above_the_classes_in_parts_of_a_set_are_groups_across_the_parts(tmp_path):
    of = {"train": range(6), "val": range(4, 9)}
    draw_all(tmp_path / "scans", (f"{part}/Q{n:02d}/{label}/{part}{at}.png" for part, some in of.items() for n in some
                                  for label in ("well", "ill") for at in (1, 2)))  # fmt: skip
    seen = inspected(tmp_path)
    assert dict(seen.dataset.count_by_class) == {"well": 22, "ill": 22}
    assert {one.group for one in seen.dataset.samples} == {f"Q{n:02d}" for n in range(9)}


@pytest.mark.parametrize("tops", [("siteA", "siteB"), ("2019", "2020", "2021"), ("lab 1", "lab 2")])
def test_sites_or_years_that_hold_the_same_classes_are_none(tmp_path, tops):
    draw_all(
        tmp_path / "photos", (f"{top}/{kind}/{n}.png" for top in tops for kind in ("a", "bee", "cow") for n in "12")
    )
    seen = look(tmp_path)
    assert seen.count_by_class == dict.fromkeys(("a", "bee", "cow"), 2 * len(tops))
    assert any("data.label_by: top" in line for line in seen.in_words)


def test_a_row_for_each_folder_says_that_folders_are_no_classes(tmp_path):
    draw_all(tmp_path / "train", (f"B{n:03d}/{at}.png" for n in range(12) for at in range(3)))
    write(tmp_path / "train.csv", "BraTS21ID,value", *(f"B{n:03d},{n % 2}" for n in range(12)))
    with pytest.raises(UnclearTable, match=r"train\.csv has a row for each folder, such as B000") as refused:
        look(tmp_path)
    (line,) = (line.strip() for line in str(refused.value).splitlines() if "python -c" in line)
    subprocess.run(line.replace("python", sys.executable, 1), shell=True, check=True, cwd=tmp_path)
    seen = inspected(tmp_path)
    assert dict(seen.dataset.count_by_class) == {"0": 18, "1": 18}
    assert {one.group for one in seen.dataset.samples} == {f"B{n:03d}" for n in range(12)}


def test_kinds_of_kinds_that_come_again_in_each_part_of_a_set_stay_the_classes(tmp_path):
    kinds = ("pet/cat", "pet/dog", "farm/cow", "farm/hen")
    draw_all(
        tmp_path / "zoo", (f"{part}/{kind}/{n}.png" for part in ("train", "test") for kind in kinds for n in (1, 2))
    )
    seen = look(tmp_path)
    assert seen.count_by_class == {"cat": 2, "dog": 2, "cow": 2, "hen": 2}
    assert any("by the first ones (farm, pet): data.label_by: '^[^/]+/([^/]+)/'" in line for line in seen.in_words)


@pytest.mark.parametrize(
    ("images", "masks"),
    [("train_images", "train_masks"), ("images_train", "masks_train"), ("ImagesA", "MasksA"), ("img_2", "gt_2")],
)
def test_masks_lie_in_a_folder_that_is_called_as_that_of_the_images_but_for_the_word(images, masks):
    paths = [f"{folder}/{n}.png" for folder in (images, masks) for n in range(4)]
    assert masks_among(paths) == {path for path in paths if path.startswith(masks)}


@pytest.mark.parametrize("other", ["without_mask", "label_b", "masks_val"])
def test_a_folder_is_of_no_masks_where_the_rest_of_its_name_is_another(other):
    names = {"without_mask": "with_image", "label_b": "image_a", "masks_val": "images_train"}
    assert not masks_among([f"{folder}/{n}.png" for folder in (names[other], other) for n in range(4)])


def test_a_wrapped_competition_with_masks_and_a_table_in_utf_16_is_read_by_the_table(tmp_path):
    set_ = tmp_path / "leaf-challenge"
    draw_all(set_, (f"train_{kind}/{n}.png" for kind in ("images", "masks") for n in range(12)))
    draw_all(set_, (f"test_images/x{n}.png" for n in range(4)))
    write(set_ / "train.csv", "id\tspecies", *(f"{n}\t{'ab'[n % 2]}" for n in range(12)), encoding="utf-16")
    seen = inspected(tmp_path)
    assert dict(seen.dataset.count_by_class) == {"a": 6, "b": 6}
    assert all("train_images" in f"{seen.path}/{one.path}" for one in seen.dataset.samples)


@pytest.mark.parametrize("column", ["patient_id", "StudyInstanceUID"])
def test_folders_that_a_table_calls_patients_are_no_classes_where_it_is_not_clear_what_is(tmp_path, column):
    rows = [(700 + n // 3, n + 50, n % 2, "LR"[n % 2], "ab"[n % 2]) for n in range(36)]
    draw_all(tmp_path / "train_images", (f"{patient}/{image}.png" for patient, image, *_ in rows))
    draw_all(tmp_path / "test_images", (f"{n}/{n}.png" for n in range(4)))
    write(tmp_path / "train.csv", f"site,{column},image_id,tumor,eye,view", *(
        f"1,{patient},{image},{tumor},{eye},{view}" for patient, image, tumor, eye, view in rows))  # fmt: skip
    with pytest.raises(UnclearTable, match="several columns could be the label") as refused:
        look(tmp_path)
    assert "--label tumor" in str(refused.value)
    seen = look(tmp_path, label="tumor")
    assert seen.count_by_class == {"0": 18, "1": 18}


def test_of_two_parts_with_the_same_names_the_test_is_never_what_trains(tmp_path):
    draw_all(tmp_path / "images" / "train", (f"{n}.png" for n in range(12)))
    draw_all(tmp_path / "images" / "test", (f"{n}.png" for n in range(5)))
    write(tmp_path / "labels.csv", "id,label", *(f"{n},{'ab'[n % 2]}" for n in range(12)))
    seen = look(tmp_path)
    assert (seen.path, seen.count_by_class) == ("images/train", Counter(a=6, b=6))


def test_sides_in_the_names_are_no_classes_beside_a_table_that_names_both(tmp_path):
    draw_all(tmp_path / "eyes", (f"{n}_{side}.jpg" for n in range(12) for side in ("left", "right")))
    write(tmp_path / "data.csv", "ID,Age,Left,Right,N,D", *(
        f"{n},{40 + n},{n}_left.jpg,{n}_right.jpg,{n % 2},{1 - n % 2}" for n in range(12)))  # fmt: skip
    with pytest.raises(UnclearTable, match="'Left' and 'Right' name images") as refused:
        look(tmp_path)
    assert "data: {labels: data.csv, columns: {path: Left}}" in refused.value.next_step


def test_words_between_blanks_are_several_labels_where_each_is_one_alone_too(tmp_path):
    draw_all(tmp_path / "leaves", (f"{n}.png" for n in range(30)))
    labels = ("healthy", "scab", "rust", "scab rust", "complex")
    write(tmp_path / "train.csv", "image,labels", *(f"{n}.png,{labels[n % 5]}" for n in range(30)))
    with pytest.raises(OtherTask, match="several labels an image"):
        look(tmp_path)


@pytest.mark.parametrize("rows", [("0.8,0.1,0.1", "0.1,0.2,0.7"), ("0.33,0.33,0.33", "1,0,0")])
def test_how_sure_each_class_is_is_no_class(tmp_path, rows):
    draw_all(tmp_path / "galaxies", (f"{n}.png" for n in range(24)))
    write(tmp_path / "train.csv", "image,smooth,disk,star", *(f"{n}.png,{rows[n % 2]}" for n in range(24)))
    with pytest.raises(OtherTask, match=r"how sure each class is \(smooth, disk, star\)"):
        look(tmp_path)
