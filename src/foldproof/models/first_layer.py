"""Adapt the first convolution of a colour classifier to grey images."""

from dataclasses import replace

import torch
from torch import nn

from foldproof.errors import ModelError
from foldproof.models.backbone import Classifier

COLOURS = 3


def adapt_channels(classifier: Classifier, channels: int, *, name: str) -> Classifier:
    """The classifier for images of so many channels: for 3 as it is, for 1 with the weights of its first layer summed.

    A grey picture given once is then what it was given three times: exactly where the three channels are normalised
    alike, else nearly, as by the mean of the means and deviations. Sums of random weights have the variance that a
    layer of one channel is drawn with where that follows the fan-in, as torch's own initialisation does, and three
    times as much where it follows the fan-out. Raises ModelError where no layer takes three channels.
    """
    if channels == COLOURS:
        return classifier
    first = next((part for part in classifier.trunk.modules() if isinstance(part, nn.Conv2d)), None)
    if first is None or first.groups != 1 or first.in_channels not in (channels, COLOURS):
        raise ModelError(
            f"'{name}' does not begin with a convolution of three channels, so it cannot be adapted to grey",
            next_step="set data.channels: 3, which shows it grey images as colour",
        )
    if first.in_channels == COLOURS:
        with torch.no_grad():
            red, green, blue = first.weight.unbind(dim=1)
            first.weight = nn.Parameter((red + green + blue).unsqueeze(1))
        first.in_channels = channels
    spec = classifier.input
    classifier.input = replace(spec, mean=(sum(spec.mean) / COLOURS,), std=(sum(spec.std) / COLOURS,))
    return classifier
