"""Build a `Classifier` by a backbone's name, with a trunk and a head that separate cleanly.

A name is looked up in the table of backbones and installed plugins, then among torchvision's classifiers,
then among timm's models; `torchvision/NAME` and `timm/NAME` say which of the two libraries is meant.
"""

import importlib
import inspect
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, Protocol

import torch
from torch import nn

from foldproof import registry
from foldproof.errors import ModelError, UnknownName, nearest
from foldproof.models.cutting import cut_end_output, cut_last_linear

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
LIBRARIES: Mapping[str, str] = MappingProxyType(
    {"torchvision": "foldproof.models.torchvision_models", "timm": "foldproof.models.timm_models"}
)


@dataclass(frozen=True)
class InputSpec:
    """What a trunk expects: the edge of the square in pixels, and each channel's mean and deviation of values in 0..1.

    `fixed`: pretrained weights were made for this size, so another one needs the user's word.
    """

    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fixed: bool

    @property
    def channels(self) -> int:
        return len(self.mean)


def triple(values: Iterable[float]) -> tuple[float, float, float]:
    """The three channels of a mean or deviation."""
    red, green, blue = (float(value) for value in values)
    return red, green, blue


DEFAULT_INPUT = InputSpec(224, IMAGENET_MEAN, IMAGENET_STD, fixed=False)


class Classifier(nn.Module):
    """A network cut in two: `trunk` turns images into features, `head` turns features into logits.

    trunk: [batch, channel, size, size] float32, normalised -> [batch, feature] float32; head: -> [batch, class].
    A dropout before the last linear layer belongs to the head, so that the features of a frozen trunk are
    computed once. The keys of the state dict are `trunk.*` and `head.*`.
    """

    def __init__(self, trunk: nn.Module, head: nn.Module, *, input: InputSpec, pretrained: bool) -> None:  # noqa: A002
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.input = input
        self.pretrained = pretrained

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.trunk(images)
        logits: torch.Tensor = self.head(features)
        return logits


class Backbone(Protocol):
    """Build a classifier; whatever is random comes from torch's global generator, which the caller seeded.

    `pretrained` changes values, never the names or shapes of the state dict nor the function computed with
    it: a trained model is built again with `pretrained=False` and its own weights, without a network.
    """

    def __call__(self, *, classes: int, pretrained: bool) -> Classifier: ...


def build(name: str, *, classes: int, pretrained: bool) -> Classifier:
    """The backbone called `name` with a fresh head for `classes`; a pure function of the generator's seed.

    Raises UnknownName with the nearest name, ModelError where it cannot be built as asked, NeedsNetwork where
    its weights are neither here nor to be had.
    """
    made: object = _builder(name)(classes=classes, pretrained=pretrained)
    if isinstance(made, Classifier):
        return made
    if isinstance(made, nn.Module):
        return _adopted(made, classes=classes, pretrained=pretrained, name=name)
    raise ModelError(
        f"backbone '{name}' returned {type(made).__name__} instead of a torch module",
        next_step="return an nn.Module or a foldproof.models.backbone.Classifier",
    )


def check_image_size(spec: InputSpec, wanted: int | Literal["auto"], *, any_image_size: bool, name: str) -> int:
    """The edge in pixels to train at. Raises ModelError where pretrained weights want another size."""
    if wanted == "auto":
        return spec.image_size
    if spec.fixed and wanted != spec.image_size and not any_image_size:
        raise ModelError(
            f"the pretrained weights of '{name}' were made for {spec.image_size} x {spec.image_size} pixels, "
            f"and data.image_size is {wanted}",
            next_step="set data.image_size: auto, or train.any_image_size: true if that is intended",
        )
    return wanted


def check_forward(classifier: Classifier, image_size: int, *, classes: int, name: str) -> None:
    """Raises ModelError unless images of this size come out as [batch, class] logits; changes nothing.

    Also proves the cut: what comes out of a trunk whose last linear layer was taken away must be what would
    have gone into that layer. A network that ends in, say, a softmax fails here.
    """
    shape = (2, classifier.input.channels, image_size, image_size)
    images = torch.linspace(-1.0, 1.0, math.prod(shape)).reshape(shape)
    images = images.to(next(classifier.parameters()).device)
    try:
        with keep_in_eval(classifier), torch.inference_mode(), torch.random.fork_rng(devices=[]):
            with cut_end_output(classifier.trunk) as cut_off:
                features = classifier.trunk(images)
            logits = classifier.head(features)
    except (RuntimeError, ValueError, AssertionError, IndexError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0][:160]
        raise ModelError(
            f"'{name}' cannot take images of {image_size} x {image_size} pixels: {reason}",
            next_step=f"set data.image_size: auto (= {classifier.input.image_size}), or choose a backbone",
        ) from error
    if cut_off and not _same(cut_off[-1], features):
        raise ModelError(
            f"'{name}' does not end with its last linear layer",
            next_step="return logits without a softmax, or return a foldproof.models.backbone.Classifier",
        )
    if logits.shape != (2, classes):
        raise ModelError(
            f"'{name}' turns 2 images into {list(logits.shape)} instead of [2, {classes}] logits",
            next_step="choose another backbone",
        )


@contextmanager
def keep_in_eval(module: nn.Module) -> Iterator[None]:
    """Have `module` in eval mode for the block, then every part of it in the mode that it had."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def _builder(name: str) -> Backbone:
    table = registry.names("backbones")
    if name in table or registry.is_dotted_path(name):
        return _callable(registry.load("backbones", name), name)
    known = [*table]
    for library, module in LIBRARIES.items():
        shelf: Any = importlib.import_module(module)
        if (bare := name.removeprefix(f"{library}/")) in shelf.names():
            return partial(shelf.build, bare)
        known += [*shelf.names(), *(f"{library}/{model}" for model in shelf.names())]
    hint = nearest(name, known)
    raise UnknownName(
        f"no backbone called '{name}'{'; ' + hint if hint else ''}",
        next_step=f"known: {', '.join(table)}, any model of torchvision or timm, or 'your_module:attribute'",
    )


def _adopted(net: nn.Module, *, classes: int, pretrained: bool, name: str) -> Classifier:
    """A plain network of the user's: its own last linear layer becomes the head."""
    cut = cut_last_linear(net, name=name)
    if cut.last.out_features != classes:
        raise ModelError(
            f"the last linear layer of '{name}' has {cut.last.out_features} outputs for {classes} classes",
            next_step="build it with the number of classes that it is called with",
        )
    return Classifier(cut.trunk, cut.head(cut.last), input=DEFAULT_INPUT, pretrained=pretrained)


def _callable(builder: Any, name: str) -> Backbone:
    try:
        inspect.signature(builder).bind(classes=2, pretrained=False)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"backbone '{name}' cannot be called with classes=… and pretrained=…: {error}",
            next_step="write it as def build(*, classes: int, pretrained: bool) -> nn.Module",
        ) from error
    made: Backbone = builder
    return made
