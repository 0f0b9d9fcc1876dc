"""Equally good networks, and networks that truly differ, on real images: a setting in, who was right about what out.

Images are drawn afresh from the 70,000 of Fashion-MNIST for every comparison. Parts that are done are kept, so that the
campaign goes on where it stopped: `make calibrate`.
"""

import gzip
import os
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from networks import Recipe, patches, predicted, train
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

FOLDS, REPEATS, EXPERIMENTS = 5, 3, 5
DRAWS_A_PART = 10
PARTS = {"seeds": 40, "copies": 20, "gap": 10, "views": 10}
COPY_NOISE = 0.5
DATASET = Path(os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist"))
DONE = Path(".calibration")

RECIPES = {300: Recipe(epochs=12), 1000: Recipe(epochs=5), 3000: Recipe(epochs=2)}
NOISE = {  # (images, points): what takes a network about so many points away
    (300, 2): 0.2,
    (300, 5): 0.345,
    (300, 10): 0.56,
    (1000, 2): 0.21,
    (1000, 5): 0.41,
    (1000, 10): 0.71,
    (3000, 2): 0.22,
    (3000, 5): 0.455,
    (3000, 10): 0.81,
}


@dataclass(frozen=True)
class Setting:
    """What is compared. `kind`: how the experiments of one draw are related.

    seeds: five times the same recipe. copies: the same recipe, each time on copies of the images with noise of their
    own; which of the copies the recipe fares better with is chance, as with two recipes that suit a set of images
    differently. views: the same, with other images of the same classes instead of copies; nothing that is trained on
    the same images can differ as much. gap: one experiment that sees its images through noise, to be held against the
    first of the same draw of `seeds`.
    """

    kind: str
    images: int
    points: int = 0

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.images}" + (f"-{self.points}" if self.points else "")


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


def settings() -> list[Setting]:
    equal = [Setting(kind, images) for images in RECIPES for kind in ("seeds", "copies", "views")]
    return equal + [Setting("gap", images, points) for images, points in NOISE]


def outcomes(setting: Setting, draw: int, population: Population) -> tuple[NDArray[np.bool_], NDArray[np.int8]]:
    """Who was right, out of fold, and the fold of each image.  # [experiment, repeat, image], [repeat, image]"""
    rng = np.random.default_rng([zlib.crc32(f"images {setting.images}".encode()), draw])
    rows = rng.choice(len(population.labels), setting.images, replace=False)
    labels = population.labels[rows]
    folds = np.stack([stratified_folds(labels, int(rng.integers(2**31))) for _ in range(REPEATS)])
    rng = np.random.default_rng([zlib.crc32(setting.name.encode()), draw])
    noise = {"gap": NOISE.get((setting.images, setting.points)), "copies": COPY_NOISE}.get(setting.kind, 0.0)
    seen = []
    for number in range(1 if setting.kind == "gap" else EXPERIMENTS):
        if setting.kind == "views" and number:
            rows = population.like(labels, rng)
        images = population.images[rows]
        seen.append(images + noise * rng.standard_normal(images.shape).astype(np.float32))
    return _right(np.stack(seen), labels, folds, RECIPES[setting.images], rng), folds


def stratified_folds(labels: NDArray[np.int64], seed: int) -> NDArray[np.int8]:
    fold = np.empty(len(labels), dtype=np.int8)
    cut = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for number, (_, part) in enumerate(cut.split(labels, labels)):
        fold[part] = number
    return fold


def _right(
    seen: NDArray[np.float32],  # [experiment, image, 12, 12]
    labels: NDArray[np.int64],
    folds: NDArray[np.int8],
    recipe: Recipe,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Every experiment's every fold, trained at once, and whether each image was held out and recognised."""
    experiments, images = seen.shape[:2]
    places = [
        (experiment, repeat, fold)
        for experiment in range(experiments)
        for repeat in range(REPEATS)
        for fold in range(FOLDS)
    ]
    trained = [np.flatnonzero(folds[repeat] != fold) + images * experiment for experiment, repeat, fold in places]
    held_out = [np.flatnonzero(folds[repeat] == fold) + images * experiment for experiment, repeat, fold in places]
    patched = patches(seen.reshape(-1, *seen.shape[2:]))
    weights = train(patched, torch.from_numpy(np.tile(labels, experiments)), trained, recipe, rng)
    right = np.empty((experiments, *folds.shape), dtype=bool)
    for (experiment, repeat, _), part, said in zip(
        places, held_out, predicted(weights, patched, held_out), strict=True
    ):
        own = part - images * experiment
        right[experiment, repeat, own] = said == labels[own]
    return right


def make_part(setting: Setting, part: int, population: Population) -> None:
    """Write the outcomes of some draws, whole or not at all."""
    draws = range(part * DRAWS_A_PART, (part + 1) * DRAWS_A_PART)
    some = [outcomes(setting, draw, population) for draw in draws]
    file = part_file(setting, part)
    temporary = file.with_name(f"{file.stem}.{os.getpid()}.tmp")
    with temporary.open("wb") as stream:
        np.savez_compressed(stream, right=np.stack([one for one, _ in some]), fold=np.stack([one for _, one in some]))
    temporary.replace(file)


def part_file(setting: Setting, part: int) -> Path:
    return DONE / f"{setting.name}-part{part:03}.npz"


def main() -> None:
    """Make what is lacking; `outcomes.py 1/2` makes every second part, for two processes at once."""
    share, of = map(int, sys.argv[1].split("/")) if len(sys.argv) > 1 else (1, 1)
    if not DATASET.is_dir():
        sys.exit(f"no {DATASET}: install Debian's dataset-fashion-mnist, or name the folder in FASHION_MNIST")
    torch.set_num_threads(1)
    DONE.mkdir(exist_ok=True)
    population = Population.read()
    for part in range(max(PARTS.values())):
        for setting in settings():
            mine = part % of == share - 1 and part < PARTS[setting.kind]
            if mine and not part_file(setting, part).exists():
                make_part(setting, part, population)
                print(f"{setting.name} part {part + 1} of {PARTS[setting.kind]}", flush=True)


if __name__ == "__main__":
    main()
