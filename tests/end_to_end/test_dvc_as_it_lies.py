"""DVC as people have it: without git, below a repository, in another worktree, staging by itself, importing by URL."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import draw_classes
from foldproof.cli.main import run_command
from foldproof.config.schema import DataSettings
from foldproof.data.scan import scan
from foldproof.data.versions import dvc
from foldproof.data.versions.pull import pull
from foldproof.doctor.code import check_pipeline
from foldproof.errors import DataError
from foldproof.project import Project
from foldproof.provenance.worktree import main_checkout
from foldproof.scaffold.make import scaffold


def run(folder: Path, *command: str) -> str:
    environment_python = Path(sys.executable)
    first = str(environment_python.with_name(command[0])) if command[0] == "dvc" else command[0]
    done = subprocess.run([first, *command[1:]], cwd=folder, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def project(folder: Path, path: str = "owls") -> Path:
    draw_classes(folder / path)
    (folder / "params.yaml").write_text(f"version: 1\ndata: {{path: {path}, image_size: 8}}\nfolds: {{k: 2}}\n")
    return folder


def typed(step: str) -> list[str]:
    return shlex.split(re.search(r"`(dvc [^`]+)`", step)[1])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["no git", "below", "staging"])
def test_images_are_versioned_by_the_settings_path_in_any_kind_of_repository(kind, tmp_path, monkeypatch, capfd):
    here = project(tmp_path / "above" / "here")
    if kind != "no git":
        run(tmp_path / "above" if kind == "below" else here, "git", "init", "--quiet")
    option = {"no git": ["--no-scm"], "below": ["--subdir"], "staging": []}[kind]
    run(here, "dvc", "init", "--quiet", *option)
    if kind == "staging":
        run(here, "dvc", "config", "core.autostage", "true")
    monkeypatch.chdir(here)
    assert run_command(["data", "add"]) == 0
    said = capfd.readouterr().out
    assert ("git commit" in said) == (kind != "no git")
    assert dvc.state_of(here / "owls", scan(here / "owls")).state == "clean"
    if kind != "no git":
        assert "owls.dvc" in run(here, "git", "diff", "--cached", "--name-only")


def test_without_settings_the_folder_has_to_be_named(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert run_command(["data", "add"]) == 2
    assert "foldproof init" in capfd.readouterr().err


@pytest.mark.slow
def test_another_worktree_says_how_to_use_the_cache_of_the_main_checkout(tmp_path):
    main, other = project(tmp_path / "main"), tmp_path / "other one"
    run(main, "git", "init", "--quiet")
    dvc.init(main)
    dvc.add(main / "owls")
    run(main, "git", "add", "--all")
    run(main, "git", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "--message", "owls")
    run(main, "git", "worktree", "add", "--quiet", "--detach", str(other))
    assert main_checkout(other / "owls") == main / "owls"
    assert main_checkout(main) is None
    with pytest.raises(DataError, match="no DVC remote") as raised:
        pull(other / "owls")
    assert f"this is a worktree of {main}" in raised.value.next_step
    run(other, *typed(raised.value.next_step))
    assert pull(other / "owls").files == 18


@pytest.mark.slow
def test_images_that_were_imported_by_url_say_what_fetches_them_again(tmp_path):
    here = project(tmp_path / "here")
    shutil.move(here / "owls", tmp_path / "source")
    run(here, "git", "init", "--quiet")
    dvc.init(here)
    run(here, "dvc", "import-url", "--quiet", str(tmp_path / "source"), "owls")
    shutil.rmtree(here / "owls")
    shutil.rmtree(here / ".dvc" / "cache")
    with pytest.raises(DataError, match="no DVC remote") as raised:
        pull(here / "owls")
    assert str(tmp_path / "source") in raised.value.next_step
    assert typed(raised.value.next_step) == ["dvc", "update", "owls.dvc"]
    run(here, *typed(raised.value.next_step))
    assert dvc.state_of(here / "owls", scan(here / "owls")).state == "clean"


def test_a_pipeline_that_depends_on_what_is_gone_is_told_with_what_to_write(tmp_path):
    here = project(tmp_path)
    pipeline = here / "dvc.yaml"
    pipeline.write_text("stages:\n  train:\n    cmd: foldproof run\n    deps:\n      - data/train\n")
    (check,) = check_pipeline(Project(here / "params.yaml"), DataSettings(path="owls"))
    assert "data/train, which is not there" in check.said
    assert "`- ${data.path}`" in check.next_step
    for dependency in ("owls", "${data.path}", "params.yaml"):
        pipeline.write_text(pipeline.read_text().replace("data/train", dependency))
        assert not list(check_pipeline(Project(here / "params.yaml"), DataSettings(path="owls")))
    for broken in ("stages: 3\n", ":\n", ""):
        pipeline.write_text(broken)
        assert not list(check_pipeline(Project(here / "params.yaml"), DataSettings()))


@pytest.mark.parametrize("somebodys", [False, True])
def test_the_pipeline_depends_on_the_images_wherever_params_yaml_says_they_are(tmp_path, somebodys):
    """Where params.yaml is somebody else's, DVC cannot be told to read ours beside it: the path stands as it is."""
    if somebodys:
        (tmp_path / "params.yaml").write_text("train: {epochs: 3}\n")
    draw_classes(tmp_path / "owls")
    made = scaffold(tmp_path)
    assert made.settings_file.name == ("foldproof.yaml" if somebodys else "params.yaml")
    text = made.settings_file.read_text()
    (tmp_path / "owls").rename(tmp_path / "birds of 2024")
    made.settings_file.write_text(text.replace("path: owls", "path: birds of 2024"))
    from dvc.repo import Repo

    with Repo(str(tmp_path)) as repository:
        (stage,) = (stage for stage in repository.index.stages if stage.cmd == "foldproof run")
        assert next(str(dependency) for dependency in stage.deps) == ("owls" if somebodys else "birds of 2024")


@pytest.mark.slow
def test_what_a_pipeline_makes_is_not_proposed_to_be_added_and_adding_it_says_what_to_type(
    tmp_path, monkeypatch, capfd
):
    draw_classes(tmp_path / "source")
    run(tmp_path, "git", "init", "--quiet")
    dvc.init(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages:\n  draw:\n    cmd: cp -r source owls\n    outs: [owls]\n")
    run(tmp_path, "dvc", "repro", "--quiet")
    shutil.rmtree(tmp_path / "source")
    monkeypatch.chdir(tmp_path)
    assert run_command(["init"]) == 0
    said = capfd.readouterr().out
    assert "found 18 images" in said
    assert "data add" not in said
    assert run_command(["data", "add", "owls"]) == 2
    assert typed(capfd.readouterr().err)[:2] == ["dvc", "repro"]


def test_images_that_are_versioned_and_not_here_are_to_be_pulled(tmp_path, monkeypatch, capfd):
    here = project(tmp_path)
    run(here, "git", "init", "--quiet")
    dvc.init(here)
    dvc.add(here / "owls")
    shutil.rmtree(here / "owls")
    (here / "params.yaml").unlink()
    monkeypatch.chdir(here)
    assert run_command(["init"]) == 0
    said = capfd.readouterr().out
    assert "git add params.yaml dvc.yaml owls.dvc .gitignore" in said
    assert "foldproof data pull" in said
    assert "data add" not in said
    assert "put the images" not in said


def test_pointers_of_git_lfs_are_not_versioned_as_if_they_were_the_pictures(tmp_path, monkeypatch, capfd):
    draw_classes(tmp_path / "owls")
    first = next(path for path in sorted((tmp_path / "owls").rglob("*")) if path.is_file())
    first.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12\n")
    monkeypatch.chdir(tmp_path)
    assert run_command(["init"]) == 0
    assert "1 of them are pointers of git-lfs: `git lfs pull`" in capfd.readouterr().out
    assert run_command(["data", "add", "owls"]) == 2
    said = capfd.readouterr().err
    assert first.name in said
    assert "`git lfs pull`" in said
    assert not (tmp_path / "owls.dvc").exists()


@pytest.mark.parametrize("form", ["lock of DVC 1", "file of DVC 1"])
def test_a_record_of_a_form_that_dvc_3_does_not_take_says_so(tmp_path, form):
    here = project(tmp_path)
    dvc.init(here)
    text = f"md5: {'0' * 32}.dir\n"
    if form == "file of DVC 1":
        (here / "owls.dvc").write_text(f"outs:\n- {text}  path: owls\n  metric: false\n")
    else:
        (here / "dvc.yaml").write_text("stages:\n  draw:\n    cmd: draw\n    outs: [owls]\n")
        (here / "dvc.lock").write_text(f"draw:\n  cmd: draw\n  outs:\n  - path: owls\n    {text}")
    with pytest.raises(DataError, match="validation failed") as raised:
        dvc.recorded(here / "owls")
    assert "another version of DVC wrote that" in raised.value.next_step
