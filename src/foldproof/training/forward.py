"""Make the function that runs a network in a precision, from inputs to float32.

In bfloat16, weights, optimiser, losses and what comes out stay float32; convolutions and matrix products take numbers
of 8 significant bits (torch's autocast). Compiled, a graph for each shape of a batch, so that none depends on the
shapes that came before.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

import torch

from foldproof.config.schema import Precision
from foldproof.errors import SettingsError

Forward: TypeAlias = Callable[[torch.Tensor], torch.Tensor]  # inputs to [batch, …] float32


def use_precision(precision: Precision, device: torch.device | str) -> AbstractContextManager[object]:
    """A block in which a forward pass is computed in a precision."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)


def forward_of(net: Forward, precision: Precision, device: torch.device) -> Forward:
    """`net` computed in a precision, float32 out."""
    if precision == "float32":
        return net

    def forward(inputs: torch.Tensor) -> torch.Tensor:
        with use_precision(precision, device):
            outputs: torch.Tensor = net(inputs)
        return outputs.float()

    return forward


def compiled(net: torch.nn.Module) -> Forward:
    """`net`, compiled as it is called. What an earlier fold of this process left is forgotten: it would count."""
    from torch._dynamo import config as tracing
    from torch._inductor import config as generating

    torch.compiler.reset()
    tracing.recompile_limit = 64  # graphs, one for each shape, training and not; beyond it torch would do without
    tracing.fail_on_recompile_limit_hit = True
    generating.fallback_random = True  # dropout from the generator that each step seeds
    made: Forward = torch.compile(net, dynamic=False)
    return made


def check_compiler(device: torch.device) -> None:
    """Raises SettingsError where nothing can compile for `device`: on a CPU that takes a C++ compiler."""
    named = [os.environ.get("CXX", ""), "g++", "clang++", "cl"]
    if device.type == "cpu" and not any(name and shutil.which(name) for name in named):
        raise SettingsError(
            "train.compile needs a C++ compiler, and there is none",
            next_step="install g++ (Debian: apt install g++), or set train.compile: false",
        )


def bfloat16_is_slow(device: torch.device) -> bool:
    """Whether `device` has no instructions for bfloat16, so that it is emulated."""
    if device.type == "cuda":
        return not torch.cuda.is_bf16_supported(including_emulation=False)
    has = torch.cpu._is_avx512_bf16_supported, torch.cpu._is_amx_tile_supported  # noqa: SLF001 - nothing public tells
    return not any(ask() for ask in has)
