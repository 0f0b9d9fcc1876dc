"""Decode a dataset up to a memory limit, and keep the original files for the rest."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from foldproof.data.dataset import Dataset
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.images import ROW_BYTES, Progress, decoded
from foldproof.data.pixels.originals import Originals
from foldproof.data.rows.cache import GB
from foldproof.errors import NoRoom


@dataclass(frozen=True)
class AtHand:
    """A `.npy` of all images, or originals; `said`: why not all are kept decoded, and what would change that."""

    images: Path | Originals
    said: str = ""


def at_hand(
    dataset: Dataset,
    folder: Path,
    form: Form,
    *,
    cache: Path,
    limit_gb: float,
    most_pixels: int,
    progress: Progress,
) -> AtHand:
    """The images as `decoded` keeps them in `cache`; where it has no room for all, the first of them and originals."""
    keep = partial(
        decoded,
        folder=folder,
        form=form,
        cache=cache,
        limit_gb=limit_gb,
        most_pixels=most_pixels,
        progress=progress,
    )
    try:
        return AtHand(keep(dataset))
    except NoRoom as error:
        lacking = error
    count = min(len(dataset), math.floor(limit_gb * GB / (form.image_bytes + ROW_BYTES)))
    kept = None
    try:
        kept = keep(Dataset(dataset.samples[:count])) if count else None
    except NoRoom:
        count = 0  # it is the disk
    uncached = len(dataset) - count
    return AtHand(
        Originals(folder=folder, form=form, most_pixels=most_pixels, kept=kept),
        f"{lacking.what}: {uncached:,} of {len(dataset):,} images are decoded each time they are needed; "
        f"to decode them once, {lacking.next_step}",
    )
