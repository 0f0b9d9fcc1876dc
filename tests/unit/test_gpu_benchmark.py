"""`make bench-gpu`: it runs on a machine that has torch and little else, and says so where there is no GPU."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
WITHOUT = """\
import sys
sys.modules.update(dict.fromkeys(("mlflow", "dvc", "pydantic", "ruamel", "click", "rich")))
from benchmarks.gpu import main
sys.exit(main(sys.argv[1:]))
"""


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)


@pytest.mark.slow
def test_the_layers_that_train_need_neither_mlflow_nor_dvc_nor_pydantic():
    done = bench("--device", "cpu", "--works", "small_cnn", "--images", "60", "--rounds", "1", "--epochs", "2")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    ways = [line.split(" | ")[1] for line in done.stdout.splitlines() if line.startswith("| small_cnn")]
    assert ways == ["plain, in turn", "captured, in turn", "captured, by turns on streams"]


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_the_benchmark_says_so_in_one_line():
    done = bench()
    assert (done.returncode, done.stdout, done.stderr) == (1, "no CUDA device\n", "")
