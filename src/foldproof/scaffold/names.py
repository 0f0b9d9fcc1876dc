"""Find the class at the beginning of each file name. Pure.

`cat.0.jpg` and `dog.0.jpg` in one folder say their class, `IMG_0001.jpg` and `DSC_0001.jpg` their camera.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

PATTERNS = (
    r"(?:^|/)([^/]*?[^\W\d_])[._ -]*[(]?[0-9]+[)]?[.][^/.]+$",  # cat.0.jpg, great_white-12.png, roof (2).jpg
    r"(?:^|/)[0-9]+[._ -]+([^/]*?[^\W\d_])[.][^/.]+$",  # 0012_cat.jpg
)
_CAMERA = re.compile(
    "img|imag|image|images|dsc|dscn|dscf|dsci|pict?|picture|p|photo|foto|cimg|sam|vid|mvi|gopr|mvc|frame|scan|page|pxl|"
    "screenshot|whatsapp|signal|untitled|file|train|test|val|valid|x|data|sample|snapshot|crop|patch|tile"
)
_MOST_CLASSES = 100
_LEAST_IMAGES = 3  # of each class


def label_in_names(paths: Sequence[str]) -> str | None:
    """The pattern, for data.label_by, that finds a class in every name; None where names are not of classes.

    At least two classes, each of three images or more, and none called as cameras and programs call their files.
    """
    for pattern in PATTERNS:
        found = [re.search(pattern, path) for path in paths]
        if not found or not all(found):
            continue
        classes = Counter(match[1] for match in found if match)
        words = {re.split(r"[\W\d_]+", name.lower())[0] for name in classes}
        enough = 2 <= len(classes) <= _MOST_CLASSES and min(classes.values()) >= _LEAST_IMAGES
        if enough and not any(map(_CAMERA.fullmatch, words)):
            return pattern
    return None


def stands_in_one_folder(paths: Sequence[str]) -> bool:
    """Whether folders say nothing about these images."""
    return len({PurePosixPath(path).parent for path in paths}) == 1
