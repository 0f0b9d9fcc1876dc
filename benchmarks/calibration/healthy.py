"""Healthy trainings, with BatchNorm as users run them, and three faults: what each fold scores after each epoch, out.

Nothing is wrong with any of the healthy folds, so whoever says that one disagrees is wrong. The faults are of the first
fold: a tenth of its labels wrong, other pictures, or a training that diverged. Parts that are done are kept.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from kept import Outcome, carry_out
from numpy.typing import NDArray
from outcomes import FOLDS, stratified_folds
from population import Population
from singles import features_of
from torch import nn
from torch.nn.functional import cross_entropy

BATCH, RATE = 32, 0.001
EASY = (1, 7, 8, 9)


@dataclass(frozen=True)
class Healthy:
    """`learner`: small_cnn as foldproof has it, or a linear head on fixed features.

    `easy`: four classes that are hardly ever mistaken. `rate`: of Adam, constant, as in the default recipe.
    """

    learner: str
    a_fold: int  # images
    epochs: int
    easy: bool = False
    rate: float = RATE

    @property
    def name(self) -> str:
        easy = "-easy" if self.easy else ""
        return f"healthy-{self.learner}-{self.a_fold}-e{self.epochs}-lr{self.rate:g}{easy}"


PARTS = {200: 40, 1000: 8, 2000: 3, 10_000: 1}  # of draws
DRAWS_A_PART = 5
FAULTS = ("labels", "pictures", "diverged")  # of the first fold
WRONG = 0.1  # of the labels
DARKER, GRAIN, EASY_GRAIN = 0.9, 0.35, 0.9
DIVERGED = {"small_cnn": 1.0, "head": 100.0}  # learning rates
Ints = NDArray[np.int64]


def settings() -> list[Healthy]:
    found = []
    for a_fold in PARTS:
        epochs = 5 if a_fold < 10_000 else 2
        found += [Healthy("small_cnn", a_fold, epochs, easy) for easy in (False, True)[: 1 + (a_fold < 2000)]]
        found += [Healthy("head", a_fold, 5, rate=0.01)]
        found += [Healthy("small_cnn", a_fold, 5, rate=0.01)] * (a_fold <= 1000)
    return found


def small_cnn() -> nn.Module:
    """Three blocks of convolution, BatchNorm, ReLU and pooling, and a linear layer: foldproof's own, by hand."""
    layers: list[nn.Module] = []
    before = 1
    for channels in (32, 64, 128):
        layers += [nn.Conv2d(before, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
        before = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def trained(
    learner: str,
    rate: float,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    part: Ints,
    held_out: list[tuple[torch.Tensor, torch.Tensor]],
    epochs: int,
) -> NDArray[np.int32]:
    """How many images of each held-out part, given with its labels, are recognised.  # [part, epoch]"""
    net = small_cnn() if learner == "small_cnn" else nn.Linear(inputs.shape[1], 10)
    net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(net.parameters(), lr=rate, fused=True)
    right = np.zeros((len(held_out), epochs), dtype=np.int32)
    for epoch in range(epochs):
        net.train()
        for chosen in torch.from_numpy(np.random.permutation(part)).split(BATCH):  # noqa: NPY002
            optimizer.zero_grad(set_to_none=True)
            cross_entropy(net(inputs[chosen]), labels[chosen]).backward()
            optimizer.step()
        net.eval()
        with torch.inference_mode():
            for number, (seen, true) in enumerate(held_out):
                said = torch.cat([net(some).argmax(1) for some in seen.split(256)])
                right[number, epoch] = int((said == true).sum())
    return right


def outcome(setting: Healthy, draw: int, population: Population) -> Outcome:
    """Images recognised after each epoch, images of each fold, and recognised of the first fold with each fault.

    # right [fold, epoch], images [fold], faults [fault, epoch]
    """
    seed = zlib.crc32(setting.name.encode()) + draw
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the order of the images
    pool = np.flatnonzero(np.isin(population.labels, EASY)) if setting.easy else np.arange(len(population.labels))
    rows = rng.choice(pool, min(setting.a_fold * FOLDS, len(pool)), replace=False)
    labels = population.labels[rows]
    fold = stratified_folds(labels, int(rng.integers(2**31)))
    images, targets = population.images[rows], torch.from_numpy(labels)
    inputs = prepared(setting.learner, images)
    right = []
    for number in range(FOLDS):
        part, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        judged = [(inputs[held_out], targets[held_out])]
        if number == 0:
            judged += faulty(setting, images[held_out], labels[held_out], rng)
        right.append(trained(setting.learner, setting.rate, inputs, targets, part, judged, setting.epochs))
        if number == 0:
            diverged = trained(
                setting.learner, DIVERGED[setting.learner], inputs, targets, part, judged[:1], setting.epochs
            )
    faults = np.concatenate([right[0][1:], diverged])
    return {
        "right": np.stack([one[0] for one in right]),
        "images": np.bincount(fold).astype(np.int32),
        "faults": faults,
    }


def prepared(learner: str, images: NDArray[np.float32]) -> torch.Tensor:
    if learner == "head":
        return features_of(images)
    return torch.from_numpy(images)[:, None].contiguous(memory_format=torch.channels_last)


def faulty(
    setting: Healthy, images: NDArray[np.float32], labels: Ints, rng: np.random.Generator
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The same held-out part with a tenth of its labels wrong, and with other pictures: darker, and grainy."""
    classes = np.array(EASY) if setting.easy else np.arange(10)
    wrong = rng.choice(len(labels), round(WRONG * len(labels)), replace=False)
    at = np.searchsorted(classes, labels[wrong])
    false = labels.copy()
    false[wrong] = classes[(at + rng.integers(1, len(classes), size=len(wrong))) % len(classes)]
    grain = EASY_GRAIN if setting.easy or setting.learner == "head" else GRAIN
    other = (DARKER * images + grain * rng.standard_normal(images.shape)).astype(np.float32)
    return [
        (prepared(setting.learner, images), torch.from_numpy(false)),
        (prepared(setting.learner, other), torch.from_numpy(labels)),
    ]


def main() -> None:
    """Make what is lacking, of all settings as many parts as of the others."""
    todo = [(setting, part) for setting in settings() for part in range(PARTS[setting.a_fold])]
    carry_out(sorted(todo, key=lambda one: one[1] / PARTS[one[0].a_fold]), outcome, a_part=DRAWS_A_PART)


if __name__ == "__main__":
    main()
