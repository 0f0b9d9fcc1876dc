"""Decode a dataset up to a memory limit, and keep the original files for the rest."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from foldproof.data.dataset import Dataset
from foldproof.data.pixels.images import ROW_BYTES, Progress, decoded
from foldproof.data.pixels.originals import Originals
from foldproof.data.rows.cache import GB
from foldproof.errors import NoRoom


@dataclass(frozen=True)
class AtHand:
    """A `.npy` of all images, or originals; `said`: why not all are kept decoded, and what would change that."""

    images: Path | Originals
    said: str = ""


def decode_at_hand(
    dataset: Dataset, originals: Originals, *, cache: Path, limit_gb: float, progress: Progress
) -> AtHand:
    """The images as `decoded` keeps them in `cache`; where it has no room for all, the first of them and originals."""

    def keep(part: Dataset) -> Path:
        return decoded(part, originals, cache=cache, limit_gb=limit_gb, progress=progress)

    try:
        return AtHand(keep(dataset))
    except NoRoom as error:
        lacking = error
    count = min(len(dataset), math.floor(limit_gb * GB / (originals.form.image_bytes + ROW_BYTES)))
    kept = None
    try:
        kept = keep(Dataset(dataset.samples[:count])) if count else None
    except NoRoom:
        count = 0  # it is the disk
    uncached = len(dataset) - count
    return AtHand(
        replace(originals, kept=kept),
        f"{lacking.what}: {uncached:,} of {len(dataset):,} images are decoded each time they are needed; "
        f"to decode them once, {lacking.next_step}",
    )
