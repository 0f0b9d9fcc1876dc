"""Flags, threads and the numeric class."""

import hashlib
import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.cuda._utils import _get_device_index

from foldproof.config.identity import digest
from foldproof.config.schema import ExperimentConfig, FoldSettings, PixelSettings, TrainSettings
from foldproof.errors import SettingsError
from foldproof.training.decisive_code import DecisiveCode
from foldproof.training.determinism import choose_device, numeric_class, numeric_fingerprint, seed, settle
from foldproof.training.frozen.extraction import Extractor
from foldproof.training.gpu.streams import own_stream
from foldproof.training.loading import load
from foldproof.training.probe import probe
from foldproof.training.task import ModelRequest

CPU = torch.device("cpu")


@pytest.mark.slow
def test_the_fingerprint_is_the_same_twice_and_in_another_process():
    settle(CPU, threads=1)
    code = (
        "import torch; from foldproof.training.determinism import *; c = torch.device('cpu'); "
        "settle(c, threads=1); print(numeric_fingerprint(c))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert numeric_fingerprint(CPU) == numeric_fingerprint(CPU) == other.stdout.strip()


@pytest.mark.slow
def test_another_instruction_set_is_another_numeric_class():
    code = (
        "import torch; from foldproof.training.determinism import *; c = torch.device('cpu'); "
        "settle(c, threads=1); n = numeric_class(c, threads=1); print(n.instruction_set, n.fingerprint)"
    )
    settle(CPU, threads=1)
    here = numeric_class(CPU, threads=1)
    if here.instruction_set == "DEFAULT":
        pytest.skip("this CPU has only one instruction set to offer")
    other = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "ATEN_CPU_CAPABILITY": "default"},
    )
    instruction_set, fingerprint = other.stdout.split()
    assert instruction_set == "DEFAULT"
    assert fingerprint != here.fingerprint


def test_code_and_model_belong_to_the_numeric_class():
    settle(CPU, threads=1)
    code = DecisiveCode("b", "p", ("numpy 2",), beyond=False)
    plain = numeric_class(CPU, threads=1)
    said = numeric_class(CPU, threads=1, code=code, model="m")
    assert (said.plugins, said.parts, said.packages, said.model) == ("b", "p", ("numpy 2",), "m")
    assert (plain.plugins, plain.parts, plain.packages, plain.model) == ("", "", (), "")
    assert len({digest(one) for one in (plain, said, replace(said, model="n"), replace(said, parts="q"))}) == 4


def test_settling_fixes_the_number_of_threads():
    settle(CPU, threads=1)
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()


def test_settling_undoes_whatever_lets_bits_differ(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    flags = {
        (torch.backends.cudnn, "benchmark"): False,
        (torch.backends.cudnn, "deterministic"): True,
        (torch.backends.cuda.matmul, "allow_tf32"): False,
        (torch.backends.cudnn, "allow_tf32"): False,
        (torch.utils.deterministic, "fill_uninitialized_memory"): False,
    }
    for (where, name), wanted in flags.items():
        setattr(where, name, not wanted)
    torch.set_deterministic_debug_mode("default")
    settle(CPU, threads=1)
    assert {(where, name): getattr(where, name) for where, name in flags} == flags
    assert torch.get_deterministic_debug_mode() == 2  # an error, not a warning
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    settle(CPU, threads=1)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_seeding_starts_the_generator_anew():
    seed(CPU, 2**64 - 1)
    first = torch.rand(3)
    seed(CPU, 2**64 - 1)
    assert torch.equal(first, torch.rand(3))


@pytest.mark.parametrize("wanted", ["mps", "gpu", "cuda:99", "meta", ""])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(wanted):
    with pytest.raises(SettingsError, match=r"execution\.device"):
        choose_device(wanted)


@pytest.fixture
def a_gpu_without_a_driver(monkeypatch):
    """torch is told that two GPUs are there; whatever then asks the driver says that there is none."""
    if torch.cuda.is_available():
        pytest.skip("there is a GPU: its own tests run")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize(("wanted", "index"), [("auto", 0), ("cuda", 0), ("cuda:0", 0), ("cuda:1", 1)])
def test_a_gpu_is_chosen_with_its_index(a_gpu_without_a_driver, wanted, index):
    assert choose_device(wanted) == torch.device("cuda", index)


@pytest.mark.parametrize("wanted", ["auto", "cuda", "cuda:1"])
@pytest.mark.parametrize("begin", ["settle", "probe", "load", "own_stream", "extractor"])
def test_whatever_begins_on_a_gpu_gets_as_far_as_the_driver(a_gpu_without_a_driver, tmp_path, wanted, begin):
    config = ExperimentConfig(name="e", pixels=PixelSettings(), folds=FoldSettings(), train=TrainSettings())
    request = ModelRequest.of(config, classes=("a", "b"), device=wanted, plugins=tmp_path)
    starts = {
        "settle": lambda: settle(choose_device(wanted), threads=1),
        "probe": lambda: probe(request),
        "load": lambda: load(request),
        "own_stream": lambda: own_stream(wanted),
        "extractor": lambda: Extractor(request),
    }
    with pytest.raises(RuntimeError, match="NVIDIA driver"):
        starts[begin]()


@pytest.mark.parametrize("wanted", ["auto", "cuda", "cuda:1"])
def test_a_device_that_is_set_has_the_index_that_torch_asks_for(a_gpu_without_a_driver, monkeypatch, wanted):
    chosen = []
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: chosen.append(_get_device_index(device)))
    settle(choose_device(wanted), threads=1)
    assert chosen == [1 if wanted == "cuda:1" else 0]


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (torch.nn.functional, "conv2d"),
        (torch.Tensor, "__matmul__"),
        (torch, "softmax"),
        (torch, "log_softmax"),
        (torch.Tensor, "mean"),
        (torch.Tensor, "square"),
        (torch.Tensor, "exp"),
        (torch, "sqrt"),
        (torch.optim.Adam, "step"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bit_of_each_kind_of_arithmetic_is_in_the_numeric_fingerprint(where, name, monkeypatch):
    before = numeric_fingerprint(torch.device("cpu"))
    of_torch = getattr(where, name)

    def slightly_off(*arguments, **named):
        made = of_torch(*arguments, **named)
        if made is None:  # of an optimiser, whose parameter is what comes out
            (parameter,) = arguments[0].param_groups[0]["params"]
            parameter.data.view(torch.int32)[0, 0] += 1
            return None
        made = made.clone()
        made.view(-1)[0] += 1
        return made

    monkeypatch.setattr(where, name, slightly_off)
    assert numeric_fingerprint(torch.device("cpu")) != before


def test_a_portable_fingerprint_takes_no_square_root(monkeypatch):
    def refused(*_):
        raise AssertionError("a square root")

    monkeypatch.setattr(torch, "sqrt", refused)
    assert numeric_fingerprint(torch.device("cpu"), portable=True)


@pytest.mark.parametrize("portable", [False, True])
def test_a_fingerprint_is_of_the_bits_of_these_functions_of_these_numbers_for_ever(portable):
    """A recorded one is held against that of here: with another definition, every machine would look like another."""

    settle(CPU, threads=1)

    def numbers(*shape: int) -> torch.Tensor:
        values = [np.float32((place * 7919 + 104729) % 10007) for place in range(math.prod(shape))]
        return torch.from_numpy((np.array(values) / np.float32(10007) - np.float32(0.5)).reshape(shape))

    images, kernels, matrix = numbers(8, 16, 19, 19), numbers(24, 16, 3, 3), numbers(257, 131)
    weights = torch.nn.Parameter(matrix.clone())
    weights.grad = torch.from_numpy(matrix.numpy()[::-1].copy())
    torch.optim.Adam([weights], lr=0.01, fused=True).step()
    roots = matrix.exp() if portable else matrix.abs().sqrt() / (matrix.exp() + 1e-8)
    results = [
        torch.conv2d(images, kernels, padding=1),
        torch.mm(matrix, matrix.T),
        (8 * matrix).softmax(dim=1),
        (8 * matrix).log_softmax(dim=1),
        torch.mean(images, dim=(0, 2, 3)),
        torch.sum(images.square()),
        roots,
        weights.detach(),
    ]
    said = b"".join(result.contiguous().numpy().tobytes() for result in results)
    assert numeric_fingerprint(CPU, portable=portable) == hashlib.sha256(said).hexdigest()
