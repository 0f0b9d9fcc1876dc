"""What `init` sees in a folder, what it chooses, and what it writes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import CLASSES, draw, draw_classes
from foldproof.config.read import load_settings
from foldproof.errors import ProjectError
from foldproof.project import Project
from foldproof.scaffold.choose import choose
from foldproof.scaffold.groups import candidate_of
from foldproof.scaffold.make import scaffold
from foldproof.scaffold.seen import FolderLook
from foldproof.scaffold.settings import scalar, settings_text
from foldproof.training_data.inspection import inspect


def trained_on(folder: Path):
    """The images of the project that `init` makes of `folder`, inspected by its own settings."""
    made = scaffold(folder)
    settings = load_settings(made.settings_file).settings
    project = Project(made.settings_file)
    return settings, inspect(project.path(settings.data.path), settings.data, settings.folds, project=project)


@pytest.mark.slow
def test_class_folders_are_labelled_by_folder(tmp_path):
    draw_classes(tmp_path / "photos", each=6)
    settings, seen = trained_on(tmp_path)
    assert (settings.data.path, settings.data.label_by, settings.data.group_by) == ("photos", None, None)
    assert seen.dataset.count_by_class == dict.fromkeys(CLASSES, 6)


@pytest.mark.slow
def test_class_folders_in_patients_are_labelled_by_the_inner_and_grouped_by_the_outer(tmp_path):
    for patient in range(6):
        for label, name in enumerate(CLASSES):
            draw(tmp_path / "scans" / f"p{patient}" / name / "1.png", label=label, number=patient)
    settings, seen = trained_on(tmp_path)
    assert (settings.data.label_by, settings.data.group_by, settings.folds.k) == ("parent", "parent", 5)
    assert seen.dataset.classes == CLASSES
    assert len({sample.group for sample in seen.dataset.samples}) == 6


@pytest.mark.slow
def test_patients_in_class_folders_are_groups(tmp_path):
    for label, name in enumerate(CLASSES):
        for patient in range(5):
            for number in range(2):
                draw(
                    tmp_path / "scans" / name / f"p{label}{patient}" / f"{number}.png",
                    label=label,
                    number=patient * 9 + number,
                )
    settings, seen = trained_on(tmp_path)
    assert (settings.data.label_by, settings.data.group_by) == (None, "parent")
    assert len({sample.group for sample in seen.dataset.samples}) == 15


@pytest.mark.slow
@pytest.mark.parametrize("header", ["path,label", "image_id;dx", "Filename\tDiagnosis"])
def test_a_spreadsheet_beside_the_images_says_their_labels(tmp_path, header):
    separator = next(sign for sign in ",;\t" if sign in header)
    rows = [f"{name}_{number}.png{separator}{name}" for name in CLASSES for number in range(4)]
    for number, name in enumerate(CLASSES):
        for index in range(4):
            draw(tmp_path / "photos" / f"{name}_{index}.png", label=number, number=index)
    (tmp_path / "labels.csv").write_text("\n".join([header, *rows]) + "\n")
    settings, seen = trained_on(tmp_path)
    assert settings.data.labels == "labels.csv"
    assert seen.dataset.count_by_class == dict.fromkeys(CLASSES, 4)


@pytest.mark.slow
@pytest.mark.parametrize(("splits", "test"), [(("train", "val", "test"), "test"), (("train", "val"), None)])
def test_a_column_of_splits_leaves_out_the_test_and_nothing_else(tmp_path, splits, test):
    rows = ["path,label,split"]
    for label, name in enumerate(CLASSES):
        for index in range(6):
            draw(tmp_path / "photos" / f"{name}_{index}.png", label=label, number=index)
            rows.append(f"{name}_{index},{name},{splits[index % len(splits)]}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    settings, seen = trained_on(tmp_path)
    assert settings.data.test == test
    assert (len(seen.dataset), len(seen.held_out)) == ((12, 6) if test else (18, 0))


def test_the_parts_of_a_data_set_become_folds_of_our_own_and_a_test(tmp_path):
    for number, part in enumerate(("train", "val", "test")):
        for label, name in enumerate(CLASSES):
            for index in range(3):
                draw(tmp_path / "data" / part / name / f"{index}.png", label=label, number=100 * number + index)
    settings, seen = trained_on(tmp_path)
    assert (settings.data.path, settings.data.label_by, settings.data.test) == ("data", "parent", "data/test")
    assert (len(seen.dataset), len(seen.held_out)) == (18, 9)


def test_a_folder_that_is_the_images_itself_is_no_place_for_a_project(tmp_path):
    draw_classes(tmp_path / "photos", each=1)
    with pytest.raises(ProjectError, match="the folder around its images") as raised:
        scaffold(tmp_path / "photos")
    assert "foldproof init" in raised.value.next_step
    assert {path.name for path in (tmp_path / "photos").iterdir()} == set(CLASSES)


def test_what_names_may_say_is_proposed_and_not_used(tmp_path):
    for label, name in enumerate(CLASSES):
        for patient in range(5):
            for number in range(2):
                draw(
                    tmp_path / "x" / name / f"p{label}{patient}_{number}.png", label=label, number=patient * 9 + number
                )
    made = scaffold(tmp_path)
    assert load_settings(made.settings_file).settings.data.group_by is None
    assert any("belong together?" in line for line in made.lines)
    text = made.settings_file.read_text()
    made.settings_file.write_text(text.replace("  # group_by:", "  group_by:"))
    data = load_settings(made.settings_file).settings.data
    groups = {sample.group for sample in inspect(tmp_path / "x", data).dataset.samples}
    assert len(groups) == 15


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        ([f"cat/p{n // 2:02d}_{n}.jpg" for n in range(40)], 20),
        ([f"cat/case_{n // 2}_{n % 2}.jpg" for n in range(40)], 20),
        ([f"cat/{'abcdefghijklmnopqrst'[n // 2] * 3}_{n}.jpg" for n in range(40)], 20),
        ([f"cat/IMG_{n:04d}.jpg" for n in range(40)], None),
        ([f"cat/{n:03d}.png" for n in range(40)], None),
        ([f"cat/{n}_1.png" for n in range(40)], None),
        ([f"0{c}.{name}/{name}_{n:04d}_{7 * n + c}.jpg" for c, name in enumerate("abcd") for n in range(1, 13)], None),
        (
            [
                f"{c}/{w}_{n:04d}_{7 * n + len(c)}.jpg"
                for c, w in (("a", "red_owl"), ("bc", "owl"), ("def", "ani"))
                for n in range(1, 13)
            ],
            None,
        ),
        ([f"{c}/{c:05d}_{t:05d}_{f:05d}.png" for c in range(3) for t in range(5) for f in range(4)], 15),
        ([f"{c:02d}/{c:02d}_{n}x.png" for c in range(12) for n in range(4)], None),
        ([f"{c}/{n}_{eye}.png" for c in "ab" for n in range(9 if c == "a" else 12) for eye in "lr"], 12),
        ([], None),
    ],
)
def test_groups_are_proposed_where_parts_of_names_repeat_and_nowhere_else(names, groups):
    found = candidate_of(names)
    assert (found and found.groups) == groups


SMALL = FolderLook(path="x", count_by_class={"a": 2000, "b": 2000}, sizes=[(28, 28)] * 10)


def test_small_and_many_images_get_a_network_of_their_own_and_others_frozen_features():
    chosen = choose(SMALL).sections
    assert (chosen["train"]["backbone"].value, chosen["data"]["image_size"].value) == ("small_cnn", 28)
    for other in (FolderLook(path="x", count_by_class={"a": 9, "b": 9}, sizes=[(28, 28)]), FolderLook(path="x")):
        assert choose(other).sections["train"]["freeze_backbone"].value is True


def test_rare_classes_weigh_more_and_are_judged_alike():
    chosen = choose(FolderLook(path="x", count_by_class={"a": 100, "b": 10})).sections
    assert chosen["train"]["class_weights"].value == "balanced"
    assert chosen["compare"]["metric"].value == "balanced_accuracy"
    assert "compare" not in choose(FolderLook(path="x", count_by_class={"a": 20, "b": 10})).sections


@pytest.mark.parametrize(
    ("sizes", "resize"),
    [([(640, 480)] * 9, None), ([(640, 480), (480, 640)] * 9, "pad"), ([(100, 100), (104, 100)] * 9, None), ([], None)],
)
def test_pictures_of_different_shapes_are_padded_and_others_squashed(sizes, resize):
    chosen = choose(FolderLook(path="x", count_by_class={"a": 9, "b": 9}, sizes=sizes)).sections["data"]
    assert (chosen["resize"].value if "resize" in chosen else None) == resize


@pytest.mark.parametrize(("smallest", "groups", "k"), [(3, 0, 3), (1, 0, 2), (50, 4, 4), (50, 0, 5), (50, 90, 5)])
def test_there_are_no_more_folds_than_images_of_a_class_or_groups(smallest, groups, k):
    assert (
        choose(FolderLook(path="x", count_by_class={"a": 60, "b": smallest}, groups=groups))
        .sections["folds"]["k"]
        .value
        == k
    )


@pytest.mark.slow
@given(
    path=st.text(min_size=1, max_size=20).filter(lambda text: text.strip() == text and text.isprintable()),
    experiment=st.text(min_size=1, max_size=20).filter(str.isprintable),
    small=st.booleans(),
    counts=st.lists(st.integers(1, 5000), min_size=2, max_size=4),
)
def test_whatever_is_chosen_is_written_as_settings_that_are_read_back(
    tmp_path_factory, path, experiment, small, counts
):
    seen = FolderLook(
        path=path,
        count_by_class={f"c{n}": count for n, count in enumerate(counts)},
        sizes=[(28, 28) if small else (640, 480)] * 3,
        label_by="parent",
        test="x: y # z",
    )
    file = tmp_path_factory.mktemp("written") / "params.yaml"
    chosen = choose(seen)
    file.write_text(settings_text(chosen, experiment=experiment), encoding="utf-8")
    loaded = load_settings(file)
    assert (loaded.settings.data.path, loaded.settings.tracking.experiment) == (path, experiment)
    assert loaded.settings.data.test == "x: y # z"
    assert [config.name for config in loaded.experiments] == [tried.name for tried in chosen.experiments]
    for section, settings in chosen.sections.items():
        for name, choice in settings.items():
            assert getattr(getattr(loaded.settings, section), name) == choice.value


@pytest.mark.parametrize("text", ["no", "2024", "1e3", "null", "a: b", "a#b", "'", '"', "ä", "photos/all of them"])
def test_a_text_stays_a_text(text):
    from ruamel.yaml import YAML

    assert YAML(typ="safe", pure=True).load(f"x: {scalar(text)}")["x"] == text


def test_nothing_is_appended_through_a_gitignore_that_is_a_link(tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("kept")
    root = tmp_path / "project"
    draw_classes(root / "images")
    (root / ".gitignore").symlink_to(precious)
    made = scaffold(root)
    assert precious.read_text() == "kept"
    assert any(".gitignore is a link" in line for line in made.lines)
