"""Which code and files a fold depends on: found by reading imports, told apart by what they do."""

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from foldproof.provenance.foldproof_code import NOT_ARITHMETIC, TRAINING, modules
from foldproof.provenance.own_code import file_of, own_code
from foldproof.provenance.source_code import digest_of, reached
from foldproof.training.opened import watched

WORKER = """
import json, sys
import foldproof.executors.worker
from pathlib import Path
from foldproof.training.probe import probe
from foldproof.training.loading import load
from foldproof.training.loop import train
from foldproof.config.schema import *
from foldproof.training.task import ModelRequest
for backbone in ("small_cnn", "resnet18", "timm/resnet18", "efficientnet_lite0"):
    parts = dict(pixels=PixelSettings(image_size=32), folds=FoldSettings())
    config = ExperimentConfig(name="e", train=TrainSettings(backbone=backbone, any_image_size=True), **parts)
    probe(ModelRequest.of(config, classes=("a", "b"), device="cpu", plugins=Path.cwd()))
print(json.dumps(sorted(name for name in sys.modules if name.split(".")[0] == "foldproof")))
"""
AROUND_IT = (  # they bring tasks to the loop and its events away
    "foldproof.executors",
    "foldproof.executors.stopping",
    "foldproof.training.loading",
)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def below(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.slow
def test_every_module_that_a_worker_has_loaded_counts_or_is_named_with_its_reason():
    done = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, timeout=120, check=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert len(loaded) > 60
    counted = modules(TRAINING)
    assert [name for name in loaded if name not in counted and not below(name, (*NOT_ARITHMETIC, *AROUND_IT))] == []


@pytest.mark.parametrize(
    "name", ["fitted", "values", "deep", "mapped", "on_the_fly", "originals", "value_range", "metrics", "loop", "keyed"]
)
def test_modules_that_once_were_outside_the_digest_are_in_it(name):
    assert any(module.rpartition(".")[2] == name for module in modules(TRAINING))


def test_imports_are_followed_through_packages_functions_and_dots(tmp_path):
    files = {
        "a.py": "import b.c\n",
        "b/__init__.py": "from . import d\n",
        "b/c.py": "def f():\n    from .e import thing\n",
        "b/d.py": "",
        "b/e.py": "import json, numpy\n",
        "unused.py": "",
    }
    write(tmp_path, files)
    found = reached(["a"], lambda name: file_of(name, [tmp_path]))
    assert list(found) == ["a", "b", "b.c", "b.d", "b.e"]


def test_own_code_ends_where_something_is_installed_and_names_it(tmp_path):
    files = {
        "mine.py": "import helper\nimport torch\nfrom PIL import Image\n",
        "helper.py": "import numpy\nimport os\n",
        "torch.py": "X = 1\n",
    }
    write(tmp_path, files)
    found = own_code(["mine:net"], tmp_path)
    assert list(found.files) == ["helper", "mine"]
    assert {"numpy", "pillow", "torch"} <= set(found.distributions)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x = 1\n", "x  =  1  # why\n", True),
        ("def f():\n    return 1\n", 'def f():\n    """Said."""\n    return 1\n', True),
        ('"""One."""\nx = 1\n', '"""Other."""\n\n\nx = 1\n', True),
        ("x = 1\n", "x = 2\n", False),
        ("x = 'a'\n", "x = 'b'\n", False),
        ("def f(a, b):\n    pass\n", "def f(b, a):\n    pass\n", False),
        ("x = (\n", "x = (  \n", False),
    ],
)
def test_a_digest_is_of_what_code_does(tmp_path, one, other, same):
    write(tmp_path, {"one.py": one, "other.py": other})
    assert (digest_of([tmp_path / "one.py"]) == digest_of([tmp_path / "other.py"])) is same


def test_files_that_are_read_are_seen_and_those_of_installed_packages_are_not(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"1")
    (tmp_path / "code.py").write_text("")
    with watched() as read:
        (tmp_path / "weights.bin").read_bytes()
        (tmp_path / "code.py").read_bytes()
        Path(pytest.__file__).read_bytes()
        Path("/proc/self/stat").read_bytes()
    (tmp_path / "later.bin").write_bytes(b"2")
    assert read.files == {tmp_path / "weights.bin"}
    assert not read.beyond


def test_whoever_asks_a_network_or_a_program_is_noticed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with watched() as read, socket.create_connection(server.getsockname()):
            pass
        assert read.beyond
    with watched() as read:
        subprocess.run([sys.executable, "-c", ""], check=True)
    assert read.beyond


def test_what_another_thread_reads_is_its_own(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"1")
    with watched() as read:
        other = threading.Thread(target=(tmp_path / "a.bin").read_bytes)
        other.start()
        other.join()
    assert not read.files
