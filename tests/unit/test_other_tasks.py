"""Folders as competitions and other tools leave them: what is one class an image is found, what is not is refused."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import draw
from foldproof.config.read import load_settings
from foldproof.data.labels.kinds import one_label, refuse_other_tasks
from foldproof.data.tables.header import LabelTable
from foldproof.errors import DataError, OtherTask, UnclearTable
from foldproof.first_look.next_steps import next_steps
from foldproof.scaffold import other_tasks
from foldproof.scaffold.look import is_images_itself, look, look_at
from foldproof.scaffold.make import scaffold
from foldproof.scaffold.names import label_in_names

WORDS = st.sampled_from(["cat", "dog", "great white", "sea-lion", "Übel", "wild_boar"])


def written(file: Path, *rows: tuple[object, ...]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return file


def table_of(columns, rows) -> LabelTable:
    texts = tuple(tuple(str(cell) for cell in row) for row in rows)
    return LabelTable("labels.csv", tuple(columns), texts, tuple(range(2, len(texts) + 2)))


def pictures(folder: Path, names, label=0) -> None:
    for number, name in enumerate(names):
        draw(folder / name, label=label, number=number)


@pytest.fixture
def contest(tmp_path):
    """A table, the images it names, those of a test set and an example of an answer."""
    pictures(tmp_path / "train_images", [f"a{number}.png" for number in range(12)])
    pictures(tmp_path / "test_images", [f"b{number}.png" for number in range(9)])
    written(tmp_path / "train.csv", ("image_id", "label"), *((f"a{n}.png", n % 3) for n in range(12)))
    written(tmp_path / "sample_submission.csv", ("image_id", "label"), *((f"b{n}.png", n % 3) for n in range(9)))
    return tmp_path


def test_the_folder_of_a_competition_is_a_project_whose_test_images_are_left_alone(contest):
    assert not is_images_itself(contest)
    seen = look(contest)
    assert (seen.path, seen.table, seen.images) == ("train_images", "train.csv", 12)
    assert seen.left_alone == {"test_images": 9}
    assert any("left alone: test_images 9" in line for line in seen.in_words)
    inside = look_at(contest)
    assert (inside.table, inside.images, inside.left_alone) == ("train.csv", 12, {"test_images": 9})


@pytest.mark.parametrize("turned", [False, True])
def test_a_json_file_beside_the_table_names_the_classes(contest, turned):
    names = {"0": "rust", "1": "scab", "2": "healthy"}
    content = {name: int(label) for label, name in names.items()} if turned else names
    (contest / "names.json").write_text(json.dumps(content), encoding="utf-8")
    (contest / "else.json").write_text(json.dumps({"0": "a", "1": "a", "2": "b"}), encoding="utf-8")
    seen = look(contest)
    assert (seen.classes, seen.names_in) == (names, "names.json")
    assert seen.count_by_class == dict.fromkeys(names.values(), 4)


@pytest.mark.parametrize("wrong", [0, 1, 5])
def test_another_table_that_labels_the_images_otherwise_is_named_with_the_count(contest, wrong):
    names = ("zero", "one", "two")
    rows = [(f"a{n}.png", names[(n + (n < wrong)) % 3]) for n in range(12)]
    written(contest / "train_old.csv", ("image_id", "label"), *rows)
    said = [line for line in look(contest).in_words if "train_old.csv labels" in line]
    assert len(said) == (wrong > 0)
    assert all("by 3 classes: data.labels chooses" in line for line in said)
    written(
        contest / "train_old.csv", ("image_id", "label"), *((f"a{n}.png", (n + (n < wrong)) % 3) for n in range(12))
    )
    said = [line for line in look(contest).in_words if f"train_old.csv labels {wrong} of 12 otherwise: data" in line]
    assert len(said) == (wrong > 0)


def test_a_table_of_a_few_images_does_not_label_class_folders(tmp_path):
    pictures(tmp_path / "photos" / "cat", [f"{n}.png" for n in range(9)])
    pictures(tmp_path / "photos" / "dog", [f"d{n}.png" for n in range(9)])
    written(tmp_path / "blurry.csv", ("image", "label"), ("1.png", "bad"), ("2.png", "worse"), ("3.png", "bad"))
    seen = look(tmp_path)
    assert (seen.table, seen.count_by_class) == (None, {"cat": 9, "dog": 9})


def test_images_whose_label_is_no_value_are_named_by_their_table_all_the_same(tmp_path):
    pictures(tmp_path / "photos", [f"{number}.png" for number in range(20)])
    rows = [(f"{n}.png", ("mel", "nv", "N/A", "", "nan")[n % 5]) for n in range(20)]
    written(tmp_path / "labels.csv", ("filename", "label"), *rows)
    seen = look(tmp_path)
    assert seen.count_by_class == {"mel": 4, "nv": 4}
    assert any("no label" in line for line in seen.in_words)


def test_a_table_above_the_folder_that_was_named_is_seen(tmp_path):
    pictures(tmp_path / "photos", [f"{number}.png" for number in range(6)])
    written(tmp_path / "labels.csv", ("image", "label"), *((f"{n}.png", "ab"[n % 2]) for n in range(6)))
    seen = look_at(tmp_path / "photos")
    assert Path(seen.table) == (tmp_path / "labels.csv").resolve()
    assert seen.count_by_class == {"a": 3, "b": 3}


@given(
    st.integers(2, 5).flatmap(lambda k: st.lists(st.integers(0, k - 1), min_size=8, max_size=40).map(lambda x: (k, x)))
)
def test_one_column_a_class_is_one_label_where_one_of_them_is_1_in_each_row(drawn):
    k, labels = drawn
    names = [f"class {at}" for at in range(k)]
    rows = [(f"{n}.png", *(int(at == label) for at in range(k))) for n, label in enumerate(labels)]
    made, note = one_label(table_of(("image", *names), rows), {})
    shown = {name for at, name in enumerate(names) if at in labels}
    if len(shown) < 2:
        assert not note
        return
    assert [row[-1] for row in made.rows] == [names[label] for label in labels]
    assert all(name in note for name in shown)


def test_columns_of_0_and_1_that_say_something_else_are_no_classes():
    rows = [(f"{n}.png", n % 2, int(n % 3 == 0), int(n % 3 == 1), int(n % 3 == 2), n // 2 % 2) for n in range(12)]
    made, note = one_label(table_of(("image", "fold", "rust", "scab", "mould", "sex"), rows), {})
    assert [row[-1] for row in made.rows] == [("rust", "scab", "mould")[n % 3] for n in range(12)]
    assert made.columns == ("image", "fold", "sex", "label")
    assert "rust, scab, mould" in note


def test_several_columns_of_1_in_a_row_are_several_labels():
    rows = [("a.png", 1, 0, 0), ("b.png", 1, 1, 0), ("c.png", 0, 0, 1)]
    with pytest.raises(OtherTask, match="1 of 3 rows have several labels") as refused:
        one_label(table_of(("image", "rust", "scab", "mould"), rows), {})
    assert "data: {columns: {label: rust}}" in refused.value.next_step
    chosen, note = one_label(table_of(("image", "rust", "scab", "mould"), rows), {"label": "rust"})
    assert (len(chosen.columns), note) == (4, "")


@pytest.mark.parametrize(
    ("columns", "rows", "said"),
    [
        (("image", "label"), [(f"{n}.png", 1.5 + n / 7) for n in range(60)], "a measured value"),
        (("image", "label"), [(f"{n}.png", 1000 + n) for n in range(60)], "a measured value"),
        (("image", "label", "xmin", "ymin", "xmax", "ymax"), [("a.png", "car", 1, 2, 3, 4)], "boxes"),
        (("image", "label", "bbox"), [("a.png", "car", "[1, 2, 3, 4]")], "boxes"),
        (
            ("image", "label"),
            [(f"{n}.png", text) for n, text in enumerate(["cat dog", "cat", "dog bird", "bird", "cat bird", "dog"])],
            "several labels an image",
        ),
        (
            ("image", "label"),
            [(f"{n}.png", text) for n, text in enumerate(["a|b", "b|c", "a|c", "a", "a|b|c"])],
            "several labels an image",
        ),
        (
            ("image", "label"),
            [(f"{n}.png", text) for n, text in enumerate(["['a']", "['a', 'b']", "['c']", "['b']", "['a', 'c']"])],
            "several labels an image",
        ),
    ],
)
def test_what_is_no_class_is_refused_as_what_it_is(columns, rows, said):
    with pytest.raises(OtherTask, match=said) as refused:
        refuse_other_tasks(table_of(columns, rows), {"path": "image", "label": "label"}, {})
    assert refused.value.next_step


@pytest.mark.parametrize(
    "labels",
    [
        ["golden retriever", "tabby cat", "golden eagle", "sea eagle"],
        [str(grade) for grade in range(5)],
        [str(number) for number in range(20)],
        ["0.5", "1.0", "1.5"],
        ["soup, hot", "rice"],
        ["2019-03-01 a", "b"],
    ],
)
def test_usual_classes_are_no_other_task(labels):
    rows = [(f"{n}.png", labels[n % len(labels)]) for n in range(60)]
    refuse_other_tasks(table_of(("image", "label"), rows), {"path": "image", "label": "label"}, {})


@given(st.lists(WORDS, min_size=2, max_size=4, unique=True), st.sampled_from(["", "_", "-", ".", " ", " ("]))
def test_a_class_at_the_beginning_of_every_name_is_found(classes, between):
    end = ")" if between == " (" else ""
    names = [f"train/{name}{between}{number}{end}.jpg" for name in classes for number in range(3)]
    pattern = label_in_names(names)
    assert pattern is not None
    from foldproof.data.labels.from_path import labelling

    assert {labelling(pattern)(name) for name in names} == set(classes)


@pytest.mark.parametrize(
    "names",
    [
        [f"{camera}{n:04d}.jpg" for camera in ("IMG_", "DSC_") for n in range(9)],
        [f"cat.{n}.jpg" for n in range(9)],
        [f"{n}.jpg" for n in range(9)],
        [f"anna{n}.jpg" for n in range(9)] + ["holiday.jpg"],
        [f"person{chr(97 + n)}_1.jpg" for n in range(9)],
    ],
)
def test_names_of_cameras_and_of_few_images_are_no_classes(names):
    assert label_in_names(names) is None


def test_init_proposes_classes_that_stand_in_names(tmp_path):
    pictures(tmp_path / "train", [f"{name}.{n}.png" for name in ("cat", "dog") for n in range(4)])
    seen = look(tmp_path)
    assert seen.count_by_class == {"cat": 4, "dog": 4}
    assert any("data.label_by can say otherwise" in line for line in seen.in_words)


@pytest.fixture
def unclear(tmp_path):
    """A table with two columns that could be the label, and one that could not."""
    pictures(tmp_path / "photos", [f"a{number}.png" for number in range(12)])
    rows = ((f"a{n}.png", ("leaf", "root")[n % 2], ("ash", "oak", "elm")[n % 3], n * 11) for n in range(12))
    written(tmp_path / "plants.csv", ("image", "part", "tree", "height_mm"), *rows)
    return tmp_path


def test_a_table_that_is_not_clear_is_asked_of_and_the_answer_goes_into_the_settings(unclear):
    for where in (look, look_at):
        with pytest.raises(UnclearTable, match=r"'part' .*'tree'") as raised:
            where(unclear)
        assert "--label part" in raised.value.next_step
        assert where(unclear, label="tree").count_by_class == {"ash": 4, "oak": 4, "elm": 4}
    settings = load_settings(scaffold(unclear, label="tree").settings_file).settings
    assert (settings.data.labels, settings.data.columns) == ("plants.csv", {"label": "tree"})


def test_the_column_that_was_named_has_to_be_in_a_table(unclear):
    with pytest.raises(DataError, match="names the images and has a column 'shrub'") as raised:
        look(unclear, label="shrub")
    assert "plants.csv" in raised.value.next_step
    (unclear / "plants.csv").unlink()
    with pytest.raises(DataError, match="column 'tree'"):
        look_at(unclear, label="tree")


def test_class_folders_are_not_asked_about_what_lies_beside_them_unless_a_column_is_named(unclear):
    for number in range(12):
        (unclear / "photos" / str(number % 2)).mkdir(exist_ok=True)
        (unclear / "photos" / f"a{number}.png").rename(unclear / "photos" / str(number % 2) / f"a{number}.png")
    assert (look(unclear).table, look(unclear).count_by_class) == (None, {"0": 6, "1": 6})
    assert look(unclear, label="part").count_by_class == {"leaf": 6, "root": 6}


def coco(folder):
    pictures(folder / "images", ["1.png", "2.png"])
    content = {"images": [], "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}]}
    (folder / "instances.json").write_text(json.dumps(content), encoding="utf-8")


def large_coco(folder):
    """Of more bytes than are parsed at once, the boxes behind all else, as in the sets that are published."""
    pictures(folder / "images", ["1.png", "2.png"])
    images = json.dumps([{"id": n, "file_name": "x" * 1000} for n in range(9_000)], indent=1)
    boxes = json.dumps([{"segmentation": [[0] * 50], "bbox": [1, 2, 3, 4]}], indent=1)
    content = f'{{"images": {images}, "annotations": {boxes}}}'
    (folder / "instances.json").write_text(content, encoding="utf-8")


def yolo(folder):
    pictures(folder / "images" / "train", ["1.png", "2.png"])
    (folder / "labels" / "train").mkdir(parents=True)
    (folder / "labels" / "train" / "1.txt").write_text("0 0.5 0.5 0.2 0.3\n1 0.1 0.2 0.1 0.1\n", encoding="utf-8")


def voc(folder):
    pictures(folder / "JPEGImages", ["1.png", "2.png"])
    (folder / "Annotations").mkdir()
    (folder / "Annotations" / "1.xml").write_text("<annotation><object/></annotation>", encoding="utf-8")


@pytest.mark.parametrize(("made", "said"), [(coco, "COCO"), (large_coco, "COCO"), (yolo, "YOLO"), (voc, "Pascal VOC")])
def test_sets_for_finding_objects_are_refused_as_that(tmp_path, made, said):
    made(tmp_path)
    for where in (look, look_at):
        with pytest.raises(OtherTask, match=said):
            where(tmp_path)


@pytest.mark.parametrize("shift", range(6))
def test_words_that_lie_across_two_pieces_of_a_large_file_are_found(tmp_path, monkeypatch, shift):
    monkeypatch.setattr(other_tasks, "_PIECE", 7)
    text = " " * shift + '{"annotations": [{"bbox" : [1, 2, 3, 4]}]}'
    (tmp_path / "a.json").write_text(text)
    assert other_tasks._speaks_of_boxes(tmp_path / "a.json")
    (tmp_path / "b.json").write_text(text.replace("bbox", "box"))
    (tmp_path / "c.json").write_text(text.replace("annotations", "images"))
    assert not any(other_tasks._speaks_of_boxes(tmp_path / name) for name in ("b.json", "c.json"))


def test_images_without_a_word_of_their_class_are_counted_and_not_called_none(tmp_path):
    assert "no images yet" in scaffold(tmp_path / "empty").lines
    pictures(tmp_path / "full" / "photos", ["1.png", "2.png", "3.png"])
    lines = scaffold(tmp_path / "full").lines
    assert any(line.startswith("images whose class nothing says: photos 3; ") for line in lines)
    assert "no images yet" not in lines


def test_what_tools_keep_in_a_folder_says_nothing_of_its_images(tmp_path):
    pictures(tmp_path / "photos", ["1.png", "2.png"])
    for tool in ("runs", ".cache", "node_modules"):
        coco(tmp_path / tool)
    assert look(tmp_path) is None


def test_another_task_around_a_folder_does_not_hinder_the_way_on(tmp_path):
    coco(tmp_path)
    pictures(tmp_path / ".photos" / "cat", ["1.png"])
    assert next_steps(tmp_path / ".photos")[-1] == "foldproof run"


def test_an_image_without_any_word_of_its_class_is_nothing_yet(tmp_path):
    pictures(tmp_path / "photos", ["1.png", "2.png", "3.png"])
    assert look(tmp_path) is None
