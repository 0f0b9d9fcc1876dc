"""Small convolutional networks of one shape, many trained at once: images and batches in, who is right out.

Every network has weights, data order and batches of its own; only the arithmetic is shared, as batched matrix products,
because a network this small spends its time on starting operations.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

CLASSES = 10
EDGE = 12  # pixels
FIRST, SECOND = 12, 24  # channels of the two convolutions: 3 x 3 with stride 3 and 2 x 2 with stride 2
BLOCKS, BLOCK = 4, 4  # positions of the second convolution, and what each sees of the first


@dataclass(frozen=True)
class Recipe:
    """How a network is trained."""

    epochs: int
    batch: int = 32
    lr: float = 0.02


def patches(images: NDArray[np.float32]) -> torch.Tensor:
    """What the first convolution multiplies, in the order in which the second takes it up.

    # [image, 12, 12] -> [image, 16, 9]
    """
    seen = torch.from_numpy(images).view(-1, 2, 2, 3, 2, 2, 3)  # [image, block, position in it, pixel], rows; columns
    return seen.permute(0, 1, 4, 2, 5, 3, 6).reshape(-1, BLOCKS * BLOCK, 9)


def train(
    seen: torch.Tensor,  # [image, 16, 9], of `patches`
    labels: torch.Tensor,  # [image]
    parts: list[NDArray[np.int64]],  # of each network, the images that it is trained on
    recipe: Recipe,
    rng: np.random.Generator,
) -> list[torch.Tensor]:
    """The weights of every network."""
    networks, length = len(parts), min(map(len, parts))
    weights = _initial(networks, rng)
    optimizer = torch.optim.Adam(weights, lr=recipe.lr)
    batches = max(length // recipe.batch, 1)
    for epoch in range(recipe.epochs):
        for group in optimizer.param_groups:
            group["lr"] = recipe.lr * (1 - epoch / recipe.epochs)
        order = np.stack([rng.permutation(part)[:length] for part in parts])  # [network, image]
        for chosen in np.array_split(order, batches, axis=1):
            at = torch.from_numpy(chosen)
            logits = _forward(weights, seen[at])
            loss = cross_entropy(logits.flatten(0, 1), labels[at].flatten()) * networks
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    return weights


@torch.inference_mode()
def predicted(
    weights: list[torch.Tensor], seen: torch.Tensor, parts: list[NDArray[np.int64]]
) -> list[NDArray[np.int64]]:
    """The class that every network gives each image of its part."""
    length = max(map(len, parts))
    padded = np.stack(
        [np.resize(part, length) for part in parts]
    )  # [network, image]; what is too much is cut off below
    found = [
        _forward(weights, seen[torch.from_numpy(at)]).argmax(dim=2).numpy()
        for at in np.array_split(padded, max(length // 256, 1), axis=1)
    ]
    return [row[: len(part)] for row, part in zip(np.concatenate(found, axis=1), parts, strict=True)]


def _initial(networks: int, rng: np.random.Generator) -> list[torch.Tensor]:
    shapes = ((9, FIRST), (1, FIRST), (BLOCK * FIRST, SECOND), (1, SECOND), (BLOCKS * SECOND, CLASSES), (1, CLASSES))
    weights = []
    for rows, columns in shapes:
        scale = np.sqrt(2 / rows) if rows > 1 else 0.0
        drawn = scale * rng.standard_normal((networks, rows, columns))
        weights.append(torch.from_numpy(drawn.astype(np.float32)).requires_grad_())
    return weights


def _forward(weights: list[torch.Tensor], seen: torch.Tensor) -> torch.Tensor:
    """Logits.  # [network, image, 16, 9] -> [network, image, class]"""
    first, first_bias, second, second_bias, last, last_bias = weights
    networks, images = seen.shape[:2]
    hidden = torch.relu(torch.baddbmm(first_bias, seen.reshape(networks, -1, 9), first))
    hidden = torch.relu(torch.baddbmm(second_bias, hidden.view(networks, -1, BLOCK * FIRST), second))
    return torch.baddbmm(last_bias, hidden.view(networks, images, -1), last)
