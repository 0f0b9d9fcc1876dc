"""Mistakes with images: not there, not readable, not in classes, not enough."""

import shutil
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


MISTAKES = (
    Mistake("A folder that is not there", "foldproof run", instead("path: photos", "path: photo")),
    Mistake("A file where a folder is needed", "foldproof run", instead("path: photos", "path: photos/cat/000.png")),
    Mistake("No images", "foldproof run", emptied),
    Mistake("Images without class folders", "foldproof run", flat),
    Mistake("One class", "foldproof run", one_class),
    Mistake("train and val as if they were classes", "foldproof run", in_parts),
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
