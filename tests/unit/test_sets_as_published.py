"""Data sets as their publishers lay them out: what is the class, what is not, and what is said of the rest."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from conftest import draw
from foldproof.cli.main import run_command
from foldproof.config.read import load_settings
from foldproof.config.schema import DataSettings
from foldproof.data.labels.masks import masks_among
from foldproof.errors import DataError, OtherTask, UnclearTable
from foldproof.project import Project
from foldproof.scaffold.look import look, look_at
from foldproof.scaffold.make import scaffold
from foldproof.training_data.inspection import inspect


def write(file: Path, *lines: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


# --- which of several tables, which of several folders


@pytest.mark.parametrize("outlines", ["annotations/trimaps", "annotations", "annotations/masks", "trimaps"])
def test_outlines_in_a_folder_of_annotations_are_no_second_class(tmp_path, outlines):
    for label, fruit in enumerate(("apple", "pear")):
        for number in range(4):
            draw(tmp_path / "images" / f"{fruit}_{number}.png", label=label, number=number)
            draw(tmp_path / outlines / f"{fruit}_{number}.png", label=label, number=50 + number)
    seen = look_at(tmp_path)
    assert (seen.count_by_class, seen.masks) == ({"apple": 4, "pear": 4}, 8)


def test_a_folder_in_one_of_masks_is_no_mask_where_no_image_has_its_name():
    assert masks_among(["images/a.png", "annotations/trimaps/b.png"]) == frozenset()


@pytest.mark.parametrize("first", ["About.csv", "Zoo.csv"])
def test_of_several_tables_the_one_that_names_most_images_says_their_classes(tmp_path, first):
    signs = [f"Signs/{number}.png" for number in range(4)]
    photos = [f"Photos/{number % 4}/{number}.png" for number in range(24)]
    for number, path in enumerate([*signs, *photos]):
        draw(tmp_path / path, label=number % 4, number=number)
    write(tmp_path / first, "Path,ColourId", *(f"{path},{number % 2}" for number, path in enumerate(signs)))
    write(tmp_path / "Photos.csv", "Width,ClassId,Path", *(f"8,{path.split('/')[1]},{path}" for path in photos))
    for seen in (look(tmp_path), look_at(tmp_path)):
        assert (seen.table, seen.images) == ("Photos.csv", 24)
        assert "label from 'ClassId'" in seen.note


# --- which level of folders is the class, and which images belong together


def settings_of(folder: Path):
    """The settings that `init` makes, and the images inspected by them."""
    made = scaffold(folder)
    settings = load_settings(made.settings_file).settings
    project = Project(made.settings_file)
    return settings, inspect(project.path(settings.data.path), settings.data, settings.folds, project=project)


def draw_all(folder: Path, paths) -> None:
    for number, path in enumerate(paths):
        draw(folder / path, label=number % 3, number=number)


def test_takes_of_one_patient_are_no_classes_and_share_a_fold(tmp_path):
    kinds = {"healthy": ("plain", "scarred"), "ill": ("early", "late")}
    draw_all(
        tmp_path / "slides",
        (
            f"{name}/{kind}/{kind}-{patient}/{zoom}X/{kind}-{patient}-{zoom}.png"
            for name, inner in kinds.items()
            for kind in inner
            for patient in range(3)
            for zoom in (10, 40, 100)
        ),
    )
    settings, seen = settings_of(tmp_path)
    assert settings.data.path == "slides"
    assert dict(seen.dataset.count_by_class) == {"healthy": 18, "ill": 18}
    assert len({sample.group for sample in seen.dataset.samples}) == 12
    (told,) = (line for line in look(tmp_path).in_words if line.startswith("labels"))
    assert "early, late, plain, … (4): data.label_by: '^[^/]+/([^/]+)/'" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inner", "groups"),
    [
        ("p{0}{1}/left|p{0}{1}/right", 6),
        ("p{0}{1}/visit_1|p{0}{1}/visit_2", 6),
        ("site1/p{0}{1}|site2/q{0}{1}", 12),
        ("p{0}{1}", 6),
    ],
)
def test_images_of_one_patient_are_one_group_however_they_lie_in_its_folder(tmp_path, inner, groups):
    folders = [one.format(c, p) for c in range(2) for p in range(3) for one in inner.split("|")]
    draw_all(tmp_path / "scans", (f"class{one.split('/')[-1 if 'site' in one else 0][1]}/{one}/{n}.png"
                                  for one in folders for n in range(2)))  # fmt: skip
    _, seen = settings_of(tmp_path)
    assert set(seen.dataset.count_by_class) == {"class0", "class1"}
    assert len({sample.group for sample in seen.dataset.samples}) == groups


def test_where_the_first_folders_may_be_the_classes_too_it_is_said(tmp_path):
    tops = [f"{top}/p{patient}" for top in ("north", "south") for patient in range(4)]
    draw_all(tmp_path / "scans", (f"{top}/{inner}/1.png" for top in tops for inner in ("ill", "well")))
    seen = look(tmp_path)
    assert (seen.label_by, seen.count_by_class) == ("parent", {"ill": 8, "well": 8})
    assert any("by the first ones (north, south): data.label_by: top" in line for line in seen.in_words)


def test_patients_of_the_same_numbers_in_several_places_stay_apart(tmp_path):
    tops = [f"{place}/p{patient}" for place in ("north", "south", "west") for patient in range(3)]
    draw_all(tmp_path / "scans", (f"{top}/{inner}/1.png" for top in tops for inner in ("ill", "late", "well")))
    _, seen = settings_of(tmp_path)
    assert dict(seen.dataset.count_by_class) == {"ill": 9, "late": 9, "well": 9}
    assert len({sample.group for sample in seen.dataset.samples}) == 9


def test_many_patients_with_dates_in_their_folders_are_the_groups(tmp_path):
    days = (f"{label}/P{label}{patient:02d}/2021-{patient + 1:02d}-{day:02d}/{day}.png"
            for label in "ab" for patient in range(10) for day in (patient + 1, patient + 12))  # fmt: skip
    draw_all(tmp_path / "scans", days)
    settings, seen = settings_of(tmp_path)
    assert settings.data.group_by == "^[^/]+/([^/]+)/"
    assert len({sample.group for sample in seen.dataset.samples}) == 20


def test_studies_of_patients_in_parts_of_a_set_are_no_classes(tmp_path):
    paths = (f"{part}/patient{number:03d}/study{study}/view1.png"
             for part in ("train", "valid") for number in range(8) for study in (1, 2))  # fmt: skip
    draw_all(tmp_path / "chests", paths)
    assert look(tmp_path) is None
    assert look_at(tmp_path / "chests") is None


def fruits(folder: Path, each: int = 4) -> None:
    draw_all(folder, (f"{name}/{number}.png" for name in ("apple", "fig", "pear") for number in range(each)))


# --- tables that are no answer


FINDINGS = ("Path,Sex,No Finding,Oedema,Fracture", *(
    f"xrays/train/patient{n:03d}/study{s}/view1.png,{'FM'[n % 2]},{('1.0', '', '-1.0')[n % 3]},1.0,{('', '1.0')[s % 2]}"
    for n in range(8) for s in (1, 2)
))  # fmt: skip


def xrays(folder: Path) -> None:
    draw_all(folder, (row.partition(",")[0] for row in FINDINGS[1:]))
    write(folder / "xrays" / "train.csv", *FINDINGS)


def test_uncertain_labels_beside_each_other_are_several_labels_and_one_can_be_chosen(tmp_path):
    xrays(tmp_path)
    with pytest.raises(OtherTask, match=r"11 of 16 rows have several labels .*-1 is uncertain") as refused:
        look(tmp_path)
    assert "--label 'No Finding'" in refused.value.next_step
    made = scaffold(tmp_path, label="No Finding")
    assert any(line.startswith("5 groups by folders called as patients are, such as patient000") for line in made.lines)
    settings, seen = settings_of(tmp_path)
    assert (settings.data.labels, settings.data.columns) == ("xrays/train.csv", {"label": "No Finding"})
    assert {sample.group for sample in seen.dataset.samples} == {f"patient{n:03d}" for n in (0, 2, 3, 5, 6)}
    assert not any("also written" in line for line in made.lines)


def test_class_folders_are_trusted_beside_a_table_that_only_describes_them(tmp_path):
    fruits(tmp_path / "photos")
    rows = (f"{path.relative_to(tmp_path)},{'ab'[n % 2]},{'xyz'[n % 3]}" for n, path in
            enumerate(sorted(tmp_path.rglob("*.png"))))  # fmt: skip
    write(tmp_path / "about.csv", "image,season,light", *rows)
    assert look(tmp_path).count_by_class == {"apple": 4, "fig": 4, "pear": 4}


def test_frames_of_one_track_are_proposed_as_a_group_beside_a_table_too(tmp_path):
    paths = [f"{kind}/{kind:05d}_{track:05d}_{frame:05d}.png"
             for kind in range(3) for track in range(5) for frame in range(4)]  # fmt: skip
    draw_all(tmp_path / "Signs", paths)
    write(tmp_path / "signs.csv", "Path,ClassId", *(f"Signs/{path},{path[0]}" for path in paths))
    seen = look(tmp_path)
    assert (seen.table, seen.candidate.groups, seen.candidate.example) == ("signs.csv", 15, "00000_00000")


# --- pixels in a table, labels in a file that is no table


def pixel_rows(edge: int, channels: int, form: str):
    """Rows of 6 pictures of two classes, and these pictures."""
    pictures = np.random.default_rng(3).integers(0, 256, (6, edge, edge, channels), dtype=np.uint8)
    names = [f"pixel{number}" for number in range(edge * edge * channels)]
    header = {"first": ["label", *names], "last": [*names, "label"], "cell": ["emotion", "pixels", "Usage"]}
    yield from [header[form]] if form in header else []
    for number, picture in enumerate(pictures):
        label, values = str(number % 2), [str(value) for value in picture.ravel()]
        yield {"last": [*values, label], "cell": [label, " ".join(values), "Training"]}.get(form, [label, *values])
    return pictures


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edge", "channels", "form"), [(28, 1, "first"), (8, 1, "last"), (28, 3, "last"), (48, 1, "cell"), (9, 1, "none")]
)
def test_pixels_in_a_table_are_named_with_the_line_that_makes_pictures_of_them(tmp_path, edge, channels, form):
    rows = list(pixel_rows(edge, channels, form))
    write(tmp_path / "train.csv", *(",".join(row) for row in rows))
    write(tmp_path / "test.csv", *(",".join(row[1:]) for row in rows[:3]))
    with pytest.raises(OtherTask, match=rf"train\.csv holds pixels, a picture of {edge} x {edge}") as refused:
        scaffold(tmp_path)
    assert len(str(refused.value).splitlines()) <= 3
    command = refused.value.next_step.partition("\n")[2].replace("python", sys.executable, 1)
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    settings, seen = settings_of(tmp_path)
    assert (settings.data.path, dict(seen.dataset.count_by_class)) == ("images", {"0": 3, "1": 3})
    values = rows[-1][1].split() if form == "cell" else [cell for cell in rows[-1] if len(rows[-1]) > 3]
    made = np.asarray(Image.open(tmp_path / "images" / "1" / "5.png")).ravel()
    start = 1 if form in ("first", "none") else 0
    assert made.tolist() == [int(value) for value in values[start : start + made.size]]


@pytest.mark.parametrize("lines", [["a,b", "1,2"], ["x"], [], ["label,age", *["1,30"] * 90]])
def test_other_tables_hold_no_pixels(tmp_path, lines):
    write(tmp_path / "notes.csv", *lines)
    assert look(tmp_path) is None


# --- a test that a text file lists


@pytest.mark.slow
@pytest.mark.parametrize("line", ["{path}", "{stem}", "{stem} 3 1 2", "./{path}", "{name}"])
@pytest.mark.parametrize("file", ["meta/test.txt", "test.txt", "lists/images_test.lst"])
def test_a_test_that_a_text_file_lists_is_kept_apart_and_counted(tmp_path, line, file):
    draw_all(tmp_path / "set" / "images", (f"{n}/{n}{i}.png" for n in ("apple", "fig", "pear") for i in range(6)))
    held = [f"{name}/{name}{number}.png" for name in ("apple", "fig", "pear") for number in (1, 4)]
    parts = ({"path": path, "stem": path[:-4], "name": path.rpartition("/")[2]} for path in held)
    write(tmp_path / "set" / file, *(line.format(**part) for part in parts))
    write(tmp_path / "set" / file.replace("test", "train"), "apple/apple0")
    made = scaffold(tmp_path)
    assert any(f"the 6 images in set/{file}, called a test, are kept apart" in told for told in made.lines)
    settings, seen = settings_of(tmp_path)
    assert settings.data.test == f"set/{file}"
    assert [sample.path for sample in sorted(seen.held_out.samples, key=lambda one: one.path)] == held
    assert dict(seen.dataset.count_by_class) == {"apple": 4, "fig": 4, "pear": 4}
    assert look_at(tmp_path / "set" / "images").test is None


def test_a_list_of_a_test_that_names_nothing_here_is_an_error_where_it_is_asked_for(tmp_path):
    fruits(tmp_path / "photos")
    write(tmp_path / "test.txt", "kiwi/0", "kiwi/1")
    assert look(tmp_path).test is None
    with pytest.raises(DataError, match=r"test\.txt names none of the images"):
        inspect(tmp_path / "photos", DataSettings(path="photos", test="test.txt"))


def test_a_list_holds_images_of_a_table_apart_too(tmp_path):
    draw_all(tmp_path / "photos", (f"{number}.png" for number in range(12)))
    write(tmp_path / "labels.csv", "path,label", *(f"{number}.png,{'ab'[number % 2]}" for number in range(12)))
    write(tmp_path / "test.txt", "3", "4")
    settings, seen = settings_of(tmp_path)
    assert settings.data.test == "test.txt"
    assert dict(seen.dataset.count_by_class) == {"a": 5, "b": 5}
    assert sorted((sample.path, sample.label) for sample in seen.held_out.samples) == [("3.png", "b"), ("4.png", "a")]


# --- lists of images and classes of several words, a file for each part


WORDS = ("DC-3", "Boeing 717", "Do 328 Jet")


def planes(folder: Path) -> dict[str, list[str]]:
    draw_all(folder / "images", (f"{number:04d}.png" for number in range(60)))
    lines = [f"{number:04d} {WORDS[number % 3]}" for number in range(60)]
    return {"train": lines[:30], "val": lines[30:45], "test": lines[45:]}


def test_what_stands_after_the_first_blank_is_the_class_where_it_may_be_of_several_words(tmp_path):
    write(tmp_path / "list.txt", *(line for part in planes(tmp_path).values() for line in part))
    seen = look(tmp_path)
    assert seen.count_by_class == dict.fromkeys(WORDS, 20)
    assert "the first blank between cells" in seen.note


@pytest.mark.slow
@pytest.mark.parametrize("header", [False, True])
def test_lists_of_the_parts_of_a_set_are_made_one_table_by_the_line_that_is_named(tmp_path, header):
    for part, lines in planes(tmp_path).items():
        cells = ["name,kind", *(line.replace(" ", ",", 1) for line in lines)] if header else lines
        write(tmp_path / f"kinds_{part}.{'csv' if header else 'txt'}", *cells)
        write(tmp_path / f"boxes_{part}.txt", *(f"{line.split()[0]} {n} 7 70 80" for n, line in enumerate(lines)))
    with pytest.raises(UnclearTable, match=r"kinds_test.*, kinds_train.*, kinds_val.* label a part") as refused:
        look(tmp_path)
    assert len(str(refused.value).splitlines()) <= 3
    command = refused.value.next_step.partition("\n")[2].strip().replace("python", sys.executable, 1)
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    settings, seen = settings_of(tmp_path)
    assert (settings.data.labels, settings.data.test) == ("labels.csv", "test")
    assert dict(seen.dataset.count_by_class) == dict.fromkeys(WORDS, 15)
    assert len(seen.held_out) == 15


@pytest.mark.slow
def test_a_file_of_arrays_that_may_say_the_classes_is_named_with_the_line_that_makes_a_table(tmp_path):
    draw_all(tmp_path / "jpg", (f"image_{number:05d}.png" for number in range(12)))
    scipy.io.savemat(tmp_path / "about.mat", {"parts": np.arange(3)})
    scipy.io.savemat(tmp_path / "imagelabels.mat", {"labels": np.array([[1, 2, 3] * 4]), "other": np.arange(4)})
    made = scaffold(tmp_path)
    assert not any("no images that can be read" in line for line in made.lines)
    (line,) = (line for line in made.lines if line.startswith("imagelabels.mat may say it"))
    command = line.partition("in this folder: ")[2].partition("; then delete params.yaml")[0]
    subprocess.run(command.replace("python", sys.executable, 1), shell=True, check=True, cwd=tmp_path)
    made.settings_file.unlink()
    settings, seen = settings_of(tmp_path)
    assert settings.data.labels == "labels.csv"
    assert dict(seen.dataset.count_by_class) == {"1": 4, "2": 4, "3": 4}


def test_a_test_that_is_kept_by_ids_is_named_with_the_line_that_lists_it(tmp_path):
    birds = tmp_path / "BIRDS"
    paths = [f"{kind}.bird/bird_{number}_{7 * number}.png" for kind in ("001", "002") for number in range(6)]
    draw_all(birds / "images", paths)
    write(birds / "images.txt", *(f"{at} {path}" for at, path in enumerate(paths, 1)))
    write(birds / "classes.txt", "1 001.bird", "2 002.bird")
    write(birds / "train_test_split.txt", *(f"{at} {int(at % 3 > 0)}" for at in range(1, 13)))
    made = scaffold(tmp_path)
    (line,) = (line for line in made.lines if line.startswith("BIRDS/train_test_split.txt says 0 of 4 images"))
    command = line.partition("in this folder: ")[2].partition("; then delete params.yaml")[0]
    subprocess.run(command.replace("python", sys.executable, 1), shell=True, check=True, cwd=tmp_path)
    made.settings_file.unlink()
    settings, seen = settings_of(tmp_path)
    assert settings.data.test == "test.txt"
    assert {sample.path for sample in seen.held_out.samples} == {paths[at - 1] for at in (3, 6, 9, 12)}


def test_splits_of_other_ids_or_values_are_no_test(tmp_path):
    fruits(tmp_path / "photos")
    write(tmp_path / "train_test_split.txt", *(f"{at} {at % 2}" for at in range(9)))
    write(tmp_path / "images.txt", *(f"{at} fig/{at}.png" for at in range(4)))
    assert not any("train_test_split" in line for line in scaffold(tmp_path).lines)


@pytest.mark.parametrize(("table", "is_committed"), [("about labels.csv", True), ("photos/labels.csv", False)])
def test_the_table_that_labels_is_committed_with_the_settings_but_for_one_among_the_images(
    tmp_path, monkeypatch, capsys, table, is_committed
):
    draw_all(tmp_path / "photos", (f"{number}.png" for number in range(12)))
    write(tmp_path / table, "path,label", *(f"{number}.png,{'ab'[number % 2]}" for number in range(12)))
    write(tmp_path / "test.txt", "3", "4")
    monkeypatch.chdir(tmp_path)
    assert run_command(["init"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "git commit" in line)
    named = f"'{table}' " if is_committed else ""
    assert line.strip().startswith(f"git add params.yaml dvc.yaml .gitignore {named}test.txt && git commit")
