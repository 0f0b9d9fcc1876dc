"""Whatever a repository's settings, hooks and attributes name: looking at it with foldproof's git runs none of it.

Every trap leaves a file of its name in a folder of canaries. That traps are live is shown by plain git.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from conftest import SETTINGS as SETTINGS_FILE
from conftest import draw_classes
from foldproof.analysis.difference import RunSide
from foldproof.bundle.anonymous import traces
from foldproof.cli.diff import _files_between
from foldproof.cli.main import run_command
from foldproof.data.dataset import Dataset
from foldproof.project import Project
from foldproof.provenance import git, git_command, git_settings, worktree
from foldproof.scaffold.make import scaffold

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the traps are shell scripts")

HOOKS = (
    "post-index-change", "post-checkout", "reference-transaction", "pre-commit", "prepare-commit-msg", "commit-msg",
    "post-commit", "pre-auto-gc", "post-merge", "post-rewrite", "fsmonitor-watchman", "pre-applypatch",
)  # fmt: skip
PROGRAMS = (
    "core.pager", "pager.status", "pager.diff", "pager.config", "core.editor", "sequence.editor", "core.sshCommand",
    "core.gitProxy", "core.askPass", "credential.helper", "gpg.program", "gpg.ssh.program", "core.alternateRefsCommand",
    "diff.external", "diff.spy.command", "diff.spy.textconv", "merge.spy.driver", "core.fsmonitor",
    "interactive.diffFilter", "difftool.spy.cmd", "mergetool.spy.cmd", "man.spy.cmd", "browser.spy.cmd",
    "trace2.eventTarget", "gc.recentObjectsHook",
    "uploadpack.packObjectsHook", "submodule.below.update", "sendemail.smtpServer", "remote.origin.receivepack",
)  # fmt: skip
ALIASED = ("status", "diff", "config", "add", "ls-files", "cat-file")


def plain(folder: Path, *arguments: str, check: bool = True) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=check, timeout=60)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """A user with settings of their own, and nobody else's."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    for key, value in {
        "user.name": "somebody", "user.email": "s@example.org", "protocol.file.allow": "always",
        "init.defaultBranch": "main",
    }.items():  # fmt: skip
        plain(home, "config", "--global", key, value)
    return home


class Traps:
    """A folder of canaries, and commands that leave one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "sprung").mkdir(parents=True)

    def command(self, name: str, then: str = "exec cat") -> str:
        """A program that says that it ran, and passes on what it gets."""
        file = self.folder / f"{name.replace('/', '-')}.sh"
        sprung = self.folder / "sprung" / name.replace("/", "-")
        file.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(sprung))}\n{then}\n")
        file.chmod(0o755)
        return str(file)

    @property
    def sprung(self) -> set[str]:
        return {path.name for path in (self.folder / "sprung").iterdir()}


@pytest.fixture
def traps(tmp_path) -> Traps:
    return Traps(tmp_path / "traps")


@pytest.fixture
def repository(tmp_path) -> Path:
    """Two commits, a submodule, and a change in every file, of the same size."""
    below = made(tmp_path / "source of below", {"inner.py": "one\n"})
    folder = made(tmp_path / "clone", {"a.py": "one\n", "b.txt": "one\n", "c.md": "one\n", "d.rst": "one\n"})
    plain(folder, "submodule", "--quiet", "add", "--name", "below", str(below), "below")
    plain(folder, "commit", "--quiet", "--message", "second")
    touched(folder)
    return folder


def made(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    plain(folder, "init", "--quiet")
    for name, text in files.items():
        (folder / name).write_text(text)
    plain(folder, "add", ".")
    plain(folder, "commit", "--quiet", "--message", "first")
    return folder


def touched(folder: Path) -> None:
    """Everything changed in time, and one file in content: git has to look at each."""
    for path in folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            os.utime(path, (1, 1))
    (folder / "a.py").write_text("two\n")


BY_FILE = {"a.py": "clean", "b.txt": "smudge", "c.md": "process", "inner.py": "clean"}


def filters(
    folder: Path, traps: Traps, git_folder: Path, prefix: str = "", by_file: Mapping[str, str] = BY_FILE
) -> None:
    """Filters by attributes that are committed like any file: one for each way in which git calls them."""
    for attribute, key in by_file.items():
        name = f"{prefix}{key}-{attribute}"
        with (folder / ".gitattributes").open("a") as file:
            file.write(f"{attribute} filter={name}\n")
        plain(folder, "config", "--file", str(git_folder / "config"), f"filter.{name}.{key}", traps.command(name))
        required = str(attribute == "inner.py").lower()
        plain(folder, "config", "--file", str(git_folder / "config"), f"filter.{name}.required", required)


def set_filters(folder: Path, traps: Traps) -> None:
    filters(folder, traps, folder / ".git")


def set_programs(folder: Path, traps: Traps) -> None:
    (folder / ".gitattributes").write_text("* diff=spy merge=spy\n")
    for name in PROGRAMS:
        plain(folder, "config", name, ("!" if name.endswith("update") else "") + traps.command(name))
    for name in ALIASED:
        plain(folder, "config", f"alias.{name}", f"!{traps.command(f'alias.{name}')}")
    for name in ("log.showSignature", "commit.gpgSign", "tag.gpgSign", "submodule.recurse", "status.submoduleSummary"):
        plain(folder, "config", name, "true")


def set_hooks(folder: Path, traps: Traps) -> None:
    for name in HOOKS:
        shutil.copy(traps.command(name), folder / ".git" / "hooks" / name)


def set_hooks_elsewhere(folder: Path, traps: Traps) -> None:
    (folder / "hooks").mkdir()
    for name in HOOKS:
        shutil.copy(traps.command(name), folder / "hooks" / name)
    plain(folder, "config", "core.hooksPath", "hooks")


def set_included(folder: Path, traps: Traps) -> None:
    """Filters in files that the settings include: always, for a branch, and for other worktrees alone."""
    brought = {
        "include.path": {"a.py": "clean"},
        "includeIf.onbranch:*.path": {"c.md": "clean"},
        "includeIf.gitdir:**/worktrees/**.path": {"b.txt": "smudge"},
    }
    for number, (key, by_file) in enumerate(brought.items()):
        more = folder / ".git" / f"more-{number}"
        more.mkdir()
        filters(folder, traps, more, prefix=f"{number}-", by_file=by_file)
        plain(folder, "config", key, str(more / "config"))


def set_for_the_worktree(folder: Path, traps: Traps) -> None:
    plain(folder, "config", "extensions.worktreeConfig", "true")
    filters(folder, traps, folder / ".git")
    (folder / ".git" / "config.worktree").write_text(
        f'[filter "late"]\n\tclean = {traps.command("late")}\n\tsmudge = {traps.command("late-smudge")}\n'
    )
    (folder / ".gitattributes").write_text("* filter=late\n")


def set_in_the_submodule(folder: Path, traps: Traps) -> None:
    inside = folder / ".git" / "modules" / "below"
    filters(folder / "below", traps, inside, prefix="below-")
    plain(folder / "below", "config", "core.fsmonitor", traps.command("below-fsmonitor"))
    for name in HOOKS:
        shutil.copy(traps.command(f"below-{name}"), inside / "hooks" / name)


def set_over_the_users_own(folder: Path, traps: Traps) -> None:
    plain(folder, "config", "--global", "filter.mine.clean", "cat")
    plain(folder, "config", "--global", "filter.mine.smudge", "cat")
    (folder / ".gitattributes").write_text("* filter=mine\n")
    for key in ("clean", "smudge", "process"):
        plain(folder, "config", f"filter.mine.{key}", traps.command(f"mine-{key}"))


def set_by_an_odd_name(folder: Path, traps: Traps) -> None:
    (folder / ".gitattributes").write_text("* filter=a=b\n")
    plain(folder, "config", "filter.a=b.clean", traps.command("odd-clean"))
    plain(folder, "config", "filter.a=b.smudge", traps.command("odd-smudge"))


SETTINGS: dict[str, Callable[[Path, Traps], None]] = {
    function.__name__.removeprefix("set_"): function
    for function in (
        set_filters, set_programs, set_hooks, set_hooks_elsewhere, set_included, set_for_the_worktree,
        set_in_the_submodule, set_over_the_users_own, set_by_an_odd_name,
    )
}  # fmt: skip


def everything(folder: Path, aside: Path) -> None:
    """All that foldproof asks of git."""
    first, second = (plain(folder, "rev-parse", f"{name}^{{commit}}") for name in ("HEAD~1", "HEAD"))
    git.git_state(folder)
    git.git_state(folder / "below")
    git.absence(folder)
    git.changed_files(folder, git.Commit.parse(first), git.Commit.parse(second))
    worktree.known_files(folder)
    worktree.known_to_git(folder, "a.py")
    worktree.prefix(folder)
    assert worktree.has_commit(folder, first) in (True, False)
    worktree.is_reachable(folder, first)
    traces(folder)
    git_command.filters_left_out(folder)
    worktree.check_out(folder, first, aside)
    if aside.is_dir():
        worktree.apply(aside, b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-one\n+two\n")
    worktree.clear(folder, aside)
    scaffold(folder)
    git.stage(folder, [folder / name for name in ("a.py", "c.md")])


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_nothing_that_the_repository_names_runs(name, repository, traps, tmp_path):
    SETTINGS[name](repository, traps)
    everything(repository, tmp_path / "aside")
    assert traps.sprung == set()


LIVE = {
    "filters": {"clean-a.py", "smudge-b.txt", "process-c.md"},
    "programs": {"core.fsmonitor", "diff.spy.command"},
    "hooks": {"post-index-change", "post-checkout", "reference-transaction"},
    "hooks_elsewhere": {"post-index-change", "post-checkout", "reference-transaction"},
    "included": {"0-clean-a.py", "1-clean-c.md", "2-smudge-b.txt"},
    "for_the_worktree": {"late"},
    "in_the_submodule": {"below-clean-inner.py", "below-fsmonitor"},
    "over_the_users_own": {"mine-process"},
    "by_an_odd_name": {"odd-clean"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_the_traps_are_live_for_git_itself(name, repository, traps, tmp_path):
    SETTINGS[name](repository, traps)
    for arguments in (("status",), ("diff", "HEAD"), ("add", "--all"), ("commit", "--quiet", "--message", "x")):
        plain(repository, *arguments, check=False)
    plain(repository, "worktree", "add", "--detach", str(tmp_path / "aside"), "HEAD", check=False)
    assert LIVE[name] <= traps.sprung


def test_a_filter_of_the_users_own_settings_runs_and_one_of_the_repository_is_named(repository, traps):
    plain(repository, "config", "--global", "filter.mine.clean", traps.command("mine"))
    (repository / ".gitattributes").write_text("* filter=mine\n")
    plain(repository, "config", "filter.theirs.clean", traps.command("theirs"))
    assert git.git_state(repository).dirty
    assert traps.sprung == {"mine"}
    assert git_command.filters_left_out(repository) == ("theirs",)


def test_a_filter_of_the_user_that_the_repository_replaces_is_the_users_again(repository, traps, home):
    plain(repository, "config", "--global", "filter.mine.clean", traps.command("global"))
    (repository / ".gitattributes").write_text("* filter=mine\n")
    plain(repository, "config", "filter.mine.clean", traps.command("local"))
    git.git_state(repository)
    assert traps.sprung == {"global"}


@pytest.mark.parametrize("transport", ["ext", "file", "ssh"])
def test_nothing_is_fetched_into_a_clone_that_lacks_files(transport, tmp_path, traps, monkeypatch):
    source = made(tmp_path / "source", {"a.py": "one\n"})
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        plain(source, "config", key, "true")
    clone = tmp_path / "partial"
    plain(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", source.as_uri(), str(clone))
    commit, blob = plain(clone, "rev-parse", "HEAD"), plain(clone, "rev-parse", "HEAD:a.py")
    url = {"ext": f"ext::{traps.command('ext', 'exit 1')}", "file": source.as_uri(), "ssh": "ssh://host.invalid/x"}[
        transport
    ]
    plain(clone, "config", "remote.origin.url", url)
    plain(clone, "config", "protocol.allow", "always")
    plain(clone, "config", "protocol.ext.allow", "always")
    plain(clone, "config", "core.sshCommand", traps.command("ssh", "exit 1"))
    plain(clone, "config", "remote.origin.uploadpack", traps.command("uploadpack", "exit 1"))
    assert worktree.has_commit(clone, commit)
    assert not worktree.has_commit(clone, "0" * 40)
    assert "nothing is fetched" in worktree.check_out(clone, commit, tmp_path / "aside")
    worktree.clear(clone, tmp_path / "aside")
    git.git_state(clone)
    assert traps.sprung == set()
    assert plain(clone, "rev-list", "--objects", "--missing=print", "HEAD").splitlines()[-1] == f"?{blob}"
    if transport != "file":
        plain(clone, "cat-file", "-e", blob, check=False)
        assert traps.sprung != set()


def test_a_commit_that_was_only_fetched_is_here_and_not_reached(tmp_path):
    source = made(tmp_path / "source", {"a.py": "one\n"})
    clone = tmp_path / "clone"
    plain(tmp_path, "clone", "--quiet", str(source), str(clone))
    own = plain(clone, "rev-parse", "HEAD")
    plain(source, "checkout", "--quiet", "-b", "theirs")
    (source / "torch.py").write_text("raise SystemExit\n")
    plain(source, "add", ".")
    plain(source, "commit", "--quiet", "--message", "theirs")
    plain(source, "update-ref", "refs/pull/7/head", "HEAD")
    plain(source, "checkout", "--quiet", "main")
    theirs = plain(source, "rev-parse", "theirs")
    plain(clone, "fetch", "--quiet", "origin", "pull/7/head")
    assert (worktree.has_commit(clone, own), worktree.is_reachable(clone, own)) == (True, True)
    assert (worktree.has_commit(clone, theirs), worktree.is_reachable(clone, theirs)) == (True, False)
    plain(clone, "tag", "kept", theirs)
    assert worktree.is_reachable(clone, theirs)
    plain(clone, "tag", "--delete", "kept")
    plain(clone, "checkout", "--quiet", "--detach", theirs)
    assert worktree.is_reachable(clone, theirs)


def test_a_commit_that_was_amended_is_still_here(repository):
    before = plain(repository, "rev-parse", "HEAD")
    plain(repository, "commit", "--quiet", "--amend", "--message", "other")
    assert worktree.has_commit(repository, before)
    assert not worktree.is_reachable(repository, before)


@pytest.mark.parametrize("text", ["--output=log", "HEAD", "main", "-h", "", "0" * 39, "HEAD..main", "../x", "\0" * 40])
def test_what_is_no_commit_reaches_no_git(text, repository, tmp_path):
    (repository / "log").write_text("kept")
    assert not worktree.has_commit(repository, text)
    assert not worktree.is_reachable(repository, text)
    assert worktree.check_out(repository, text, tmp_path / "aside")
    assert (repository / "log").read_text() == "kept"
    assert not (tmp_path / "aside").exists()


def test_a_folder_that_poses_as_a_repository_is_none(tmp_path, traps):
    outer = made(tmp_path / "outer", {"a.py": "one\n"})
    inner = outer / "project"
    for name in ("objects", "refs"):
        (inner / name).mkdir(parents=True)
    (inner / "HEAD").write_text("ref: refs/heads/main\n")
    (inner / "config").write_text(
        "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = ..\n"
        f"\tfsmonitor = {traps.command('posing')}\n"
    )
    plain(inner, "status", check=False)
    assert traps.sprung == {"posing"}
    (traps.folder / "sprung" / "posing").unlink()
    assert git.git_state(inner) is None
    assert "poses" in git.absence(inner)
    assert worktree.known_files(inner) is None
    assert not git.stage(inner, [inner / "HEAD"])
    assert git.git_state(outer).dirty
    assert traps.sprung == set()


def test_files_outside_the_repository_are_never_taken_for_its_own(repository, tmp_path):
    private = tmp_path / "private"
    private.mkdir()
    (private / "a.py").write_text("the key\n")
    (private / "diary.txt").write_text("x")
    plain(repository, "config", "core.worktree", str(private))
    state = git.git_state(repository)
    assert b"the key" not in state.diff
    assert b"+two" in state.diff
    assert state.untracked == ()
    assert "diary.txt" not in worktree.known_files(repository)


@pytest.mark.parametrize("linked", ["worktrees", "worktrees/old"])
def test_worktrees_behind_a_link_are_left_alone(linked, repository, tmp_path):
    precious = tmp_path / "precious"
    (precious / "deep").mkdir(parents=True)
    (precious / "deep" / "thesis.txt").write_text("x")
    place = repository / ".git" / linked
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(precious)
    assert "link" in worktree.check_out(repository, plain(repository, "rev-parse", "HEAD"), tmp_path / "aside")
    worktree.clear(repository, tmp_path / "aside")
    assert (precious / "deep" / "thesis.txt").is_file()
    assert [path.name for path in precious.iterdir()] == ["deep"]


@pytest.mark.slow
def test_a_submodule_at_another_commit_and_one_that_was_changed_make_it_dirty(repository):
    plain(repository, "checkout", "--quiet", "--", "a.py")
    assert not git.git_state(repository).dirty
    (repository / "below" / "inner.py").write_text("changed\n")
    assert git.git_state(repository).dirty
    plain(repository / "below", "commit", "--quiet", "--all", "--message", "next")
    state = git.git_state(repository)
    assert state.dirty
    assert b"Subproject commit" in state.diff


def test_a_checkout_is_what_git_would_have_written(repository, tmp_path):
    (repository / ".gitattributes").write_text("*.txt eol=crlf\nd.rst ident\n")
    (repository / "link").symlink_to("a.py")
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "run.sh").chmod(0o755)
    plain(repository, "add", "--all")
    plain(repository, "commit", "--quiet", "--message", "third")
    commit = plain(repository, "rev-parse", "HEAD")
    plain(repository, "worktree", "add", "--quiet", "--detach", str(tmp_path / "theirs"), commit)
    assert worktree.check_out(repository, commit, tmp_path / "ours") == ""
    assert listed(tmp_path / "ours") == listed(tmp_path / "theirs")
    assert git.git_state(tmp_path / "ours").dirty is False
    worktree.clear(repository, tmp_path / "ours")
    assert str(tmp_path / "ours") not in plain(repository, "worktree", "list")


def listed(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.lstat().st_mode)
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".git"
    }


@pytest.mark.parametrize("said", ["--output=log", "-Olog", "HEAD", ["x"], None, 1, "--output=log" + "0" * 28])
def test_what_a_record_calls_a_commit_is_no_option_for_a_comparison_of_two(said, repository):
    (repository / "log").write_text("kept")
    own = {"git": {"commit": plain(repository, "rev-parse", "HEAD")}}
    sides = tuple(RunSide({}, {"git": {"commit": one}}, Dataset(()), (), b"") for one in (said, own["git"]["commit"]))
    project = Project(repository / "params.yaml")
    assert _files_between(project, sides) is None
    assert _files_between(project, sides[::-1]) is None
    assert (repository / "log").read_text() == "kept"


def test_files_between_two_commits_are_named(repository):
    commits = [plain(repository, "rev-parse", name) for name in ("HEAD~1", "HEAD")]
    sides = tuple(RunSide({}, {"git": {"commit": one}}, Dataset(()), (), b"") for one in commits)
    found = _files_between(Project(repository / "params.yaml"), sides)
    assert found == (".gitmodules (+3 -0)", "below (+1 -0)")


def test_a_file_whose_filter_does_not_run_is_not_staged(repository, traps):
    (repository / ".gitattributes").write_text("secret.txt filter=hidden\n")
    (repository / "secret.txt").write_text("x")
    plain(repository, "config", "filter.hidden.clean", traps.command("hidden"))
    assert not git.stage(repository, [repository / "secret.txt"])
    assert git.stage(repository, [repository / "a.py"])
    assert traps.sprung == set()
    assert plain(repository, "diff", "--cached", "--name-only") == "a.py"


@pytest.mark.slow
def test_dvc_runs_no_filter_of_the_repository_when_it_stages(tiny_project, traps, monkeypatch):
    plain(tiny_project, "init", "--quiet")
    (tiny_project / ".gitattributes").write_text("* filter=theirs\n.dvc/* filter=theirs\n")
    for key in ("clean", "smudge"):
        plain(tiny_project, "config", f"filter.theirs.{key}", traps.command(f"theirs-{key}"))
    scaffold(tiny_project)
    (tiny_project / ".dvc" / "config").write_text("[core]\n    autostage = true\n")
    monkeypatch.chdir(tiny_project)
    assert run_command(["data", "add", "images"]) == 0
    assert traps.sprung == set()
    assert "images.dvc" in plain(tiny_project, "ls-files")


@pytest.mark.parametrize(
    ("listed", "left_out", "settings"),
    [
        ([("local", "filter.lfs.clean", "git-lfs clean -- %f"), ("local", "filter.lfs.required", "true")], (), ()),
        ([("local", "filter.git-crypt.clean", '"git-crypt" clean')], (), ()),
        ([("local", "filter.lfs.clean", "git-lfs clean -- %f; x")], ("lfs",), ("filter.lfs.clean=",)),
        ([("worktree", "filter.a.process", "x")], ("a",), ("filter.a.process=",)),
        ([("global", "filter.a.clean", "x"), ("local", "filter.a.clean", "y")], ("a",), ("filter.a.clean=x",)),
        ([("global", "filter.a.clean", "x")], (), ()),
        (
            [("global", "filter.lfs.clean", "git-lfs clean -- %f"), ("local", "lfs.extension.x.clean", "y")],
            ("lfs",),
            ("filter.lfs.clean=", "filter.lfs.smudge=", "filter.lfs.process=", "filter.lfs.required=false"),
        ),
    ],
)
def test_filters_are_left_out_by_who_set_them(listed, left_out, settings):
    entries = [git_settings.GitSetting(*one) for one in listed]
    assert git_settings.left_out(entries) == left_out
    assert git_settings.made_harmless(entries) == settings


def test_git_is_started_in_one_place():
    package = Path(git_command.__file__).parents[1]
    starters = {
        path.name for path in package.rglob("*.py") if re.search(r"""\[\s*["']git["']""", path.read_text("utf-8"))
    }
    assert starters <= {"patches.py"}  # which has git read a patch in an empty folder, without any settings


def test_git_is_not_taken_from_the_folder_in_which_a_command_is_typed(repository, traps, monkeypatch):
    shutil.copy(traps.command("git", "exit 1"), repository / "git")
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.pathsep}{os.environ['PATH']}")
    assert git.git_state(repository).dirty
    assert traps.sprung == set()


@pytest.mark.slow
def test_no_command_runs_what_the_repository_names(repository, traps, tmp_path, monkeypatch, capsys):
    draw_classes(repository / "images")
    (repository / "params.yaml").write_text(SETTINGS_FILE)
    monkeypatch.chdir(repository)
    assert [run_command(["init"]), run_command(["data", "add", "images"])] == [0, 0]
    plain(repository, "add", "--all")
    plain(repository, "commit", "--quiet", "--message", "all")
    for name in ("filters", "hooks", "included", "in_the_submodule"):
        SETTINGS[name](repository, traps)
    with (repository / ".gitattributes").open("a") as file:
        file.write("*.dvc filter=late\n.gitignore filter=late\n*.csv filter=late\n.dvc/* filter=late\n")
    plain(repository, "config", "filter.late.clean", traps.command("late"))
    shutil.rmtree(traps.folder / "sprung")
    (traps.folder / "sprung").mkdir()
    (repository / "images" / "cat" / "000.png").unlink()
    bundle = str(tmp_path / "b.zip")
    for arguments in (
        ["doctor"], ["data", "check", "--exclude"], ["data", "add", "images"], ["run"], ["verify", "default"],
        ["reproduce", "default", "--fold", "0"], ["bundle", "default", "-o", bundle], ["verify", bundle],
        ["data", "pull"], ["compare"], ["report"], ["init"], ["sync"], ["doctor", "--foreign"],
    ):  # fmt: skip
        assert run_command(arguments) in (0, 1), (arguments, capsys.readouterr().err)
        assert traps.sprung == set(), arguments
