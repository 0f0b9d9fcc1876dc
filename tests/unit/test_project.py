"""A project on disk: found from below, paths relative to it, runs by id, name or prefix."""

import re
import subprocess
from pathlib import Path

import pytest

from foldproof.errors import ProjectError, StorageError
from foldproof.project import Project
from foldproof.provenance.committed_links import leading_out


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "params.yaml").write_text("version: 1\n")
    return Project.find(tmp_path)


def test_a_project_is_found_from_any_folder_in_it(project: Project) -> None:
    deep = project.root / "a" / "b"
    deep.mkdir(parents=True)
    assert Project.find(deep) == project
    assert project.settings_file == project.root / "params.yaml"


def test_foldproof_yaml_is_read_before_params_yaml(project: Project) -> None:
    (project.root / "foldproof.yaml").write_text("version: 1\n")
    assert Project.find(project.root).settings_file.name == "foldproof.yaml"


def test_the_nearest_project_is_the_one(project: Project) -> None:
    inner = project.root / "inner"
    inner.mkdir()
    (inner / "params.yaml").write_text("version: 1\n")
    assert Project.find(inner).root == inner


def test_where_there_is_no_project_the_next_step_is_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no foldproof project") as caught:
        Project.find(tmp_path)
    assert "foldproof init" in caught.value.next_step


def test_relative_paths_resolve_from_the_settings_file_and_absolute_ones_stay(project: Project, tmp_path: Path) -> None:
    assert project.path("data/train") == project.root / "data" / "train"
    assert project.path(str(tmp_path / "elsewhere")) == tmp_path / "elsewhere"
    for folder in (project.runs, project.cache, project.folds_file, project.artifacts):
        assert folder.is_relative_to(project.root)


def test_run_ids_are_sortable_and_never_given_twice(project: Project) -> None:
    folders = [project.new_run_folder(now=seconds) for seconds in (0.0, 0.0, 0.0, 86_400.0)]
    names = [folder.name for folder in folders]
    assert all(re.fullmatch(r"\d{8}-\d{6}-[a-z2-7]{6}", name) for name in names)
    assert len(set(names)) == 4
    assert names[0].startswith("19700101-000000-")
    assert max(names) == names[3]
    assert all(folder.is_dir() for folder in folders)


def test_a_runs_folder_that_cannot_be_made_is_the_users_to_fix(project: Project) -> None:
    project.runs.write_text("in the way")
    with pytest.raises(StorageError, match="cannot make"):
        project.new_run_folder()


def test_only_folders_with_a_description_are_runs_oldest_first(project: Project) -> None:
    assert project.run_folders() == ()
    late, early, bare = (project.new_run_folder(now=seconds) for seconds in (2e9, 1e9, 1.5e9))
    for folder in (late, early):
        (folder / "run.json").write_text("{}")
    assert project.run_folders() == (early, late)
    assert bare.is_dir()


@pytest.mark.parametrize(
    ("copy", "home"),
    [
        ("p/.dvc/tmp/exps/standalone/tmpabc", "p"),
        ("p/.dvc/tmp/exps/standalone/tmpabc/inner/one", "p/inner/one"),
        ("p/.dvc/tmp/exps/tmpabc", "p"),
        ("p/exps/tmp", "p/exps/tmp"),
        ("p", "p"),
    ],
)
def test_a_copy_that_dvc_made_keeps_its_runs_where_it_was_started(tmp_path, copy, home):
    project = Project(tmp_path / copy / "params.yaml")
    assert project.root == tmp_path / copy
    assert project.runs == tmp_path / home / "runs"
    assert project.own_cache.is_relative_to(tmp_path / copy)


@pytest.mark.parametrize("name", [".foldproof", ".foldproof/cache", "runs", "mlartifacts", "plots"])
def test_a_folder_that_is_written_to_is_no_link_that_came_with_the_repository(tmp_path, name):
    outside, root = tmp_path / "outside", tmp_path / "project"
    outside.mkdir()
    (root / name).parent.mkdir(parents=True)
    (root / "params.yaml").write_text("version: 1\n")
    (root / name).symlink_to(outside)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    assert Project.find(root).root == root, "one's own link"
    subprocess.run(["git", "add", "--force", name], cwd=root, check=True)
    with pytest.raises(ProjectError, match="came with the repository"):
        Project.find(root)


def test_a_link_that_leads_out_is_refused_where_git_cannot_say_whose_it_is(tmp_path, monkeypatch):
    outside, root = tmp_path / "outside", tmp_path / "project"
    outside.mkdir()
    root.mkdir()
    (root / "params.yaml").write_text("version: 1\n")
    (root / "runs").symlink_to(outside)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    assert Project.find(root).root == root
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(ProjectError, match="leads out"):
        Project.find(root)


def test_a_folder_that_poses_as_a_repository_hides_no_committed_link(tmp_path):
    outside, root = tmp_path / "outside", tmp_path / "project"
    outside.mkdir()
    store = root / "store"
    for name in ("objects", "refs"):
        (store / name).mkdir(parents=True)
    (store / "HEAD").write_text("x")
    (store / "photos").symlink_to(outside)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    assert leading_out(store / "photos") == store / "photos"
