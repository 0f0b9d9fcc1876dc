"""One training step: a batch and its labels in, better weights and what the step had found out.

A step is whole: nothing is left between its seed and its last use of the generator, so folds may train by turns.
"""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch.nn.functional import cross_entropy

from foldproof.training import determinism
from foldproof.training.fold import Fold

# (inputs, labels [batch] int64, 64 bits for the generator) to (loss, how many were recognised), scalars on the device
Step: TypeAlias = Callable[[torch.Tensor, torch.Tensor, int], tuple[torch.Tensor, torch.Tensor]]


def plain(fold: Fold, optimizer: torch.optim.Optimizer) -> Step:
    """Forward, backward and one step of `optimizer`, as torch does them: the arithmetic that a step is defined by."""
    forward, device, class_weights = fold.forward, fold.device, fold.class_weights

    def step(inputs: torch.Tensor, labels: torch.Tensor, bits: int) -> tuple[torch.Tensor, torch.Tensor]:
        determinism.seed(device, bits)
        logits = forward(inputs)  # [batch, class]
        loss = cross_entropy(logits, labels, weight=class_weights)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach(), (logits.argmax(dim=1) == labels).sum()

    return step
