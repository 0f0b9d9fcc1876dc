"""Microscope images of 12 bits in files of 16: trained, verified and trained again by somebody else."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from foldproof.data.versions import dvc
from recorded import call, done, make_project, trained

pytestmark = pytest.mark.slow

SETTINGS = """\
version: 1
data: {path: images, image_size: 16}
folds: {k: 3, seed: 1}
train: {backbone: small_cnn, batch_size: 8, epochs: 3, seed: 5, augment: light}
execution: {executor: inline}
experiments: {colour: {}, grey: {data: {channels: 1}}}
tracking: {enabled: false}
"""
RANGE = {"low": 5.0, "high": 4095.0, "bits": 16}


def draw_cells(folder: Path) -> None:
    """Grey of 12 bits, LZW as microscopes write it; the darkest and the brightest pixel are in two of the images."""
    random = np.random.default_rng(4)
    for label, name in enumerate(("cat", "dog", "eel")):
        (folder / name).mkdir(parents=True)
        for number in range(8):
            pixels = random.integers(100, 900, (40, 40), dtype=np.uint16)
            pixels[10 * label : 10 * label + 12] += 2500
            pixels[0, 0] = {0: 5, 1: 4095}.get(number, 500)
            tifffile.imwrite(folder / name / f"{number}.tif", pixels, compression="lzw", predictor=True)


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """Two experiments on versioned images, trained and their folds committed."""
    project = make_project(tmp_path_factory.mktemp("microscope"), each=1)
    shutil.rmtree(project / "images")
    draw_cells(project / "images")
    (project / "params.yaml").write_text(SETTINGS)
    dvc.add(project / "images")
    dvc.push(project)
    done(project, "git", "add", "--all")
    done(project, "git", "commit", "--quiet", "--message", "cells")
    for experiment in ("colour", "grey"):
        trained(project, experiment)
    done(project, "git", "add", "--all")
    done(project, "git", "commit", "--quiet", "--message", "folds")
    return project


@pytest.fixture
def project(original, tmp_path) -> Path:
    shutil.copytree(original.parent, tmp_path / "here", symlinks=True)
    return tmp_path / "here" / "project"


def run_of(project: Path, experiment: str) -> Path:
    files = sorted((project / "runs").glob("*/run.json"))
    return next(file.parent for file in files if json.loads(file.read_text())["experiment"] == experiment)


def said(project: Path, *command: str) -> dict[str, object]:
    finished = call(project, "foldproof", *command, "--json")
    assert finished.stdout, finished.stderr
    content: dict[str, object] = json.loads(finished.stdout)
    return content


@pytest.mark.parametrize("experiment", ["colour", "grey"])
def test_the_range_is_recorded_with_the_run_and_its_images(original, experiment):
    run = run_of(original, experiment)
    assert json.loads((run / "run.json").read_text())["range"] == RANGE
    values = json.loads((run / "data-card.json").read_text())["values"]
    assert (values["lowest"], values["highest"], values["range"]) == (5.0, 4095.0, [5.0, 4095.0])


def test_the_range_is_told_once_for_each_run(original, tmp_path):
    shutil.copytree(original.parent, tmp_path / "here", symlinks=True)
    told = call(tmp_path / "here" / "project", "foldproof", "run", "grey", "--set", "train.epochs=1").stderr
    assert told.count("data.range: the values 5 to 4,095 are black to white") == 1


@pytest.mark.parametrize("experiment", ["colour", "grey"])
def test_its_record_its_weights_and_an_epoch_hold(project, experiment):
    assert said(project, "verify", experiment)["verdict"] == "HOLDS: L0, L1, L2"


@pytest.mark.thorough
def test_from_a_fresh_clone_and_a_bare_record_it_comes_out_again(original, tmp_path):
    done(tmp_path, "git", "clone", "--quiet", str(original), "clone")
    clone = tmp_path / "clone"
    (clone / ".dvc" / "config.local").write_bytes((original / ".dvc" / "config.local").read_bytes())
    shutil.copytree(original.parent / "store", tmp_path / "store")
    for experiment in ("colour", "grey"):
        record = tmp_path / "records" / experiment
        shutil.copytree(run_of(original, experiment), record, ignore=shutil.ignore_patterns("*.safetensors", "state-*"))
        assert said(clone, "reproduce", str(record))["verdict"] == "REPRODUCED"


@pytest.mark.thorough
def test_a_recorded_range_stands_whatever_the_settings_say_now_and_is_named_as_the_cause(project):
    settings = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(settings.replace("image_size: 16", "image_size: 16, range: [0, 4095]"))
    assert said(project, "reproduce", "grey", "--fold", "0")["verdict"] == "REPRODUCED"
    now = said(project, "reproduce", "grey", "--fold", "0", "--as-is")
    assert now["verdict"] == "DIVERGED"
    assert "most probable cause: config: range in use 5 to 4,095 then, 0 to 4,095 now" in now["lines"]


def test_a_fold_is_not_trained_again_with_another_range(project):
    settings = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(settings.replace("image_size: 16", "image_size: 16, range: [0, 4095]"))
    refused = call(project, "foldproof", "run", "grey", "--fold", "0", "--reseed")
    assert refused.returncode == 2
    assert "the range of values was 5 to 4,095 and is 0 to 4,095" in refused.stderr


def test_a_record_with_another_range_does_not_hold(project):
    file = run_of(project, "grey") / "run.json"
    facts = json.loads(file.read_text())
    facts["range"]["high"] = 4096.0
    file.write_text(json.dumps(facts))
    found = said(project, "verify", "grey")
    assert str(found["verdict"]).startswith("DOES NOT HOLD at L0")
    assert "the identity in run.json" in json.dumps(found)


def test_images_with_colours_are_not_trained_as_grey(project):
    path = project / "images" / "cat" / "0.tif"
    path.unlink()
    tifffile.imwrite(path, np.random.default_rng(1).integers(5, 4096, (40, 40, 3), dtype=np.uint16), photometric="rgb")
    refused = call(project, "foldproof", "run", "grey", "--allow-dirty")
    assert refused.returncode == 2
    assert "cat/0.tif: has colours, and data.channels is 1: set it to 3" in refused.stderr
