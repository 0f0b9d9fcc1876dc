"""Equally good networks, and networks that truly differ, on real images: a setting in, who was right about what out.

Images are drawn afresh from the 70,000 of Fashion-MNIST for every comparison. Parts that are done are kept, so that the
campaign goes on where it stopped: `make calibrate`.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from kept import Outcome, carry_out
from networks import Recipe, patches, predicted, train
from numpy.typing import NDArray
from population import Population
from sklearn.model_selection import StratifiedKFold

FOLDS, REPEATS, EXPERIMENTS = 5, 3, 5
DRAWS_A_PART = 10
PARTS = {"seeds": 40, "copies": 20, "gap": 10, "views": 10}
COPY_NOISE = 0.5

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


def settings() -> list[Setting]:
    equal = [Setting(kind, images) for images in RECIPES for kind in ("seeds", "copies", "views")]
    return equal + [Setting("gap", images, points) for images, points in NOISE]


def outcomes(setting: Setting, draw: int, population: Population) -> Outcome:
    """Who was `right`, out of fold, and the `fold` of each image.  # [experiment, repeat, image], [repeat, image]"""
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
    return {"right": _right(np.stack(seen), labels, folds, RECIPES[setting.images], rng), "fold": folds}


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


def main() -> None:
    """Make what is lacking."""
    parts = range(max(PARTS.values()))
    carry_out(
        ((setting, part) for part in parts for setting in settings() if part < PARTS[setting.kind]),
        outcomes,
        a_part=DRAWS_A_PART,
    )


if __name__ == "__main__":
    main()
