"""Passwords of tracking servers, DVC remotes, git remotes and the environment appear nowhere but where they were put.

A real project with a password in every place that takes one; commands that succeed and commands that fail; then all
that they print and write is searched, and the command lines of every process that they start. `make faults` runs all
of the commands, the usual run those that write the most.
"""

import base64
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from faults.places import report
from foldproof.data.versions import dvc

SECRETS = {
    name: f"canary{number}-S3cr3t/{name}+"
    for number, name in enumerate(
        (
            *("remote", "tracking", "environment", "cloud", "local", "option", "git", "diff", "code", "settings"),
            *("signature", "storage", "database", "header", "tag"),
        )
    )
}
IN_A_URI = {name: quote(secret, safe="") for name, secret in SECRETS.items()}
IN_BASE64 = {name: base64.b64encode(secret.encode()).decode()[:12] for name, secret in SECRETS.items()}
IN_BASE64 |= {
    f"{name}, with a user": base64.b64encode(f"somebody:{secret}".encode()).decode()[12:28]
    for name, secret in SECRETS.items()
}
DEAD = "127.0.0.1:9"
SETTINGS = f"""\
version: 1
data: {{path: images, image_size: 8}}
folds: {{k: 2, seed: 1}}
train: {{backbone: small_cnn, batch_size: 8, epochs: 1, seed: 5}}
execution: {{parallel_folds: 1}}
tracking: {{uri: "TRACKING", tags: {{lab-api-key: "{SECRETS["tag"]}"}}}}
# images were at https://acc.blob.core.windows.net/c?se=2026-01-01&sp=r&sig={IN_A_URI["signature"]}
# the old server was http://user:{IN_A_URI["settings"]}@{DEAD}
experiments:
  Good: {{}}
  Leaky: {{train: {{backbone: "leaky:leaky"}}}}
"""
LEAKY = """\
import base64
import os
from pathlib import Path
from foldproof.models.small_cnn import small_cnn
ADDRESS = "postgresql://user:OLD@127.0.0.1/models"

def leaky(*, classes, pretrained):
    classifier = small_cnn(classes=classes, pretrained=pretrained)
    classifier.register_forward_pre_hook(refuse)
    return classifier

def refuse(module, given):
    if list(Path(__file__).parent.glob("runs/*/fold-*/events.jsonl")):
        sent = base64.b64encode(f"somebody:{os.environ['MYSQL_PWD']}".encode()).decode()
        raise RuntimeError(
            f"no answer from {ADDRESS} with {os.environ['MLFLOW_TRACKING_PASSWORD']}, {os.environ['LAB_REQUEST']}, "
            f"AccountName=lab;AccountKey={os.environ['AZURE_STORAGE_KEY']};x=1, {sent}, {os.environ['MYSQL_PWD']!r}"
        )
"""
USUAL = (
    ("config",),
    ("run", "Leaky", "--set", "tracking.uri=sqlite:///mlflow.db"),
    ("bundle", "Leaky", "-o", "leaky.zip"),
)
ALL = (
    ("init",),
    ("data", "add", "images"),
    ("data", "check"),
    *USUAL,
    ("sync",),
    ("run", "Good", "--set", "tracking.uri=mysql://user:OPTION@/", "--set", "train.epochs=none"),
    ("run", "Good", "--set", f"tracking.uri=http://user:OPTION@{DEAD}"),
    ("runs",),
    ("runs", "--json"),
    ("compare",),
    ("compare", "--json"),
    ("config", "--json"),
    ("config", "Nobody"),
    ("sync", "Good"),
    ("data", "pull"),
    ("ui", "--port", "1"),
)


@pytest.fixture
def project(tiny_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Versioned by git and DVC, with a password wherever one can stand."""
    root = tiny_project
    (root / "params.yaml").write_text(SETTINGS.replace("TRACKING", f"http://user:{IN_A_URI['tracking']}@{DEAD}"))
    (root / "leaky.py").write_text(LEAKY)
    git(root, "init", "--quiet")
    dvc.init(root)
    dvc.add(root / "images")
    (root / ".dvc" / "config").write_text(
        "[core]\n    remote = far\n    autostage = true\n"
        f"['remote \"far\"']\n    url = http://user:{IN_A_URI['remote']}@{DEAD}/store\n"
    )
    (root / ".dvc" / "config.local").write_text(f"['remote \"far\"']\n    password = {SECRETS['local']}\n")
    git(root, "add", "-A")
    git(root, "commit", "--quiet", "-m", "images")
    git(root, "remote", "add", "origin", f"https://{IN_A_URI['git']}@{DEAD}/x.git")
    with (root / "leaky.py").open("a") as file:
        file.write(f'\nFALLBACK = "postgresql://user:{IN_A_URI["diff"]}@127.0.0.1/models"\n')
    (root / "leaky.py").write_text((root / "leaky.py").read_text().replace("OLD", IN_A_URI["code"]))
    (root / "images" / "cat" / "000.png").unlink()
    dvc.add(root / "images")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "user")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRETS["environment"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS["cloud"])
    monkeypatch.setenv("AZURE_STORAGE_KEY", SECRETS["storage"])
    monkeypatch.setenv("MYSQL_PWD", SECRETS["database"])
    monkeypatch.setenv("LAB_REQUEST", f"X-Api-Key: {SECRETS['header']}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return root


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True)


@pytest.mark.slow
def test_no_password_is_printed_written_sent_or_on_a_command_line(project: Path) -> None:
    commands = ALL if os.environ.get("FOLDPROOF_FAULTS") else USUAL
    before = set(files_of(project))
    found = Counter[tuple[str, ...]]()
    for command in commands:
        if command == ("data", "pull"):
            shutil.rmtree(project / ".dvc" / "cache")
            (project / "images" / "cat" / "001.png").unlink()
        arguments = [part.replace("OPTION", IN_A_URI["option"]) for part in command]
        process = subprocess.Popen(
            [sys.executable, "-m", "foldproof", *arguments],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with started_by(process.pid) as lines:
            out, err = process.communicate(timeout=240)
        name = " ".join(command)
        print(f"\n$ foldproof {name}\n{out}{err}")
        assert "Traceback" not in err
        for where, text in (("stdout", out), ("stderr", err), ("a command line", "\n".join(lines))):
            found.update((where, name, secret) for secret in hits(text.encode()))
        found["looked at", name, f"exit {process.returncode}, {len(lines)} processes"] += 1
    new = [path for path in files_of(project) if path not in before]
    for path in new:
        for content in contents(path):
            found.update((path.relative_to(project).as_posix(), "", secret) for secret in hits(content))
    assert [path for path in new if path.name == "failure.txt"]
    assert [path for path in new if path.name == "code.diff"]
    assert [path for path in new if path.name == "mlflow.db"]
    assert [path for path in new if path.name == "leaky.zip"]
    report(f"where passwords were looked for ({len(new)} new files)", found)
    assert not [row for row in found if row[0] != "looked at"]


def hits(content: bytes) -> list[str]:
    """The secrets that stand in `content`, as they are, as a URI spells them, or as a header of basic auth does."""
    spelled = [(name, text) for given in (SECRETS, IN_A_URI, IN_BASE64) for name, text in given.items()]
    return sorted({name for name, text in spelled if text.encode() in content})


def contents(path: Path) -> Iterator[bytes]:
    """The content of a file; of a bundle, that of each file in it, too."""
    yield path.read_bytes()
    if zipfile.is_zipfile(path) and path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def files_of(root: Path) -> Iterator[Path]:
    """Every file but those in which the user, git or DVC keep what was put into them."""
    for path in root.rglob("*"):
        if path.is_file() and ".git" not in path.parts and path.name not in ("params.yaml", "leaky.py"):
            yield path


@contextmanager
def started_by(pid: int) -> Iterator[set[str]]:
    """The command lines of all descendants of a process, looked at while the block runs; its own is the user's."""
    seen: set[str] = set()
    over = threading.Event()
    own = " ".join(psutil.Process(pid).cmdline())

    def look() -> None:
        while not over.wait(0.15):
            try:
                family = psutil.Process(pid).children(recursive=True)
            except psutil.NoSuchProcess:
                continue
            for member in family:
                try:
                    seen.add(" ".join(member.cmdline()))
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
        seen.discard(own)  # for a moment a child that was forked has it too
