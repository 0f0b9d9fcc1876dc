"""`foldproof predict` in parts: whose models, which images, what is said of one, and how it is written down."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as drawn
from PIL import Image

from conftest import draw, draw_classes
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.originals import decoded_content
from foldproof.data.value_range import ValueRange
from foldproof.errors import DataError, FoldsError, StorageError
from foldproof.events.fold_id import FoldId
from foldproof.predict.by import chosen_folds, parse_by
from foldproof.predict.images import ImageFile, ImageHere, model_input
from foldproof.predict.inputs import find_inputs
from foldproof.predict.rows import Labelled, MeanOfFolds, Unlabelled, columns
from foldproof.predict.table import CsvRows, JsonRows, check_output, writing
from scored import Scored, write_run

FORM = Form(size=8)
MOST = 10**6


@pytest.mark.parametrize(
    ("text", "meant"),
    [("folds", "folds"), ("fold:2", FoldId(0, 2)), ("fold:1.2", FoldId(1, 2)), ("refit", "refit")],
)
def test_by_is_read_as_folds_are_spelled(text, meant):
    assert parse_by(text) == meant


@pytest.mark.parametrize("text", ["", "fold", "fold:", "fold:-1", "fold:a", "2", "fold:1.2.3", "folds:2", "fold: 2"])
def test_what_names_no_fold_is_refused(text):
    with pytest.raises(FoldsError, match="names no model"):
        parse_by(text)


@given(st.integers(0, 99), st.integers(0, 99))
def test_a_fold_is_read_back_from_its_short_spelling(repeat, fold):
    fold_id = FoldId(repeat, fold)
    assert FoldId.of_short(fold_id.short(repeats=2)) == fold_id
    assert FoldId.of_short(FoldId(0, fold).short(repeats=1)) == (0, fold)


def test_all_folds_of_a_run_are_meant_or_the_one_named(tmp_path):
    record = write_run(tmp_path, "20260102-030405-aaaaaa", Scored())
    assert chosen_folds("folds", record) == tuple(sorted(record.finished))
    last = max(record.finished)
    assert chosen_folds(last, record) == (last,)
    with pytest.raises(FoldsError, match=r"has no model of fold 77"):
        chosen_folds(FoldId(0, 77), record)
    with pytest.raises(FoldsError, match="trained on all images"):
        chosen_folds("refit", record)


@given(
    drawn.arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(2, 4)),
        elements=st.floats(0, 1, width=32),
    )
)
def test_the_mean_over_folds_is_that_of_float64_rounded_once(folds):
    judged = MeanOfFolds.by(folds)
    exact = folds.astype(np.float64)
    total = exact[0] * 0
    for fold in exact:
        total = total + fold
    assert judged.probabilities.dtype == np.float32
    assert (judged.probabilities == (total / len(folds)).astype(np.float32)).all()
    assert (judged.numbers == judged.probabilities.argmax(axis=1)).all()
    assert (
        judged.folds_disagree
        == [(folds[:, image].argmax(axis=1) != number).sum() for image, number in enumerate(judged.numbers)]
    ).all()


def test_an_even_mean_names_the_first_class_and_the_folds_that_name_another_are_counted():
    folds = np.array([[[0.75, 0.25]], [[0.25, 0.75]], [[0.0, 1.0]], [[1.0, 0.0]]], dtype=np.float32)
    judged = MeanOfFolds.by(folds)
    assert (judged.numbers[0], judged.folds_disagree[0]) == (0, 2)


# which images


def typed(*paths, stdin=b""):
    return find_inputs([str(path) for path in paths], stdin=lambda: io.BytesIO(stdin))


def test_a_folder_gives_its_pictures_by_path_and_says_what_it_leaves_out(tmp_path):
    draw_classes(tmp_path / "new", each=2, classes=("b", "a"))
    (tmp_path / "new" / "notes.txt").write_text("text")
    (tmp_path / "new" / ".hidden.png").write_bytes(b"")
    (tmp_path / "new" / "flat.svg").write_text("<svg/>")
    (tmp_path / "new" / "gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "new" / "linked.png").symlink_to(tmp_path / "new" / "a" / "000.png")
    (tmp_path / "new" / "folder").symlink_to(tmp_path / "new" / "a")
    found = typed(f"{tmp_path}/new/")
    names = [str(Path(image.path).relative_to(tmp_path / "new")) for image in found.images]
    assert names == ["a/000.png", "a/001.png", "b/000.png", "b/001.png", "linked.png"]
    assert {Path(row.path).name: row.reason.split(",")[0] for row in found.unlabelled} == {
        "flat.svg": "drawings or documents",
        "gone.png": "a broken link",
    }
    assert len(found.notes) == 2
    assert "notes.txt" in found.notes[1]


def test_images_come_in_the_order_in_which_they_are_named(tmp_path):
    for name in ("b.png", "a.png"):
        draw(tmp_path / name, label=0, number=0)
    found = typed(tmp_path / "b.png", tmp_path / "a.png", tmp_path / "b.png")
    assert [Path(image.path).name for image in found.images] == ["b.png", "a.png", "b.png"]


@pytest.mark.parametrize(
    ("name", "content", "images"),
    [
        ("list.csv", "path,other\nin/1.png,x\n2.png,y\n", 2),
        ("list.csv", "id;image_path\n7;in/1.png\n", 1),
        ("list.csv", "which,other\nin/1.png,x\n2.png,y\n", 2),
        ("list.txt", "in/1.png\n2.png\n", 2),
    ],
)
def test_a_table_lists_images_beside_it_or_in_the_current_folder(tmp_path, monkeypatch, name, content, images):
    draw(tmp_path / "table" / "in" / "1.png", label=0, number=0)
    draw(tmp_path / "here" / "2.png", label=0, number=0)
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "table" / name).write_text(content)
    found = typed(tmp_path / "table" / name)
    assert [image.path for image in found.images] == ["in/1.png", "2.png"][:images]
    assert all(Path(image.file).is_file() for image in found.images)


def test_paths_come_on_standard_input_one_a_line(tmp_path):
    found = typed("-", stdin=b"a b.png\r\n\nc.png")
    assert [image.path for image in found.images] == ["a b.png", "c.png"]


def test_a_name_that_is_not_utf8_is_listed_as_such():
    found = typed("-", stdin=b"a.png\nb\xff.png\n")
    assert found.unlabelled == [Unlabelled("b\\xff.png", "its name is not UTF-8")]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "nowhere", "there is no"),
        (lambda folder: folder, "no images in"),
        (lambda folder: _written(folder / "list.csv", "name_of,other\nx,y\n"), "no column of paths"),
        (lambda folder: _written(folder / "list.csv", ""), "no column of paths"),
        (lambda folder: _written(folder / "list.csv", "path\n"), "no images in"),
        (lambda folder: _written(folder / "only.svg", "<svg/>").parent, "can be read"),
    ],
    ids=["no such path", "empty folder", "no column", "empty table", "no rows", "no picture that is read"],
)
def test_where_there_is_no_image_it_is_said_with_the_next_step(tmp_path, make, said):
    with pytest.raises(DataError, match=said) as raised:
        typed(make(tmp_path))
    assert raised.value.next_step


def test_nothing_on_standard_input_is_said():
    with pytest.raises(DataError, match="no images in -"):
        typed("-")


def _written(file, content):
    file.write_text(content)
    return file


# what a model sees


def test_a_file_is_what_training_decodes_and_bears_its_hash(tmp_path):
    draw(tmp_path / "1.png", label=1, number=1, size=13)
    found = model_input(ImageFile("1.png", str(tmp_path / "1.png")), FORM, most_pixels=MOST)
    content = (tmp_path / "1.png").read_bytes()
    assert (found.pixels == decoded_content("1.png", content, FORM, most_pixels=MOST)).all()
    assert len(found.sha256) == 64


def test_a_file_that_only_its_suffix_tells_is_read_by_it(tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    np.save(tmp_path / "1.npy", noise)
    assert (model_input(ImageFile("1", str(tmp_path / "1.npy")), FORM, most_pixels=MOST).pixels == noise).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK"])
def test_a_pillow_image_is_what_its_file_is(tmp_path, mode):
    file = tmp_path / ("1.tif" if mode == "CMYK" else "1.png")
    noise = np.random.default_rng(1).integers(0, 255, (9, 14, 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(file)
    with Image.open(file) as picture:
        here = model_input(ImageHere("1", picture), FORM, most_pixels=MOST)
    assert (here.pixels == model_input(ImageFile("1", str(file)), FORM, most_pixels=MOST).pixels).all()
    assert here.sha256 is None


def test_a_pillow_image_is_turned_as_its_exif_says(tmp_path):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (9, 14, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    noise.save(tmp_path / "1.jpg", exif=exif)
    with Image.open(tmp_path / "1.jpg") as picture:
        here = model_input(ImageHere("1", picture), FORM, most_pixels=MOST)
    assert (here.pixels == model_input(ImageFile("1", str(tmp_path / "1.jpg")), FORM, most_pixels=MOST).pixels).all()


def test_an_array_is_grey_or_colour_of_8_or_16_bits():
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    for array in (grey, grey[..., None], np.stack([grey] * 3, axis=2)):
        assert (model_input(ImageHere("a", array), FORM, most_pixels=MOST).pixels == grey[..., None]).all()
    deep = Form(size=8, within=ValueRange(0.0, 4095.0, 16))
    twelve = grey.astype(np.uint16) * 65
    found = model_input(ImageHere("a", twelve), deep, most_pixels=MOST).pixels
    assert found.dtype == np.uint16
    assert (found[..., 0] == np.rint(twelve / 4095 * 65535)).all()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((8, 8), np.float32),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros(8, np.uint8),
        np.zeros((0, 8), np.uint8),
        np.zeros((8, 8), np.uint16),
    ],
    ids=["float", "four channels", "a line", "nothing", "16 bits among 8"],
)
def test_an_array_that_is_no_such_image_is_refused(array):
    with pytest.raises(DataError):
        model_input(ImageHere("a", array), FORM, most_pixels=MOST)


# tables

CLASSES = ("-1", "=cat", "dog, 'x'")
ROWS = (
    Labelled("a.png", 1, np.array([0.1, 0.7, 0.2], dtype=np.float32), 2, 0),
    Unlabelled("b.png", "damaged"),
    Labelled("=c.png", 0, np.array([1 - 2e-7, 1e-30, 1e-7], dtype=np.float32), 0, None),
)


def written(file):
    with writing(file, CLASSES, {"run": "r"}) as writer:
        for row in ROWS:
            writer.write(row)
    return file


def test_every_table_gives_the_bits_back(tmp_path):
    expected = [ROWS[0].probabilities, ROWS[2].probabilities]
    with written(tmp_path / "t.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    assert tuple(header) == columns(CLASSES)
    assert [np.array(line[3:-2], dtype=np.float32).tolist() for line in lines] == [row.tolist() for row in expected]
    found = json.loads(written(tmp_path / "t.json").read_text())["images"]
    assert [np.float32([*row["probabilities"].values()]).tolist() for row in found if "class" in row] == [
        row.tolist() for row in expected
    ]
    assert found[1] == {"path": "b.png", "error": "damaged"}
    table = pq.read_table(written(tmp_path / "t.parquet"))
    assert tuple(table.column_names) == columns(CLASSES)
    assert [table[name].to_numpy().tolist() for name in columns(CLASSES)[3:-2]] == np.stack(expected).T.tolist()
    assert table["seen"].to_pylist() == [0, None]
    assert table["class"].to_pylist() == ["=cat", "-1"]
    assert json.loads(table.schema.metadata[b"foldproof"]) == {"v": 1, "run": "r"}


def test_no_cell_of_a_csv_begins_a_formula_and_a_class_that_is_a_number_stays_one(tmp_path):
    with written(tmp_path / "t.csv").open(newline="") as file:
        _, *lines = csv.reader(file)
    assert [line[:2] for line in lines] == [["a.png", "'=cat"], ["./=c.png", "-1"]]


def test_rows_are_written_as_they_come():
    said = []
    for rows in (CsvRows(said.append, CLASSES), JsonRows(said.append, CLASSES, {})):
        said.clear()
        rows.write(ROWS[0])
        assert "a.png" in "".join(said)


def test_a_parquet_table_has_groups_of_rows_of_bounded_size(tmp_path, monkeypatch):
    monkeypatch.setattr("foldproof.predict.table._VALUES", 6)
    with writing(tmp_path / "t.parquet", CLASSES, {}) as writer:
        for _ in range(5):
            writer.write(ROWS[0])
    assert pq.ParquetFile(tmp_path / "t.parquet").metadata.num_row_groups == 3


def test_a_table_of_no_images_is_one_in_every_form(tmp_path):
    for name in ("t.csv", "t.json", "t.parquet"):
        with writing(tmp_path / name, CLASSES, {}):
            pass
    assert json.loads((tmp_path / "t.json").read_text())["images"] == []
    assert pq.read_table(tmp_path / "t.parquet").num_rows == 0


def fail_on_the_way(file):
    with writing(file, CLASSES, {}) as writer:
        writer.write(ROWS[0])
        raise KeyError


def test_what_fails_on_the_way_leaves_the_table_as_it_was(tmp_path):
    for name in ("t.csv", "t.json", "t.parquet"):
        (tmp_path / name).write_text("before")
        with pytest.raises(KeyError):
            fail_on_the_way(tmp_path / name)
        assert (tmp_path / name).read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    "name", ["labels", "labels.xlsx", "nowhere/labels.csv", "folder.csv", "list.csv", "linked.csv"]
)
def test_a_table_that_cannot_be_written_is_refused_before_anything_is_labelled(tmp_path, name):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "list.csv").write_text("path\n1.png\n")
    (tmp_path / "linked.csv").symlink_to(tmp_path / "list.csv")
    with pytest.raises(StorageError) as raised:
        check_output(tmp_path / name, [str(tmp_path / "list.csv"), "-"])
    assert raised.value.next_step
    check_output(tmp_path / "labels.CSV", [str(tmp_path / "list.csv")])
