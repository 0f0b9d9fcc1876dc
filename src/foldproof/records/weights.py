"""Find the weights of a fold in a run's folder, without opening them."""

from pathlib import Path

from foldproof.events.fold_id import FoldId
from foldproof.storage import regular_inside

FILE_NAME = "model.safetensors"
MOST_BYTES = 16 * 2**30


def weights_of(folder: Path, fold_id: FoldId) -> Path:
    """The file of a fold's weights. Raises DamagedFile where it is no plain file, FileNotFoundError."""
    return regular_inside(folder, f"{fold_id.folder_name}/{FILE_NAME}", most_bytes=MOST_BYTES)
