"""Turn pixels into what a trunk expects by plain arithmetic: the same bits on every processor."""

from functools import lru_cache
from types import MappingProxyType

import torch

from foldproof.models.backbone import InputSpec

WHITE = MappingProxyType({torch.uint8: 255.0, torch.uint16: 65535.0})


def normalised(images: torch.Tensor, spec: InputSpec, device: torch.device | str) -> torch.Tensor:
    """(x / white - mean) / std of [batch, height, width, channel]; [batch, channel, height, width] float32 out.

    White is 255 in uint8 and 65535 in uint16; float32 holds either exactly.
    The result lies channels last in memory, as the bytes do. Bytes travel to the device, not floats. The divisors
    are tensors there: by a number, a GPU would multiply with the reciprocal, which rounds differently.
    """
    full, mean, std = (_on(device, values) for values in ((WHITE[images.dtype],), spec.mean, spec.std))
    planes = images.to(device).permute(0, 3, 1, 2)
    return planes.to(torch.float32).div_(full).sub_(mean).div_(std)


@lru_cache(maxsize=64)
def _on(device: torch.device | str, values: tuple[float, ...]) -> torch.Tensor:
    """A number a channel on the device, sent there once: whoever sends waits for all that the device has to do."""
    with torch.inference_mode(mode=False):
        return torch.tensor(values, dtype=torch.float32, device=device).reshape(-1, 1, 1)
