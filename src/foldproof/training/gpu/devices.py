"""Find the GPUs of this machine over which folds may be spread, because they compute alike."""

from collections.abc import Sequence

import torch


def gpus() -> list[str]:
    """The names of all that torch sees, in its order."""
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def alike(names: Sequence[str]) -> tuple[str, ...]:
    """The devices of the first one's kind: the bits of a fold depend on it. None where there is no GPU."""
    return tuple(f"cuda:{number}" for number, name in enumerate(names) if name == names[0])
