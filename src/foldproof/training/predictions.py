"""Out-of-fold predictions: probabilities of the validation images in, a parquet table and its hash out."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from foldproof.data.dataset import Sample
from foldproof.storage import replacing

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


def predictions_sha256(samples: tuple[Sample, ...], probabilities: NDArray[np.float32]) -> str:
    """SHA-256 over (content hash, label, probabilities as little-endian float32); file names do not count."""
    total = hashlib.sha256()
    for sample, row in zip(samples, probabilities.astype("<f4"), strict=True):
        total.update(f"{sample.sha256} {sample.label} ".encode() + row.tobytes())
    return total.hexdigest()
