"""A step that is captured and replayed: never other bits than the plain one, whatever a capture gets wrong.

A GPU is needed for a CUDA graph alone; here a capture keeps the step's tensors and computes on them again.
"""

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import nn

from foldproof.training.gpu.captured import PROOFS, WARM_UP, Capture, CapturedStep, copies, tensors
from foldproof.training.gpu.cuda_graph import Replay
from foldproof.training.step import Arithmetic, Found, Step, arithmetic, plain_step

CPU = torch.device("cpu")
BATCH, STEPS = 8, 12


def faithful(compute: Arithmetic, inputs: torch.Tensor, labels: torch.Tensor) -> Replay:
    return lambda bits: plain_step(compute, CPU)(inputs, labels, bits)


class Counting:
    """A capture that counts how often it was made and replayed."""

    def __init__(self, capture: Capture) -> None:
        self.capture, self.made, self.replayed = capture, 0, 0

    def __call__(self, compute: Arithmetic, inputs: torch.Tensor, labels: torch.Tensor) -> Replay:
        replay = self.capture(compute, inputs, labels)
        self.made += 1

        def counted(bits: int) -> Found:
            self.replayed += 1
            return replay(bits)

        return counted


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, 3))


def train(
    make: Callable[[Step, Arithmetic, nn.Module, torch.optim.Optimizer], Step],
    net: nn.Module | None = None,
    optimizer: torch.optim.Optimizer | None = None,
) -> list[bytes]:
    """Losses, hits and final tensors of a dozen steps, one of a smaller batch, the rate halved on the way."""
    net = net or model()
    optimizer = optimizer or torch.optim.Adam(net.parameters(), lr=0.01)
    compute = arithmetic(net, optimizer, torch.tensor([1.0, 2.0, 0.5]))
    step = make(plain_step(compute, CPU), compute, net, optimizer)
    found = []
    for number in range(STEPS):
        random = torch.Generator().manual_seed(number)
        size = BATCH - 3 if number == 7 else BATCH
        if number == 9:
            optimizer.param_groups[0]["lr"] = 0.005
        inputs, labels = torch.randn(size, 3, 8, 8, generator=random), torch.randint(3, (size,), generator=random)
        found += step(inputs, labels, 1_000_000_007 * number)
    return [tensor.detach().numpy().tobytes() for tensor in (*found, *net.state_dict().values())]


def captured_with(capture: Capture, kept: list[CapturedStep], elsewhere: torch.Generator | None = None):  # type: ignore[no-untyped-def]
    def make(usual: Step, compute: Arithmetic, net: nn.Module, optimizer: torch.optim.Optimizer) -> Step:
        kept.append(
            CapturedStep(
                net,
                optimizer,
                compute,
                plain=usual,
                capture=capture,
                batch_size=BATCH,
                elsewhere=elsewhere or torch.Generator(),
            )
        )
        return kept[0]

    return make


def plainly(usual: Step, *_: object) -> Step:
    return usual


def test_replayed_steps_give_the_bits_of_plain_ones_and_are_captured_anew_when_the_rate_changes():
    counting, kept = Counting(faithful), []
    assert train(captured_with(counting, kept)) == train(plainly)
    assert counting.made == 2
    assert counting.replayed == STEPS - 1 - WARM_UP
    assert not list(kept[0].news())


def wrong_labels(compute: Arithmetic, inputs: torch.Tensor, labels: torch.Tensor) -> Replay:
    frozen = labels.clone()
    return lambda bits: plain_step(compute, CPU)(inputs, frozen, bits)


def wrong_dropout(compute: Arithmetic, inputs: torch.Tensor, labels: torch.Tensor) -> Replay:
    return lambda bits: plain_step(compute, CPU)(inputs, labels, bits ^ 1)


@pytest.mark.parametrize("wrong", [wrong_labels, wrong_dropout])
def test_a_replay_of_other_bits_is_found_before_it_counts_and_said_once(wrong):
    counting, kept = Counting(wrong), []
    assert train(captured_with(counting, kept)) == train(plainly)
    assert counting.replayed <= PROOFS
    (notice,) = kept[0].news()
    assert notice.code == "step_not_captured"
    assert "different bits" in notice.text
    assert not list(kept[0].news())


def test_a_replay_that_finds_the_right_loss_and_moves_one_weight_by_one_bit_is_found():
    net, kept = model(), []

    def almost(compute: Arithmetic, inputs: torch.Tensor, labels: torch.Tensor) -> Replay:
        def replay(bits: int) -> Found:
            found = plain_step(compute, CPU)(inputs, labels, bits)
            with torch.no_grad():
                net[-1].bias[1:2].view(torch.int32).add_(1)
            return found

        return replay

    assert train(captured_with(almost, kept), net) == train(plainly)
    assert [notice.code for notice in kept[0].news()] == ["step_not_captured"]


def test_what_cannot_be_captured_trains_plainly_and_the_reason_is_one_line():
    def impossible(*_: object) -> Replay:
        raise RuntimeError("operation not permitted when stream is capturing\nCUDA kernel errors might be …")

    kept: list[CapturedStep] = []
    assert train(captured_with(impossible, kept)) == train(plainly)
    (notice,) = kept[0].news()
    assert notice.text.endswith("RuntimeError: operation not permitted when stream is capturing")


def test_a_model_that_draws_where_a_replay_cannot_seed_is_not_replayed():
    elsewhere = torch.Generator()

    class DropsALayer(nn.Module):
        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return features if torch.rand((), generator=elsewhere) < 2 else features * 0

    net = nn.Sequential(model(), DropsALayer())
    counting, kept = Counting(faithful), []

    train(captured_with(counting, kept, elsewhere), net)
    assert counting.replayed == 1
    (notice,) = kept[0].news()
    assert "on the CPU" in notice.text


class CountsInPython(torch.optim.Optimizer):
    """Gradient descent by a rate that falls with a count of its own: of a parameter or of the whole."""

    def __init__(self, parameters: Iterable[nn.Parameter], *, where: str) -> None:
        super().__init__(parameters, {"lr": 0.01, "count": 0})
        self.where = where

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        (group,) = self.param_groups
        group["count"] += self.where == "group"
        for parameter in group["params"]:
            counted = self.state[parameter]
            counted["count"] = counted.get("count", 0) + (self.where == "parameter")
            parameter.sub_(parameter.grad * group["lr"] / (1 + counted["count"] + group["count"]))


@pytest.mark.parametrize("where", ["group", "parameter"])
def test_an_optimiser_that_counts_in_python_trains_plainly_and_is_not_counted_on_by_a_capture(where):
    net, plain_net = model(), model()
    optimizer = CountsInPython(net.parameters(), where=where)

    def runs_python(compute: Arithmetic, inputs: torch.Tensor, labels: torch.Tensor) -> Replay:
        """As a real capture: Python runs, tensors stay as they were."""
        state = tensors(net, optimizer)
        before = copies(state)
        compute(inputs, labels)
        with torch.no_grad():
            for tensor, value in zip(state, before, strict=True):
                tensor.copy_(value)
        return faithful(compute, inputs, labels)

    kept: list[CapturedStep] = []
    found = train(captured_with(runs_python, kept), net, optimizer)
    assert found == train(plainly, plain_net, CountsInPython(plain_net.parameters(), where=where))
    assert [notice.code for notice in kept[0].news()] == ["step_not_captured"]
