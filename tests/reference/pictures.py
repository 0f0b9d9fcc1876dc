"""Picture files in; squares, changed squares and what a network is given out."""

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from reference import scheme

Picture = NDArray[np.uint8]  # [height, width, channel]


def square(file: Path, size: int, resize: str, channels: int = 3) -> Picture:
    """Decoded and made square: squashed, its middle cut out, or put in the middle of black."""
    picture = Image.open(file).convert("RGB" if channels == 3 else "L")
    width, height = picture.size
    if resize == "crop":
        edge = min(width, height)
        left, top = (width - edge) // 2, (height - edge) // 2
        picture = picture.crop((left, top, left + edge, top + edge))
    if resize == "pad":
        scale = size / max(width, height)
        inner = tuple(max(1, math.floor(edge * scale + 0.5)) for edge in (width, height))
        whole = Image.new(picture.mode, (size, size))
        whole.paste(picture.resize(inner, Image.Resampling.BILINEAR), ((size - inner[0]) // 2, (size - inner[1]) // 2))
        picture = whole
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(picture).reshape(size, size, channels)


def lightly_changed(picture: Picture, bits: int) -> Picture:
    """Shifted by up to an eighth of its edge, black coming in, and half of the time mirrored left to right."""
    size = len(picture)
    margin = max(1, size // 8)
    top, left = (scheme.below(scheme.bits_of(bits, number), 2 * margin + 1) for number in (1, 2))
    cut = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)))[top : top + size, left : left + size]
    return cut[:, ::-1] if scheme.below(scheme.bits_of(bits, 3), 2) else cut


def as_input(pictures: list[Picture], mean: float | tuple[float, ...], std: float | tuple[float, ...]) -> torch.Tensor:
    """White is 1, less the mean, over the deviation.  # [picture, channel, height, width] float32"""
    values = torch.from_numpy(np.stack(pictures)).float() / 255
    return ((values - torch.tensor(mean)) / torch.tensor(std)).permute(0, 3, 1, 2)
