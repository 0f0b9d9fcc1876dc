"""Build a `Classifier` from a model of torchvision."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import torchvision
from torch import nn
from torchvision.models import GoogLeNet, Inception3, SqueezeNet

from foldproof.models.backbone import IMAGENET_MEAN, IMAGENET_STD, Classifier, InputSpec, triple
from foldproof.models.cutting import cut_last_linear
from foldproof.models.weights import file_from_url, reading

OWN_SIZES: Mapping[str, int] = MappingProxyType({"inception_v3": 299, "vit_h_14": 518})
WITHOUT_WEIGHTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "inception_v3": {"aux_logits": False, "init_weights": True},
        "googlenet": {"aux_logits": False, "init_weights": True},
        "vit_h_14": {"image_size": OWN_SIZES["vit_h_14"]},
    }
)


@cache
def names() -> frozenset[str]:
    """All classifiers of the installed torchvision."""
    return frozenset(torchvision.models.list_models(module=torchvision.models))


def build(name: str, *, classes: int, pretrained: bool) -> Classifier:
    """`name` with random or the default weights and a fresh head. Raises NeedsNetwork, ModelError."""
    net: nn.Module
    if pretrained:
        weights = torchvision.models.get_model_weights(name).DEFAULT
        file = file_from_url(weights.url, name=name)
        with reading(file, name=name):
            net = torchvision.models.get_model(name, weights=weights, progress=False)
        spec = _input_of(weights.transforms())
    else:
        net = torchvision.models.get_model(name, weights=None, **WITHOUT_WEIGHTS.get(name, {}))
        spec = InputSpec(OWN_SIZES.get(name, 224), IMAGENET_MEAN, IMAGENET_STD, fixed=False)
    if isinstance(net, GoogLeNet | Inception3):
        spec = _made_plain(net, spec)
    if isinstance(net, SqueezeNet):
        return _squeezenet(net, spec, classes=classes, pretrained=pretrained)
    cut = cut_last_linear(net, name=name)
    return Classifier(cut.trunk, cut.fresh_head(classes), input=spec, pretrained=pretrained)


def _input_of(transforms: Any) -> InputSpec:
    (size,) = transforms.crop_size
    return InputSpec(int(size), triple(transforms.mean), triple(transforms.std), fixed=True)


def _made_plain(net: Any, spec: InputSpec) -> InputSpec:
    """With published weights, and only then, these two turn ImageNet's mean and deviation into 0.5 inside.

    Here that is done outside and always, so that the network is one and the same function of its weights.
    Their dropout stands beside the last linear layer, not in a Sequential with it; auxiliary outputs go.
    """
    net.transform_input = net.aux_logits = False
    net.AuxLogits = net.aux1 = net.aux2 = None
    net.fc = nn.Sequential(net.dropout, net.fc)
    net.dropout = nn.Identity()
    return InputSpec(spec.image_size, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), fixed=spec.fixed)


def _squeezenet(net: Any, spec: InputSpec, *, classes: int, pretrained: bool) -> Classifier:
    """Its last layer is a 1 x 1 convolution, so the trunk ends in maps: it can be trained, not frozen."""
    dropout, last, *_ = net.classifier
    head = nn.Sequential(
        nn.Dropout(dropout.p),
        nn.Conv2d(last.in_channels, classes, kernel_size=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return Classifier(net.features, head, input=spec, pretrained=pretrained)
