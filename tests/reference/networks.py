"""The networks of the reference, with the names of their weights."""

from collections.abc import Callable

import torch
from torch import nn

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
OWN_MODEL = """\
from torch import nn


def net(*, classes, pretrained):
    features = (nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten())
    return nn.Sequential(*features, nn.Dropout(0.5), nn.Linear(294, classes))
"""


class Network(nn.ModuleDict):
    """`trunk` and `head`. `expects`: mean and deviation of what goes in."""

    def __init__(self, trunk: nn.Module, head: nn.Module, expects: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
        super().__init__({"trunk": trunk, "head": head})
        self.expects = expects


def small_cnn(channels: int, classes: int) -> Network:
    layers: list[nn.Module] = []
    for before, after in ((channels, 32), (32, 64), (64, 128)):
        block = (nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2))
        layers.append(nn.Sequential(*block))
    trunk = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Network(trunk, nn.Linear(128, classes), ((0.5,) * channels, (0.5,) * channels))


def own(channels: int, classes: int) -> Network:
    """What OWN_MODEL builds, for pictures of 16 pixels, cut before its dropout."""
    trunk = nn.Sequential(nn.Conv2d(channels, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten())
    return Network(trunk, nn.Sequential(nn.Dropout(0.5), nn.Linear(294, classes)), IMAGENET)


networks: dict[str, Callable[[int, int], Network]] = {"small_cnn": small_cnn, "own_model:net": own}


def drawn(seed: int, channels: int, classes: int) -> dict[str, torch.Tensor]:
    """The initial weights of a small_cnn: torch's own, right after its generator was seeded."""
    torch.manual_seed(seed)
    return small_cnn(channels, classes).state_dict()
