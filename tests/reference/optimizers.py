"""Optimisers as their papers write them: gradients in, better weights out. Stateful, in place."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch


class Momentum:
    """Stochastic gradient descent with momentum, as torch defines it: the first step has no inertia to add."""

    def __init__(self, parameters: Sequence[torch.nn.Parameter], momentum: float, decay: float) -> None:
        self.lr = 0.0
        self._parameters, self._momentum, self._decay = parameters, momentum, decay
        self._moving = [torch.zeros_like(parameter) for parameter in parameters]

    @torch.no_grad()
    def step(self) -> None:
        for at, parameter in enumerate(self._parameters):
            self._moving[at] = self._momentum * self._moving[at] + parameter.grad + self._decay * parameter
            parameter -= self.lr * self._moving[at]


class Adam:
    """Kingma & Ba 2015, with the decay in the gradient; or `decoupled` from it (Loshchilov & Hutter 2019)."""

    def __init__(self, parameters: Sequence[torch.nn.Parameter], decay: float, *, decoupled: bool) -> None:
        self.lr = 0.0
        self._parameters, self._decay, self._decoupled = parameters, decay, decoupled
        self._steps = 0
        self._first = [torch.zeros_like(parameter) for parameter in parameters]
        self._second = [torch.zeros_like(parameter) for parameter in parameters]

    @torch.no_grad()
    def step(self) -> None:
        self._steps += 1
        for at, parameter in enumerate(self._parameters):
            gradient = parameter.grad + (0.0 if self._decoupled else self._decay) * parameter
            if self._decoupled:
                parameter *= 1 - self.lr * self._decay
            self._first[at] = 0.9 * self._first[at] + 0.1 * gradient
            self._second[at] = 0.999 * self._second[at] + 0.001 * gradient**2
            first = self._first[at] / (1 - 0.9**self._steps)
            second = self._second[at] / (1 - 0.999**self._steps)
            parameter -= self.lr * first / (second.sqrt() + 1e-8)


def of(settings: Mapping[str, Any], parameters: Sequence[torch.nn.Parameter]) -> Momentum | Adam:
    """The optimiser that the settings of a run ask for."""
    if settings["optimizer"] == "sgd":
        return Momentum(parameters, settings["momentum"], settings["weight_decay"])
    return Adam(parameters, settings["weight_decay"], decoupled=settings["optimizer"] == "adamw")
