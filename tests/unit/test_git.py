"""The state of the code."""

import os
import shutil
import subprocess

import pytest

from foldproof.provenance.git import MOST_UNTRACKED, absence, git_state, stage


def git(folder, *arguments, content=None):
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, input=content)
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "my code ü"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    (folder / "sub dir").mkdir()
    (folder / "sub dir" / "train ä.py").write_text("one\n")
    (folder / "params.yaml").write_text("a: 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def test_a_committed_folder_is_clean(repository):
    state = git_state(repository)
    assert state.commit == git(repository, "rev-parse", "HEAD")
    assert (state.branch, state.dirty, state.untracked, state.diff) == ("main", False, (), b"")


@pytest.mark.parametrize("settings", [(), ("diff.noprefix=true", "diff.relative=true", "color.ui=always")])
def test_the_diff_brings_the_changes_back_whatever_git_is_told_to_print(repository, settings):
    for setting in settings:
        git(repository, "config", *setting.split("="))
    (repository / "sub dir" / "train ä.py").write_text("two\n")
    (repository / "params.yaml").unlink()
    (repository / "new.bin").write_bytes(bytes(range(256)))
    git(repository, "add", "new.bin")
    state = git_state(repository / "sub dir")
    assert state.dirty
    git(repository, "reset", "--quiet", "--hard")
    git(repository, "apply", "-", content=state.diff)
    assert (repository / "sub dir" / "train ä.py").read_text() == "two\n"
    assert not (repository / "params.yaml").exists()
    assert (repository / "new.bin").read_bytes() == bytes(range(256))


def test_untracked_files_make_it_dirty_and_are_named_but_ignored_ones_do_not_count(repository):
    (repository / ".gitignore").write_text("*.log\n")
    git(repository, "add", ".gitignore")
    git(repository, "commit", "--quiet", "--message", "ignore")
    (repository / "run.log").touch()
    assert not git_state(repository).dirty
    (repository / "über neu.py").touch()
    state = git_state(repository / "sub dir")
    assert state.dirty
    assert [name.rsplit("/")[-1] for name in state.untracked] == ["über neu.py"]
    assert state.diff == b""


def test_only_so_many_untracked_files_are_named(repository):
    for number in range(MOST_UNTRACKED + 20):
        (repository / f"{number}.py").touch()
    assert len(git_state(repository).untracked) == MOST_UNTRACKED


def test_what_a_run_writes_itself_makes_nothing_dirty(repository):
    (repository / "folds.csv").write_text("1\n")
    assert git_state(repository).dirty
    assert not git_state(repository, apart_from=("folds.csv",)).dirty
    git(repository, "add", "folds.csv")
    git(repository, "commit", "--quiet", "--message", "folds")
    (repository / "folds.csv").write_text("2\n")
    assert git_state(repository).dirty
    state = git_state(repository, apart_from=("folds.csv",))
    assert (state.dirty, state.diff) == (False, b"")


def test_a_worktree_and_a_detached_head_have_a_state(repository, tmp_path):
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "beside"), "-b", "try")
    assert git_state(tmp_path / "beside").branch == "try"
    git(repository, "checkout", "--quiet", "--detach")
    state = git_state(repository)
    assert (state.branch, state.dirty) == ("", False)
    assert len(state.commit) == 40


def test_there_is_no_state_without_a_repository_or_a_commit(tmp_path):
    assert git_state(tmp_path) is None
    assert "no git repository" in absence(tmp_path)
    git(tmp_path, "init", "--quiet")
    (tmp_path / "new.py").touch()
    assert git_state(tmp_path) is None
    assert "nothing is committed" in absence(tmp_path)


def test_there_is_no_state_without_git(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git_state(repository) is None
    assert absence(repository) == "git is not installed"


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else_is_no_error_and_the_reason_is_told(repository):
    for path in (repository, *repository.rglob("*")):
        shutil.chown(path, 12345)
    assert git_state(repository) is None
    assert "safe.directory" in absence(repository)


def test_a_hook_that_calls_us_does_not_lead_astray(repository, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert git_state(repository) is not None


@pytest.mark.skipif(os.name == "nt", reason="the trap is a shell script")
def test_no_program_named_in_the_settings_of_a_repository_is_started(repository, tmp_path):
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch '{tmp_path}/sprung'\ncat\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "diff.spy.textconv"):
        git(repository, "config", name, str(trap))
    (repository / ".gitattributes").write_text("*.py diff=spy\n")
    (repository / "sub dir" / "train ä.py").write_text("two\n")
    assert git_state(repository).dirty
    assert not (tmp_path / "sprung").exists()


def test_files_are_staged_and_a_refusal_is_no_error(repository, tmp_path):
    (repository / "data.dvc").write_text("outs: []\n")
    assert stage(repository, [repository / "data.dvc"])
    assert git(repository, "diff", "--cached", "--name-only") == "data.dvc"
    assert not stage(tmp_path, [tmp_path / "nothing"])
