"""`foldproof try`: a folder of images and nothing else in, what can be expected of it out."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from conftest import draw_classes
from foldproof.cli.main import run_command
from foldproof.data.rows.files import read_index


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One cache for the module: features of the same pictures are computed once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def in_an_empty_folder(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def tried(capsys, *arguments):
    assert run_command(["try", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def everything(folder: Path):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def features(cache: Path):
    """The rows that are kept, by the names of their images."""
    found = {}
    for file in (cache / "foldproof" / "try").glob("features-*.npy"):
        if (index := read_index(file)) is not None:
            found |= {bytes(name): row.tobytes() for name, row in zip(index.names, np.load(file), strict=True)}
    return found


@pytest.mark.slow
def test_a_folder_is_tried_without_anything_being_written_beside_it(tmp_path, capsys):
    photos = draw_classes(tmp_path / "photos", each=8, size=32)
    before = everything(tmp_path)
    seen = tried(capsys, photos)
    assert everything(tmp_path) == before
    assert seen["images"] == 24
    assert seen["k"] == 5
    assert seen["accuracy"]["low"] <= seen["accuracy"]["mean"] <= seen["accuracy"]["high"]
    assert seen["accuracy"]["mean"] > 0.8 > seen["majority"]["accuracy"] == pytest.approx(1 / 3)
    assert np.array(seen["confusion"]).sum() == 24


@pytest.mark.slow
def test_features_are_kept_and_do_not_depend_on_which_photos_came_later(tmp_path, capsys, monkeypatch):
    photos = draw_classes(tmp_path / "photos", each=11, size=40)
    late = [photos / "cat" / f"{number:03d}.png" for number in (0, 1)]
    aside = tmp_path / "aside"
    shutil.copytree(photos, aside)
    for path in late:
        path.unlink()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "grown"))
    assert tried(capsys, photos)["features_kept"] == 0
    for path in late:
        shutil.copy(aside / path.relative_to(photos), path)
    assert tried(capsys, photos)["features_kept"] == 31
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "at-once"))
    assert tried(capsys, aside)["features_kept"] == 0
    assert features(tmp_path / "grown") == features(tmp_path / "at-once")


@pytest.mark.slow
def test_what_looks_wrong_is_said_and_the_rest_is_judged(tmp_path, capsys):
    photos = draw_classes(tmp_path / "photos", each=8, size=32)
    (photos / "cat" / "broken.png").write_bytes((photos / "cat" / "000.png").read_bytes()[:60])
    shutil.copy(photos / "dog" / "000.png", photos / "eel" / "copy.png")
    seen = tried(capsys, photos)
    found = {(finding["code"], finding["subject"]) for finding in seen["findings"]}
    assert ("damaged", "cat/broken.png") in found
    assert ("label-conflict", "eel/copy.png") in found
    assert seen["images"] == 25
    assert run_command(["try", str(photos)]) == 0
    page = capsys.readouterr().out
    assert "accuracy" in page
    assert "damaged" in page
    assert "foldproof init" in page


@pytest.mark.slow
@pytest.mark.thorough
def test_with_few_images_there_are_fewer_folds_and_it_is_said(tmp_path, capsys):
    photos = draw_classes(tmp_path / "photos", each=8, size=32)
    for path in sorted((photos / "eel").iterdir())[3:]:
        path.unlink()
    assert tried(capsys, photos)["k"] == 3
    assert run_command(["try", str(photos)]) == 0
    assert "3 folds and not 5" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.thorough
def test_of_many_images_some_of_each_class_are_looked_at(tmp_path, capsys):
    photos = draw_classes(tmp_path / "photos", each=8, size=32)
    seen = tried(capsys, photos, "--most", "12")
    assert seen["classes"] == {"cat": 4, "dog": 4, "eel": 4}
    assert seen["images_not_looked_at"] == 12


@pytest.mark.slow
@pytest.mark.thorough
def test_of_the_parts_of_a_data_set_the_training_part_is_looked_at(tmp_path, capsys):
    draw_classes(tmp_path / "set" / "train", each=8, size=32)
    draw_classes(tmp_path / "set" / "test", each=2, size=32)
    seen = tried(capsys, tmp_path / "set")
    assert set(seen["classes"].values()) == {8}
    assert seen["images"] == 24


def test_what_cannot_be_tried_is_said_in_three_lines(tmp_path, capsys):
    one = draw_classes(tmp_path / "one", classes=("cat",))
    (tmp_path / "empty").mkdir()
    (tmp_path / "flat").mkdir()
    shutil.copy(one / "cat" / "000.png", tmp_path / "flat")
    for folder in ("empty", "flat", "not-there", "one/cat/000.png"):
        assert run_command(["try", str(tmp_path / folder)]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert 2 <= len(lines) <= 3


def test_where_no_file_can_be_read_one_is_named(tmp_path, capsys):
    for name in ("cat", "dog"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / "1.jpg").write_text("no picture")
    assert run_command(["try", str(tmp_path / "set")]) == 2
    said = capsys.readouterr().err
    assert "cat/1.jpg" in said
    assert "foldproof data check" in said
    assert len(said.strip().splitlines()) <= 3


@pytest.mark.slow
@pytest.mark.thorough
def test_one_class_is_too_few(tmp_path, capsys):
    one = draw_classes(tmp_path / "one", classes=("cat",))
    assert run_command(["try", str(one)]) == 2
    assert "only one class" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_interrupted_it_leaves_no_process_and_keeps_what_it_has(tmp_path, monkeypatch):
    photos = draw_classes(tmp_path / "photos", each=70, size=24)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    command = [sys.executable, "-m", "foldproof", "try", str(photos)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 120
        while not features(tmp_path / "cache"):
            assert running.poll() is None, running.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        children = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert said.strip() == "interrupted"
    assert len(children) >= 1
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    kept = len(features(tmp_path / "cache"))
    assert 0 < kept < 210
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=250, check=True)
    assert json.loads(done.stdout)["features_kept"] == kept
