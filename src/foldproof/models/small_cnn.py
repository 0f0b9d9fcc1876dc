"""Build a network of three convolutions that trains in seconds on a CPU."""

from torch import nn

from foldproof.errors import ModelError
from foldproof.models.backbone import Classifier, InputSpec

WIDTHS = (32, 64, 128)
INPUT = InputSpec(32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), fixed=False)


def small_cnn(*, classes: int, pretrained: bool) -> Classifier:
    """94,762 parameters for 10 classes; images from 8 x 8 on. Raises ModelError when asked for weights."""
    if pretrained:
        raise ModelError(
            "there are no pretrained weights for 'small_cnn'",
            next_step="set train.pretrained: false, or train.backbone: efficientnet_lite0, which has some",
        )
    blocks = (_block(before, after) for before, after in zip((3, *WIDTHS), WIDTHS, strict=False))
    trunk = nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Classifier(trunk, nn.Linear(WIDTHS[-1], classes), input=INPUT, pretrained=False)


def _block(before: int, after: int) -> nn.Sequential:
    """Rectified after pooling: the same numbers forwards and backwards as before it, on a quarter of them."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.MaxPool2d(2), nn.ReLU()
    )
