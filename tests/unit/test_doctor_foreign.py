"""What a look at a stranger's folder finds, and that looking does nothing."""

import json
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from foldproof.cli.main import run_command
from foldproof.doctor.foreign import dvc, files, git, settings, tree
from foldproof.doctor.foreign.finding import MOST_OF_A_KIND, Suspect
from foldproof.doctor.foreign.ini import judged, settings_of
from foldproof.doctor.foreign.look import look_at

Deed = Callable[[Path], object]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="links, pipes and owners are POSIX's")


def write(name: str, content: str | bytes) -> Deed:
    def do(folder: Path) -> None:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    return do


def link(name: str, target: str) -> Deed:
    return lambda folder: (folder / name).symlink_to(target)


def array(folder: Path) -> None:
    np.save(folder / "labels.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)


def torch_like(folder: Path) -> None:
    import zipfile

    with zipfile.ZipFile(folder / "weights.pt", "w") as archive:
        archive.writestr("weights/data.pkl", b"\x80\x02}.")


def given_away(folder: Path) -> None:
    (folder / "theirs.txt").write_text("x")
    os.chown(folder / "theirs.txt", 12345, 12345)


def with_rights(folder: Path) -> None:
    (folder / "tool").write_text("x")
    (folder / "tool").chmod(0o4755)


# What is planted, the kind of what is found, and where it is found.
PLANTED: dict[str, tuple[Deed, str, str]] = {
    "filter": (write(".git/config", '[filter "x"]\n\tclean = touch ran\n'), "runs", ".git/config, line 2"),
    "filter, in one line": (write(".git/config", '[filter "x"] smudge=touch ran'), "runs", ".git/config, line 1"),
    "filter, continued": (write(".git/config", '[filter "x"]\nclean = touch \\\nran\n'), "runs", ".git/config, line 2"),
    "filter of a worktree": (write(".git/config.worktree", '[filter "x"]\nprocess = t\n'), "runs", ".git/config.w"),
    "filter of a submodule": (write(".git/modules/a/config", '[filter "x"]\nclean=t\n'), "runs", ".git/modules/a"),
    "fsmonitor": (write(".git/config", "[core]\n\tfsmonitor = touch ran\n"), "runs", ".git/config"),
    "hooks elsewhere": (write(".git/config", "[core]\n\thooksPath = hooks\n"), "runs", ".git/config"),
    "hook": (write(".git/hooks/post-index-change", "#!/bin/sh\n"), "runs", ".git/hooks/post-index-change"),
    "hook of a submodule": (write(".git/modules/a/hooks/post-commit", "x"), "runs", ".git/modules/a/hooks/post-commit"),
    "textconv": (write(".git/config", '[diff "x"]\n\ttextconv = touch ran\n'), "runs", ".git/config"),
    "alias": (write(".git/config", "[alias]\n\tst = !touch ran\n"), "runs", ".git/config"),
    "ssh": (write(".git/config", "[core]\n\tsshCommand = touch ran\n"), "runs", ".git/config"),
    "credential helper": (write(".git/config", "[credential]\n\thelper = !touch ran\n"), "runs", ".git/config"),
    "a remote that is a program": (write(".git/config", '[remote "o"]\nurl = ext::sh -c x\n'), "runs", ".git/config"),
    "git-lfs led on": (write(".git/config", '[lfs "customtransfer.x"]\npath = t\n'), "runs", ".git/config"),
    "submodule that runs": (write(".gitmodules", '[submodule "a"]\nupdate = !t\n'), "runs", ".gitmodules"),
    "instead of": (write(".git/config", '[url "http://host/"]\n\tinsteadOf = git@\n'), "sends", ".git/config"),
    "worktree elsewhere": (write(".git/config", "[core]\n\tworktree = /home\n"), "leads out", ".git/config"),
    "include": (write(".git/config", "[include]\n\tpath = ~/x\n"), "leads out", ".git/config"),
    "pointer": (write(".git", "gitdir: /elsewhere/.git\n"), "leads out", ".git"),
    "alternates": (write(".git/objects/info/alternates", "/x\n"), "leads out", ".git/objects/info/alternates"),
    "posing": (lambda folder: [write(f"p/{n}", "x")(folder) for n in ("HEAD", "objects/x", "refs/x")], "runs", "p"),
    "remote": (write(".git/config", '[remote "origin"]\n\turl = https://host/x\n'), "note", ".git/config"),
    "DVC's host": (write(".dvc/config", "['remote \"r\"']\n    url = s3://bucket/x\n"), "sends", ".dvc/config"),
    "DVC's folder": (write(".dvc/config", "['remote \"r\"']\n    url = ../x\n"), "note", ".dvc/config"),
    "DVC's index": (write(".dvc/config", "[core]\n    site_cache_dir = ../x\n"), "runs", ".dvc/config"),
    "DVC's cache": (write(".dvc/config", "[cache]\n    dir = /x\n"), "leads out", ".dvc/config"),
    "DVC asks": (write(".dvc/config.local", "['remote \"r\"']\nask_password = true\n"), "sends", ".dvc/config.local"),
    "DVC's key": (write("sub/.dvc/config", "['remote \"r\"']\nkeyfile = ~/.ssh/id\n"), "sends", "sub/.dvc/config"),
    "pipeline": (write("sub/dvc.yaml", "stages:\n  a:\n    cmd: touch ran\n"), "runs", "sub/dvc.yaml, line 3"),
    "queue of DVC's": (write(".dvc/tmp/exps/celery/x", "x"), "trusted", ".dvc/tmp/exps/celery/x"),
    "tracking": (write("params.yaml", "tracking: {uri: 'http://host:5000'}\n"), "sends", "params.yaml"),
    "tracking, dotted": (write("foldproof.yaml", "tracking.uri: http://host\n"), "sends", "foldproof.yaml"),
    "own backbone": (write("params.yaml", "train: {backbone: 'own:net'}\n"), "runs", "params.yaml"),
    "own code of one": (write("params.yaml", "experiments: {A: {train.augment: 'own:f'}}\n"), "runs", "params.yaml"),
    "own metric": (write("params.yaml", "compare:\n  metric: evil:fn\n"), "runs", "params.yaml"),
    "own scheme": (write("params.yaml", "folds:\n  scheme: evil:fn\n"), "runs", "params.yaml"),
    "own tracker": (write("params.yaml", "tracking:\n  trackers: [console, 'evil:fn']\n"), "runs", "params.yaml"),
    "images elsewhere": (write("params.yaml", "data: {path: ../../home}\n"), "leads out", "params.yaml"),
    "link out": (link("data", "../outside"), "leads out", "data"),
    "absolute link": (link("x", "/etc"), "leads out", "x"),
    "pipe": (lambda folder: os.mkfifo(folder / "folds.csv"), "waits", "folds.csv"),
    "pickle": (write("model.pkl", pickle.dumps({})), "runs", "model.pkl"),
    "pickle by content": (write("weights", pickle.dumps({})), "runs", "weights"),
    "array of objects": (array, "runs", "labels.npy"),
    "torch": (torch_like, "runs", "weights.pt"),
    "environment": (write(".venv/pyvenv.cfg", "home = /usr/bin\n"), "runs", ".venv"),
    "code at start": (
        lambda folder: [write(f".venv/{n}", c)(folder) for n, c in
                        {"pyvenv.cfg": "", "lib/python3/site-packages/x.pth": "import os\n"}.items()],
        "runs", ".venv/lib/python3/site-packages/x.pth",
    ),
    "sitecustomize": (write("sitecustomize.py", ""), "runs", "sitecustomize.py"),
    "module of Python": (write("enum.py", ""), "trusted", "enum.py"),
    "module that is installed": (write("torch/__init__.py", ""), "trusted", "torch/__init__.py"),
    "kept state": (write(".foldproof/cache/x", "x"), "trusted", ".foldproof/cache/x"),
    "store": (write("mlflow.db", "x"), "trusted", "mlflow.db"),
    "owner's rights": (with_rights, "runs", "tool"),
    "settings of others": (write(".env", "X=1"), "note", ".env"),
}  # fmt: skip
if os.name != "nt" and os.getuid() == 0:
    PLANTED["owner"] = (given_away, "trusted", "theirs.txt")


@pytest.mark.parametrize("name", PLANTED)
def test_each_thing_that_runs_sends_or_leads_out_is_found_where_it_stands(name, tmp_path, monkeypatch, capsys):
    deed, kind, where = PLANTED[name]
    deed(tmp_path)
    seen = look_at(tmp_path)
    assert [finding for finding in seen.findings if finding.kind == kind and finding.where.startswith(where)]
    assert seen.is_harmless == (kind == "note")
    code = run_command(["doctor", "--foreign", str(tmp_path)])
    out = capsys.readouterr().out
    assert code == (0 if kind == "note" else 1)
    assert where in out


def test_an_ordinary_project_is_harmless(tiny_project, capsys):
    subprocess.run(["git", "init", "--quiet"], cwd=tiny_project, check=True)
    (tiny_project / "own.py").write_text("def net(): ...\n")
    (tiny_project / "short.py").symlink_to("own.py")
    assert look_at(tiny_project).findings == ()
    assert run_command(["doctor", "--foreign", str(tiny_project), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["harmless"] is True


@pytest.mark.slow
def test_looking_changes_nothing_runs_nothing_and_connects_to_nothing(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    canary = tmp_path / "ran"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        host = f"http://127.0.0.1:{server.getsockname()[1]}"
        for number, (deed, _, where) in enumerate(PLANTED.values()):
            if where != ".git":
                (folder / f"d{number}").mkdir()
                deed(folder / f"d{number}")
        write("params.yaml", f"tracking: {{uri: '{host}'}}\ntrain: {{backbone: 'own:net'}}\n")(folder)
        write("own.py", f"open({str(canary)!r}, 'w')\n")(folder)
        write("jinja2.py", f"open({str(canary)!r}, 'w')\n")(folder)
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
        write(".git/config", f'[core]\n\tfsmonitor = touch {canary}\n[filter "x"]\n\tclean = touch {canary}\n')(folder)
        write(".gitattributes", "* filter=x\n")(folder)
        write(".dvc/config", f"['remote \"r\"']\n    url = {host}\n[core]\n    remote = r\n")(folder)
        before = state(folder)
        began = time.monotonic()
        command = [sys.executable, "-m", "foldproof", "doctor", "--foreign"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1, done.stderr
        assert time.monotonic() - began < 30
        with pytest.raises(BlockingIOError):
            server.accept()
    assert state(folder) == before
    assert not canary.exists()


def state(folder: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for path in folder.rglob("*"):
        info = path.lstat()
        found[str(path)] = (info.st_mode, info.st_size, info.st_mtime_ns)
    return found


def test_names_cannot_move_the_cursor_and_passwords_do_not_show(tmp_path, capsys):
    (tmp_path / "a\x1b[2J\nb\u202e.pkl").write_bytes(b"\x80\x04.")
    write(".dvc/config", "['remote \"r\"']\n    url = https://me:hunter2hunter@host/x\n")(tmp_path)
    for arguments in ([], ["--json"]):
        assert run_command(["doctor", "--foreign", str(tmp_path), *arguments]) == 1
        out = capsys.readouterr().out
        assert out.replace("\n", "").isprintable()
        assert "hunter2hunter" not in out


def test_a_folder_beyond_the_limits_is_said_to_be_unseen(tmp_path):
    for number in range(30):
        (tmp_path / f"{number}.txt").touch()
    (tmp_path / "more").mkdir()
    assert tree.list_tree(tmp_path, most=10).unseen
    assert tree.list_tree(tmp_path, seconds=-1.0).unseen
    assert not tree.list_tree(tmp_path).unseen


def test_the_same_in_many_places_is_said_in_a_few_lines(tmp_path):
    for number in range(MOST_OF_A_KIND + 30):
        (tmp_path / f"{number}.pkl").write_bytes(b"")
    findings = look_at(tmp_path).findings
    assert len(findings) == MOST_OF_A_KIND + 1
    assert findings[-1].where == "and 30 more places"


def test_what_cannot_be_looked_at_is_no_crash(tmp_path, capsys):
    assert run_command(["doctor", "--foreign", str(tmp_path / "nothing")]) == 2
    assert run_command(["doctor", str(tmp_path)]) == 2
    capsys.readouterr()
    for name, content in {
        ".git/config": b"\xff\xfe[[[\n=\n[a\n" + b"[" * 100_000,
        ".dvc/config": b"\0" * 1000 + b"x=\n" * 1000,
        "params.yaml": b"a: [" * 5000,
        "foldproof.yaml": b"x" * (2**18 + 1),
        "dvc.yaml": b" " * 100_000 + b"cmd",
        "x.dvc": b"url: " * 20_000,
        "w.npy": b"\x93NUMPY\x02\x00",
    }.items():
        write(name, content)(tmp_path)
    began = time.monotonic()
    seen = look_at(tmp_path)
    assert time.monotonic() - began < 20
    assert not seen.is_harmless


def test_rules_are_over_text():
    assert next(settings_of('[A "b.c"]\n\tKey = v # x\n[d]\n e\n'))[:2] == ("a.b.c.key", "v # x")
    assert [*git.check_settings("c", "[core]\n\tfsmonitor = true\n")] == []
    assert [f.kind for f in judged("c", "[cache]\n dir = cache\n", dvc.RULES)] == []
    assert [
        f.kind for f in settings.check_text("p", "train: {backbone: small_cnn}\ntracking: {uri: 'sqlite:///a.db'}")
    ] == []
    entry = tree.TreeEntry("a/link", 0o120777, 0, 0, "../b")
    assert [*files.check_link(entry)] == []
    assert Suspect("note", "a", "b", "c").kind == "note"
