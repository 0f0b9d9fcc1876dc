"""ResNet-18 for images of 32 x 32 pixels, as papers on CIFAR have it: a 3x3 stem, no max-pool (He et al. 2016)."""

from itertools import pairwise

from torch import nn

from foldproof.models.backbone import Classifier, InputSpec

WIDTHS = (64, 64, 128, 256, 512)
INPUT = InputSpec(32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25), fixed=False)


class Block(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.past = nn.Identity()
        if stride != 1 or before != after:
            self.past = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, features):
        return nn.functional.relu(self.body(features) + self.past(features))


def resnet18_32(*, classes, pretrained):
    """11.2 million parameters; an image costs about 0.56 GFLOP forward."""
    blocks = []
    for stage, (before, after) in enumerate(pairwise(WIDTHS)):
        blocks += [Block(before, after, 2 if stage else 1), Block(after, after, 1)]
    stem = [nn.Conv2d(3, WIDTHS[0], 3, 1, 1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU()]
    trunk = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Classifier(trunk, nn.Linear(WIDTHS[-1], classes), input=INPUT, pretrained=pretrained)
