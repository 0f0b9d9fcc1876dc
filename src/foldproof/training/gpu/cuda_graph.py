"""Capture the arithmetic of a training step, on tensors that keep their place, as a CUDA graph.

All that only a GPU can run, and nothing else. Whether a replay does what the arithmetic does is proved elsewhere, in
`captured`.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch

from foldproof.training.step import Arithmetic, Found

Replay: TypeAlias = Callable[[int], Found]  # 64 bits for the generator in; each replay writes to the same tensors


def make_capturable(optimizer: torch.optim.Optimizer) -> None:
    """Let an optimiser keep its count of steps on the GPU, before its first one; so a plain step computes the same."""
    for group in optimizer.param_groups:
        if "capturable" in group:
            group["capturable"] = True


def capture(compute: Arithmetic, inputs: torch.Tensor, labels: torch.Tensor) -> Replay:
    """Launch nothing, remember what would be launched. Raises whatever an operation raises that cannot be captured.

    The graph draws from a generator of its own, which takes the place of the default one while it is captured: on the
    default one, graphs on several streams would disturb each other. It is captured on a stream of its own: on torch's
    one stream for captures, the graphs of all folds would share a cuBLAS workspace, which is freed when the first of
    them is reset (torch issue 193402).
    """
    device = inputs.device
    own = torch.Generator(device)
    default = torch.cuda.default_generators[device.index]
    usual, stream = default.graphsafe_get_state(), torch.cuda.current_stream(device)
    graph, capturing = torch.cuda.CUDAGraph(), torch.cuda.Stream(device)
    default.graphsafe_set_state(own)
    try:
        with torch.cuda.graph(graph, stream=capturing):
            found = compute(inputs, labels)
    finally:
        default.graphsafe_set_state(usual)
        torch.cuda.set_stream(stream)  # where it stays on the stream of the capture if that has failed

    def replay(bits: int) -> Found:
        own.manual_seed(bits)
        graph.replay()
        return found

    return replay
