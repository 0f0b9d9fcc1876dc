"""Build EfficientNet-Lite0 with ImageNet weights from an installed package, without a network."""

from pathlib import Path
from typing import Any

import timm
import torch
from torch import nn

from foldproof.models.backbone import Classifier, InputSpec
from foldproof.models.lite0_weights import lite0_weights
from foldproof.models.weights import reading

HALVES = (0.5, 0.5, 0.5)


def efficientnet_lite0(*, classes: int, pretrained: bool) -> Classifier:
    """1,280 features; made for 224 x 224 pixels and values in -1..1.

    Raises ModelError where the weights are asked for and their package is not installed.
    """
    trunk: Any = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0)
    if pretrained:
        _fill(trunk, lite0_weights())
    spec = InputSpec(224, HALVES, HALVES, fixed=pretrained)
    return Classifier(trunk, nn.Linear(trunk.num_features, classes), input=spec, pretrained=pretrained)


def _fill(trunk: nn.Module, file: Path) -> None:
    """The package has the same tensors in this order under other names, and ImageNet's classifier last."""
    with reading(file, name="efficientnet_lite0"):
        published: dict[str, torch.Tensor] = torch.load(file, map_location="cpu", weights_only=True)
        own = list(trunk.state_dict())
        *values, _weight, _bias = published.values()
        trunk.load_state_dict(dict(zip(own, values, strict=True)))
