"""Capture a training step once and replay it: the same bits with less to launch.

A GPU waits for Python between small kernels; a replay launches all of a step at once. The first steps are plain ones.
Then the step is captured, and proved on the next batches: from the same state the replay and the plain step must come
to the same loss and the same tensors, bit for bit. If they do not, or something cannot be captured, all steps are
plain, and it is said why.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import torch

from foldproof.events.types import Notice
from foldproof.storage import redact
from foldproof.training.gpu.cuda_graph import Replay
from foldproof.training.step import Arithmetic, Found, Step

Capture: TypeAlias = Callable[[Arithmetic, torch.Tensor, torch.Tensor], Replay]

WARM_UP = 3  # steps: by then libraries are loaded and the optimiser has its tensors
PROOFS = 2  # more than one, so that a number which is frozen in the graph is found


class CapturedStep:
    """A `Step`: plain at first and for batches of another size, a replay otherwise. `compute` is what `plain` does.

    `elsewhere`: a generator that a replay could not seed; the step must not draw from it.
    """

    def __init__(
        self,
        net: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        compute: Arithmetic,
        *,
        plain: Step,
        capture: Capture,
        batch_size: int,
        elsewhere: torch.Generator,
    ) -> None:
        self._net = net
        self._optimizer = optimizer
        self._compute = compute
        self._plain = plain
        self._capture = capture
        self._batch_size = batch_size
        self._elsewhere = elsewhere
        self._to_warm_up = WARM_UP
        self._to_prove = PROOFS
        self._captured: _Captured | None = None
        self._refused = ""
        self._said = False

    def __call__(self, inputs: torch.Tensor, labels: torch.Tensor, bits: int) -> Found:
        if self._refused or len(inputs) != self._batch_size:
            return self._plain(inputs, labels, bits)
        if self._to_warm_up:
            self._to_warm_up -= 1
            return self._plain(inputs, labels, bits)
        captured = self._as_the_optimizer_stands(inputs, labels)
        if captured is None:
            return self._plain(inputs, labels, bits)
        if self._to_prove:
            self._to_prove -= 1
            return self._proved(captured, inputs, labels, bits)
        return captured.replay(inputs, labels, bits)

    def news(self) -> Iterator[Notice]:
        """Why steps are not captured, once."""
        if self._refused and not self._said:
            self._said = True
            text = f"a training step is not replayed from a CUDA graph, which is faster: {self._refused}"
            yield Notice(code="step_not_captured", text=text)

    def _as_the_optimizer_stands(self, inputs: torch.Tensor, labels: torch.Tensor) -> "_Captured | None":
        """The captured step, captured again if a number of the optimiser, such as the rate, has changed."""
        numbers = [plain_values(group) for group in self._optimizer.param_groups]
        if self._captured is not None and self._captured.numbers == numbers:
            return self._captured
        if self._captured is not None and self._to_prove:
            self._refused = "the optimiser's settings change from step to step"
            return None
        self._captured, self._to_prove = None, PROOFS
        counters = (*self._optimizer.param_groups, *self._optimizer.state.values())
        held = [(values, plain_values(values)) for values in counters]
        try:
            self._captured = _Captured(self._compute, self._capture, inputs, labels, numbers)
        except Exception as error:  # noqa: BLE001 - a user's model may do what no graph can hold
            self._refused = redact(f"{type(error).__name__}: {error}".strip().splitlines()[0])
        for values, before in held:
            if plain_values(values) != before:
                values.update(before)
                self._refused, self._captured = "the optimiser counts in Python", None
        return self._captured

    def _proved(self, captured: "_Captured", inputs: torch.Tensor, labels: torch.Tensor, bits: int) -> Found:
        """A plain step, after a replay from the same state."""
        state = tensors(self._net, self._optimizer)
        before = copies(state)
        replayed = [*captured.replay(inputs, labels, bits), *copies(state)]
        with torch.no_grad():
            for tensor, value in zip(state, before, strict=True):
                tensor.copy_(value)
        undrawn = self._elsewhere.manual_seed(bits).get_state()
        found = self._plain(inputs, labels, bits)
        if not torch.equal(self._elsewhere.get_state(), undrawn):
            self._refused = "the model draws random numbers on the CPU"
        elif not all(map(same_bits, replayed, [*found, *state])):
            self._refused = "a replay gives different bits"
        if self._refused:
            self._captured = None
        return found


class _Captured:
    """A captured step, the tensors that it reads, and the numbers of the optimiser that are frozen in it."""

    def __init__(
        self, compute: Arithmetic, capture: Capture, inputs: torch.Tensor, labels: torch.Tensor, numbers: list[Any]
    ) -> None:
        self.numbers = numbers
        self._inputs, self._labels = inputs.clone(), labels.clone()
        self._replay = capture(compute, self._inputs, self._labels)

    def replay(self, inputs: torch.Tensor, labels: torch.Tensor, bits: int) -> Found:
        self._inputs.copy_(inputs)
        self._labels.copy_(labels)
        loss, correct = self._replay(bits)
        return loss.clone(), correct.clone()


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """What an optimiser holds of a group or a parameter that is no tensor."""
    return {name: value for name, value in values.items() if name != "params" and not isinstance(value, torch.Tensor)}


def tensors(net: torch.nn.Module, optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """All that a step changes, in a fixed order."""
    of_optimizer = (value for quantities in optimizer.state.values() for value in quantities.values())
    return [*net.parameters(), *net.buffers(), *(value for value in of_optimizer if isinstance(value, torch.Tensor))]


def copies(those: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """The same tensors, which nobody else changes."""
    return [tensor.detach().clone() for tensor in those]


def same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors hold the same bytes; as numbers, nan would not equal itself."""
    return torch.equal(*(tensor.detach().reshape(-1).view(torch.uint8) for tensor in (one, other)))
