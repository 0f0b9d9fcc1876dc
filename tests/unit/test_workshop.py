"""The folders in which a record is trained again: made and swept in the project's own folder, through no link."""

import os
import shutil
from pathlib import Path

import pytest

from foldproof.errors import StorageError
from foldproof.project import Project
from foldproof.provenance import worktree
from foldproof.reproduce.rebuild import environments
from foldproof.reproduce.worktree import open_worktree
from recorded import call, done

OURS = "reproduce-0123456789ab"


@pytest.fixture
def project(tmp_path) -> Project:
    root = tmp_path / "project"
    (root / ".foldproof").mkdir(parents=True)
    (root / "params.yaml").write_text("version: 1\n")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years")
    (tmp_path / "precious" / "held.lock").write_text("mine")
    done(root, "git", "init", "--quiet")
    done(root, "git", "add", "--all")
    done(root, "git", "commit", "--quiet", "--message", "x")
    return Project(root / "params.yaml")


def outside(project: Project) -> dict[str, str]:
    folder = project.root.parent / "precious"
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def planted(project: Project, name: str) -> Path:
    """A link in `.foldproof` to a folder outside, committed, as a clone brings it."""
    link = project.root / ".foldproof" / name
    link.symlink_to("../../precious")
    done(project.root, "git", "add", "--all", "--force")
    done(project.root, "git", "commit", "--quiet", "--message", "x")
    return link


@pytest.mark.parametrize("name", [OURS, "reproduce-x", "reproduce-", "reproduce-../x".replace("/", "_")])
def test_the_sweep_empties_nothing_through_a_link(project, name):
    before = outside(project)
    link = planted(project, name)
    with open_worktree(project) as place:
        assert place.parent == project.root / ".foldproof"
    assert outside(project) == before
    assert link.is_symlink()


@pytest.mark.parametrize("inner", ["held.lock", "code", "versions", "images", "images/deep"])
def test_the_sweep_of_a_folder_with_links_in_it_takes_the_links_alone(project, inner):
    before = outside(project)
    left = project.root / ".foldproof" / OURS
    (left / inner).parent.mkdir(parents=True)
    if inner != "held.lock":
        (left / "held.lock").touch()
    (left / inner).symlink_to(project.root.parent / "precious" / ("thesis.txt" if inner == "held.lock" else ""))
    with open_worktree(project):
        pass
    assert outside(project) == before
    assert left.exists() == (inner == "held.lock")


def test_what_a_killed_process_left_is_swept_away_and_what_is_not_ours_stays(project):
    home = project.root / ".foldproof"
    (home / OURS / "code").mkdir(parents=True)
    (home / OURS / "held.lock").touch()
    kept = ["reproduce-notes", "reproduce-0123456789AB", "reproduce-0123456789abc", "cache", "reproduce-ba9876543210"]
    for name in kept:
        (home / name).mkdir()
        (home / name / "file").write_text("x")
    with open_worktree(project):
        assert not (home / OURS).exists()
    assert [name for name in kept if not (home / name / "file").is_file()] == []


def test_a_folder_of_our_shape_that_the_repository_holds_stays(project):
    left = project.root / ".foldproof" / OURS
    left.mkdir()
    (left / "held.lock").touch()
    (left / "thesis.txt").write_text("years")
    done(project.root, "git", "add", "--all", "--force")
    with open_worktree(project):
        pass
    assert (left / "thesis.txt").read_text() == "years"


def test_a_folder_that_is_a_link_of_the_repository_is_left_alone(project):
    (project.root / ".foldproof").rmdir()
    (project.root / ".foldproof").symlink_to("../precious")
    (project.root.parent / "precious" / OURS).mkdir()
    (project.root.parent / "precious" / OURS / "held.lock").touch()
    done(project.root, "git", "add", "--all", "--force")
    before = sorted((project.root.parent / "precious").iterdir())
    with open_worktree(project) as place:
        assert not place.resolve().is_relative_to(project.root.parent / "precious")
        (place / "x").touch()
    assert sorted((project.root.parent / "precious").iterdir()) == before
    assert not place.exists()


def test_a_link_of_the_users_own_to_where_there_is_room_is_followed(project):
    room = project.root.parent / "room"
    room.mkdir()
    (project.root / ".foldproof").rmdir()
    (project.root / ".foldproof").symlink_to(room)
    with open_worktree(project) as place:
        assert place.resolve().parent == room
    assert list(room.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_environments_are_kept_where_their_user_alone_can_write(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    home = environments()
    assert home.stat().st_mode & 0o777 == 0o700
    home.chmod(0o777)
    assert environments().stat().st_mode & 0o777 == 0o700
    home.rmdir()
    (tmp_path / "elsewhere").mkdir()
    home.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        environments()
    home.unlink()
    home.write_text("a file")
    with pytest.raises(StorageError):
        environments()


def test_a_checkout_is_taken_away_with_its_workshop(project):
    head = done(project.root, "git", "rev-parse", "HEAD").strip()
    with open_worktree(project) as place:
        assert worktree.check_out(project.root, head, place / "versions") == ""
        assert (place / "versions" / "params.yaml").is_file()
    assert done(project.root, "git", "worktree", "list").count("\n") == 1
    assert call(project.root, "git", "status", "--porcelain").stdout == ""
    shutil.rmtree(project.root / ".foldproof")
