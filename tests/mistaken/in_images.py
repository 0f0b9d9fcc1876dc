"""Mistakes with images: not there, not readable, not in classes, not enough."""

import shutil
from collections.abc import Callable
from pathlib import Path

from mistaken.in_settings import instead
from mistaken.mistake import Mistake, unprivileged


def emptied(project: Path) -> None:
    shutil.rmtree(project / "photos")
    (project / "photos").mkdir()


def flat(project: Path) -> None:
    """All pictures in one folder."""
    for image in sorted((project / "photos").glob("*/*")):
        image.rename(project / "photos" / f"{image.parent.name}-{image.name}")
    for folder in (project / "photos").iterdir():
        if folder.is_dir():
            folder.rmdir()


def in_parts(project: Path) -> None:
    """photos/train/cat instead of photos/cat."""
    (project / "photos").rename(project / "all")
    shutil.copytree(project / "all", project / "photos" / "train")
    (project / "all").rename(project / "photos" / "val")


def forbidden(project: Path) -> None:
    (project / "photos" / "cat" / "000.png").chmod(0)


def one_class(project: Path) -> None:
    shutil.rmtree(project / "photos" / "dog")
    shutil.rmtree(project / "photos" / "eel")


def labelled(*lines: str, more: str = "") -> Callable[[Path], None]:
    """A table of labels beside the photos, and settings that name it."""

    def prepare(project: Path) -> None:
        (project / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        instead("path: photos", f"path: photos, labels: labels.csv{more}")(project)

    return prepare


def elsewhere(project: Path) -> None:
    """The photos lie outside the project."""
    (project / "photos").rename(project.parent / "pictures")


MISTAKES = (
    Mistake("A folder that is not there", "foldproof run", instead("path: photos", "path: photo")),
    Mistake("A file where a folder is needed", "foldproof run", instead("path: photos", "path: photos/cat/000.png")),
    Mistake("No images", "foldproof run", emptied),
    Mistake("Images without class folders", "foldproof run", flat),
    Mistake("One class", "foldproof run", one_class),
    Mistake("train and val as if they were classes", "foldproof run", in_parts),
    Mistake("A project in the folder of images itself", "foldproof init photos"),
    Mistake("Images outside the project", "foldproof data add ../pictures", elsewhere),
    Mistake("A table of labels that is not there", "foldproof run --set data.labels=lables.csv"),
    Mistake("A table without a column of labels", "foldproof run", labelled("file,befund", "000.png,cat")),
    Mistake(
        "A column that is not in the table",
        "foldproof run",
        labelled("file,diagnosis", "cat/000.png,cat", more=", columns: {label: diagnoses}"),
    ),
    Mistake("A name in the table that several images have", "foldproof run", labelled("file,label", "000.png,cat")),
    Mistake("A table of other images", "foldproof run", labelled("file,label", "x1.png,cat", "x2.png,dog")),
    Mistake(
        "A table with a column of splits",
        "foldproof run",
        labelled("file,label,split", "cat/000.png,cat,train", "dog/000.png,dog,val", "eel/000.png,eel,test"),
    ),
    Mistake("A class to merge that there is not", "foldproof run", instead("photos", "photos, classes: {cats: pet}")),
    Mistake("A test folder that is not there", "foldproof run --set data.test=photos-of-2025"),
    Mistake(
        "Images that are held out and trained on",
        "foldproof run --set data.test=held-out",
        lambda project: shutil.copytree(project / "photos", project / "held-out"),
    ),
    Mistake("A group a fold without groups", "foldproof run --set folds.scheme=leave-one-group-out"),
    Mistake("Predefined folds that nobody wrote", "foldproof run --set folds.scheme=predefined"),
    Mistake("More folds than images in the smallest class", "foldproof run --set folds.k=8"),
    Mistake(
        "A file that is no image",
        "foldproof run",
        lambda project: (project / "photos" / "cat" / "notes.jpg").write_text("no picture"),
    ),
    Mistake(
        "A damaged image",
        "foldproof run",
        lambda project: (project / "photos" / "cat" / "000.png").write_bytes(
            (project / "photos" / "cat" / "001.png").read_bytes()[:1500]
        ),
    ),
    Mistake(
        "The same picture in two classes",
        "foldproof run",
        lambda project: shutil.copy(project / "photos" / "cat" / "000.png", project / "photos" / "dog" / "new.png"),
    ),
    Mistake("An image that may not be read", "foldproof run", forbidden, through=unprivileged()),
    Mistake(
        "A group that most paths do not name",
        "foldproof run",
        instead("path: photos", "path: photos, group_by: '(patient[0-9]+)'"),
    ),
    Mistake(
        "A group that is no regular expression", "foldproof run", instead("path: photos", "path: photos, group_by: '('")
    ),
)
