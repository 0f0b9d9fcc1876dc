"""What images are: by their paths, by a table, merged, left out, held out."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import CLASSES, draw, draw_classes
from foldproof.config.schema import DataSettings, FoldSource
from foldproof.data.labels.asked import asked_of
from foldproof.data.labels.describe import describe
from foldproof.data.labels.from_splits import folds_in
from foldproof.data.labels.said import ImageLabel, Rules
from foldproof.data.scan import scan
from foldproof.errors import DataError
from foldproof.project import Project
from foldproof.training_data.inspection import inspect

PATHS = ["p1/cat/1.png", "p1/dog/2.png", "p2/cat/3.png"]


def labels(paths: list[str], rules: Rules) -> dict[str, str]:
    return {path: said.label for path, said in describe(paths, Path("images"), rules).said.items()}


def table(folder: Path, text: str, name: str = "labels.csv") -> Rules:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return Rules(table=folder / name)


@pytest.mark.parametrize(
    ("label_by", "expected"),
    [
        (None, ["p1", "p1", "p2"]),
        ("top", ["p1", "p1", "p2"]),
        ("parent", ["cat", "dog", "cat"]),
        (r"/(\w)", ["c", "d", "c"]),
    ],
)
def test_the_class_is_the_first_folder_the_last_or_what_a_pattern_finds(label_by, expected):
    assert list(labels(PATHS, Rules(label_by=label_by)).values()) == expected


@pytest.mark.parametrize(("label_by", "group"), [("parent", "p1"), (r"/(\w+)/", "p1"), ("top", "cat")])
def test_the_group_by_folders_is_all_folders_but_the_class(label_by, group):
    said = describe(PATHS, Path("images"), Rules(label_by=label_by, group_by="parent")).said
    assert said["p1/cat/1.png"].group == group


def test_a_pattern_that_finds_nothing_names_the_image():
    with pytest.raises(DataError, match=r"data.label_by finds no label in p1/cat/1.png"):
        labels(PATHS, Rules(label_by=r"class=(\w+)"))


SPELLINGS = {
    "below the folder": "p1/cat/1.png",
    "with the folder's name": "photos/p1/cat/1.png",
    "with backslashes": "p1\\cat\\1.png",
    "its mere name": "1.png",
    "its name without suffix": "1",
}


@pytest.mark.parametrize("how", SPELLINGS)
def test_a_table_may_name_an_image_in_each_usual_way(tmp_path, how):
    rules = table(tmp_path, f"file,label\n{SPELLINGS[how]},sick\n")
    described = describe(PATHS, tmp_path / "photos", rules)
    assert described.said == {"p1/cat/1.png": ImageLabel("sick")}
    assert set(described.left) == set(PATHS[1:])


def test_a_name_that_several_images_have_is_refused(tmp_path):
    rules = table(tmp_path, "file,label\n1.png,sick\n")
    with pytest.raises(DataError, match=r"labels.csv, line 2: 1.png can be a/1.png, b/1.png"):
        describe(["a/1.png", "b/1.png"], tmp_path / "photos", rules)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("image_id,dx,patient_id,kfold\n1,mel,anna,0\n", {}),
        ("image_id;dx;patient_id;kfold\n1;mel;anna;0\n", {}),
        ("\ufeffName\tClass\tSubject\tFold\n1.png\tmel\tanna\t0\n", {}),
        ("bild,befund,wer,teil\n1,mel,anna,0\n", {"path": "bild", "label": "befund", "group": "wer", "fold": "teil"}),
    ],
)
def test_usual_columns_are_recognised_and_others_can_be_named(tmp_path, text, given):
    rules = replace(table(tmp_path, text), columns=given)
    described = describe(PATHS, tmp_path, rules)
    assert described.said["p1/cat/1.png"] == ImageLabel("mel", "anna", "0")
    assert "label" in described.notes[0]


def test_a_parquet_table_says_the_same_as_a_csv(tmp_path):
    columns = {"path": PATHS, "label": [0, 1, None], "fold": [0.0, 1.0, None]}
    pq.write_table(pa.table(columns), tmp_path / "labels.parquet")
    described = describe(PATHS, tmp_path, Rules(table=tmp_path / "labels.parquet"))
    assert described.said == {PATHS[0]: ImageLabel("0", fold="0"), PATHS[1]: ImageLabel("1", fold="1")}
    assert PATHS[2] in described.left


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no column that is known to hold the path"),
        ("path\na.png\n", "hold the label"),
        ("path,label\np1/cat/1.png,a\np1/cat/1.png,b\n", "line 3: p1/cat/1.png stands there twice"),
        ("path,label\np1/cat/1.png\n", "line 2: 1 cells, but 2 columns"),
        ("path,label,label\nx,a,b\n", "a column 'label' twice"),
        ("PK\x03\x04spreadsheet", "is no text"),
        ('path,label\n"x,a\n', "labels.csv, line 2"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_its_line(tmp_path, text, said):
    rules = table(tmp_path, text)
    with pytest.raises(DataError, match=said) as raised:
        describe(PATHS, tmp_path, rules)
    assert raised.value.next_step
    assert len(str(raised.value).splitlines()) <= 3


def test_a_table_that_is_not_there_and_a_column_that_is_not_are_named(tmp_path):
    with pytest.raises(DataError, match="is not there"):
        describe(PATHS, tmp_path, Rules(table=tmp_path / "none.csv"))
    rules = replace(table(tmp_path, "path,diagnosis\nx,a\n"), columns={"label": "diagnoses"})
    with pytest.raises(DataError, match="no column 'diagnoses'") as raised:
        describe(PATHS, tmp_path, rules)
    assert "did you mean 'diagnosis'?" in raised.value.next_step
    with pytest.raises(DataError, match="a role 'labels'") as raised:
        describe(PATHS, tmp_path, replace(rules, columns={"labels": "diagnosis"}))
    assert "label" in raised.value.next_step


def test_rows_without_image_and_images_without_row_are_findings(tmp_path):
    draw_classes(tmp_path / "photos", each=2)
    (tmp_path / "labels.csv").write_text("path,label\ncat/000.png,a\ndog/000.png,b\nlost.png,a\neel/000.png,\n")
    seen = inspect(tmp_path / "photos", DataSettings(path="photos", labels="labels.csv"))
    found = {(finding.code, finding.subject) for finding in seen.findings}
    assert {("row-without-image", "lost.png"), ("unlabelled", "eel/000.png"), ("unlabelled", "cat/001.png")} <= found
    assert [sample.path for sample in sorted(seen.dataset.samples, key=lambda s: s.path)] == [
        "cat/000.png",
        "dog/000.png",
    ]


def test_images_need_no_folders_where_a_table_says_their_labels(tmp_path):
    for number in range(4):
        draw(tmp_path / "photos" / f"{number}.png", label=number % 2, number=number)
    rules = table(tmp_path, "path,label\n0,a\n1,b\n2,a\n3,b\n")
    assert scan(tmp_path / "photos", rules=rules).dataset.count_by_class == {"a": 2, "b": 2}


def test_none_of_the_images_of_a_table_being_there_says_where_to_look(tmp_path):
    draw_classes(tmp_path / "photos", each=1)
    with pytest.raises(DataError, match=r"none of the 2 images of labels.csv") as raised:
        scan(tmp_path / "photos", rules=table(tmp_path, "path,label\nx.png,a\ny.png,b\n"))
    assert "data.path" in raised.value.next_step


def test_classes_are_merged_left_out_or_kept():
    assert set(labels(PATHS, Rules(label_by="parent", classes={"dog": "cat"})).values()) == {"cat"}
    assert list(labels(PATHS, Rules(label_by="parent", classes={"dog": None}))) == [PATHS[0], PATHS[2]]
    assert list(labels(PATHS, Rules(label_by="parent", classes=["dog"]))) == [PATHS[1]]


def test_a_class_to_merge_that_no_image_has_is_named_with_the_nearest(tmp_path):
    draw_classes(tmp_path / "photos", each=2)
    with pytest.raises(DataError, match=r"data.classes names 'cats'") as raised:
        inspect(tmp_path / "photos", DataSettings(path="photos", classes={"cats": "pet"}))
    assert "did you mean 'cat'?" in raised.value.next_step


SPLITS = "path,label,split\np1/cat/1.png,a,train\np1/dog/2.png,b,val\np2/cat/3.png,a,test\n"


def test_a_column_of_splits_is_not_trained_on_as_one(tmp_path):
    with pytest.raises(DataError, match="trained on as one") as raised:
        describe(PATHS, tmp_path, table(tmp_path, SPLITS))
    assert "data.test: test" in raised.value.next_step
    assert "folds.scheme: predefined" in raised.value.next_step
    assert len(str(raised.value).splitlines()) <= 3


def test_a_split_is_held_out_and_the_rest_is_folded(tmp_path):
    described = describe(PATHS, tmp_path, replace(table(tmp_path, SPLITS), held_split="test"))
    assert list(described.held_out) == [PATHS[2]]
    assert list(described.said) == PATHS[:2]
    with pytest.raises(DataError, match="has no split 'tests'") as raised:
        describe(PATHS, tmp_path, replace(table(tmp_path, SPLITS), held_split="tests"))
    assert "did you mean 'test'?" in raised.value.next_step


def test_predefined_folds_never_train_on_the_test_part(tmp_path):
    with pytest.raises(DataError, match="a split 'test', which folds must not train on"):
        describe(PATHS, tmp_path, replace(table(tmp_path, SPLITS), as_folds=True))
    parts = ["train/a/1.png", "val/b/2.png", "test/a/3.png"]
    with pytest.raises(DataError, match="a folder 'test'"):
        describe(parts, tmp_path, Rules(label_by="parent", as_folds=True))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    draw_classes(tmp_path / "images", each=4)
    for label, name in enumerate(CLASSES):
        draw(tmp_path / "test" / name / "t.png", label=label, number=900)
    (tmp_path / "params.yaml").write_text("version: 1\n")
    return Project(tmp_path / "params.yaml")


def seen(project: Project, **data: object):
    asked = DataSettings(path="images", **data)  # type: ignore[arg-type]
    return inspect(project.path("images"), asked, project=project)


def test_a_folder_is_held_out_whether_it_lies_inside_or_outside(project):
    outside = seen(project, test="test")
    assert (len(outside.dataset), len(outside.held_out)) == (12, 3)
    assert {sample.path for sample in outside.held_out.samples} == {f"test/{name}/t.png" for name in CLASSES}
    (project.root / "test").rename(project.root / "images" / "apart")
    inside = seen(project, test="images/apart")
    assert inside.held_out.fingerprint == outside.held_out.fingerprint
    assert inside.dataset.fingerprint == outside.dataset.fingerprint


def test_an_image_on_both_sides_is_an_error_by_its_pixels_whatever_its_name_and_format(project):
    from PIL import Image

    Image.open(project.root / "images" / "cat" / "000.png").save(project.root / "test" / "cat" / "other.bmp")
    found = [finding for finding in seen(project, test="test").findings if finding.code == "held-out-twice"]
    assert [(finding.subject, finding.is_error) for finding in found] == [("cat/000.png", True)]


def test_a_group_on_both_sides_is_an_error(project):
    for side in ("images", "test"):
        draw(project.root / side / "cat" / "anna" / "x.png", label=0, number=77 + len(side))
    found = {finding.code for finding in seen(project, test="test", group_by="parent").findings}
    assert "held-out-group" in found


def test_a_test_that_is_neither_folder_nor_split_says_so(project):
    with pytest.raises(DataError, match="there is no folder nowhere"):
        seen(project, test="nowhere")
    (project.root / "labels.csv").write_text("path,label\n")
    asked = DataSettings(path="images", labels="labels.csv", test="./test")
    with pytest.raises(DataError, match="is not in images"):
        asked_of(asked, FoldSource(), root=project.root, folder=project.path("images"))


def test_a_split_of_the_table_may_be_called_as_a_folder_beside_the_images(project):
    (project.root / "test").mkdir(exist_ok=True)
    asked = DataSettings(path="images", labels="labels.csv", test="test")
    made = asked_of(asked, FoldSource(), root=project.root, folder=project.path("images"))
    assert (made.rules.held_split, made.rules.held_folder, made.test_folder) == ("test", None, None)


def test_predefined_folds_are_read_from_a_table_and_from_nnunet(tmp_path):
    (tmp_path / "folds.csv").write_text("path,fold\n1,0\n2,1\n3,-1\nelsewhere,0\n")
    expected = {PATHS[0]: "0", PATHS[1]: "1", PATHS[2]: "-1"}
    assert folds_in(tmp_path / "folds.csv", PATHS, folder=tmp_path) == expected
    (tmp_path / "splits_final.json").write_text(
        '[{"train": ["2", "3"], "val": ["1"]}, {"train": ["1", "3"], "val": ["2"]}]'
    )
    assert folds_in(tmp_path / "splits_final.json", PATHS, folder=tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "no list of folds"),
        ("[", "is not JSON"),
        ('[{"train": ["1"], "val": ["2"]}, {"train": ["1"], "val": ["2"]}]', "2 validates in fold 0 and in fold 1"),
        ('[{"train": ["1"], "val": ["2"]}, {"train": ["2"], "val": ["3"]}]', "neither in train nor in val"),
        ('[{"train": ["1", "2"], "val": ["2"]}]', "is in train and in val"),
    ],
)
def test_splits_that_are_no_folds_are_refused(tmp_path, text, said):
    (tmp_path / "splits_final.json").write_text(text)
    with pytest.raises(DataError, match=said):
        folds_in(tmp_path / "splits_final.json", PATHS, folder=tmp_path)
