"""Recognise folders made for other tasks than one class per image, such as boxes or outlines."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from foldproof.errors import DamagedFile, OtherTask
from foldproof.storage import read_file

_MOST_LOOKED_AT = 50  # files of each kind
_MOST_BYTES = 8 * 2**20  # of a file that is parsed; a larger one is searched for what it would hold
_PIECE, _LONGEST = 2**20, 64  # bytes that are searched at once, and of what is searched
_ANNOTATIONS, _BOXES = re.compile(rb'"annotations"\s*:\s*\['), re.compile(rb'"bbox"\s*:\s*\[')
_OUTLINES = frozenset({"masks", "mask", "segmentation", "segmentations", "annotations_masks", "segmentationclass"})


def refuse_other_tasks(folder: Path, images: Sequence[str], files: Sequence[str]) -> None:
    """Raises OtherTask where `folder` is laid out for finding objects or outlines in its `images`.

    `files`: all that lie in it, images too; paths are relative to it.
    """
    what = _what(folder, images, files)
    if what:
        raise OtherTask(
            f"{folder} is {what}: one class an image is what is trained here",
            next_step="cut the objects out into class folders, or write a table of image and class and name it in "
            "data.labels",
        )


def _what(folder: Path, images: Sequence[str], files: Sequence[str]) -> str:
    def called(suffix: str) -> Iterator[Path]:
        return islice((folder / path for path in files if path.lower().endswith(suffix)), _MOST_LOOKED_AT)

    if any(_is_coco(file) for file in called(".json")):
        return "a set for finding objects (COCO: boxes in a JSON file)"
    stems = {Path(path).stem for path in images}
    if any(file.stem in stems and _is_yolo(file) for file in called(".txt")):
        return "a set for finding objects (YOLO: a text file of boxes beside each image)"
    if any(b"<annotation" in _head(file) for file in called(".xml")):
        return "a set for finding objects (Pascal VOC: an XML file of boxes for each image)"
    return "a set of outlines (an image and a mask of each)" if are_outlines(images) else ""


def are_outlines(images: Sequence[str]) -> bool:
    """Whether one of the two folders that the images lie in is called as those of masks are."""
    folders = {Path(path).parent.name.lower() for path in images}
    return not _OUTLINES.isdisjoint(folders) and len(folders) == 2


def _head(file: Path) -> bytes:
    try:
        return read_file(file, most_bytes=_MOST_BYTES)[:4096]
    except (OSError, DamagedFile):
        return b""


def _is_coco(file: Path) -> bool:
    try:
        if file.stat().st_size > _MOST_BYTES:
            return _speaks_of_boxes(file)
        content = json.loads(read_file(file, most_bytes=_MOST_BYTES))
    except (OSError, DamagedFile, ValueError, RecursionError):
        return False
    if not isinstance(content, dict):
        return False
    annotations = content.get("annotations")
    return isinstance(annotations, list) and any(isinstance(one, dict) and "bbox" in one for one in annotations[:50])


def _speaks_of_boxes(file: Path) -> bool:
    """Whether a file too large to be parsed has a list of annotations, and boxes in it. Reads it in pieces."""
    waiting, end = [_ANNOTATIONS, _BOXES], b""
    with file.open("rb") as content:
        while waiting and (piece := content.read(_PIECE)):
            while waiting and waiting[0].search(end + piece):
                waiting.pop(0)
            end = (end + piece)[-_LONGEST:]
    return not waiting


def _is_yolo(file: Path) -> bool:
    lines = _head(file).decode(errors="replace").splitlines()
    return bool(lines) and all(_is_box(line.split()) for line in lines[:5])


def _is_box(words: Sequence[str]) -> bool:
    try:
        return len(words) >= 5 and words[0].isdigit() and all(0 <= float(word) <= 1 for word in words[1:5])
    except ValueError:
        return False
