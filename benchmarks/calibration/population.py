"""The 70,000 images of Fashion-MNIST, at 12 x 12 pixels, from which every campaign draws."""

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATASET = Path(os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist"))


@dataclass(frozen=True)
class Population:
    """All images there are.  # [image, 12, 12] float32, [image]"""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]

    @staticmethod
    def read(folder: Path = DATASET) -> "Population":
        images, labels = [], []
        for part in ("train", "t10k"):
            with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
                pixels = np.frombuffer(file.read(), np.uint8, offset=16)
            with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
                labels.append(np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64))
            middle = pixels.reshape(-1, 28, 28)[:, 2:26, 2:26]
            images.append(middle.reshape(-1, 12, 2, 12, 2).mean((2, 4), dtype=np.float32))
        return Population((np.concatenate(images) - 73) / 90, np.concatenate(labels))

    def like(self, labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Another image of each row's class, none twice."""
        chosen = np.empty(len(labels), dtype=np.int64)
        for label in np.unique(labels):
            rows = np.flatnonzero(labels == label)
            chosen[rows] = rng.choice(np.flatnonzero(self.labels == label), len(rows), replace=False)
        return chosen
