"""Write the out-of-fold predictions of a fold as a parquet table with a hash, and read them back."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from foldproof.data.dataset import Sample
from foldproof.errors import DamagedFile
from foldproof.storage import cleaned, read_inside, replacing
from foldproof.storage.columns import read_parquet
from foldproof.storage.limits import IMAGES, PREDICTIONS_BYTES

FILE_NAME = "predictions.parquet"
SCHEMA: Any = pa.schema(
    {
        "path": pa.string(),
        "sha256": pa.string(),
        "group": pa.string(),
        "label": pa.string(),
        "repeat": pa.int32(),
        "fold": pa.int32(),
        "seed": pa.int64(),
        "probabilities": pa.list_(pa.float32()),
    },
    metadata={"foldproof": "1"},
)


@dataclass(frozen=True)
class Predictions:
    """Predictions of one fold's model for the images it had not seen.  # [image], [image, class] float32"""

    samples: tuple[Sample, ...]
    probabilities: NDArray[np.float32]


def write(
    folder: Path,
    samples: tuple[Sample, ...],
    probabilities: NDArray[np.float32],  # [validation image, class], classes in sorted order
    *,
    repeat: int,
    fold: int,
    seed: int,
) -> str:
    """Write the table and return the hash of what it says. Raises StorageError."""
    count = len(samples)
    table = pa.table(
        {
            "path": [sample.path for sample in samples],
            "sha256": [sample.sha256 for sample in samples],
            "group": [sample.group for sample in samples],
            "label": [sample.label for sample in samples],
            "repeat": np.full(count, repeat, dtype=np.int32),
            "fold": np.full(count, fold, dtype=np.int32),
            "seed": np.full(count, seed, dtype=np.int64),
            "probabilities": list(probabilities),
        },
        schema=SCHEMA,
    )
    with replacing(folder / FILE_NAME) as temporary:
        pq.write_table(table, temporary)
    return predictions_sha256(samples, probabilities)


def read(run_folder: Path, fold_folder: str, *, classes: int, sha256: str) -> Predictions:
    """The table of a fold, proved by the hash that its journal holds.

    Raises DamagedFile where there is none, where it is another, or where it has not `classes` probabilities a row.
    """
    name = f"{fold_folder}/{FILE_NAME}"
    try:
        content = read_inside(run_folder, name, most_bytes=PREDICTIONS_BYTES)
        table = read_parquet(content, most_rows=IMAGES, columns=SCHEMA.names).select(SCHEMA.names).cast(SCHEMA)
        columns = (table[key].to_pylist() for key in ("sha256", "label", "path", "group"))
        samples = tuple(Sample(*values) for values in zip(*columns, strict=True))
        rows = table["probabilities"].combine_chunks()
        if set(rows.value_lengths().unique().to_pylist()) - {classes} or rows.null_count:
            raise ValueError(f"a row has not {classes} probabilities")
        flat = rows.flatten()
        whole = np.frombuffer(flat.buffers()[1], dtype=np.float32) if len(flat) else np.empty(0, dtype=np.float32)
        probabilities = whole[flat.offset : flat.offset + len(flat)].reshape(-1, classes)
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        reason = "there is none" if isinstance(error, FileNotFoundError) else cleaned(str(error), most=200)
        raise _damaged(run_folder / name, reason) from error
    if predictions_sha256(samples, probabilities) != sha256:
        raise _damaged(run_folder / name, "it is not the table that its journal names")
    return Predictions(samples, probabilities)


def _damaged(path: Path, reason: str) -> DamagedFile:
    return DamagedFile(
        f"{path} cannot be used: {reason}",
        next_step="restore it from a copy, or train the experiment again",
    )


def predictions_sha256(samples: Sequence[Sample], probabilities: NDArray[np.float32]) -> str:
    """SHA-256 over (content hash, label, probabilities as little-endian float32); file names do not count."""
    total = hashlib.sha256()
    for sample, row in zip(samples, probabilities.astype("<f4"), strict=True):
        total.update(f"{sample.sha256} {sample.label} ".encode() + row.tobytes())
    return total.hexdigest()
