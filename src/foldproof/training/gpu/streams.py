"""Make a context in which a fold trains its steps on its own stream of a device."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from foldproof.training.determinism import choose_device


def own_stream(wanted: str) -> Callable[[], AbstractContextManager[Any]]:
    """On a GPU a stream of the fold's own, beside which others compute; elsewhere nothing. Raises SettingsError."""
    device = choose_device(wanted)
    if device.type != "cuda":
        return nullcontext
    stream = torch.cuda.Stream(device)
    return lambda: torch.cuda.stream(stream)
