"""A frozen backbone's features, by one canonical pass: images in manifest order in, a row an image out."""

from importlib import metadata

import numpy as np
import torch

from foldproof.config.identity import digest
from foldproof.config.schema import Precision
from foldproof.data.pixels.source import PixelSource, expect
from foldproof.errors import ModelError
from foldproof.models.backbone import Classifier, keep_in_eval
from foldproof.training.checkpoint import weights_sha256
from foldproof.training.chunks import CHUNK
from foldproof.training.forward import use_precision
from foldproof.training.preprocess import normalised


def frozen_features(
    classifier: Classifier, images: PixelSource, *, device: torch.device | str, precision: Precision = "float32"
) -> torch.Tensor:
    """[image, feature] float32 on the CPU, of [image, height, width, channel] uint8 or uint16 pixels.

    This pass *defines* the features: chunks of exactly 32 images, the last one filled up with black ones, the whole
    trunk in eval, in one precision, channels last in memory. So a row depends on its image alone and not on the
    order, the neighbours or how many there are; a forward pass in batches of another size is another number.
    Moves the trunk to `device`. Raises ModelError where the trunk ends in something else than a row an image.
    """
    trunk = classifier.trunk.to(device).to(memory_format=torch.channels_last)
    rows: list[torch.Tensor] = []
    expect(images, np.split(np.arange(len(images)), range(CHUNK, len(images), CHUNK)))
    with keep_in_eval(trunk), torch.inference_mode(), use_precision(precision, device):
        for start in range(0, max(len(images), 1), CHUNK):
            part = images[start : start + CHUNK]
            chunk = np.zeros((CHUNK, *images.shape[1:]), dtype=images.dtype)
            chunk[: len(part)] = part
            features: torch.Tensor = trunk(normalised(torch.from_numpy(chunk), classifier.input, device))
            check_rows(features)
            rows.append(features[: len(part)].to("cpu", torch.float32))
    return torch.cat(rows)  # outside inference mode, so that a head can be trained on it


def trunk_digest(classifier: Classifier, backbone: str) -> str:
    """What the features of an image depend on of a trunk: its weights, its function and what it expects.

    Two networks may have weights of the same names and shapes and compute differently, so the name of the backbone
    counts, and the versions of the libraries that may have built it. 64 hexadecimal characters.
    """
    spec = classifier.input
    libraries = [f"{name} {metadata.version(name)}" for name in ("timm", "torchvision")]
    weights = weights_sha256(classifier.trunk.state_dict())
    return digest(
        {"backbone": backbone, "libraries": libraries, "weights": weights, "mean": spec.mean, "std": spec.std}
    )


def check_rows(features: torch.Tensor) -> None:
    """Raises ModelError where a trunk gives something else than a row an image, as those without a linear layer do."""
    if features.ndim != 2:
        raise ModelError(
            f"this backbone ends in maps of shape {list(features.shape[1:])}, not in a row an image",
            next_step="set train.freeze_backbone: false, or choose another backbone",
        )
