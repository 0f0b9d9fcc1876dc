"""Flags, threads and the numeric class."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from foldproof.errors import SettingsError
from foldproof.training.determinism import choose_device, numeric_class, numeric_fingerprint, seed, settle

CPU = torch.device("cpu")


def test_the_fingerprint_is_the_same_twice_and_in_another_process():
    settle(CPU, threads=1)
    code = (
        "import torch; from foldproof.training.determinism import *; c = torch.device('cpu'); "
        "settle(c, threads=1); print(numeric_fingerprint(c))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert numeric_fingerprint(CPU) == numeric_fingerprint(CPU) == other.stdout.strip()


def test_another_instruction_set_is_another_numeric_class():
    code = (
        "import torch; from foldproof.training.determinism import *; c = torch.device('cpu'); "
        "settle(c, threads=1); n = numeric_class(c, threads=1, plugins=()); print(n.instruction_set, n.fingerprint)"
    )
    settle(CPU, threads=1)
    here = numeric_class(CPU, threads=1, plugins=())
    if here.instruction_set == "DEFAULT":
        pytest.skip("this CPU has only one instruction set to offer")
    import os

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


def test_the_plugins_source_belongs_to_the_numeric_class(tmp_path):
    settle(CPU, threads=1)
    file = Path(tmp_path / "plugin.py")
    file.write_text("x = 1\n", encoding="utf-8")
    before = numeric_class(CPU, threads=1, plugins=(file,))
    file.write_text("x = 2\n", encoding="utf-8")
    after = numeric_class(CPU, threads=1, plugins=(file,))
    assert before.plugins != after.plugins
    assert before.training_code == after.training_code


def test_settling_fixes_the_number_of_threads():
    settle(CPU, threads=1)
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()


def test_seeding_starts_the_generator_anew():
    seed(CPU, 2**64 - 1)
    first = torch.rand(3)
    seed(CPU, 2**64 - 1)
    assert torch.equal(first, torch.rand(3))


@pytest.mark.parametrize("wanted", ["mps", "gpu", "cuda:99", "meta", ""])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(wanted):
    with pytest.raises(SettingsError, match=r"execution\.device"):
        choose_device(wanted)
