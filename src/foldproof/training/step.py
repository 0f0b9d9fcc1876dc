"""Do one training step: improve the weights on a batch and return what the step computed before.

A step is whole: nothing is left between its seed and its last use of the generator, so folds may train by turns.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch.nn.functional import cross_entropy

from foldproof.training import determinism
from foldproof.training.forward import Forward
from foldproof.training.stopwatch import STILL, Watch

Found: TypeAlias = tuple[torch.Tensor, torch.Tensor]  # the loss, and how many were recognised: scalars on the device
Arithmetic: TypeAlias = Callable[[torch.Tensor, torch.Tensor], Found]  # (inputs, labels [batch] int64)
Step: TypeAlias = Callable[[torch.Tensor, torch.Tensor, int], Found]  # (inputs, labels, 64 bits for the generator)


def arithmetic(
    forward: Forward, optimizer: torch.optim.Optimizer, class_weights: torch.Tensor, watch: Watch = STILL
) -> Arithmetic:
    """Forward, backward and one step of `optimizer`; random numbers come from the default generator as it stands."""

    def compute(inputs: torch.Tensor, labels: torch.Tensor) -> Found:
        with watch.part("forward"):
            logits = forward(inputs)  # [batch, class]
            loss = cross_entropy(logits, labels, weight=class_weights)
        with watch.part("backward"):
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        return loss.detach(), (logits.argmax(dim=1) == labels).sum()

    return compute


def plain_step(compute: Arithmetic, device: torch.device) -> Step:
    """The step that every other must equal: seed, then compute."""

    def step(inputs: torch.Tensor, labels: torch.Tensor, bits: int) -> Found:
        determinism.seed(device, bits)
        return compute(inputs, labels)

    return step
