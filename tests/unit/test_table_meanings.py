"""What a table says of images: which column is what, which image is meant, which spellings are one, what is unknown."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from foldproof.data.labels.describe import describe
from foldproof.data.labels.from_splits import folds_in
from foldproof.data.labels.said import Labelling, Rules
from foldproof.data.scan import scan
from foldproof.errors import DataError

from conftest import draw  # isort: skip

PATHS = [f"{('oak', 'ash')[n % 2]}/leaf_{n:03d}.jpg" for n in range(12)]
KINDS = ("oak", "ash")


def by_table(folder: Path, header: str, rows: list[str], *, paths: list[str] = PATHS, **rules: object) -> Labelling:
    folder.mkdir(exist_ok=True)
    (folder / "labels.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return describe(paths, folder / "photos", replace(Rules(table=folder / "labels.csv"), **rules))  # type: ignore[arg-type]


def labels(described: Labelling) -> dict[str, int]:
    return dict(Counter(said.label for said in described.said.values()))


FORMS = {
    "another system's": (
        lambda path: rf"D:\me\photos\{path}".replace("/", "\\"),
        "common end of their paths: 12 of 12",
    ),
    "a notebook's": (lambda path: f"../input/trees/photos/{path}", "common end of their paths: 12 of 12"),
    "a leading slash": (lambda path: f"/{path}", "common end"),
    "other case": (str.upper, "in whatever case: 12 of 12"),
    "another suffix": (lambda path: path.replace(".jpg", ".png"), "without suffix: 12 of 12"),
    "none": (lambda path: path.removesuffix(".jpg"), "without suffix"),
    "no zeros": (lambda path: path.replace("_0", "_").replace("_0", "_"), "leading zeros: 12 of 12"),
}


@pytest.mark.parametrize("form", FORMS)
def test_paths_of_elsewhere_are_matched_by_their_common_end_and_it_is_said(tmp_path, form):
    write, said = FORMS[form]
    described = by_table(tmp_path, "path,label", [f"{write(path)},{path[:3]}" for path in PATHS])
    assert {path: one.label for path, one in described.said.items()} == {path: path[:3] for path in PATHS}
    assert said in described.notes[1]


def test_the_longest_common_end_tells_apart_what_has_one_name(tmp_path):
    paths = ["a/1.png", "b/1.png", "a/2.png", "b/2.png"]
    described = by_table(tmp_path, "path,label", [f"/far/away/{path},{path[0]}" for path in paths], paths=paths)
    assert {path: one.label for path, one in described.said.items()} == {path: path[0] for path in paths}


def test_an_end_that_several_images_have_is_refused_with_them(tmp_path):
    with pytest.raises(DataError, match=r"line 2: /far/1.png can be a/1.png, b/1.png"):
        by_table(tmp_path, "path,label", ["/far/1.png,x", "/far/2.png,y"], paths=["a/1.png", "b/1.png", "a/2.png"])


def test_two_names_that_would_mean_one_image_are_not_matched(tmp_path):
    described = by_table(tmp_path, "path,label", ["s/IMG_1,x", "t/img_01,y"], paths=["img_1.png", "other.png"])
    assert not described.said
    assert described.lacking == ("s/IMG_1", "t/img_01")


def test_where_no_image_is_found_the_three_nearest_are_named(tmp_path):
    for number in range(5):
        draw(tmp_path / "photos" / f"leaf_{number}.png", label=0, number=number)
    (tmp_path / "labels.csv").write_text("path,label\nblatt_3.png,a\nblatt_4.png,b\n")
    with pytest.raises(DataError, match="none of the 2 images") as raised:
        scan(tmp_path / "photos", rules=Rules(table=tmp_path / "labels.csv"))
    assert raised.value.next_step.count("leaf_") == 3


def test_the_column_of_paths_is_the_one_whose_cells_name_images(tmp_path):
    rows = [f"{n},holiday,leaf_{n:03d},{KINDS[n % 2]}" for n in range(12)]
    described = by_table(tmp_path, "id,name,aufnahme,label", rows)
    assert labels(described) == {"oak": 6, "ash": 6}
    assert "path from 'aufnahme' (its cells name 12 images)" in described.notes[0]
    assert "not used: id, name" in described.notes[0]


def test_coordinates_are_no_labels_and_the_label_is_known_by_its_few_values(tmp_path):
    rows = [f"leaf_{n:03d}.jpg,{n % 3},{n % 2},{('benign', 'malignant')[n % 2]}" for n in range(12)]
    described = by_table(tmp_path, "filename,x,y,tumor", rows)
    assert labels(described) == {"benign": 6, "malignant": 6}
    assert "label from 'tumor' (2 values: benign 6, malignant 6)" in described.notes[0]


def test_y_is_the_label_where_nothing_else_can_be_and_there_is_no_x(tmp_path):
    rows = [f"leaf_{n:03d}.jpg,{n % 2}" for n in range(12)]
    assert labels(by_table(tmp_path, "filename,y", rows)) == {"0": 6, "1": 6}


def test_several_columns_that_could_be_the_label_are_asked_for_with_their_values(tmp_path):
    rows = [f"leaf_{n:03d}.jpg,{n % 3},{KINDS[n % 2]}" for n in range(12)]
    with pytest.raises(DataError, match=r"'stage' \(3 values: 0 4, 1 4, 2 4\); 'kind' \(2 values") as raised:
        by_table(tmp_path, "filename,stage,kind", rows)
    assert "data: {columns: {label: stage}}" in raised.value.next_step


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        ("03.11.2019", "7.2", "visit"),
        ("2019-11-3 7:05", "iso", "visit"),
        ("3 Nov 2019", "17", "visit"),
        ("1/60", "0.5", ""),
        ("12", "3.11", ""),
        ("03.11.2019", "04.12.2019", ""),
    ],
)
def test_a_column_of_dates_says_the_time_however_it_is_called_where_it_is_the_only_one(tmp_path, first, second, taken):
    rows = [f"leaf_{n:03d}.jpg,{KINDS[n % 2]},{first.replace('3', str(n % 9 + 1), 1)},{second}" for n in range(12)]
    rows = [row.replace("04.12", f"0{n % 9 + 1}.12") for n, row in enumerate(rows)]
    said = by_table(tmp_path, "filename,kind,visit,seen", rows)
    assert any("time from 'visit' (its cells are dates)" in note for note in said.notes) == bool(taken)
    assert all(bool(one.time) == bool(taken) for one in said.said.values())


def test_measurements_are_not_guessed_to_be_labels(tmp_path):
    rows = [f"leaf_{n:03d}.jpg,{0.37 * n:.2f},{20 + n // 2}" for n in range(12)]
    with pytest.raises(DataError, match="no column that is known to hold the label"):
        by_table(tmp_path, "filename,length,age", rows)


def test_what_says_that_there_is_no_label_is_counted_and_said_and_no_class(tmp_path):
    none = ["NaN", "None", "N/A", "null", "#N/A", ""]
    rows = [f"{path},{none[n] if n < 6 else path[:3]}" for n, path in enumerate(PATHS)]
    described = by_table(tmp_path, "path,label", rows)
    assert labels(described) == {"oak": 3, "ash": 3}
    assert "no label in 6 of 12 rows (NaN 1, None 1, N/A 1, null 1, …)" in described.notes[1]
    assert "data.classes: {NaN: nan}" in described.notes[1]


def test_a_class_that_is_called_none_is_one_on_request(tmp_path):
    rows = [f"{path},{('None', 'mild')[n % 2]}" for n, path in enumerate(PATHS)]
    assert labels(by_table(tmp_path, "path,label", rows)) == {"mild": 6}
    assert labels(by_table(tmp_path, "path,label", rows, classes={"None": "healthy"})) == {"healthy": 6, "mild": 6}
    assert labels(by_table(tmp_path, "path,label", rows, classes=["None", "mild"])) == {"None": 6, "mild": 6}


def test_spellings_of_a_class_are_one_and_each_is_kept_with_its_count(tmp_path):
    spelled = ["benign", "Benign ", "benign", "BENIGN", "0", "0.0"]
    described = by_table(tmp_path, "path,label", [f"{path},{spelled[n % 6]}" for n, path in enumerate(PATHS)])
    assert labels(described) == {"benign": 8, "0": 4}
    assert described.written == {"benign": {"BENIGN": 2, "Benign": 2, "benign": 4}, "0": {"0": 2, "0.0": 2}}
    assert "one class whatever its spelling" in described.notes[1]
    merged = by_table(tmp_path, "path,label", [f"{path},{spelled[n % 6]}" for n, path in enumerate(PATHS)],
                      classes={"0": "benign"})  # fmt: skip
    assert sum(merged.written["benign"].values()) == 12


def test_spellings_that_the_settings_name_stay_apart(tmp_path):
    rows = [f"{path},{('us', 'US')[n % 2]}" for n, path in enumerate(PATHS)]
    assert len(labels(by_table(tmp_path, "path,label", rows))) == 1
    assert labels(by_table(tmp_path, "path,label", rows, classes=["us", "US"])) == {"us": 6, "US": 6}


def test_an_unknown_group_is_no_group_and_is_counted_and_said(tmp_path):
    who = ["7", "7.0", "nan", "-", "unknown", "08", "8", "", "P1", "p1", "?", "9"]
    rows = [f"{path},{path[:3]},{who[n]}" for n, path in enumerate(PATHS)]
    described = by_table(tmp_path, "path,label,PatientID", rows)
    groups = [described.said[path].group for path in PATHS]
    assert groups[0] == groups[1] == "7"
    assert groups[5] == groups[6]
    assert groups[8] == groups[9]
    assert [groups[n] for n in (2, 3, 4, 7, 10)] == [""] * 5
    assert "PatientID unknown in 5 of 12 rows" in described.notes[1]
    assert "each of these images is a group of its own" in described.notes[1]


def test_rows_that_stand_twice_alike_are_counted_and_those_that_differ_refused(tmp_path):
    rows = [f"{path},{path[:3]}" for path in PATHS]
    described = by_table(
        tmp_path, "path,label", [*rows, rows[0].replace("oak", "Oak", 2).replace("Oak/", "oak/"), rows[1]]
    )
    assert len(described.said) == 12
    assert "2 rows left out, alike to another of the same image" in described.notes[-1]
    with pytest.raises(DataError, match=r"line 14: oak/leaf_000.jpg stands there twice.*label 'oak' and 'ash'"):
        by_table(tmp_path, "path,label", [*rows, "oak/leaf_000.jpg,ash"])


def test_a_note_holds_no_line_of_its_own_whatever_the_table_holds(tmp_path):
    rows = [f'{path},"{("a", "A")[n % 2]}\nb"' for n, path in enumerate(PATHS)]
    for note in by_table(tmp_path, "path,label", rows).notes:
        assert len(note.splitlines()) == 1


def test_a_file_of_folds_may_name_images_as_a_table_of_labels_may(tmp_path):
    (tmp_path / "folds.csv").write_bytes("\ufeffImageID;KFold\nLEAF_000;1.0\nLEAF_001;2\n".encode("utf-16"))
    assert folds_in(tmp_path / "folds.csv", PATHS, folder=tmp_path) == {PATHS[0]: "1.0", PATHS[1]: "2"}


def test_a_running_number_is_no_name_of_an_image_beside_one(tmp_path):
    paths = [f"{n + 1}.png" for n in range(12)]
    rows = [f"{n + 1},{12 - n},{KINDS[n % 2]}" for n in range(12)]
    described = by_table(tmp_path, "id,aufnahme,label", rows, paths=paths)
    assert "path from 'aufnahme'" in described.notes[0]
    assert described.said["12.png"].label == "oak"


def test_two_columns_that_name_different_images_are_asked_about(tmp_path):
    paths = [f"{n + 1}.png" for n in range(12)]
    rows = [f"{(5 * n) % 12 + 1},{12 - n},{KINDS[n % 2]}" for n in range(12)]
    with pytest.raises(DataError, match="'id' and 'aufnahme' name images, and not the same, such as 1 and 12"):
        by_table(tmp_path, "id,aufnahme,label", rows, paths=paths)


def test_a_test_that_a_table_labels_as_the_rest_is_refused_unless_it_is_kept_apart_or_asked_for(tmp_path):
    paths = [f"{part}/{n}.png" for part in ("train", "test") for n in range(6)]
    rows = [f"{path},{('oak', 'ash')[n % 2]}" for n, path in enumerate(paths)]
    with pytest.raises(DataError, match="labels images of photos/test, a test by its name") as refused:
        by_table(tmp_path, "path,label", rows, paths=paths)
    assert "data.test: …/photos/test" in refused.value.next_step
    kept = by_table(tmp_path, "path,label", rows, paths=paths, held_folder="test")
    assert (len(kept.said), len(kept.held_out)) == (6, 6)
    assert len(by_table(tmp_path, "path,label", rows, paths=paths, columns={"split": ""}).said) == 12


def test_a_column_whose_values_are_parts_is_that_of_splits_whatever_its_name(tmp_path):
    rows = [f"{path},{path[:3]},{('train', 'Valid', 'TEST')[n % 3]}" for n, path in enumerate(PATHS)]
    described = by_table(tmp_path, "path,label,data set", rows, held_split="TEST", columns={})
    assert len(described.held_out) == 4
    assert "split from 'data set' (its values are " in described.notes[0]
