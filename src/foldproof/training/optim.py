"""Make the optimiser and learning-rate schedule of a config.

The kernels are the fused ones: one pass over memory instead of several, and no roots by MKL, which are other bits on
processors of another maker; plain and foreach Adam agree bit for bit with each other, fused does not. A schedule is a
function of (epochs done, epochs) to a factor of the initial rate; the rate changes between epochs only.
"""

import math
from collections.abc import Callable, Iterable
from typing import TypeAlias

import torch

from foldproof.config.schema import TrainSettings
from foldproof.training.uncompiled import uncompiled

OptimizerFactory: TypeAlias = Callable[[Iterable[torch.nn.Parameter], TrainSettings], torch.optim.Optimizer]
Schedule: TypeAlias = Callable[[int, int], float]


def adam(parameters: Iterable[torch.nn.Parameter], train: TrainSettings) -> torch.optim.Optimizer:
    """Kingma & Ba 2015; weight decay is added to the gradient."""
    return uncompiled(torch.optim.Adam)(parameters, lr=train.lr, weight_decay=train.weight_decay, fused=True)


def adamw(parameters: Iterable[torch.nn.Parameter], train: TrainSettings) -> torch.optim.Optimizer:
    """Loshchilov & Hutter 2019: Adam with decoupled weight decay."""
    return uncompiled(torch.optim.AdamW)(parameters, lr=train.lr, weight_decay=train.weight_decay, fused=True)


def sgd(parameters: Iterable[torch.nn.Parameter], train: TrainSettings) -> torch.optim.Optimizer:
    """Stochastic gradient descent with momentum."""
    return uncompiled(torch.optim.SGD)(
        parameters, lr=train.lr, momentum=train.momentum, weight_decay=train.weight_decay, fused=True
    )


def constant(done: int, epochs: int) -> float:  # noqa: ARG001
    """The initial rate throughout; so a shorter training is the beginning of a longer one."""
    return 1.0


def cosine(done: int, epochs: int) -> float:
    """Half a cosine from the initial rate towards zero (Loshchilov & Hutter 2017), without restarts."""
    return 0.5 * (1.0 + math.cos(math.pi * done / epochs))
