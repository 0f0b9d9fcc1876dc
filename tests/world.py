"""Folders as the world has them, a kind each in several shapes; what is right of each is known, since it is made here.

`make` fills a folder and says what is to be found in it: the images that train with their classes, or a refusal.
"""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import imagecodecs
import numpy as np
from PIL import Image

from conftest import draw

KINDS = ("oak", "ash", "elm")


@dataclass(frozen=True, kw_only=True)
class Right:
    """`labels`: the class of each image that trains, by its path below `images`; `groups`: likewise, if there are any.

    `said`: what `init` says of how it knows and which setting says otherwise. `named`: what else `try` may be given.
    """

    labels: Mapping[str, str]
    images: str = "photos"
    said: Sequence[str] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    named: Sequence[str] = ()


@dataclass(frozen=True)
class Refused:
    """What is said instead, and the way on."""

    what: str
    way: str
    is_tried: bool = False  # though no project can be made of it as it is


@dataclass(frozen=True)
class Case:
    """`make` fills a folder."""

    kind: str
    name: str
    make: Callable[[Path], Right | Refused]

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


Labels: TypeAlias = Mapping[str, str]


def paint(folder: Path, labels: Labels, *, size: int = 8) -> Labels:
    """A picture for each path, whose colour says its class; numbers make each its own."""
    order = sorted(set(labels.values()))
    for number, (path, label) in enumerate(labels.items()):
        draw(folder / path, label=order.index(label), number=number, size=size)
    return labels


def leave(folder: Path, paths: Iterable[str]) -> None:
    """Pictures that are not to train."""
    for number, path in enumerate(paths):
        draw(folder / path, label=5, number=5000 + number)


def table(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]], *, delimiter: str = ",") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened, delimiter=delimiter).writerows([header, *rows] if header else rows)


def rows_of(file: Path) -> list[list[str]]:
    return list(csv.reader(file.read_text(encoding="utf-8").splitlines()))


def dict_rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def flat(form: str, count: int = 24, classes: Sequence[str] = KINDS) -> dict[str, str]:
    """`form` with a number is the path of each."""
    return {form.format(n): classes[(n + n // 7) % len(classes)] for n in range(count)}


def in_folders(form: str, each: int = 8, classes: Sequence[str] = KINDS) -> dict[str, str]:
    """`form` with a class and a number is the path of each."""
    return {form.format(name, n): name for name in classes for n in range(each)}


def stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]


# --- a competition's folder


def codes(at: Path) -> Right:
    labels = paint(at / "train_images", flat("c{:04x}.png", classes=("0", "1", "2", "3")))
    leave(at / "test_images", (f"d{n:04x}.png" for n in range(5)))
    table(at / "train.csv", ("id_code", "diagnosis"), [(stem(p), label) for p, label in labels.items()])
    table(at / "test.csv", ("id_code",), [(f"d{n:04x}",) for n in range(5)])
    table(at / "sample_submission.csv", ("id_code", "diagnosis"), [(f"d{n:04x}", 0) for n in range(5)])
    said = ("labels: train.csv, 24 rows: path from 'id_code', label from 'diagnosis'", "left alone: test_images 5")
    return Right(labels=labels, images="train_images", said=said)


def train_labels(at: Path) -> Right:
    """Ids without suffix, images in train/, TIFF."""
    labels = paint(at / "train", flat("{:08x}aa.tif", classes=("0", "1")))
    leave(at / "test", (f"{n:08x}bb.tif" for n in range(6)))
    table(at / "train_labels.csv", ("id", "label"), [(stem(p), label) for p, label in labels.items()])
    table(at / "sample_submission.csv", ("id", "label"), [(f"{n:08x}bb", 0) for n in range(6)])
    return Right(labels=labels, images="train", said=("labels: train_labels.csv", "left alone: test 6"))


def training_set_csv(at: Path) -> Right:
    labels = paint(at / "train", flat("Image_{}.jpg"))
    leave(at / "test", (f"Image_{n}x.jpg" for n in range(6)))
    table(at / "Training_set.csv", ("filename", "label"), labels.items())
    table(at / "Testing_set.csv", ("filename",), [(f"Image_{n}x.jpg",) for n in range(6)])
    return Right(labels=labels, images="train", said=("labels: Training_set.csv", "left alone: test 6"))


def one_folder_of_both(at: Path) -> Right:
    """The images of the test lie among the others, named by a table without labels."""
    labels = paint(at / "images", flat("Train_{}.jpg", count=24))
    leave(at / "images", (f"Test_{n}.jpg" for n in range(20)))
    table(at / "train.csv", ("image_id", "label"), [(stem(p), label) for p, label in labels.items()])
    table(at / "test.csv", ("image_id",), [(f"Test_{n}",) for n in range(20)])
    return Right(labels=labels, images="images", said=("labels: train.csv", "left alone: images 20"))


def tables_of_parts(at: Path) -> Refused:
    """A table for each part, of images that lie in one folder: they are to be made one, with a column of splits."""
    labels = paint(at / "images", flat("{:02d}.png", count=32))
    files = list(labels.items())
    for part, rows in (("test", files[26:]), ("train", files[:20]), ("val", files[20:26])):
        table(at / f"{part}.csv", ("image", "label"), rows)
    return Refused("label a part of the images each", "> labels.csv")


def level_of_eyes(at: Path) -> Right:
    """No usual name of a column for the label."""
    labels = paint(at / "train", flat("{}_left.jpeg", classes=("0", "1", "2")))
    leave(at / "test", (f"{n}_right.jpeg" for n in range(4)))
    table(at / "trainLabels.csv", ("image", "level"), [(stem(p), label) for p, label in labels.items()])
    return Right(labels=labels, images="train", said=("label from 'level' (3 values:", "data.columns"))


def deeper(at: Path) -> Right:
    """A folder further down, as an archive unpacks it."""
    labels = paint(at / "leaf-rust" / "train_images", flat("{:05d}.jpg"))
    leave(at / "leaf-rust" / "test_images", (f"9{n:05d}.jpg" for n in range(6)))
    table(at / "leaf-rust" / "train.csv", ("image_id", "label"), labels.items())
    below = {f"train_images/{path}": label for path, label in labels.items()}
    return Right(labels=below, images="leaf-rust", said=("labelled by leaf-rust/train.csv", "test_images 6"))


def two_folders(at: Path) -> Refused:
    """One table of images in two folders, of which `init` must not take one alone."""
    labels = {f"part_{1 + n // 12}/{path}": label for n, (path, label) in enumerate(flat("SK_{:05d}.jpg").items())}
    paint(at, labels)
    table(at / "SK_metadata.csv", ("lesion_id", "image_id", "dx"), [(f"L{x}", stem(p), x) for p, x in labels.items()])
    return Refused(
        "SK_metadata.csv labels images of several folders: part_1 12, part_2 12", "mv part_1 part_2 images/", True
    )


def two_folders_put_into_one(at: Path) -> Right:
    labels = {f"part_{1 + n // 12}/{path}": label for n, (path, label) in enumerate(flat("SK_{:05d}.jpg").items())}
    paint(at / "images", labels)
    groups = {path: f"LE_{n // 3}" for n, path in enumerate(labels)}
    rows = [(groups[path], stem(path), label, 40 + n % 30) for n, (path, label) in enumerate(labels.items())]
    table(at / "SK_metadata.csv", ("lesion_id", "image_id", "dx", "age"), rows)
    return Right(labels=labels, images="images", groups=groups, said=("group from 'lesion_id'",))


def three_tables(at: Path) -> Right:
    """The labels are in the second of three; the others name images too."""
    labels = paint(at / "images", flat("{:04d}.png"))
    table(at / "a_sizes.csv", ("image", "width", "height"), [(path, 8, 8) for path in labels])
    table(at / "b_truth.csv", ("image", "species"), labels.items())
    table(at / "c_urls.csv", ("image", "url"), [(path, f"https://example.org/{path}") for path in labels])
    return Right(labels=labels, images="images", said=("labels: b_truth.csv",))


def two_that_differ(at: Path) -> Right:
    """Two tables label the same images, and not the same."""
    labels = paint(at / "images", flat("{:04d}.png"))
    table(at / "labels.csv", ("image", "label"), labels.items())
    table(at / "labels_old.csv", ("image", "label"), [(p, KINDS[n % 3]) for n, p in enumerate(labels)])
    return Right(
        labels=labels, images="images", said=("labels_old.csv labels 14 of 24 otherwise: data.labels chooses",)
    )


def _named(at: Path) -> Mapping[str, str]:
    labels = paint(at / "train_images", flat("{}.jpg", classes=("0", "1", "2")))
    leave(at / "test_images", ("77.jpg",))
    table(at / "train.csv", ("image_id", "label"), labels.items())
    return {path: KINDS[int(label)] for path, label in labels.items()}


def names_by_number(at: Path) -> Right:
    named = _named(at)
    (at / "number_to_name.json").write_text(json.dumps(dict(enumerate(KINDS))))
    return Right(labels=named, images="train_images", said=("names of classes: number_to_name.json; data.classes",))


def numbers_by_name(at: Path) -> Right:
    named = _named(at)
    (at / "class_to_idx.json").write_text(json.dumps({name: n for n, name in enumerate(KINDS)}))
    return Right(labels=named, images="train_images", said=("names of classes: class_to_idx.json; data.classes",))


def names_in_order(at: Path) -> Right:
    named = _named(at)
    (at / "classes.json").write_text(json.dumps(KINDS))
    return Right(labels=named, images="train_images", said=("names of classes: classes.json; data.classes",))


# --- a column for each class


def _one_hot(at: Path, yes: str, no: str, *, before: Sequence[str] = (), more: Sequence[str] = ()) -> Right:
    names = ("healthy", "rust", "scab", "mould")
    labels = paint(at / "images", flat("leaf_{}.jpg", classes=names))
    rows = [
        (
            stem(path),
            *(f"v{n}" for _ in before),
            *(yes if label == name else no for name in names),
            *(40 + n for _ in more),
        )
        for n, (path, label) in enumerate(labels.items())
    ]
    table(at / "train.csv", ("image", *before, *names, *more), rows)
    return Right(labels=labels, images="images", said=("label from the columns healthy, rust, scab, mould",))


def one_hot(at: Path) -> Right:
    return _one_hot(at, "1", "0")


def one_hot_of_floats(at: Path) -> Right:
    return _one_hot(at, "1.0", "0.0")


def one_hot_of_words(at: Path) -> Right:
    return _one_hot(at, "True", "False")


def one_hot_among_others(at: Path) -> Right:
    return _one_hot(at, "1", "0", before=("site_note",), more=("age",))


def one_hot_beside_folds(at: Path) -> Right:
    """Other columns of 0 and 1 say no class."""
    right = _one_hot(at, "1", "0")
    header, *rows = rows_of(at / "train.csv")
    table(at / "train.csv", (*header, "fold", "is_valid"), [(*row, n % 2, n // 2 % 2) for n, row in enumerate(rows)])
    return right


def one_hot_with_none(at: Path) -> Right:
    """Some rows have no 1 at all: these have no label."""
    labels = flat("leaf_{}.jpg", classes=KINDS)
    paint(at / "images", labels)
    none = {f"bare_{n}.jpg" for n in range(3)}
    leave(at / "images", sorted(none))
    rows = [(path, *(int(label == name) for name in KINDS)) for path, label in labels.items()]
    table(at / "train.csv", ("image", *KINDS), [*rows, *((path, 0, 0, 0) for path in sorted(none))])
    return Right(labels=labels, images="images", said=("none in 3, which have no label",))


def yes_or_no(at: Path) -> Right:
    """One column of 0 and 1 is a class of its own."""
    labels = paint(at / "images", flat("{}.png", classes=("0", "1")))
    table(at / "train.csv", ("image", "has_cactus"), labels.items())
    return Right(labels=labels, images="images", said=("label from 'has_cactus'",))


def several_of_1(at: Path) -> Refused:
    one_hot(at)
    rows = rows_of(at / "train.csv")
    rows[7][1:] = ["1", "1", "0", "0"]
    table(at / "train.csv", rows[0], rows[1:])
    return Refused("1 of 24 rows have several labels", "data: {columns: {label: healthy}}")


def several_in_a_cell(at: Path) -> Refused:
    names = [("rust",), ("scab",), ("rust", "scab"), ("healthy",), ("rust", "mould"), ("mould",)]
    paths = paint(at / "images", flat("{}.png", classes=("x",)))
    table(at / "train.csv", ("image", "labels"), [(p, " ".join(names[n % 6])) for n, p in enumerate(paths)])
    return Refused("holds several labels an image", "columns: {label")


def several_with_bars(at: Path) -> Refused:
    names = ["Mass", "Mass|Oedema", "No Finding", "Oedema", "Fibrosis|Mass", "Fibrosis"]
    paths = paint(at / "images", flat("{:08d}_000.png", classes=("x",)))
    rows = [(p, names[n % 6], n) for n, p in enumerate(paths)]
    table(at / "Data_Entry.csv", ("Image Index", "Finding Labels", "Patient ID"), rows)
    return Refused("holds several labels an image", "columns: {label")


def several_as_a_list(at: Path) -> Refused:
    names = ["['a']", "['a', 'b']", "['c']", "['b']", "['a', 'c']"]
    paths = paint(at / "images", flat("{}.png", classes=("x",)))
    table(at / "train.csv", ("image", "labels"), [(p, names[n % 5]) for n, p in enumerate(paths)])
    return Refused("holds several labels an image", "columns: {label")


def two_that_could_be(at: Path) -> Refused:
    """Two columns of a few values, and no usual name: asked, with what each holds."""
    labels = paint(at / "images", flat("{}.png"))
    rows = [(p, label, ("wet", "dry")[n % 2]) for n, (p, label) in enumerate(labels.items())]
    table(at / "trees.csv", ("image", "tree", "weather"), rows)
    said = "trees.csv: several columns could be the label: 'tree' (3 values: oak 8, ash 8, elm 8); 'weather'"
    return Refused(said, "--label tree")


def one_twice(at: Path) -> Refused:
    """Two rows of one image differ."""
    labels = paint(at / "images", flat("{}.png"))
    table(at / "labels.csv", ("image", "label"), [*labels.items(), ("0.png", "elm")])
    return Refused("labels.csv, line 26: 0.png stands there twice", "keep the row that is right")


# --- names of files say the class


def _names(at: Path, labels: dict[str, str], folder: str = "train") -> Right:
    paint(at / folder, labels)
    return Right(labels=labels, images=folder, said=("the class stands in the file's name", "data.label_by"))


def name_and_number(at: Path) -> Right:
    return _names(at, in_folders("{}.{}.jpg", classes=("goat", "sheep")))


def name_in_brackets(at: Path) -> Right:
    return _names(at, in_folders("{} ({}).JPG", classes=("healthy", "leaf rust")), "pictures")


def breeds(at: Path) -> Right:
    return _names(at, in_folders("{}_{}.jpg", classes=("great_dane", "Beagle", "pug")), "images")


def number_and_name(at: Path) -> Right:
    labels = {f"{n:04d}_{('neg', 'pos')[n % 2]}.png": ("neg", "pos")[n % 2] for n in range(24)}
    return _names(at, labels, "scans")


def names_beside_a_test(at: Path) -> Right:
    leave(at / "test1", (f"{n}.jpg" for n in range(6)))
    return _names(at, in_folders("{}.{}.jpg", classes=("goat", "sheep")))


# --- a table beside the folder


def _beside(at: Path, file: str, folder: str, form: str = "m_{:03d}.png") -> Right:
    labels = paint(at / folder, flat(form))
    table(at / file, ("image", "label"), labels.items())
    return Right(labels=labels, images=folder, said=(f"labels: {Path(file).name}", "data.labels"), named=(folder,))


def beside(at: Path) -> Right:
    return _beside(at, "labels.csv", "photos")


def inside(at: Path) -> Right:
    return _beside(at, "photos/labels.csv", "photos")


def beside_in_its_folder(at: Path) -> Right:
    return _beside(at, "annotations/labels.csv", "images")


def list_of_lines(at: Path) -> Right:
    labels = {f"{('a', 'b')[n % 2]}/{n:03d}.png": f"{n % 3}" for n in range(24)}
    paint(at / "images", labels)
    (at / "train.txt").write_text("".join(f"{path} {label}\n" for path, label in labels.items()))
    return Right(labels=labels, images="images", said=("labels: train.txt", "no line of names"), named=("images",))


# --- tables as people write them


def blanks(at: Path) -> Right:
    labels = paint(at / "images", flat("cell{:04d}.png", classes=("0", "1")))
    lines = [
        f"images/{p}   {float(label)}      {('mono', 'poly')[n % 3 == 0]}\n"
        for n, (p, label) in enumerate(labels.items())
    ]
    (at / "labels.csv").write_text("".join(lines))
    said = ("path from 'column 1' (its cells name 24 images)", "label from 'column 2'", "runs of blanks")
    return Right(labels=labels, images="images", said=said)


def tabs(at: Path) -> Right:
    labels = paint(at / "images", flat("{}.png"))
    table(at / "labels.tsv", (), [(n, p, label) for n, (p, label) in enumerate(labels.items())], delimiter="\t")
    return Right(labels=labels, images="images", said=("path from 'column 2'", "label from 'column 3'"))


def commas(at: Path) -> Right:
    labels = paint(at / "images", flat("s/{}.jpg"))
    table(at / "annotations.csv", (), [(f"./images/{p}", label) for p, label in labels.items()])
    return Right(labels=labels, images="images", said=("path from 'column 1'", "label from 'column 2'"))


def no_values(at: Path) -> Right:
    written = ("NaN", "nan", "None", "N/A", "null", "#N/A", "", "NULL", "<NA>", "NA")
    labels = paint(at / "photos", flat("a{:03d}.png", count=20))
    leave(at / "photos", (f"z{n:03d}.png" for n in range(10)))
    rows = [*labels.items(), *((f"z{n:03d}.png", written[n]) for n in range(10))]
    table(at / "labels.csv", ("filename", "label"), rows)
    return Right(labels=labels, said=("no label in 10 of 30 rows", "data.classes"))


def no_values_at_first(at: Path) -> Right:
    """More without than with a label."""
    labels = paint(at / "photos", flat("a{:03d}.png", count=12, classes=("1", "2")))
    leave(at / "photos", (f"z{n:03d}.png" for n in range(30)))
    rows = [*((f"z{n:03d}.png", "nan") for n in range(30)), *((p, f"{label}.0") for p, label in labels.items())]
    table(at / "labels.csv", ("filename", "label"), rows)
    return Right(labels=labels, said=("no label in 30 of 42 rows",))


def _spelled(at: Path, forms: Mapping[str, Sequence[str]]) -> Right:
    labels = paint(at / "photos", flat("{}.png", count=30, classes=tuple(forms)))
    seen: dict[str, int] = dict.fromkeys(forms, 0)
    rows = []
    for path, label in labels.items():
        rows.append((path, forms[label][seen[label] % 5 // 2 % len(forms[label])]))
        seen[label] += 1
    table(at / "labels.csv", ("filename", "label"), rows)
    return Right(labels=labels, said=("one class whatever its spelling",))


def numbers_twice(at: Path) -> Right:
    return _spelled(at, {"0": ("0", "0.0"), "1": ("1", "1.0")})


def numbers_with_zeros(at: Path) -> Right:
    return _spelled(at, {"7": ("7", "07"), "8": ("8", "8.")})


def words_twice(at: Path) -> Right:
    return _spelled(at, {"benign": ("benign", "Benign "), "rust": ("rust", " RUST")})


def words_of_truth(at: Path) -> Right:
    return _spelled(at, {"True": ("True", "TRUE"), "False": ("False", "false")})


def _grouped(at: Path, column: str, write: Callable[[int], str], unknown: Sequence[str], *said: str) -> Right:
    labels = paint(at / "photos", {f"i{n:03d}.png": KINDS[n // 2 % 3] for n in range(48)})
    groups = {path: "" if n % 2 else f"{n // 8}" for n, path in enumerate(labels)}
    rows = [
        (stem(p), unknown[n % len(unknown)] if not groups[p] else write(n), label)
        for n, (p, label) in enumerate(labels.items())
    ]
    table(at / "labels.csv", ("image_id", column, "label"), rows)
    return Right(labels=labels, groups=groups, said=(f"{column} unknown in 24 of 48 rows", *said))


def patients_unknown(at: Path) -> Right:
    def write(n: int) -> str:
        return f"{n // 8}" + (".0" if n % 4 else "")

    return _grouped(at, "patient_id", write, ("nan",), "one group whatever its spelling")


def patients_by_word(at: Path) -> Right:
    return _grouped(at, "PatientID", lambda n: f"{'pP'[n // 2 % 2]}{n // 8}", ("unknown", "?", "-"), "one group")


def subjects_with_zeros(at: Path) -> Right:
    return _grouped(at, "Subject ID", lambda n: f"{n // 8:0{1 + n // 2 % 3}d}", ("", "N/A"), "one group")


def patients_beside_classes(at: Path) -> Right:
    """A table of patients and no classes, which folders say: a loss that is told."""
    labels = paint(at / "photos", in_folders("{}/{}.png", classes=("cold", "well")))
    table(at / "meta.csv", ("image", "patient_id"), [(path, f"P{n // 4}") for n, path in enumerate(labels)])
    return Right(
        labels=labels, said=("patient_id in meta.csv is not used", "data.labels: meta.csv keeps them together")
    )


# --- folders as people have them


def drives(at: Path) -> Right:
    labels = paint(at / "photos", in_folders("{}/{:03d}.jpg"))
    for name in KINDS:
        leave(at / "photos" / name / "@eaDir", [f"{n:03d}.jpg/SYNOPHOTO_THUMB_M.jpg" for n in range(8)])
    for odd in ("@eaDir", "#recycle", "$RECYCLE.BIN", "__MACOSX", "lost+found"):
        leave(at / "photos" / odd, ["x.jpg"])
    return Right(labels=labels, named=("photos",))


def other_drives(at: Path) -> Right:
    labels = paint(at / "photos", in_folders("{}/{:03d}.jpg"))
    for odd in ("RECYCLER", "FOUND.000", ".@__thumb", "@SynoEAStream", "System Volume Information", ".Trash-1000"):
        leave(at / "photos" / odd, ["x.jpg", "y.jpg"])
        leave(at / odd, ["x.jpg", "y.jpg"])
    return Right(labels=labels, named=("photos",))


def editors(at: Path) -> Right:
    labels = paint(at / "photos", in_folders("{}/{:03d}.png"))
    for odd in (".ipynb_checkpoints", ".thumbnails", "__pycache__", ".picasaoriginals", ".dtrash"):
        leave(at / "photos" / "oak" / odd, ["x.png"])
    for name in ("Thumbs.db", ".DS_Store", "desktop.ini", "._000.png", "Icon\r"):
        (at / "photos" / "ash" / name).write_bytes(b"\0\5\x16\7")
    return Right(labels=labels, named=("photos",))


def unpacked_on_a_mac(at: Path) -> Right:
    labels = paint(at / "leaves", in_folders("{}/{:03d}.png"))
    for path in labels:
        fork = at / "__MACOSX" / "leaves" / Path(path).parent / f"._{Path(path).name}"
        fork.parent.mkdir(parents=True, exist_ok=True)
        fork.write_bytes(b"\0\5\x16\7" + bytes(80))
    return Right(labels=labels, images="leaves", named=("leaves",))


MASKS = "24 masks of other images left out; data.masks: train takes them"


def _masks(at: Path, image: str, mask: Callable[[str], str], said: str = MASKS) -> Right:
    labels = paint(at / "photos", in_folders(image))
    for number, path in enumerate(labels):
        file = at / "photos" / mask(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.uint8(np.indices((8, 8)).sum(0) % 8 > number % 6) * 255).save(file)
    return Right(labels=labels, said=(said,), named=("photos",))


def masks_in_folders(at: Path) -> Right:
    return _masks(at, "{}/images/{}.png", lambda path: path.replace("/images/", "/masks/"))


def masks_around_classes(at: Path) -> Right:
    """The classes lie in the folder of images: that is the one to train on."""
    made = _masks(at, "images/{}/{}.png", lambda path: path.replace("images/", "masks/"))
    labels = {path.removeprefix("images/"): label for path, label in made.labels.items()}
    return replace(made, labels=labels, images="photos/images", said=("3 classes in photos/images",))


def masks_by_name(at: Path) -> Right:
    return _masks(at, "{}/{}.png", lambda path: path.replace(".png", "_mask.png"))


def masks_counted(at: Path) -> Right:
    return _masks(at, "{0}/{0} ({1}).png", lambda path: path.replace(").png", ")_mask_1.png"))


def masks_as_segments(at: Path) -> Right:
    return _masks(at, "{}/{:02d}.png", lambda path: path.replace(".png", "_seg0.png"))


def masks_before(at: Path) -> Right:
    return _masks(at, "{}/{:02d}.jpg", lambda path: path.replace("/", "/mask_").replace(".jpg", ".png"))


def masks_as_truth(at: Path) -> Right:
    return _masks(at, "{}/img/{}.jpg", lambda path: path.replace("/img/", "/GT/").replace(".jpg", ".png"))


def masks_as_ground_truth(at: Path) -> Right:
    return _masks(at, "{}/image/{}.jpg", lambda p: p.replace("/image/", "/ground_truth/").replace(".jpg", "_gt.png"))


def masks_as_annotations(at: Path) -> Right:
    return _masks(at, "{}/raw/{}.tif", lambda path: path.replace("/raw/", "/annotations/").replace(".tif", ".png"))


def masks_below_images(at: Path) -> Right:
    """Masks in a folder within that of each class, images beside that folder."""
    return _masks(at, "{}/{}.png", lambda path: path.replace("/", "/masks/"))


def masks_with_a_table(at: Path) -> Right:
    """Ids in a table that are names of images and of masks alike."""
    labels = paint(at / "images", flat("{:03d}.png", classes=("salt", "rock")))
    paint(at / "masks", dict.fromkeys(labels, "mask"), size=12)
    table(at / "train.csv", ("id", "label"), [(stem(path), label) for path, label in labels.items()])
    return Right(labels=labels, images="images", said=("labels: train.csv", "left alone: masks 24"), named=("images",))


def masks_as_classes(at: Path) -> Right:
    """A folder of masks beside that of each class."""
    return _masks(at, "{}/{}.png", lambda path: path.replace("/", "_masks/"))


def _parts(at: Path, folder: str, form: str, training: Sequence[str], others: Sequence[str], *said: str) -> Right:
    everything = {
        form.format(part, name, f"{number}{n}"): name
        for number, part in enumerate([*training, *others])
        for name in ("rice", "soup")
        for n in range(6)
    }
    paint(at / folder, everything)
    trains = tuple(form.partition("{1}")[0].format(part) for part in training)
    labels = {path: name for path, name in everything.items() if path.startswith(trains)}
    return Right(labels=labels, images=folder, said=said, named=() if folder == "." else (folder,))


def parts_set(at: Path) -> Right:
    return _parts(at, "dataset", "{0}/{1}/{2}.jpg", ("training_set",), ("test_set",), "dataset/test_set is kept apart")


def parts_evaluated(at: Path) -> Right:
    said = "food/evaluation is kept apart"
    return _parts(at, "food", "{0}/{1}/{2}.jpg", ("training", "validation"), ("evaluation",), said)


def parts_nested(at: Path) -> Right:
    leave(at / "scenes" / "seg_pred" / "seg_pred", [f"{n}.jpg" for n in range(4)])
    said = ("scenes/seg_test/seg_test is kept apart", "seg_pred left out, by data.exclude")
    return _parts(at, "scenes", "{0}/{0}/{1}/{2}.jpg", ("seg_train",), ("seg_test",), *said)


def parts_developed(at: Path) -> Right:
    return _parts(at, "set", "{0}/{1}/{2}.png", ("Train", "Dev"), ("Eval",), "set/Eval is kept apart")


def parts_held_out(at: Path) -> Right:
    leave(at / "set" / "unlabelled", [f"{n}.png" for n in range(4)])
    said = ("set/holdout is kept apart", "unlabelled left out, by data.exclude")
    return _parts(at, "set", "{0}/{1}/{2}.png", ("train", "valid"), ("holdout",), *said)


def parts_at_the_top(at: Path) -> Right:
    """The parts lie in the project itself."""
    right = _parts(at, ".", "{0}/{1}/{2}.png", ("Training",), ("Testing",), "Testing is kept apart")
    return Right(
        labels={path.partition("/")[2]: label for path, label in right.labels.items()},
        images="Training",
        said=right.said,
    )


def parts_with_a_copy(at: Path) -> Right:
    """The archive holds itself again, as one of a well-known set does."""
    right = _parts(at, "xray", "{0}/{1}/{2}.png", ("train", "val"), ("test",), "xray/test is kept apart")
    _parts(at, "xray/xray", "{0}/{1}/{2}.png", ("train", "val"), ("test",))
    leave(at / "xray" / "__MACOSX" / "xray", ["x.png"])
    return Right(labels=right.labels, images="xray", said=(*right.said, "xray left out"), named=("xray",))


def parts_in_a_table(at: Path) -> Right:
    """A table names the files of all parts, which class folders label too."""
    right = _parts(at, "birds", "{0}/{1}/{2}.jpg", ("train", "valid"), ("test",), "birds/test is kept apart")
    files = sorted(path.relative_to(at / "birds").as_posix() for path in (at / "birds").rglob("*.jpg"))
    rows = [(path, path.split("/")[1], path.split("/")[0]) for path in files]
    table(at / "birds" / "birds.csv", ("filepaths", "labels", "data set"), rows)
    return Right(labels=right.labels, images="birds", named=("birds",), said=("split from 'data set' (its values are",))


def parts_in_a_table_alone(at: Path) -> Right:
    """As before, without a column of parts."""
    right = parts_in_a_table(at)
    rows = [(path, label, 3.5) for path, label, _ in rows_of(at / "birds" / "birds.csv")[1:]]
    table(at / "birds" / "birds.csv", ("filepaths", "labels", "weight"), rows)
    return Right(labels=right.labels, images="birds", named=("birds",), said=("birds/test is kept apart",))


def parts_beside_a_folder(at: Path) -> Right:
    """A split of the table is called as a folder that lies beside the images."""
    labels = flat("{}.png", count=30)
    paint(at / "images", labels)
    leave(at / "test", ["x.png"])
    rows = [(p, label, "test" if n % 5 == 0 else "train") for n, (p, label) in enumerate(labels.items())]
    table(at / "labels.csv", ("file", "label", "subset"), rows)
    trains = {p: label for n, (p, label) in enumerate(labels.items()) if n % 5}
    return Right(labels=trains, images="images", said=("test is kept apart",), named=("images",))


def parts_in_images(at: Path) -> Right:
    return _parts(at, "data/images", "{0}/{1}/{2}.png", ("train", "validation"), ("test",), "images/test is kept apart")


# --- versions of one set


def _versions(at: Path, original: str, *others: str) -> Right:
    labels = {f"{original}/{path}": label for path, label in in_folders("{}/{}.png").items()}
    paint(at / "leaves", labels)
    for number, other in enumerate(others):
        copies = {f"{other}/{path.partition('/')[2]}": "elm" for path in labels}
        paint(at / "leaves", copies, size=9 + number)
    said = (f": versions of {original} by their names", f"{', '.join(sorted(others))} left out, by data.exclude")
    return Right(labels=labels, images="leaves", said=said, named=("leaves",))


def augmented(at: Path) -> Right:
    return _versions(at, "Original", "Augmented")


def augmented_images(at: Path) -> Right:
    return _versions(at, "raw_images", "augmented_images")


def colours(at: Path) -> Refused:
    """No form is called the original."""
    _versions(at, "color", "grayscale", "segmented")
    return Refused("color, grayscale, segmented: one set of pictures in 3 forms", "data.path or data.exclude")


# --- formats


def _saved(at: Path, form: str, *, folder: str = "photos", **how: object) -> Right:
    labels = in_folders(form, classes=("cat", "dog"))
    for number, (path, label) in enumerate(labels.items()):
        random = np.random.default_rng([number])
        pixels = random.integers(0, 200, (16, 16, 3), dtype=np.uint8)
        pixels[..., ("cat", "dog").index(label)] += 50
        file = at / folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file, **how)  # type: ignore[arg-type]
    return Right(labels=labels, images=folder, named=(folder,))


def portable(at: Path) -> Right:
    return _saved(at, "{}/{}.ppm")


def avif(at: Path) -> Right:
    return _saved(at, "{}/{}.avif")


def no_suffix(at: Path) -> Right:
    return _saved(at, "{}/{}", format="JPEG")


def no_suffix_tiff(at: Path) -> Right:
    return _saved(at, "{}/scan{}", format="TIFF")


def lying_suffix(at: Path) -> Right:
    return _saved(at, "{}/{}.png", format="JPEG")


def capitals(at: Path) -> Right:
    return _saved(at, "{}/IMG_{}.JPG", format="JPEG")


def two_suffixes(at: Path) -> Right:
    return _saved(at, "{}/{}.jpg.webp")


def rare_suffixes(at: Path) -> Right:
    return _saved(at, "{}/{}.jfif", format="JPEG")


def _unread(at: Path, suffix: str, head: bytes, what: str, way: str) -> Refused:
    for path in in_folders("{}/{}" + suffix, classes=("cat", "dog")):
        file = at / "photos" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(head + path.encode().ljust(200))
    return Refused(f"no images that can be read: 16 {suffix or 'without suffix'} ({what})", way)


def raw(at: Path) -> Refused:
    return _unread(at, ".nef", b"MM\0*", "a camera's raw files", "develop them")


def slides(at: Path) -> Refused:
    return _unread(at, ".svs", b"II*\0", "whole slides", "tiles")


def volumes(at: Path) -> Refused:
    return _unread(at, ".nii", b"\\\1\0\0", "volumes", "save each slice")


def _with_deep(at: Path, name: str, write: Callable[[Path], None], *, grey: bool = False) -> Right:
    labels = in_folders("{}/{:03d}.png", each=20, classes=("cold", "none"))
    paint(at / "photos", labels)
    if grey:
        for path in labels:
            with Image.open(at / "photos" / path) as picture:
                picture.convert("L").save(at / "photos" / path)
    write(at / "photos" / "cold" / name)
    return Right(labels={**labels, f"cold/{name}": "cold"})


def _deep_pixels(channels: int) -> np.ndarray:
    shape = (12, 12, channels) if channels > 1 else (12, 12)
    return np.random.default_rng(7).integers(0, 65536, shape, dtype=np.uint16)


def deep_colours(at: Path) -> Right:
    return _with_deep(at, "deep.png", lambda file: _bytes(file, imagecodecs.png_encode(_deep_pixels(3))))


def deep_grey_among_colours(at: Path) -> Right:
    return _with_deep(at, "deep.png", lambda file: _bytes(file, imagecodecs.png_encode(_deep_pixels(1))))


def deep_grey(at: Path) -> Right:
    return _with_deep(at, "deep.png", lambda file: _bytes(file, imagecodecs.png_encode(_deep_pixels(1))), grey=True)


def deep_with_alpha(at: Path) -> Right:
    return _with_deep(at, "deep.png", lambda file: _bytes(file, imagecodecs.png_encode(_deep_pixels(4))))


def _bytes(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def _cases(kind: str, *makers: Callable[[Path], Right | Refused]) -> tuple[Case, ...]:
    return tuple(Case(kind, make.__name__.strip("_").replace("_", " "), make) for make in makers)


CASES = (
    *_cases("a competition", codes, train_labels, training_set_csv, one_folder_of_both, tables_of_parts, level_of_eyes,
            deeper, two_folders, two_folders_put_into_one, three_tables, two_that_differ),
    *_cases("names of classes", names_by_number, numbers_by_name, names_in_order),
    *_cases("one-hot", one_hot, one_hot_of_floats, one_hot_of_words, one_hot_among_others, one_hot_beside_folds,
            one_hot_with_none, yes_or_no),
    *_cases("several labels", several_of_1, several_in_a_cell, several_with_bars, several_as_a_list),
    *_cases("a table that asks", two_that_could_be, one_twice),
    *_cases("names of files", name_and_number, name_in_brackets, breeds, number_and_name, names_beside_a_test),
    *_cases("a table beside", beside, inside, beside_in_its_folder, list_of_lines),
    *_cases("no header", blanks, tabs, commas),
    *_cases("no value", no_values, no_values_at_first),
    *_cases("twice", numbers_twice, numbers_with_zeros, words_twice, words_of_truth),
    *_cases("groups", patients_unknown, patients_by_word, subjects_with_zeros),
    *_cases("groups that are lost", patients_beside_classes),
    *_cases("systems", drives, other_drives, editors, unpacked_on_a_mac),
    *_cases("masks", masks_in_folders, masks_around_classes, masks_by_name, masks_counted, masks_as_segments,
            masks_before, masks_as_truth, masks_as_ground_truth, masks_as_annotations, masks_below_images,
            masks_as_classes, masks_with_a_table),
    *_cases("parts", parts_set, parts_evaluated, parts_nested, parts_developed, parts_held_out, parts_at_the_top,
            parts_with_a_copy, parts_beside_a_folder, parts_in_images, parts_in_a_table,
            parts_in_a_table_alone),
    *_cases("versions", augmented, augmented_images, colours),
    *_cases("formats", portable, avif, no_suffix, no_suffix_tiff, lying_suffix, capitals, two_suffixes, rare_suffixes),
    *_cases("unread", raw, slides, volumes),
    *_cases("depth", deep_colours, deep_grey_among_colours, deep_grey, deep_with_alpha),
)  # fmt: skip
