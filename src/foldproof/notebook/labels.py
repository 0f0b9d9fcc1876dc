"""Label images from a notebook: paths, Pillow images and arrays in, a pandas table out."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image

from foldproof.errors import DataError, ProjectError
from foldproof.notebook import frames
from foldproof.predict.images import ImageHere, Item
from foldproof.predict.inputs import find_inputs
from foldproof.predict.opened import opened_models
from foldproof.predict.rows import Labelled, Unlabelled
from foldproof.project import Project
from foldproof.reproduce.record_source import RecordSource

if TYPE_CHECKING:
    import pandas as pd


def predict(folder: Path, images: Any, *, by: str, device: str, trust_code: bool) -> "pd.DataFrame":
    """What the models of the run in `folder` say of each image.

    Raises DataError for the first that cannot be read, and what `opened_models` does.
    """
    try:
        project = Project.find(Path.cwd())
    except ProjectError:
        project = None
    is_ours = project is not None and folder.resolve().parent == project.runs.resolve()
    source = RecordSource(folder=folder, is_foreign=not is_ours)
    items = list(_items(images))
    with opened_models(source, by=by, project=project, device=device, trust_code=trust_code) as models:
        rows = [_labelled(row) for row in models.labeller.label(items)]
    return frames.labels(rows, models.classes)


def _items(images: Any) -> Iterator[Item]:
    some = [images] if isinstance(images, str | os.PathLike | PIL.Image.Image | np.ndarray) else images
    for number, one in enumerate(some):
        if isinstance(one, PIL.Image.Image | np.ndarray):
            yield ImageHere(f"image {number}", one)
            continue
        found = find_inputs([os.fspath(one)])
        for row in found.unlabelled:
            _labelled(row)
        yield from found.images


def _labelled(row: Labelled | Unlabelled) -> Labelled:
    if isinstance(row, Unlabelled):
        raise DataError(f"{row.path}: {row.reason}", next_step="leave it out; `foldproof predict` labels the others")
    return row
