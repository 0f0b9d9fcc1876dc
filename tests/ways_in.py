"""The shapes in which people's images come, and what each types from nothing to a compared run."""

import csv
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
from PIL import Image

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

    @property
    def typed(self) -> int:
        return len(self.commands)


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


COMPETITION = ("foldproof init", "foldproof data add train_images", "foldproof run", "foldproof compare")
WAYS = (
    Way("class folders", class_folders),
    Way("a competition's folder", competition, COMPETITION, note="test images are left alone, names of classes found"),
    Way("a column of 0 and 1 for each class", one_column_a_class, note="one class an image; several are refused"),
    Way("the class in the file's name", named_files, note="`cat.0.jpg`; said, to be agreed with"),
    Way("a table without a header", no_header, note="columns are told apart by what they hold"),
    Way("a table of another machine", elsewhere, note="UTF-16, `sep=;`, Windows paths, another suffix; all said"),
    Way("training_set/ test_set/", other_parts, note="parts by any usual name"),
    Way("images/ beside masks/", with_masks, note="masks are left out"),
    Way("a network drive's folders", as_systems_leave_them, note="thumbnails and bins are passed over"),
    Way("AVIF, JPEG 2000, PPM, WebP, no suffix", mixed_formats, note="read by what they hold"),
    Way("a spreadsheet of labels", spreadsheet, note="columns are recognised; patients share a fold"),
    Way("patient/class/image", patients, note="patients share a fold"),
    Way("train/ val/ test/", parts, note="test/ is kept apart; train and val are cut into folds"),
    Way("folds in a spreadsheet", predefined_folds, folds=3, note="its column of folds is taken as it is"),
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
        "a DVC cache of symbolic links",
        symlinked_cache,
        ("foldproof init", "foldproof run", "foldproof compare"),
        note="in a shared cache outside the project; nothing is copied",
    ),
    Way("an output of dvc.yaml", stage_output, ("foldproof init", "foldproof run", "foldproof compare")),
    Way("dvc import", imported, ("foldproof init", "foldproof run", "foldproof compare")),
    Way("16-bit grey TIFF", microscope, note="one range of values for all, said and recorded"),
    Way(
        "a company's MLflow server",
        class_folders,
        note="named by `MLFLOW_TRACKING_URI`; here of version 2.22",
        server=True,
    ),
    Way("another tool's params.yaml", foreign_params, note="settings go to foldproof.yaml beside it"),
    Way(
        "neither git nor DVC",
        class_folders,
        ("foldproof init", "foldproof run", "foldproof compare"),
        note="git is not installed, nothing is versioned: runs say so",
    ),
)
