"""What a record names and brings is run when somebody said so, asked once with all of it; nothing else ever is."""

import hashlib
import json
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from foldproof.config.check import check
from foldproof.config.identity import canonical_json
from foldproof.config.read import experiment_of
from foldproof.errors import UntrustedCode
from foldproof.provenance.patches import Touched
from foldproof.provenance.wheel import own_wheel
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.recorded import Recorded
from foldproof.reproduce.request import Request
from foldproof.reproduce.trust import refuse_untrusted, would_run
from lab.typed import process
from recorded import call, done, train_inline

CANARY = "import pathlib; pathlib.Path({!r}).joinpath({!r}).touch()\nraise SystemExit(3)\n"
SHADOWS = ("torch.py", "numpy/__init__.py", "PIL.py", "torchvision.py", "timm.py", "sitecustomize.py", "small_cnn.py")
HEAD = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A project in git whose run needs no code of its own; git does not have the images."""
    root = train_inline(tmp_path_factory.mktemp("trained") / "project")
    (root / ".gitignore").write_text("/runs/\n/images/\n/.foldproof/\n")
    done(root, "git", "init", "--quiet")
    done(root, "git", "add", "--all")
    done(root, "git", "commit", "--quiet", "--message", "all")
    return root


@pytest.fixture
def project(trained, tmp_path) -> Path:
    shutil.copytree(trained, tmp_path / "project")
    (tmp_path / "canary").mkdir()
    return tmp_path / "project"


def commit_with(project: Path, files: dict[str, str]) -> str:
    """A commit with these files that a branch reaches, as a fetched pull request is; the working copy is as before."""
    head = done(project, "git", "rev-parse", "HEAD").strip()
    other = project.parent / "other"
    done(project, "git", "worktree", "add", "--quiet", "--detach", str(other))
    for name, text in files.items():
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_text(text)
    done(other, "git", "add", "--all", "--force")
    done(other, "git", "commit", "--quiet", "--message", "a pull request")
    commit = done(other, "git", "rev-parse", "HEAD").strip()
    done(project, "git", "branch", "pull-request", commit)
    done(project, "git", "worktree", "remove", "--force", str(other))
    assert done(project, "git", "rev-parse", "HEAD").strip() == head
    return commit


def record_of(project: Path, change: dict[str, object], *, into: Path | None = None) -> Path:
    """A record of the project's first run whose environment.json says something else."""
    folder = min((project / "runs").glob("*/run.json")).parent
    if into is not None:
        shutil.copytree(folder, into)
        folder = into
    about = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps({**about, **change}))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("is_foreign", [True, False])
def test_a_record_without_own_code_runs_nothing_of_the_commit_that_it_names(project, tmp_path, is_foreign):
    canary = tmp_path / "canary"
    commit = commit_with(project, {name: CANARY.format(str(canary), name.replace("/", "-")) for name in SHADOWS})
    git = {"commit": commit, "branch": "", "dirty": False, "untracked": [], "diff_sha256": None}
    record = record_of(project, {"git": git}, into=tmp_path / "record" if is_foreign else None)
    wanted = str(record) if is_foreign else record.name
    verified = process(project, "verify", wanted, code=None)
    assert (verified.returncode, "HOLDS: L0, L1, L2" in verified.stdout) == (0, True), verified.stdout + verified.stderr
    reproduced = process(project, "reproduce", wanted, "--fold", "0", "--epochs", "1", "--quiet", code=None)
    assert reproduced.returncode == 0, reproduced.stdout + reproduced.stderr
    assert list(canary.iterdir()) == []


@contextmanager
def listening() -> Iterator[tuple[int, list[object]]]:
    """A port on loopback, and everybody who has called there."""
    called: list[object] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def answer() -> None:
            while True:
                try:
                    other, address = server.accept()
                except OSError:
                    return
                called.append(address)
                other.close()

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1], called
        with closing(socket.create_connection(server.getsockname())):  # it does hear
            pass


DVC_FILE = "outs:\n- md5: {md5}.dir\n  size: 10\n  nfiles: 1\n  hash: md5\n  path: images\n"
IMPORT = "md5: {md5}\nfrozen: true\ndeps:\n- path: http://127.0.0.1:{port}/x\n  hash: md5\n  md5: {md5}\n" + DVC_FILE
REPO = (
    "md5: {md5}\nfrozen: true\ndeps:\n- path: x\n  repo:\n    url: http://127.0.0.1:{port}/x.git\n    rev_lock: {md5}\n"
)
REMOTE = "[core]\n    remote = evil\n['remote \"evil\"']\n    url = http://127.0.0.1:{port}/x\n"
VERSIONS = {
    "a remote of its own": (".dvc/config", REMOTE),
    "local settings that are committed": (".dvc/config.local", REMOTE),
    "an address in the file": ("images.dvc", IMPORT),
    "a repository in the file": ("images.dvc", REPO + DVC_FILE),
    "a password to be asked for": (".dvc/config", REMOTE + "    ask_password = true\n    user = x\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", VERSIONS)
def test_no_host_that_a_commit_of_a_foreign_record_names_is_called(project, tmp_path, what):
    """The images are edited, so that DVC is the last place where they may be."""
    done(project, "dvc", "init", "--quiet")
    done(project, "dvc", "remote", "add", "--quiet", "--default", "store", str(tmp_path / "store"))
    done(project, "git", "add", "--all")
    done(project, "git", "commit", "--quiet", "--message", "dvc")
    with listening() as (port, called):
        values = {"port": port, "md5": "0123456789abcdef0123456789abcdef"}
        name, text = VERSIONS[what]
        files = {"images.dvc": DVC_FILE.format(**values), name: text.format(**values)}
        git = {"commit": commit_with(project, files), "branch": "", "dirty": False, "diff_sha256": None}
        record = record_of(project, {"git": git}, into=tmp_path / "record")
        for path in (project / "images").rglob("*.png"):
            path.write_bytes(path.read_bytes() + b"edited")
        done_ = call(project, "foldproof", "reproduce", str(record), "--fold", "0", "--quiet")
        assert done_.returncode == 1, done_.stdout + done_.stderr
        assert "18 of the 18 recorded images" in done_.stdout
        assert "DVC" in done_.stdout
        assert called == []
    assert not list((project / ".foldproof").glob("reproduce-*"))


def recorded(*, own_code: bool, diff: bytes = b"", commit: str | None = HEAD) -> Recorded:
    asked, _ = check({"train": {"backbone": "own_model:net"}} if own_code else {})
    made = experiment_of("x", asked)
    wheel = {"file": own_wheel().file, "sha256": "0" * 64}
    environment = {"git": {"commit": commit}, "packages": {}, "foldproof_wheel": wheel}
    return Recorded(
        folder=Path("/somewhere/run"), record=None, config=made, dataset=None, folds_table="", rows=(),
        environments=(environment,), code_diff=diff,
    )  # type: ignore[arg-type]  # fmt: skip


FOREIGN = RecordSource(folder=Path("/somewhere/run"), is_foreign=True)
OURS = replace(FOREIGN, is_foreign=False)
DIFF = (
    b"diff --git a/own_model.py b/own_model.py\n--- a/own_model.py\n+++ b/own_model.py\n@@ -1 +1 @@\n-a\n+b\n"
    b'diff --git "a/\\303\\244.py" "b/\\303\\244.py"\nnew file mode 120000\n--- /dev/null\n'
    b'+++ "b/\\303\\244.py"\n@@ -0,0 +1 @@\n+..\n\\ No newline at end of file\n'
    b"diff --git a/old.py b/new.py\nsimilarity index 100%\nrename from old.py\nrename to new.py\n"
)


@pytest.mark.parametrize("env", ["auto", "here", "rebuild"])
@pytest.mark.parametrize("as_is", [False, True])
@pytest.mark.parametrize("own_code", [False, True])
@pytest.mark.parametrize("diff", [b"", DIFF])
def test_for_all_options_whatever_would_be_run_is_asked_for_at_once(env, as_is, own_code, diff):
    record, request = recorded(own_code=own_code, diff=diff), Request(env=env, as_is=as_is)
    runs_code = own_code and (env == "rebuild" or not as_is)
    expected = [*(["own_model:net"] if runs_code else []), *(["changes"] if runs_code and diff else [])]
    expected += ["the foldproof that the record brings"] if env == "rebuild" else []
    refuse_untrusted(record, OURS, request)
    refuse_untrusted(record, FOREIGN, replace(request, trust_code=True))
    if not expected:
        refuse_untrusted(record, FOREIGN, request)
        return
    with pytest.raises(UntrustedCode) as refused:
        refuse_untrusted(record, FOREIGN, request)
    said = str(refused.value)
    assert len(said.splitlines()) <= 3
    assert "--trust-code" in said
    assert [
        part for part in ("own_model:net", "changes", "the foldproof that the record brings") if part in said
    ] == expected
    if runs_code and diff:
        assert "own_model.py, ä.py (a link), new.py, old.py" in said
        assert "/somewhere/run/code.diff" in said
    if env == "rebuild":
        assert own_wheel().file in said
        assert "/somewhere/run/environment.json" in said


def test_a_long_list_says_how_many_more_there_are_and_where():
    changes = [Touched(f"file {number}.py") for number in range(25)]
    in_a_bundle = replace(FOREIGN, bundle=Path("it.zip"))
    (_, brought) = would_run(recorded(own_code=True, diff=DIFF), in_a_bundle, Request(), changes)
    assert brought.what.endswith("'file 19.py' and 5 more, all in code.diff")
    assert brought.where == "runs/run/code.diff in it.zip"


def test_no_name_in_the_list_moves_the_cursor():
    changes = [Touched("a\x1b[2J\u202e\n.py", is_binary=True)]
    (_, brought) = would_run(recorded(own_code=True, diff=DIFF), FOREIGN, Request(), changes)
    assert brought.what.isprintable()
    assert "(binary)" in brought.what


@pytest.mark.parametrize(
    "commit", ["--output=log", "HEAD", "main", HEAD[:12], HEAD.upper(), HEAD + "\n", f"{HEAD}..HEAD", 7, None, ""]
)
def test_what_is_no_full_hash_is_no_recorded_commit(commit):
    assert recorded(own_code=True, commit=commit).commit is None
    assert recorded(own_code=True).commit == HEAD


@pytest.mark.slow
def test_options_that_contradict_each_other_are_refused_before_anything(project, tmp_path):
    record = record_of(project, {}, into=tmp_path / "record")
    refused = call(project, "foldproof", "reproduce", str(record), "--env", "rebuild", "--as-is")
    assert refused.returncode == 2
    assert "--as-is" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) <= 3
    assert not (project / ".foldproof" / "envs").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the planted Python is a shell script")
def test_an_environment_that_lies_in_the_project_is_not_run(project, tmp_path):
    packages = {"foldproof-tests-nowhere": "0.0.1"}
    record = record_of(project, {"packages": packages, "elsewhere": {}})
    about = json.loads((record / "environment.json").read_text())
    wheel = about["foldproof_wheel"]["sha256"]
    digest = hashlib.sha256(canonical_json([[*map("==".join, packages.items())], about["python"], wheel])).hexdigest()
    for name in (digest[:16], digest[:32], digest):
        python = project / ".foldproof" / "envs" / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\ntouch {tmp_path}/canary/ran\n")
        python.chmod(0o755)
        (python.parent.parent / "ready").touch()
    kept = {"XDG_CACHE_HOME": str(tmp_path / "kept"), "UV_OFFLINE": "1", "PIP_NO_INDEX": "1"}
    said = call(project, "foldproof", "reproduce", record.name, "--env", "rebuild", "--quiet", **kept)
    assert said.returncode == 1, said.stdout + said.stderr
    assert re.search("could not be installed|could be made", said.stdout)
    assert list((tmp_path / "canary").iterdir()) == []
