"""Build the `Classifier` of a `ModelRequest` and settle its image size."""

import torch

from foldproof import registry
from foldproof.models.backbone import Classifier, build, check_forward, check_image_size
from foldproof.models.first_layer import adapt_channels
from foldproof.training.task import ModelRequest


def build_classifier(request: ModelRequest, device: torch.device) -> Classifier:
    """The model on `device`, channels last in memory, its random weights from the default generator.

    Raises ModelError, UnknownName or NeedsNetwork.
    """
    if request.plugins is not None:
        registry.make_importable(request.plugins)
    classifier = build(request.backbone, classes=len(request.classes), pretrained=request.pretrained)
    classifier = adapt_channels(classifier, request.channels, name=request.backbone)
    return classifier.to(device).to(memory_format=torch.channels_last)


def settle_image_size(request: ModelRequest, classifier: Classifier) -> int:
    """The edge in pixels that the model will see. Raises ModelError for a size its weights were not made for."""
    size = check_image_size(
        classifier.input, request.image_size, any_image_size=request.any_image_size, name=request.backbone
    )
    check_forward(classifier, size, classes=len(request.classes), name=request.backbone)
    return size
