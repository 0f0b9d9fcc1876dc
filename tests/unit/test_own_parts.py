"""Parts of the user's own: each is tried once before a training, and what it reads decides about the key of a fold."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from foldproof.config.schema import ExperimentConfig, FoldSettings, PixelSettings, TrainSettings
from foldproof.training.decisive_code import DecisiveCode, decisive_code
from foldproof.training.opened import Read
from foldproof.training.task import ModelRequest

SOURCE = """\
import subprocess, sys
from pathlib import Path

HERE = Path(__file__).parent
CALLS = []
ASKS = False


def said(name, *arguments):
    CALLS.append((name, *arguments))
    (HERE / f"{name}.txt").read_bytes()
    if ASKS:
        subprocess.run([sys.executable, "--version"], capture_output=True)


def augment(images, bits):
    said("augment", images.shape, str(images.dtype), bits.tolist(), str(bits.dtype))


def weigh(labels, classes):
    said("weigh", labels.tolist(), str(labels.dtype), classes)


def schedule(step, steps):
    said("schedule", step, steps)


def optimise(parameters, settings):
    said("optimise")


def net(*, classes, pretrained):
    said("net")
"""
OWN = {"augment": "own_parts:augment", "class_weights": "own_parts:weigh", "schedule": "own_parts:schedule"}


def request(root: Path, **train: str) -> ModelRequest:
    config = ExperimentConfig(name="e", pixels=PixelSettings(), folds=FoldSettings(), train=TrainSettings(**train))
    return ModelRequest.of(config, classes=("a", "b"), device="cpu", plugins=root)


@pytest.fixture
def own(tmp_path, monkeypatch) -> Iterator[ModuleType]:
    (tmp_path / "own_parts.py").write_text(SOURCE)
    for name in ("augment", "weigh", "schedule", "optimise", "net", "weights"):
        (tmp_path / f"{name}.txt").write_text(name)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("own_parts")
    del sys.modules["own_parts"]


def code_of(own: ModuleType, read: Read | None = None, **train: str) -> DecisiveCode:
    return decisive_code(request(own.HERE, **train), image_size=8, read=read or Read())


def test_a_request_names_the_parts_that_are_not_built_in_by_their_seams(tmp_path):
    every = {**OWN, "optimizer": "own_parts:optimise"}
    assert set(request(tmp_path, **every).parts) == {
        ("augmentations", "own_parts:augment"),
        ("class_weights", "own_parts:weigh"),
        ("schedules", "own_parts:schedule"),
        ("optimizers", "own_parts:optimise"),
    }
    for setting, path in every.items():
        (found,) = request(tmp_path, **{setting: path}).parts
        assert found[1] == path
    assert request(tmp_path, augment="light", class_weights="balanced", schedule="cosine", optimizer="sgd").parts == ()


@pytest.mark.slow
def test_each_part_is_called_once_as_a_training_calls_it_and_an_optimizer_which_has_no_weights_yet_is_not(own):
    code_of(own, optimizer="own_parts:optimise", **OWN)
    assert own.CALLS == [
        ("augment", (2, 8, 8, 3), "uint8", [0, 1], "uint64"),
        ("weigh", [0, 1, 1], "int64", 2),
        ("schedule", 0, 2),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("setting", "file"), [("augment", "augment"), ("class_weights", "weigh"), ("schedule",) * 2])
def test_what_a_part_reads_and_its_code_decide_and_other_files_do_not(own, setting, file):
    def digest() -> str:
        return code_of(own, **{setting: OWN[setting]}).parts

    before = digest()
    assert len(before) == 64
    assert digest() == before
    for name in {"augment", "weigh", "schedule", "weights"} - {file}:
        (own.HERE / f"{name}.txt").write_text("another")
    assert digest() == before
    (own.HERE / f"{file}.txt").write_text("another")
    changed = digest()
    assert changed != before
    (own.HERE / "own_parts.py").write_text(SOURCE + "\nMORE = 1\n")
    assert digest() not in (before, changed)


@pytest.mark.slow
def test_a_part_that_asks_a_program_has_a_digest_of_this_moment_alone(own):
    own.ASKS = True
    one, other = code_of(own, schedule=OWN["schedule"]), code_of(own, schedule=OWN["schedule"])
    assert one.beyond
    assert other.beyond
    assert one.parts != other.parts
    assert one.parts[:64] == other.parts[:64]
    assert code_of(own, Read(beyond=True), augment="own_parts:net").beyond
    own.ASKS = False
    assert not code_of(own, schedule=OWN["schedule"]).beyond


def test_a_part_that_fails_where_it_is_tried_is_left_to_the_training(own):
    (own.HERE / "schedule.txt").unlink()
    assert len(code_of(own, schedule=OWN["schedule"], augment="own_parts:nothing").parts) == 64
    assert own.CALLS == [("schedule", 0, 2)]


@pytest.mark.slow
def test_a_backbone_of_ones_own_is_decided_by_its_code_and_by_what_was_read_while_it_was_built(own):
    def digest(read: Read) -> DecisiveCode:
        return code_of(own, read, backbone="own_parts:net")

    none = digest(Read())
    assert (len(none.backbone), none.beyond) == (64, False)
    read = Read(files={own.HERE / "weights.txt", own.HERE / "gone.txt"})
    with_weights = digest(read)
    assert with_weights.backbone != none.backbone
    assert digest(read) == with_weights
    (own.HERE / "weights.txt").write_text("another")
    assert digest(read).backbone not in (none.backbone, with_weights.backbone)


@pytest.mark.slow
def test_what_a_module_loads_by_itself_decides_and_another_experiments_modules_do_not(own):
    def digest() -> str:
        return code_of(own, schedule=OWN["schedule"]).parts

    before = digest()
    (own.HERE / "of_another.py").write_text("X = 1\n")
    (own.HERE / "loaded.py").write_text("X = 1\n")
    importlib.import_module("of_another")
    importlib.import_module("loaded")
    code_of(own, augment="of_another:X")
    own.CALLS.clear()
    with_loaded = digest()
    (own.HERE / "of_another.py").write_text("X = 2\n")
    assert digest() == with_loaded
    (own.HERE / "loaded.py").write_text("X = 2\n")
    assert digest() not in (before, with_loaded)
    del sys.modules["of_another"], sys.modules["loaded"]


def test_of_built_in_parts_nothing_is_read_and_the_packages_that_decide_are_named(own):
    found = decisive_code(request(own.HERE), image_size=8, read=Read(beyond=True))
    assert (found.backbone, found.parts, found.beyond) == ("", "", False)
    names = [package.partition(" ")[0] for package in found.packages]
    assert names == sorted(names)
    assert {"numpy", "pillow"} <= set(names)
    assert "torch" not in names
    (own.HERE / "own_parts.py").write_text("import yaml, pytest\n" + SOURCE)
    more = decisive_code(request(own.HERE, schedule=OWN["schedule"]), image_size=8, read=Read()).packages
    assert {name.partition(" ")[0] for name in more} - set(names) >= {"pytest"}
