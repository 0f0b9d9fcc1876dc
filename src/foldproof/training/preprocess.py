"""Pixels in, what a trunk expects out, by plain arithmetic: the same bits on every processor."""

import torch

from foldproof.models.backbone import InputSpec


def normalised(images: torch.Tensor, spec: InputSpec, device: torch.device | str) -> torch.Tensor:
    """(x / 255 - mean) / std of [batch, height, width, 3] uint8; [batch, 3, height, width] float32 out.

    The result lies channels last in memory, as the bytes do. Bytes travel to the device, not floats. The divisors
    are tensors there: by a number, a GPU would multiply with the reciprocal, which rounds differently.
    """
    full, mean, std = (
        torch.tensor(values, dtype=torch.float32, device=device).reshape(-1, 1, 1)
        for values in ((255.0,), spec.mean, spec.std)
    )
    planes = images.to(device).permute(0, 3, 1, 2)
    return planes.to(torch.float32).div_(full).sub_(mean).div_(std)
