"""Send arrays to the device without waiting for the transfer."""

from typing import Any

import torch
from numpy.typing import NDArray


def sent(array: NDArray[Any], device: torch.device) -> torch.Tensor:
    """The array on `device`; on the CPU it is the same memory.

    To a GPU it goes through pinned memory, in the order of the current stream: the next batch is read while the last
    one is computed.
    """
    tensor = torch.from_numpy(array)
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
