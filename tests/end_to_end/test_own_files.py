"""Files beside a script: what they are called, how it is started, and what a worker says at its end."""

import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from foldproof.executors.printed import Printed

NAMES = ("types", "enum", "operator", "signal", "torch", "mlflow", "random", "socket")
SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 2, seed: 1}
train: {backbone: small_cnn, batch_size: 8, epochs: 1, seed: 5}
tracking: {enabled: false}
"""
SCRIPT = """
import sys
import foldproof
print(foldproof.run(quiet=True)[0].status, "beside" in sys.modules)
"""
NET = """
import os
from torch import nn


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.inner = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, classes))

    def forward(self, images):
        if self.training and len(images) > 2:
            print("the camera is on fire")
            os.abort()
        return self.inner(images)


def net(*, classes, pretrained):
    return Net(classes)
"""


@pytest.fixture
def project(tiny_project: Path) -> Path:
    """Whatever imports a module of the project dies of it."""
    (tiny_project / "params.yaml").write_text(SETTINGS)
    for name in NAMES:
        (tiny_project / f"{name}.py").write_text(f"raise SystemExit('the own {name} was imported')\n")
    (tiny_project / "script.py").write_text(SCRIPT)
    return tiny_project


def python(*arguments: str, cwd: Path, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, input=text, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.slow
def test_a_script_trains_without_a_guard_beside_files_called_like_modules(project):
    done = python("script.py", cwd=project)
    assert (done.returncode, done.stdout) == (0, "finished False\n"), done.stderr
    assert len(list((project / "runs").iterdir())) == 1


@pytest.mark.slow
def test_a_script_on_standard_input_trains(project):
    done = python("-", cwd=project, text=SCRIPT)
    assert (done.returncode, done.stdout) == (0, "finished False\n"), done.stderr


@pytest.mark.slow
def test_the_command_trains_beside_files_called_like_modules(project):
    command = [str(Path(sys.executable).with_name("foldproof")), "run"]  # `python -m` itself imports what lies there
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_worker_that_dies_says_the_last_that_it_printed(tiny_project):
    (tiny_project / "own.py").write_text(NET)
    (tiny_project / "params.yaml").write_text(SETTINGS.replace("small_cnn", "'own:net'"))
    done = python("-m", "foldproof", "run", cwd=tiny_project)
    assert done.returncode != 0
    said = " ".join(done.stderr.split())
    assert "the worker was ended by SIGABRT; its last output: the camera is on fire" in said


def test_of_what_was_printed_the_last_lines_are_kept_and_all_of_it_is_told():
    heard, printing = get_context("spawn").Pipe(duplex=False)
    told: list[bytes] = []
    printed = Printed(heard, told.append)
    with open(printing.fileno(), "wb", closefd=False) as file:
        file.write(b"one\n\ntwo\nthree\n" + b"x" * 9000 + b"\nfour \xff\nfive\n\n")
    printing.close()
    assert printed.last_lines().endswith(" / four \ufffd / five")
    assert len(printed.last_lines()) <= 400
    assert b"".join(told).startswith(b"one\n\ntwo")


@pytest.mark.slow
def test_a_fold_whose_last_validation_loss_is_no_number_has_failed(tiny_project):
    lines = NET.replace("if self.training and", "if not self.training and").splitlines()
    lines = ["            images = images * float('nan')" if "os.abort" in line else line for line in lines]
    (tiny_project / "own.py").write_text("\n".join(line for line in lines if "camera" not in line))
    (tiny_project / "params.yaml").write_text(
        SETTINGS.replace("small_cnn", "'own:net'") + "execution: {executor: inline}\n"
    )
    done = python("-m", "foldproof", "run", cwd=tiny_project)
    assert done.returncode == 1, done.stderr
    assert "the validation loss is nan after the last epoch" in done.stderr + done.stdout
    listed = python("-m", "foldproof", "runs", cwd=tiny_project).stdout
    assert "failed" in listed
    assert "0/2" in listed
