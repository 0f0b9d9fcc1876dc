"""Optimisers, schedules and class weights."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from foldproof.config.schema import TrainSettings
from foldproof.training import losses, optim
from foldproof.training.chunks import batch_sizes, chunks
from foldproof.training.uncompiled import uncompiled

KINDS = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)


def trained(kind):
    net = torch.nn.Linear(30, 20)
    torch.nn.init.constant_(net.weight, 0.5)
    torch.nn.init.zeros_(net.bias)
    optimizer = kind(net.parameters(), lr=0.01, weight_decay=0.1, fused=True)
    for number in range(4):
        optimizer.zero_grad(set_to_none=True)
        net(torch.arange(60.0).reshape(2, 30) / (number + 1)).square().sum().backward()
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.step()
    return net.weight


def test_an_optimiser_gives_the_bits_of_torchs_own():
    for kind in KINDS:
        assert torch.equal(trained(uncompiled(kind)), trained(kind))


@pytest.mark.slow
def test_an_optimiser_does_not_load_a_compiler():
    code = (
        "import sys, torch; from foldproof.config.schema import TrainSettings; from foldproof.training import optim\n"
        "for make in (optim.adam, optim.adamw, optim.sgd):\n"
        "    net = torch.nn.Linear(3, 2)\n"
        "    optimizer = make(net.parameters(), TrainSettings())\n"
        "    optimizer.zero_grad(); net(torch.ones(1, 3)).sum().backward(); optimizer.step()\n"
        "print(sorted({'torch._dynamo', 'sympy'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout.strip() == "[]"


def test_the_settings_reach_the_optimiser():
    weights = [torch.nn.Parameter(torch.ones(2))]
    settings = TrainSettings(lr=0.25, weight_decay=0.5, momentum=0.75)
    for make, kind in ((optim.adam, torch.optim.Adam), (optim.adamw, torch.optim.AdamW), (optim.sgd, torch.optim.SGD)):
        made = make(weights, settings)
        assert isinstance(made, kind)
        assert type(made).__name__ == kind.__name__
        assert made.defaults["lr"] == 0.25
        assert made.defaults["weight_decay"] == 0.5
    assert optim.sgd(weights, settings).defaults["momentum"] == 0.75


def test_constant_does_not_depend_on_the_number_of_epochs():
    assert {optim.constant(done, epochs) for epochs in (1, 5) for done in range(epochs)} == {1.0}


def test_cosine_falls_from_one_towards_zero():
    factors = [optim.cosine(done, 10) for done in range(10)]
    assert factors[0] == 1.0
    assert factors[5] == pytest.approx(0.5)
    assert factors == sorted(factors, reverse=True)
    assert 0 < factors[-1] < 0.05


def test_balanced_weights_make_every_class_weigh_the_same():
    labels = np.array([0] * 90 + [1] * 10)
    weights = losses.balanced_weights(labels, 3)
    assert weights[:2] * [90, 10] == pytest.approx([100 / 3, 100 / 3])
    assert weights[2] == 0


def test_equal_weights_are_ones():
    assert losses.equal_weights(np.array([0, 0, 1]), 2).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("images", [1, 2, 7, 8, 9, 16, 17, 100])
def test_parts_are_a_partition_and_none_but_a_single_image_is_too_small_to_normalise(images):
    positions = np.arange(images) * 3
    parts = list(chunks(positions, 8, least=2))
    assert np.concatenate(parts).tolist() == positions.tolist()
    assert [len(part) for part in parts] == batch_sizes(images, 8).tolist()
    assert all(2 <= len(part) <= 9 for part in parts) or images == 1


def test_outside_training_a_last_part_may_be_one_image():
    assert [len(part) for part in chunks(np.arange(17), 8)] == [8, 8, 1]
