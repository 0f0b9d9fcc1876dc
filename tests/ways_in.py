"""The shapes in which people's images come, and what each types from nothing to a compared run or a refusal."""

import csv
import datetime as dt
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import ExifTags, Image

from conftest import CLASSES, draw, draw_classes

GIT = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.org")
EVERYONE = ("foldproof init", "foldproof data add photos", "foldproof run", "foldproof compare")


@dataclass(frozen=True)
class Way:
    """`make` fills a folder with what somebody comes with; `commands` are typed in it. `images` train, in `groups`."""

    name: str
    make: Callable[[Path], None]
    commands: tuple[str, ...] = EVERYONE
    images: int = 36
    folds: int = 5
    note: str = ""
    server: bool = False  # of MLflow 2.22, named by MLFLOW_TRACKING_URI
    versioned: bool = True  # by DVC, when the commands are done
    git: bool = True  # is installed

    @property
    def typed(self) -> int:
        return len(self.commands)


@dataclass(frozen=True)
class Refusal:
    """What is no images of one class each. `said`: how `foldproof init` names it; `way_on`: what it says to do."""

    name: str
    make: Callable[[Path], None]
    said: str
    way_on: str


def call(folder: Path, command: str) -> None:
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    words = shlex.split(command)
    words = [sys.executable, "-m", *words] if words[0] == "dvc" else words
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def class_folders(folder: Path) -> None:
    draw_classes(folder / "photos", each=12, size=32)


def _flat(folder: Path) -> list[tuple[str, str, int]]:
    rows = []
    for label, name in enumerate(CLASSES):
        for number in range(12):
            draw(folder / "photos" / f"img_{label}{number:02d}.png", label=label, number=number, size=32)
            rows.append((f"img_{label}{number:02d}", name, number))
    return rows


def _write(file: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([header, *rows])


def spreadsheet(folder: Path) -> None:
    rows = _flat(folder)
    _write(folder / "labels.csv", ("image_id", "dx", "patient_id"), [(i, name, f"p{n // 2}") for i, name, n in rows])


def predefined_folds(folder: Path) -> None:
    rows = _flat(folder)
    _write(folder / "labels.csv", ("file", "label", "fold"), [(f"{i}.png", name, n % 3) for i, name, n in rows])


def patients(folder: Path) -> None:
    for patient in range(6):
        for label, name in enumerate(CLASSES):
            for number in range(2):
                path = folder / "photos" / f"patient{patient}" / name / f"{number}.png"
                draw(path, label=label, number=10 * patient + number, size=32)


def parts(folder: Path) -> None:
    for start, (part, each) in enumerate((("train", 9), ("val", 3), ("test", 3))):
        for label, name in enumerate(CLASSES):
            for number in range(each):
                path = folder / "photos" / part / name / f"{number}.png"
                draw(path, label=label, number=100 * start + number, size=32)


def _repository(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    call(folder, "git init --quiet")
    call(folder, "dvc init --quiet")


def _commit(folder: Path) -> None:
    call(folder, "git add --all")
    call(folder, shlex.join(["git", *GIT, "commit", "--quiet", "--message", "as it was"]))


def symlinked_cache(folder: Path) -> None:
    _repository(folder)
    call(folder, f"dvc cache dir {shlex.quote(str(folder.parent / 'shared cache'))}")
    call(folder, "dvc config cache.type symlink")
    class_folders(folder)
    call(folder, "dvc add --quiet photos")
    _commit(folder)
    assert (folder / "photos" / "cat" / "000.png").is_symlink()


def stage_output(folder: Path) -> None:
    _repository(folder)
    draw_classes(folder / "raw", each=12, size=32)
    (folder / "dvc.yaml").write_text(
        "stages:\n  prepare:\n    cmd: cp -r raw photos\n    deps: [raw]\n    outs: [photos]\n"
    )
    call(folder, "dvc repro --quiet")
    _commit(folder)


def imported(folder: Path) -> None:
    source = folder.parent / "registry"
    _repository(source)
    class_folders(source)
    call(source, "dvc add --quiet photos")
    _commit(source)
    _repository(folder)
    call(folder, f"dvc import --quiet {shlex.quote(str(source))} photos")
    _commit(folder)


def foreign_params(folder: Path) -> None:
    class_folders(folder)
    (folder / "params.yaml").write_text("train:\n  lr: 0.001\n  epochs: 5\nprepare:\n  split: 0.2\n")


def microscope(folder: Path) -> None:
    """12 bits in files of 16, as many cameras write them."""
    for label, name in enumerate(CLASSES):
        for number in range(12):
            random = np.random.default_rng([label, number])
            grey = random.integers(0, 1200, (32, 32), dtype=np.uint16) + np.uint16(1200 * label)
            (folder / "photos" / name).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(folder / "photos" / name / f"{number:03d}.tif", grey)


def lab_script(folder: Path) -> None:
    """Predefined folds of a script, as a list of names."""
    class_folders(folder)
    names = [f"photos/{name}/{number:03d}.png" for name in CLASSES for number in range(12)]
    parts_of = [[one for index, one in enumerate(names) if index % 4 == fold] for fold in range(4)]
    content = [{"train": [one for one in names if one not in part], "val": part} for part in parts_of]
    (folder / "splits_final.json").write_text(json.dumps(content))


def competition(folder: Path) -> None:
    """As it is downloaded: a table, the images it names, those of a test and an example of an answer."""
    rows = _flat(folder)
    (folder / "photos").rename(folder / "train_images")
    for number in range(6):
        draw(folder / "test_images" / f"new_{number}.png", label=number % 3, number=900 + number, size=32)
    _write(folder / "train.csv", ("id_code", "diagnosis"), [(i, CLASSES.index(name)) for i, name, _ in rows])
    _write(folder / "sample_submission.csv", ("id_code", "diagnosis"), [(f"new_{n}", n % 3) for n in range(6)])
    names = {str(number): name for number, name in enumerate(CLASSES)}
    (folder / "label_num_to_name.json").write_text(json.dumps(names))


def one_column_a_class(folder: Path) -> None:
    rows = _flat(folder)
    _write(
        folder / "labels.csv", ("image", *CLASSES), [(i, *(int(name == one) for one in CLASSES)) for i, name, _ in rows]
    )


def named_files(folder: Path) -> None:
    for label, name in enumerate(CLASSES):
        for number in range(12):
            draw(folder / "photos" / f"{name}.{number}.png", label=label, number=number, size=32)


def no_header(folder: Path) -> None:
    rows = _flat(folder)
    lines = [f"photos/{i}.png    {name}     {n}.5\n" for i, name, n in rows]
    (folder / "labels.csv").write_text("".join(lines), encoding="utf-8")


def elsewhere(folder: Path) -> None:
    """Written in a spreadsheet of another country, on another machine."""
    rows = _flat(folder)
    lines = ["sep=;", "Datei;Klasse", *(rf"C:\Users\me\data\{i.upper()}.JPG;{name}" for i, name, _ in rows)]
    (folder / "labels.csv").write_bytes("\r\n".join(lines).encode("utf-16"))


def other_parts(folder: Path) -> None:
    parts(folder)
    for old, new in (("train", "training_set"), ("val", "validation_set"), ("test", "test_set")):
        (folder / "photos" / old).rename(folder / "photos" / new)


def with_masks(folder: Path) -> None:
    for label, name in enumerate(CLASSES):
        for number in range(12):
            draw(folder / "photos" / name / "images" / f"{number}.png", label=label, number=number, size=32)
            draw(folder / "photos" / name / "masks" / f"{number}.png", label=0, number=500 + number, size=32)


def as_systems_leave_them(folder: Path) -> None:
    class_folders(folder)
    for name in CLASSES:
        draw(folder / "photos" / name / "@eaDir" / "000.png" / "SYNOPHOTO_THUMB_M.jpg", label=0, number=700, size=32)
    for name in ("__MACOSX", "$RECYCLE.BIN", "lost+found"):
        draw(folder / "photos" / name / "x.png", label=0, number=800, size=32)


def mixed_formats(folder: Path) -> None:
    class_folders(folder)
    for suffix, name in (("avif", "AVIF"), ("jp2", "JPEG2000"), ("ppm", "PPM"), ("webp", "WEBP")):
        for path in sorted((folder / "photos").glob("*/*.png"))[::5]:
            with Image.open(path) as picture:
                picture.convert("RGB").save(path.with_suffix(f".{suffix}"), name)
            path.unlink()
    for path in sorted((folder / "photos").glob("*/*.png"))[:3]:
        path.rename(path.with_suffix(""))


def _days() -> list[dt.date]:
    return [dt.date(2019, 11, 1) + dt.timedelta(days=7 * number) for number in range(12)]


def dated(folder: Path) -> None:
    """Text of these dates sorts otherwise than the days do."""
    rows = _flat(folder)
    dates = [f"{day:%d.%m.%Y}" for day in _days()]
    _write(folder / "labels.csv", ("image", "label", "taken_on"), [(i, name, dates[n]) for i, name, n in rows])


def taken_by_a_camera(folder: Path) -> None:
    for label, name in enumerate(CLASSES):
        for number, day in enumerate(_days()):
            path = folder / "photos" / name / f"{number:03d}.jpg"
            draw(path, label=label, number=number, size=32)
            exif = Image.Exif()
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{day:%Y:%m:%d} 12:00:00"
            with Image.open(path) as picture:
                picture.save(path, exif=exif)


def arrays(folder: Path) -> None:
    for label, name in enumerate(CLASSES):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(12):
            random = np.random.default_rng([label, number])
            np.save(folder / "photos" / name / f"{number:03d}.npy", random.random((32, 32), dtype=np.float32) + label)


def imported_by_address(folder: Path) -> None:
    class_folders(folder.parent / "elsewhere")
    _repository(folder)
    call(folder, f"dvc import-url --quiet {shlex.quote(str(folder.parent / 'elsewhere' / 'photos'))} photos")
    _commit(folder)


def worktree(folder: Path) -> None:
    """A second checkout of a repository: the images lie in the cache of the first, which has no remote."""
    source = folder.parent / "first checkout"
    _repository(source)
    class_folders(source)
    call(source, "dvc add --quiet photos")
    _commit(source)
    folder.rmdir()
    call(source, f"git worktree add --quiet -b second {shlex.quote(str(folder))}")


def part_of_a_repository(folder: Path) -> None:
    """DVC belongs to this folder, git to the one above."""
    call(folder.parent, "git init --quiet")
    call(folder, "dvc init --quiet --subdir")
    class_folders(folder)


def on_another_disk(folder: Path) -> None:
    class_folders(folder.parent / "disk")
    (folder / "photos").symlink_to(folder.parent / "disk" / "photos")


def several_labels(folder: Path) -> None:
    rows = _flat(folder)
    columns = [(i, *(int(name == one or n % 5 == 0) for one in CLASSES)) for i, name, n in rows]
    _write(folder / "labels.csv", ("image", *CLASSES), columns)


def measured_values(folder: Path) -> None:
    rows = _flat(folder)
    _write(folder / "labels.csv", ("image", "weight"), [(i, 350 + 7 * n + len(i)) for n, (i, _, _) in enumerate(rows)])


def several_columns(folder: Path) -> None:
    rows = _flat(folder)
    parts = [(i, ("lung", "skin")[n % 2], name) for i, name, n in rows]
    _write(folder / "labels.csv", ("image", "organ", "finding"), parts)


def _street(folder: Path) -> list[str]:
    names = [f"{number:06d}" for number in range(12)]
    for number, name in enumerate(names):
        draw(folder / "images" / f"{name}.jpg", label=number % 3, number=number, size=32)
    return names


def boxes_of_coco(folder: Path) -> None:
    names = _street(folder)
    content = {
        "images": [{"id": n, "file_name": f"{name}.jpg"} for n, name in enumerate(names)],
        "annotations": [{"id": n, "image_id": n, "category_id": 1, "bbox": [2, 3, 8, 9]} for n in range(len(names))],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (folder / "instances.json").write_text(json.dumps(content))


def boxes_of_yolo(folder: Path) -> None:
    (folder / "labels").mkdir()
    for name in _street(folder):
        (folder / "labels" / f"{name}.txt").write_text("0 0.5 0.5 0.25 0.25\n1 0.25 0.5 0.1 0.1\n")


def boxes_of_voc(folder: Path) -> None:
    (folder / "Annotations").mkdir()
    for name in _street(folder):
        (folder / "Annotations" / f"{name}.xml").write_text(
            f"<annotation><filename>{name}.jpg</filename><object><name>cat</name>"
            "<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
        )


def outlines(folder: Path) -> None:
    for name in _street(folder):
        draw(folder / "masks" / f"{name}.png", label=0, number=int(name), size=32)


COMPETITION = ("foldproof init", "foldproof data add train_images", "foldproof run", "foldproof compare")
BY_KIND = {
    "Folders": (
        Way("class folders", class_folders),
        Way("patient/class/image", patients, note="patients share a fold"),
        Way("train/ val/ test/", parts, note="test/ is kept apart; train and val are cut into folds"),
        Way("training_set/ test_set/", other_parts, note="parts by any usual name"),
        Way("images/ beside masks/", with_masks, note="masks are left out"),
        Way("a network drive's folders", as_systems_leave_them, note="thumbnails and bins are passed over"),
        Way(
            "a link to another disk",
            on_another_disk,
            ("foldproof init", "foldproof run", "foldproof compare"),
            note="nothing is copied",
            versioned=False,
        ),
    ),
    "A table": (
        Way("a spreadsheet of labels", spreadsheet, note="columns are recognised; patients share a fold"),
        Way(
            "a competition's folder",
            competition,
            COMPETITION,
            note="test images are left alone, names of classes found",
        ),
        Way("a table without a header", no_header, note="columns are told apart by what they hold"),
        Way("a table of another machine", elsewhere, note="UTF-16, `sep=;`, Windows paths, another suffix; all said"),
        Way("a column of 0 and 1 for each class", one_column_a_class, note="one class an image; several are refused"),
        Way(
            "several columns that could be the class",
            several_columns,
            ("foldproof init --label finding", *EVERYONE[1:]),
            note="`init` asks, with the values of each",
        ),
        Way("folds in a spreadsheet", predefined_folds, folds=3, note="its column of folds is taken as it is"),
        Way(
            "dates in a spreadsheet",
            dated,
            (
                "foldproof init",
                "foldproof data add photos",
                "foldproof run --set folds.scheme=time",
                "foldproof compare",
            ),
            note="each fold validates on what came later; the form of the dates is said",
        ),
    ),
    "Names and files": (
        Way("the class in the file's name", named_files, note="`cat.0.jpg`; said, to be agreed with"),
        Way(
            "nnU-Net's splits_final.json",
            lab_script,
            (
                "foldproof init",
                "foldproof data add photos",
                "foldproof run --set folds.scheme=predefined --set folds.file=splits_final.json",
                "foldproof compare",
            ),
            folds=4,
        ),
        Way(
            "photographs that carry their date",
            taken_by_a_camera,
            (
                "foldproof init",
                "foldproof data add photos",
                "foldproof run --set folds.scheme=time --set folds.time_by=exif",
                "foldproof compare",
            ),
            note="by when the camera took each",
        ),
    ),
    "Formats": (
        Way("AVIF, JPEG 2000, PPM, WebP, no suffix", mixed_formats, note="read by what they hold"),
        Way("16-bit grey TIFF", microscope, note="one range of values for all, said and recorded"),
        Way("NumPy arrays", arrays, note="one range of values for all, said and recorded"),
    ),
    "DVC and git": (
        Way(
            "a DVC cache of symbolic links",
            symlinked_cache,
            ("foldproof init", "foldproof run", "foldproof compare"),
            note="in a shared cache outside the project; nothing is copied",
        ),
        Way("an output of dvc.yaml", stage_output, ("foldproof init", "foldproof run", "foldproof compare")),
        Way("dvc import", imported, ("foldproof init", "foldproof run", "foldproof compare")),
        Way("dvc import-url", imported_by_address, ("foldproof init", "foldproof run", "foldproof compare")),
        Way(
            "a git worktree",
            worktree,
            (
                "foldproof init",
                "dvc cache dir --local '../first checkout/.dvc/cache'",
                "foldproof data pull",
                "foldproof run",
                "foldproof compare",
            ),
            note="`data pull` names the cache of the first checkout",
        ),
        Way("a part of a larger repository", part_of_a_repository, note="`dvc init --subdir`"),
        Way(
            "neither git nor DVC",
            class_folders,
            ("foldproof init", "foldproof run", "foldproof compare"),
            note="git is not installed, nothing is versioned: runs say so",
            versioned=False,
            git=False,
        ),
    ),
    "Other tools": (
        Way(
            "a company's MLflow server",
            class_folders,
            note="named by `MLFLOW_TRACKING_URI`; here of version 2.22",
            server=True,
        ),
        Way("another tool's params.yaml", foreign_params, note="settings go to foldproof.yaml beside it"),
    ),
}
WAYS = tuple(way for ways in BY_KIND.values() for way in ways)
_BY_CLASS = "a table of image and class"
REFUSALS = (
    Refusal("several labels an image", several_labels, "9 of 36 rows have several labels", "--label cat"),
    Refusal("a measured value", measured_values, "is a measured value", "make a column of classes"),
    Refusal("two columns that could be the class", several_columns, "could be the label", "--label organ"),
    Refusal("boxes (COCO)", boxes_of_coco, "a set for finding objects (COCO: boxes in a JSON file)", _BY_CLASS),
    Refusal(
        "boxes (YOLO)",
        boxes_of_yolo,
        "a set for finding objects (YOLO: a text file of boxes beside each image)",
        _BY_CLASS,
    ),
    Refusal(
        "boxes (Pascal VOC)",
        boxes_of_voc,
        "a set for finding objects (Pascal VOC: an XML file of boxes for each image)",
        _BY_CLASS,
    ),
    Refusal("outlines", outlines, "a set of outlines", _BY_CLASS),
)
