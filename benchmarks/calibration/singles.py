"""One experiment on images drawn afresh: who was right out of fold, and how good its models truly are, out.

The truth is measured: every model also judges thousands of images that nobody trained on. Parts that are done are kept,
so that the campaign goes on where it stopped.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from kept import Outcome, carry_out
from networks import CLASSES, Recipe, patches, predicted, train
from numpy.typing import NDArray
from outcomes import RECIPES
from population import Population
from sklearn.model_selection import StratifiedGroupKFold

REPEATS, JUDGED = 3, 4000
DRAWS_A_PART, PARTS = 10, 20
OF_A_GROUP, GROUP_NOISE = 4, 0.5
EASY = (1, 8, 9)  # trousers, bags, boots
STEPS, RATE, DECAY = 150, 0.05, 1e-3  # of the linear heads

Ints = NDArray[np.int64]
Predicted = tuple[list[Ints], list[Ints]]  # of each model: its held-out images, and the judged ones


@dataclass(frozen=True)
class Single:
    """What is drawn and how it is trained. `design`: plain, uneven (the rarest class has a tenth of the images of the
    largest), grouped (images come in fours that look alike and share a fold) or easy (three classes that are hardly
    ever mistaken for each other)."""

    learner: str
    images: int
    k: int
    design: str

    @property
    def name(self) -> str:
        return f"single-{self.learner}-{self.images}-k{self.k}-{self.design}"


def settings() -> list[Single]:
    return [
        Single(learner, images, k, design)
        for images in (300, 1000, 3000)
        for learner in LEARNERS
        for k in (5, 10)
        for design in ("plain", "uneven", "grouped", "easy")
    ]


def cnn(
    seen: NDArray[np.float32], labels: Ints, parts: list[Ints], asked: list[Ints], images: int, rng: np.random.Generator
) -> list[Ints]:
    """What small convolutional networks say of the images `asked`."""
    patched = patches(seen)
    weights = train(patched, torch.from_numpy(labels), parts, RECIPES.get(images, Recipe(epochs=2)), rng)
    return predicted(weights, patched, asked)


def linear(
    seen: NDArray[np.float32],
    labels: Ints,
    parts: list[Ints],
    asked: list[Ints],
    _images: int,
    rng: np.random.Generator,
) -> list[Ints]:
    """What linear heads on fixed features say: the same features for all, as of a frozen backbone."""
    features, targets = features_of(seen), torch.from_numpy(labels)
    initial = 0.01 * rng.standard_normal((len(parts), features.shape[1], CLASSES))
    weights = torch.from_numpy(initial.astype(np.float32)).requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=RATE, weight_decay=DECAY)
    for _ in range(STEPS):
        chosen = torch.from_numpy(np.stack([part[rng.integers(len(part), size=128)] for part in parts]))
        optimizer.zero_grad(set_to_none=True)
        logits = torch.bmm(features[chosen], weights)
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets[chosen].flatten()).backward()
        optimizer.step()
    with torch.no_grad():
        return [(features[of] @ own).argmax(1).numpy() for own, of in zip(weights, asked, strict=True)]


def features_of(seen: NDArray[np.float32]) -> torch.Tensor:
    kernels = torch.from_numpy(np.random.default_rng(1).standard_normal((32, 1, 3, 3)).astype(np.float32)) / 3
    hidden = torch.relu(torch.nn.functional.conv2d(torch.from_numpy(seen)[:, None], kernels))
    flat = torch.nn.functional.avg_pool2d(hidden, 5).flatten(1)
    return torch.cat([flat, torch.ones(len(flat), 1)], dim=1)


LEARNERS: Mapping[str, Callable[..., list[Ints]]] = {"cnn": cnn, "linear": linear}


@dataclass(frozen=True)
class Drawn:
    """Images with their folds.  # [image, 12, 12], [image], [image], [repeat, image]; judged ones behind the others"""

    seen: NDArray[np.float32]
    labels: Ints
    groups: Ints
    fold: NDArray[np.int8]


def drawn(setting: Single, draw: int, population: Population) -> Drawn:
    rng = np.random.default_rng([zlib.crc32(f"{setting.images} {setting.design}".encode()), draw])
    of_group = OF_A_GROUP if setting.design == "grouped" else 1
    count = setting.images // of_group
    rows = _rows(setting, population, rng, count + JUDGED)
    mine = np.repeat(rows[:count], of_group)
    all_rows = np.concatenate([mine, rows[count:]])
    seen = population.images[all_rows]
    if of_group > 1:
        seen = seen + GROUP_NOISE * rng.standard_normal(seen.shape).astype(np.float32)
    groups = np.repeat(np.arange(count), of_group)
    labels = population.labels[all_rows]
    fold = np.stack(
        [grouped_folds(labels[: len(mine)], groups, setting.k, int(rng.integers(2**31))) for _ in range(REPEATS)]
    )
    return Drawn(seen.astype(np.float32), labels, groups, fold)


def _rows(setting: Single, population: Population, rng: np.random.Generator, count: int) -> Ints:
    if setting.design == "easy":
        return rng.choice(np.flatnonzero(np.isin(population.labels, EASY)), count, replace=False)
    if setting.design != "uneven":
        return rng.choice(len(population.labels), count, replace=False)
    share = np.geomspace(1.0, 0.1, CLASSES)[population.labels]
    return rng.choice(len(population.labels), count, replace=False, p=share / share.sum())


def grouped_folds(labels: Ints, groups: Ints, k: int, seed: int) -> NDArray[np.int8]:
    fold = np.empty(len(labels), dtype=np.int8)
    cut = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
    for number, (_, part) in enumerate(cut.split(labels, labels, groups)):
        fold[part] = number
    return fold


def outcome(setting: Single, draw: int, population: Population) -> Outcome:
    """`predicted` [repeat, image], `fold` [repeat, image], `labels`, `groups` [image], `truth` [repeat, fold, class]:
    the share of the judged images of each class that each model recognised."""
    found = drawn(setting, draw, population)
    images = len(found.groups)
    rng = np.random.default_rng([zlib.crc32(setting.name.encode()), draw])
    judged = np.arange(images, len(found.labels))
    places = [(repeat, fold) for repeat in range(REPEATS) for fold in range(setting.k)]
    parts = [np.flatnonzero(found.fold[repeat] != fold) for repeat, fold in places]
    held_out = [np.flatnonzero(found.fold[repeat] == fold) for repeat, fold in places]
    asked = [np.concatenate([own, judged]) for own in held_out]
    said = LEARNERS[setting.learner](found.seen, found.labels, parts, asked, setting.images, rng)
    own_said = np.empty((REPEATS, images), dtype=np.int8)
    truth = np.empty((REPEATS, setting.k, CLASSES))
    for (repeat, fold), own, answers in zip(places, held_out, said, strict=True):
        own_said[repeat, own] = answers[: len(own)]
        right = answers[len(own) :] == found.labels[judged]
        truth[repeat, fold] = [_mean(right[found.labels[judged] == label]) for label in range(CLASSES)]
    return {
        "predicted": own_said,
        "fold": found.fold,
        "labels": found.labels[:images].astype(np.int8),
        "groups": found.groups.astype(np.int16),
        "truth": truth.astype(np.float32),
        "share": np.bincount(found.labels[judged], minlength=CLASSES) / len(judged),
    }


def _mean(right: NDArray[np.bool_]) -> float:
    return float(right.mean()) if len(right) else 0.0


def main() -> None:
    """Make what is lacking; of 3,000 images every third part, for they take longest and say least."""
    todo = ((setting, part) for part in range(PARTS) for setting in settings() if setting.images < 3000 or not part % 3)
    carry_out(todo, outcome, a_part=DRAWS_A_PART)


if __name__ == "__main__":
    main()
