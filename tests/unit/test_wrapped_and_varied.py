"""Folders as archives leave them: wrapped in others, or one set of pictures in several forms beside each other."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from conftest import draw, draw_classes
from foldproof.cli.main import run_command
from foldproof.config.read import load_settings
from foldproof.config.schema import DataSettings
from foldproof.data.labels.describe import describe
from foldproof.data.labels.said import Rules
from foldproof.data.labels.variants import variants_in
from foldproof.data.labels.wrapping import wrapping
from foldproof.data.scan import scan
from foldproof.errors import DataError, OtherTask
from foldproof.first_look.look import _rules
from foldproof.first_look.look import look as first_look
from foldproof.project import Project
from foldproof.scaffold.look import look, look_at
from foldproof.scaffold.make import scaffold
from foldproof.training_data.inspection import inspect

RUST, BLIGHT = "Pear___rust", "Pear___fire_blight"


def trained_on(folder: Path):
    made = scaffold(folder)
    settings = load_settings(made.settings_file).settings
    project = Project(made.settings_file)
    return made, inspect(project.path(settings.data.path), settings.data, settings.folds, project=project)


# --- one folder around another


@pytest.mark.parametrize(
    ("paths", "wrap"),
    [
        (["photos/photos/cat/1.png", "photos/photos/dog/1.png"], "photos/photos"),
        (["cat/1.png", "dog/1.png"], ""),
        (["photos/1.png", "photos/2.png"], ""),
        (["photos/1.png", "photos/cat/2.png", "photos/dog/2.png"], ""),
        (["readme.png", "photos/cat/2.png", "photos/dog/2.png"], "photos"),
        (["cat/a/1.png", "cat/a/2.png"], ""),
        (["w/preview.png", *(f"w/{name}/{n}.png" for name in "ab" for n in range(20))], "w"),
        ([], ""),
    ],
)
def test_what_only_wraps_the_class_folders_is_told_from_them(paths, wrap):
    assert wrapping(paths) == wrap


@pytest.mark.parametrize("around", ["photos", "photos/photos", "archive/dataset/all"])
def test_a_wrapped_set_is_found_by_every_way_in_and_said(tmp_path, around):
    draw_classes(tmp_path / around, each=4)
    seen = look_at(tmp_path)
    assert (seen.path, sorted(seen.count_by_class)) == (around, ["cat", "dog", "eel"])
    made, found = trained_on(tmp_path)
    assert found.dataset.classes == ("cat", "dog", "eel")
    assert any(f"12 images in 3 classes in {around}" in line for line in made.lines)
    wrapped = scan(tmp_path)
    assert wrapped.dataset.classes == ("cat", "dog", "eel")
    (told,) = wrapped.described.told
    assert told.startswith(f"all images lie in {around}: ")
    assert "data.label_by: top" in told
    assert set(wrapped.md5) >= {f"{around}/cat/000.png"}


def test_a_preview_beside_what_is_wrapped_is_in_no_class_and_named(tmp_path):
    draw_classes(tmp_path / "w" / "birds", each=10)
    draw(tmp_path / "w" / "preview.png", label=0, number=99)
    draw(tmp_path / "w" / "birds" / "cover.png", label=0, number=98)
    found = scan(tmp_path)
    assert found.dataset.classes == ("cat", "dog", "eel")
    assert [(one.path, one.reason) for one in found.ignored] == [
        ("w/birds/cover.png", "not in a class folder"),
        ("w/preview.png", "not in a class folder"),
    ]
    assert look_at(tmp_path).images == 30


@pytest.mark.parametrize("place", ["", "archive/", "archive/pics/"])
def test_a_table_anywhere_around_wrapped_images_labels_them(tmp_path, place):
    for number in range(12):
        draw(tmp_path / "archive" / "pics" / f"{number}.png", label=number % 2, number=number)
    rows = [f"{number}.png,{('ash', 'elm')[number % 2]}" for number in range(12)]
    (tmp_path / f"{place}labels.csv").write_text("\n".join(["file,label", *rows]))
    where, rules, _ = _rules(tmp_path, "")
    assert scan(where, rules=rules).dataset.classes == ("ash", "elm")
    _, found = trained_on(tmp_path)
    assert found.dataset.classes == ("ash", "elm")


def test_a_wrapped_table_of_several_labels_is_refused_as_that(tmp_path):
    for number in range(6):
        draw(tmp_path / "archive" / "pics" / f"{number}.png", label=0, number=number)
    rows = [f"{number}.png,1,{number % 2}" for number in range(6)]
    (tmp_path / "archive" / "labels.csv").write_text("\n".join(["file,rust,scab", *rows]))
    for ask in (look, look_at):
        with pytest.raises(OtherTask, match="several labels"):
            ask(tmp_path)


@pytest.mark.slow
def test_the_first_look_at_a_wrapped_set_says_where_it_looked(tmp_path):
    draw_classes(tmp_path / "in" / "in", each=6, size=16)
    seen = first_look(tmp_path, cache=tmp_path.parent / "cache", k=2)
    assert sorted(seen.images_by_class) == ["cat", "dog", "eel"]
    assert (seen.asked, seen.folder) == (tmp_path, tmp_path / "in" / "in")
    assert seen.labelled_by[0] == "all images lie in in/in: looked at that"


@pytest.mark.slow
def test_wrapped_parts_are_parts_and_the_test_stays_apart(tmp_path):
    for number, part in enumerate(("train", "test")):
        draw_classes(tmp_path / "data" / "archive" / part, each=4 + number, classes=("cat", "dog"))
    with pytest.raises(DataError, match="parts of a data set, not classes"):
        scan(tmp_path / "data")
    seen = look_at(tmp_path / "data")
    assert (seen.path, seen.test) == ("archive", "archive/test")
    where, rules, _ = _rules(tmp_path / "data", "")
    assert (where, rules.label_by, rules.held_folder) == (tmp_path / "data" / "archive", "parent", "test")
    _, found = trained_on(tmp_path)
    assert (len(found.dataset), len(found.held_out)) == (8, 10)


def test_wrapped_parts_in_the_project_itself_are_a_training_part_and_its_test(tmp_path):
    for number, part in enumerate(("seg_train", "seg_test")):
        draw_classes(tmp_path / part / part, each=4 + number, classes=("cat", "dog"))
    seen = look(tmp_path)
    assert (seen.path, seen.test, seen.beside) == ("seg_train/seg_train", "seg_test/seg_test", ())


def test_groups_below_wrapped_classes_are_still_groups(tmp_path):
    for label, name in enumerate(("cat", "dog")):
        for owner in ("ann", "bob"):
            draw(tmp_path / "w" / name / owner / "1.png", label=label, number=len(owner))
    said = describe(["w/cat/ann/1.png", "w/dog/bob/1.png"], tmp_path, Rules(group_by="parent")).said
    assert [(one.label, one.group) for one in said.values()] == [("cat", "ann"), ("dog", "bob")]
    said = describe(["w/cat/ann/1.png", "w/dog/bob/1.png"], tmp_path, Rules(group_by="^w/[^/]+/([^/]+)")).said
    assert [one.group for one in said.values()] == ["ann", "bob"]


def test_one_class_on_request_stays_one_class(tmp_path):
    draw_classes(tmp_path / "all", each=2)
    assert scan(tmp_path, rules=Rules(label_by="top")).dataset.classes == ("all",)


@pytest.mark.slow
def test_data_add_of_what_wraps_the_set_counts_its_classes(tmp_path, monkeypatch, capsys):
    draw_classes(tmp_path / "birds" / "birds", each=4, classes=("owl", "tit"))
    monkeypatch.chdir(tmp_path)
    assert run_command(["init"]) == 0
    assert run_command(["data", "add", "birds"]) == 0
    said = capsys.readouterr()
    assert "4  owl" in said.out
    assert "all images lie in birds: the folders in it are the classes" in said.out
    assert "note:" not in said.err  # data.path is birds/birds


# --- one set in several forms


def leaf(seed: int, size: int = 32) -> Image.Image:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC)


def masked(picture: Image.Image) -> Image.Image:
    made = Image.new("RGB", picture.size)
    made.paste(picture.crop((4, 4, 28, 28)), (4, 4))
    return made


DONE = {
    "color": lambda picture: picture,
    "grayscale": lambda picture: ImageOps.grayscale(picture),
    "segmented": masked,
    "plain": lambda picture: picture,
    "soft": lambda picture: picture.filter(ImageFilter.GaussianBlur(1)),
    "64": lambda picture: picture.resize((64, 64)),
    "32": lambda picture: picture,
}


def drawn_forms(folder: Path, forms, stem, *, classes=(RUST, BLIGHT), each=6, below: bool = False) -> Path:
    """`below`: the forms lie in the class folders, else around them. `stem` makes a name of form, class and number."""
    for label, name in enumerate(classes):
        for number in range(each):
            for form in forms:
                place = folder / name / form if below else folder / form / name
                place.mkdir(parents=True, exist_ok=True)
                DONE.get(form, DONE["color"])(leaf(100 * label + number)).save(
                    place / f"{stem(form, label, number)}.png"
                )
    return folder


def published(form: str, label: int, number: int) -> str:
    code = f"{(7919 * (label + 3) * (number + 11)) ** 3:012x}"
    return f"{code[:4]}-{code[4:10]}___RS {9000 + number}{'_final_masked' if form == 'segmented' else ''}"


def augmented(form: str, label: int, number: int) -> str:
    return f"leaf_{number:03d}{f'_aug{number % 3}_9{number}' if form.startswith('aug') else ''}"


def counted(form: str, label: int, number: int) -> str:
    return f"{number:03d}"


FORMS = [
    (("color", "grayscale", "segmented"), published),
    (("color", "grayscale", "segmented"), counted),
    (("pears_color", "pears_gray"), counted),
    (("pears", "pears-cropped-224x224"), counted),
    (("plain", "soft"), counted),
    (("one", "two"), published),
    (("original", "augmented"), augmented),
    (("32", "64"), counted),
]


@pytest.mark.parametrize(("forms", "stem", "around"), [*((*form, "") for form in FORMS), (*FORMS[0], "all/in")])
def test_one_set_in_several_forms_is_neither_classes_nor_one_set(tmp_path, forms, stem, around):
    drawn_forms(tmp_path / "leaves" / around, forms, stem)
    for rules in (Rules(), None):
        with pytest.raises(DataError, match="one set of pictures in") as raised:
            scan(tmp_path / "leaves", rules=rules)
        assert f"/{min(forms)}" in raised.value.next_step
        assert "data.label_by: top" in raised.value.next_step
    seen = look_at(tmp_path / "leaves")
    if "original" in forms:  # which is the one to take, and is said
        assert (seen.exclude, seen.count_by_class) == (("augmented",), {RUST: 6, BLIGHT: 6})
    else:
        assert (seen.images, seen.label_by, bool(seen.variants)) == (0, None, True)
    chosen = scan(tmp_path / "leaves" / around / forms[0])
    assert dict(chosen.dataset.count_by_class) == {RUST: 6, BLIGHT: 6}
    if not around:
        assert len(scan(tmp_path / "leaves", rules=Rules(label_by="top")).dataset.classes) == len(forms)


def test_forms_inside_the_classes_are_no_groups_and_one_is_chosen_by_leaving_out_the_others(tmp_path):
    drawn_forms(tmp_path / "leaves", ("color", "grayscale"), counted, below=True)
    with pytest.raises(DataError, match="color, grayscale: one set of pictures in 2 forms") as raised:
        scan(tmp_path / "leaves")
    assert "data.exclude: [grayscale]" in raised.value.next_step
    assert len(inspect(tmp_path / "leaves", DataSettings(exclude=["grayscale"])).dataset) == 12
    assert look(tmp_path).variants


def test_a_few_other_pictures_beside_the_forms_hide_nothing(tmp_path):
    drawn_forms(tmp_path / "leaves", ("color", "grayscale"), published, each=8)
    drawn_forms(tmp_path / "leaves" / "examples", (".",), counted, each=2)
    draw(tmp_path / "leaves" / "color" / "cover.png", label=0, number=99)
    with pytest.raises(DataError, match="holds color, grayscale: one set"):
        scan(tmp_path / "leaves")


@pytest.mark.parametrize("words", [["try", "."], ["try", "leaves"], ["data", "check", "leaves"]])
def test_every_command_asks_which_form_is_meant(tmp_path, monkeypatch, capsys, words):
    drawn_forms(tmp_path / "leaves", ("color", "grayscale"), published)
    monkeypatch.chdir(tmp_path)
    assert run_command(words) == 2
    said = capsys.readouterr().err
    assert "leaves/color" in said
    assert len(said.strip().splitlines()) <= 3


def test_init_says_which_forms_there_are_and_run_goes_on_asking(tmp_path, monkeypatch, capsys):
    drawn_forms(tmp_path / "leaves", ("color", "grayscale", "segmented"), published)
    monkeypatch.chdir(tmp_path)
    assert run_command(["init"]) == 0
    assert "leaves holds color, grayscale, segmented: one set of pictures in 3 forms" in capsys.readouterr().out
    assert run_command(["run"]) == 2
    assert "leaves/color" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tops", "inner"),
    [(("cat", "dog"), ("ann", "bob", "eve")), (("person 1", "person 2", "person 3"), ("fist", "palm")),
     (("cam0", "cam1"), ("bolt", "nut")), (("day", "night"), ("north", "south")), (("10", "20"), ("x", "y"))],
)  # fmt: skip
def test_groups_that_number_their_pictures_alike_are_no_forms_of_one_set(tmp_path, tops, inner):
    paths = []
    for label, top in enumerate(tops):
        for group, below in enumerate(inner):
            for number in range(5):
                paths.append(f"{top}/{below}/{number:03d}.png")
                draw(tmp_path / paths[-1], label=label, number=10 * group + number, size=24)
    assert variants_in(tmp_path, paths) is None


def test_numbers_that_go_on_from_class_to_class_are_still_no_names_of_pictures(tmp_path):
    paths = []
    for label, top in enumerate(("cat", "dog")):
        for number in range(12):
            paths.append(f"{top}/{'ann' if number < 6 else 'bob'}/IMG_{number:04d}.png")
            draw(tmp_path / paths[-1], label=label, number=number, size=24)
    assert variants_in(tmp_path, paths) is None


def test_a_copy_that_lacks_a_class_is_no_other_form(tmp_path):
    drawn_forms(tmp_path, ("color", "grayscale"), published, classes=(RUST, BLIGHT, "Pear___scab"))
    paths = [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*.png"))]
    assert variants_in(tmp_path, paths)
    assert variants_in(tmp_path, [one for one in paths if not one.startswith(f"color/{RUST}")]) is None
