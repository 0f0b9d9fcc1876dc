"""Folders as systems, publishers and annotators leave them: what is a class, a part, a mask or nobody's."""

from pathlib import Path

import pytest

from conftest import draw, draw_classes
from foldproof.cli.main import run_command
from foldproof.config.read import load_settings
from foldproof.config.schema import DataSettings
from foldproof.data.labels.describe import describe
from foldproof.data.labels.masks import masks_among
from foldproof.data.labels.parts import Part, are_parts, original_among, part_of, parts_of
from foldproof.data.labels.said import Rules
from foldproof.data.patterns import left_out
from foldproof.data.scan import Ignored, scan
from foldproof.errors import DataError
from foldproof.project import Project
from foldproof.scaffold.make import scaffold
from foldproof.training_data.inspection import inspect

TRAINS, VALIDATES, TESTS, HAS_NONE = Part.TRAINING, Part.VALIDATION, Part.TESTING, Part.UNLABELLED


def trained_on(folder: Path):
    """The images of the project that `init` makes of `folder`, inspected by its own settings."""
    made = scaffold(folder)
    settings = load_settings(made.settings_file).settings
    project = Project(made.settings_file)
    return settings, inspect(project.path(settings.data.path), settings.data, settings.folds, project=project)


# --- what is nobody's


@pytest.mark.parametrize(
    "place",
    ["@eaDir/000.png/thumb.png", "#recycle/x.png", "$RECYCLE.BIN/S-1/x.png", "__MACOSX/x.png", "lost+found/x.png",
     "System Volume Information/x.png", "cat/@eaDir/000.png/thumb.png", "dog/@Recycle/x.png", "found.000/x.png",
     ".ipynb_checkpoints/x.png", "cat/._000.png", ".Trash-1000/files/x.png"],
)  # fmt: skip
def test_what_a_system_left_is_no_class_and_not_trained_on_and_is_named(tmp_path, place):
    draw_classes(tmp_path, each=3)
    draw(tmp_path / place, label=1, number=50)
    found = scan(tmp_path)
    assert dict(found.dataset.count_by_class) == {"cat": 3, "dog": 3, "eel": 3}
    (ignored,) = found.ignored
    assert (ignored.reason, ignored.code) == ("1 file", "editor-checkpoint")
    assert ignored.path in place or ignored.path.endswith("*")
    assert place in found.md5


def test_what_a_system_left_in_many_places_is_named_once_with_its_count(tmp_path):
    draw_classes(tmp_path, each=3)
    for name in ("cat", "dog"):
        for number in range(3):
            draw(tmp_path / name / "@eaDir" / f"00{number}.png" / "thumb.png", label=0, number=60 + number)
        (tmp_path / name / "Thumbs.db").write_bytes(b"x")
    assert scan(tmp_path).ignored == (
        Ignored("@eaDir", "6 files in 2 places"),
        Ignored("Thumbs.db", "2 files in 2 places"),
    )


def test_thumbnails_of_a_network_drive_are_no_groups(tmp_path):
    draw_classes(tmp_path / "photos", each=5)
    for name in ("cat", "dog", "eel"):
        draw(tmp_path / "photos" / name / "@eaDir" / "000.png" / "thumb.png", label=0, number=0)
    settings, seen = trained_on(tmp_path)
    assert (settings.data.group_by, len(seen.dataset)) == (None, 15)


# --- parts of a set


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("training", TRAINS),
        ("TrainingSet", TRAINS),
        ("seg_train", TRAINS),
        ("train2017", TRAINS),
        ("imagesTr", TRAINS),
        ("trainval", TRAINS),
        ("02_valid", VALIDATES),
        ("dev-images", VALIDATES),
        ("evaluation", VALIDATES),
        ("test_set", TESTS),
        ("testdata", TESTS),
        ("hold-out", TESTS),
        ("Held Out", TESTS),
        ("seg_pred", HAS_NONE),
        ("unlabeled", HAS_NONE),
        ("test_unlabelled", HAS_NONE),
        ("images", None),
        ("train_cats", None),
        ("trainers", None),
        ("testes", None),
        ("valley", None),
        ("12", None),
    ],
)
def test_the_words_of_a_name_say_which_part_it_is(name, part):
    assert part_of(name) == part


def test_an_evaluation_is_the_test_where_something_else_validates():
    assert parts_of({"train", "eval"})["eval"] == VALIDATES
    assert parts_of({"train", "validation", "eval"})["eval"] == TESTS


def test_parts_need_one_that_trains_and_another():
    assert are_parts({"training_set", "test_set"})
    assert not are_parts({"training_set"})
    assert not are_parts({"val", "test"})
    assert not are_parts({"train", "bus"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parts", "test"),
    [(("training_set", "test_set"), "test_set"), (("training", "validation", "evaluation"), "evaluation"),
     (("seg_train/seg_train", "seg_test/seg_test"), "seg_test/seg_test"), (("train", "holdout"), "holdout")],
)  # fmt: skip
def test_parts_of_any_usual_name_become_folds_of_our_own_and_a_test(tmp_path, parts, test):
    for number, part in enumerate(parts):
        for label, name in enumerate(("rice", "soup")):
            for index in range(4):
                draw(tmp_path / "food" / part / name / f"{index}.png", label=label, number=100 * number + index)
    settings, seen = trained_on(tmp_path)
    assert (settings.data.label_by, settings.data.group_by, settings.data.test) == ("parent", None, f"food/{test}")
    assert seen.dataset.classes == ("rice", "soup")
    assert (len(seen.dataset), len(seen.held_out)) == (8 * (len(parts) - 1), 8)
    assert not seen.found.ignored
    rules = Rules(label_by="parent", held_folder=test)
    assert not scan(tmp_path / "food", rules=rules, choose=lambda labels: list(labels)).ignored
    with pytest.raises(DataError, match="parts of a data set, not classes"):
        scan(tmp_path / "food")


def test_a_part_without_classes_is_left_out_and_it_is_said(tmp_path):
    for number, part in enumerate(("seg_train", "seg_test")):
        draw_classes(tmp_path / "scenes" / part / part, each=3 + number, classes=("sea", "street"))
    for number in range(3):
        draw(tmp_path / "scenes" / "seg_pred" / "seg_pred" / f"{number}.png", label=0, number=70 + number)
    settings, seen = trained_on(tmp_path)
    assert settings.data.exclude == ["seg_pred"]
    assert seen.found.described.told == ("3 images left out by data.exclude: seg_pred",)
    assert dict(seen.dataset.count_by_class) == {"sea": 3, "street": 3}
    described = describe(list(seen.found.md5), tmp_path, Rules(label_by="parent"))
    assert {path.partition("/")[0] for path in described.left} == {"seg_pred"}


def test_a_part_beside_folders_that_are_none_is_not_trained_on_as_a_class(tmp_path):
    for part in ("train", "test"):
        draw_classes(tmp_path / "set" / part, each=2)
    draw(tmp_path / "set" / "extra" / "1.png", label=0, number=77)
    with pytest.raises(DataError, match="holds extra, test, train: parts of a data set") as raised:
        scan(tmp_path / "set")
    assert "data.exclude: [extra]" in raised.value.next_step


def test_parts_inside_the_classes_are_neither_groups_nor_trained_on_unasked(tmp_path):
    for label, name in enumerate(("cat", "dog")):
        for number in range(10):
            draw(tmp_path / "set" / name / ("train", "test")[number > 6] / f"{number}.png", label=label, number=number)
    with pytest.raises(DataError, match=r"the class folders in .* hold test, train") as raised:
        scan(tmp_path / "set")
    assert "data.label_by: top" in raised.value.next_step
    settings, seen = trained_on(tmp_path)
    assert (settings.data.label_by, settings.data.group_by, settings.data.exclude) == ("top", None, ["*/test"])
    assert dict(seen.dataset.count_by_class) == {"cat": 7, "dog": 7}


# --- masks


def test_masks_in_folders_beside_their_images_are_left_out_and_the_classes_are_around_both(tmp_path):
    for label, name in enumerate(("flu", "well", "covid")):
        for number in range(4):
            draw(tmp_path / "lungs" / name / "images" / f"{name}-{number}.png", label=label, number=number)
            draw(tmp_path / "lungs" / name / "masks" / f"{name}-{number}.png", label=label, number=50 + number)
    settings, seen = trained_on(tmp_path)
    assert (settings.data.label_by, settings.data.group_by, settings.data.masks) == (None, None, "exclude")
    assert dict(seen.dataset.count_by_class) == {"covid": 4, "flu": 4, "well": 4}
    (told,) = seen.found.described.told
    assert told.startswith("12 images that are masks of others")
    assert "data.masks: train" in told


def test_masks_are_trained_on_where_that_is_asked_for(tmp_path):
    for label, name in enumerate(("flu", "well")):
        for number, kind in enumerate(("images", "masks")):
            draw(tmp_path / name / kind / "1.png", label=label, number=number)
    assert len(inspect(tmp_path, DataSettings(masks="train")).dataset) == 4
    assert len(inspect(tmp_path, DataSettings()).dataset) == 2


@pytest.mark.parametrize(
    ("image", "mask"),
    [("benign/x (1).png", "benign/x (1)_mask.png"), ("benign/x (1).png", "benign/x (1)_mask_1.png"),
     ("a/ISIC_1.jpg", "a/ISIC_1_segmentation.png"), ("images/cat/1.jpg", "GT/cat/1.png"),
     ("train/a/Images/7.jpg", "train/a/ground_truth/7_gt.png"), ("c/img/1.png", "c/annotations/1.png"),
     ("a/7.jpg", "a/mask_7.png"), ("a/7.jpg", "a/masks/7.png"), ("a/7.jpg", "a_masks/7.png"),
     ("x/a/7.jpg", "x/a mask/7_mask.png"), ("a/raw/7.tif", "a/annotations/7.png"), ("a/slices/7.png", "a/GT/7.png")],
)  # fmt: skip
def test_a_mask_is_known_by_the_image_that_it_is_of(image, mask):
    assert masks_among([image, mask]) == {mask}
    assert masks_among([mask]) == frozenset()


@pytest.mark.parametrize(
    "paths",
    [
        ("with_mask/1.png", "without_mask/1.png"),
        ("images/a.png", "masks/b.png"),
        ("cat/label_1.png", "cat/label_2.png"),
        ("mask/1.png", "no_mask/1.png"),
        ("cat/1.png", "masks/1.png"),
        ("cat/1.png", "cat/masks/2.png"),
    ],
)
def test_classes_and_names_that_only_sound_like_masks_are_none(paths):
    assert masks_among(paths) == frozenset()


# --- what a person leaves out


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("old", ["cat/old/1.png", "old/2.png"]),
        ("*_b.png", ["dog/3_b.png"]),
        ("cat/old", ["cat/old/1.png"]),
        ("*/old/", ["cat/old/1.png"]),
        ("/old", ["old/2.png"]),
        ("**/old", ["cat/old/1.png", "old/2.png"]),
        ("[od]*", ["cat/old/1.png", "old/2.png", "dog/3_b.png", "dog/older.png"]),
        ("OLD", []),
    ],
)
def test_a_pattern_takes_a_name_anywhere_or_a_path_from_the_top(pattern, matched):
    paths = ["cat/old/1.png", "old/2.png", "dog/3_b.png", "dog/older.png"]
    assert sorted(left_out(paths, [pattern])) == sorted(matched)


def test_files_are_left_out_by_pattern_and_a_pattern_that_takes_none_is_named(tmp_path):
    draw_classes(tmp_path / "photos", each=3)
    seen = inspect(tmp_path / "photos", DataSettings(exclude=["00[12].png", "thumbs"]))
    assert dict(seen.dataset.count_by_class) == {"cat": 1, "dog": 1, "eel": 1}
    assert seen.found.described.told == ("6 images left out by data.exclude: 00[12].png",)
    assert [item.subject for item in seen.findings if item.code == "idle-pattern"] == ["thumbs"]


def test_a_row_of_the_table_whose_image_is_left_out_is_not_lacking(tmp_path):
    draw(tmp_path / "photos" / "a.png", label=0, number=1)
    draw(tmp_path / "photos" / "old" / "b.png", label=1, number=2)
    (tmp_path / "labels.csv").write_text("path,label\na.png,x\nold/b.png,y\nc.png,y\n")
    rules = Rules(table=tmp_path / "labels.csv", exclude=("old",))
    assert scan(tmp_path / "photos", rules=rules).described.lacking == ("c.png",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("training", "test"), [("train", "test"), ("training_set", "holdout"), ("seg_train", "seg_test")]
)
def test_parts_that_lie_in_the_project_itself_are_seen_as_such(tmp_path, training, test):
    for number, part in enumerate((training, test, "unlabeled", "val_set")):
        draw_classes(tmp_path / part, each=3 + number, classes=("cat", "dog"))
    settings, seen = trained_on(tmp_path)
    assert (settings.data.path, settings.data.test, settings.data.label_by) == (training, test, None)
    assert dict(seen.dataset.count_by_class) == {"cat": 3, "dog": 3}


def test_a_test_without_classes_beside_the_training_part_is_left_alone_and_named(tmp_path):
    draw_classes(tmp_path / "train", each=3)
    draw(tmp_path / "test" / "1.png", label=0, number=50)
    made = scaffold(tmp_path)
    assert load_settings(made.settings_file).settings.data.test is None
    assert "test beside it: parts of the data set that are not trained on" in made.lines


# --- copies


def test_folders_called_as_versions_of_images_are_versions_where_they_hold_the_same_folders():
    def paths(*tops, classes=("a", "b")):
        return [f"{top}/{name}/1.png" for top in tops for name in classes]

    assert original_among(paths("Original", "Augmented")) == "Original"
    assert original_among(paths("color", "grayscale", "segmented")) is None
    assert original_among(paths("grey", "red")) is None
    assert original_among(paths("raw", "source", "grey")) is None
    assert original_among(paths("raw", "processed", classes=("a",))) is None
    assert original_among([*paths("raw"), "processed/1.png", "processed/2.png"]) is None


@pytest.mark.slow
def test_a_set_that_holds_itself_again_is_not_trained_on_as_a_class(tmp_path):
    draw_classes(tmp_path / "pets", each=3, classes=("cat", "dog"))
    draw_classes(tmp_path / "pets" / "pets", each=3, classes=("cat", "dog"))
    with pytest.raises(DataError, match="holds pets, and pets the other classes again") as raised:
        scan(tmp_path / "pets")
    assert "data.exclude: [pets]" in raised.value.next_step
    settings, seen = trained_on(tmp_path)
    assert (settings.data.exclude, dict(seen.dataset.count_by_class)) == (["pets"], {"cat": 3, "dog": 3})


def test_a_set_in_a_set_with_images_of_its_own_is_labelled_by_the_inner_folders(tmp_path):
    draw_classes(tmp_path / "pets", each=3, classes=("cat", "dog"))
    draw_classes(tmp_path / "pets" / "more", each=5, classes=("cat", "dog"))
    settings, seen = trained_on(tmp_path)
    assert (settings.data.label_by, dict(seen.dataset.count_by_class)) == ("parent", {"cat": 8, "dog": 8})


def test_copies_that_an_annotation_service_made_share_a_fold(tmp_path):
    for label, name in enumerate(("cat", "dog")):
        for number in range(12):
            copy = f"IMG_{label}{number // 3}_jpg.rf.{number:032x}.jpg"
            draw(tmp_path / "photos" / name / copy, label=label, number=number)
    findings = {finding.code: finding for finding in inspect(tmp_path / "photos", DataSettings()).findings}
    assert findings["copies-by-name"].text == "24 images are copies of 8 pictures"
    settings, seen = trained_on(tmp_path)
    assert len({sample.group for sample in seen.dataset.samples}) == 8
    assert "copies-by-name" not in {finding.code for finding in seen.findings}
    assert settings.data.group_by is not None


def test_images_that_are_kept_apart_are_none_that_were_not_chosen(tmp_path):
    for part in ("train", "test"):
        draw_classes(tmp_path / part, each=2)
    rules = Rules(label_by="parent", held_folder="test")
    assert scan(tmp_path, rules=rules, choose=list).passed_over == 0
    assert scan(tmp_path, rules=rules, choose=lambda labels: list(labels)[:4]).passed_over == 2


@pytest.mark.slow
def test_what_was_left_out_is_said_by_every_look_at_the_images(tmp_path, monkeypatch, capsys):
    for label, name in enumerate(("flu", "well")):
        for number in range(4):
            draw(tmp_path / "lungs" / name / "images" / f"{number}.png", label=label, number=number)
            draw(tmp_path / "lungs" / name / "masks" / f"{number}.png", label=label, number=50 + number)
    monkeypatch.chdir(tmp_path)
    for words in (["init"], ["data", "add", "lungs"], ["data", "check"]):
        assert run_command(words) == 0
        assert "masks" in capsys.readouterr().out
