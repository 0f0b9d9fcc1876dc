"""A run folder given by somebody else runs no code, shows nothing from outside it, and hides no run beside it.

Hostile things are done to run folders as a run writes them; `runs` and `compare` refuse what they read of them, `sync`
also what it would send, each in a bounded time and memory, and the good run beside them is there as ever.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from foldproof.cli.main import run_command
from foldproof.events.journal import frame
from journaled import JournaledRun

CANARY = "canary-5f1e7d"
GOOD = "20260101-000000-goodgg"
MEMORY = 3 * 2**30  # bytes of addresses; MLflow and what it imports take two thirds of a gigabyte
SECONDS = 120
HUGE = 2**40
EPOCH = {"epoch": 1, "steps": 1, "lr": 0.1, "train_loss": 1.0, "train_accuracy": 0.5, "val_loss": 1.0}
EPOCH |= {"val_accuracy": 0.5, "weights_sha256": "x"}
SETTINGS = "version: 1\ndata: {path: images}\ntracking: {uri: 'sqlite:///mlflow.db', experiment: digits}\n"


@dataclass(frozen=True)
class Scene:
    """A run folder, and a file with a secret and a folder outside it."""

    folder: Path
    secret: Path
    elsewhere: Path


Deed = Callable[[Scene], None]


def facts(change: Callable[[dict[str, Any]], object]) -> Deed:
    """run.json, as it is but for a change."""

    def do(scene: Scene) -> None:
        content = json.loads((scene.folder / "run.json").read_text())
        change(content)
        (scene.folder / "run.json").write_text(json.dumps(content))

    return do


def text(name: str, content: str | bytes) -> Deed:
    data = content.encode() if isinstance(content, str) else content
    return lambda scene: (scene.folder / name).write_bytes(data) and None


def words(name: str, old: str, new: str) -> Deed:
    def do(scene: Scene) -> None:
        before = (scene.folder / name).read_text()
        assert old in before
        (scene.folder / name).write_text(before.replace(old, new, 1))

    return do


def link(name: str) -> Deed:
    """The file leads to the secret."""

    def do(scene: Scene) -> None:
        (scene.folder / name).unlink(missing_ok=True)
        (scene.folder / name).symlink_to(scene.secret)

    return do


def linked_folder(name: str) -> Deed:
    """The folder is elsewhere, with what was in it."""

    def do(scene: Scene) -> None:
        target = scene.elsewhere / f"{scene.folder.name}-{name}"
        (scene.folder / name).rename(target)
        (scene.folder / name).symlink_to(target, target_is_directory=True)
        for path in target.glob("*.safetensors"):
            path.write_text(CANARY)

    return do


def pipe(name: str) -> Deed:
    def do(scene: Scene) -> None:
        (scene.folder / name).unlink(missing_ok=True)
        os.mkfifo(scene.folder / name)

    return do


def huge(name: str) -> Deed:
    """As large as a disk, without taking room."""

    def do(scene: Scene) -> None:
        with (scene.folder / name).open("ab") as file:
            file.truncate(HUGE)

    return do


def folder_for(name: str) -> Deed:
    def do(scene: Scene) -> None:
        (scene.folder / name).unlink()
        (scene.folder / name).mkdir()

    return do


def events(name: str, kind: str, data: object, *, place: tuple[Any, Any] = (0, 0), **changed: object) -> Deed:
    """A journal with one well-framed line, by somebody who knows the format."""
    line = {"v": 1, "kind": kind, "run": "r", "repeat": place[0], "fold": place[1], "seq": 0, "time": 1.0}
    return text(name, frame(json.dumps({**line, "data": data, "about": {}, **changed}).encode()))


def artifact(path: str) -> Deed:
    run = {"status": "finished"}

    def do(scene: Scene) -> None:
        here = JournaledRun(scene.folder)
        from foldproof.events.types import ArtifactAdded, RunFinished

        here.append(ArtifactAdded(file=path.replace("SECRET", str(scene.secret)), sha256="x"), RunFinished(**run))

    return do


def both(*deeds: Deed) -> Deed:
    return lambda scene: [deed(scene) for deed in deeds] and None


def config(section: str, key: str, value: object) -> Deed:
    return facts(lambda said: said["config"][section].update({key: value}))


def top(key: str, value: object) -> Deed:
    return facts(lambda said: said.update({key: value}))


DEEP = "[" * 200_000
READ: dict[str, Deed] = {
    "run.json leads out": link("run.json"),
    "run.json is huge": huge("run.json"),
    "run.json is empty": text("run.json", ""),
    "run.json is deep": text("run.json", DEEP),
    "run.json is deep inside": words("run.json", '"classes": ', f'"more": {DEEP}{"]" * 200_000}, "classes": '),
    "run.json is no text": text("run.json", b"\xff\xfe\x00" * 100),
    "run.json is a list": text("run.json", "[1]"),
    "a number of many digits": words("run.json", '"images": 60', '"images": ' + "9" * 5000),
    "a number that is none": words("run.json", '"images": 60', '"images": NaN'),
    "a number beyond all": words("run.json", '"lr": 0.01', '"lr": 1e999'),
    "a key twice": words("run.json", '"images": 60', '"images": 60, "images": 61'),
    "k is text": config("folds", "k", "3"),
    "k is yes": config("folds", "k", True),
    "k is enormous": config("folds", "k", 10**9),
    "repeats are missing": facts(lambda said: said["config"]["folds"].pop("repeats")),
    "config is a list": top("config", [1]),
    "a setting is a tree": config("train", "lr", {"a": [CANARY]}),
    "a setting moves the cursor": config("train", "backbone", "\x1b[2J\x1b]0;owned\x07"),
    "a setting's name is markup": config("train", "[/red]", 1),
    "classes are numbers": top("classes", [1, 2]),
    "classes are half characters": top("classes", ["a", "\ud800"]),
    "classes are the same": top("classes", ["a", "a"]),
    "the experiment's name moves the cursor": top("experiment", "\x1b[31mowned\x1b[0m"),
    "the experiment's name is markup": top("experiment", "[link=file:///etc/passwd]a[/link]"),
    "the experiment's name is an option": top("experiment", "--help"),
    "the run's id leads out": top("run", "../../x"),
    "the run's id is a query": top("run", "x' OR '1'='1"),
    "the schema is text": top("v", "1"),
    "the schema is newer": top("v", 99),
    "the journal leads out": link("events.jsonl"),
    "the journal is huge": huge("events.jsonl"),
    "the journal is a folder": folder_for("events.jsonl"),
    "the journal is deep": text("events.jsonl", frame(DEEP.encode())),
    "an event of no time": events("events.jsonl", "RunFinished", {"status": "failed"}, place=(None, None), time="nan"),
    "an event of no process": events(
        "events.jsonl", "RunFinished", {"status": "failed"}, place=(None, None), about={"pid": -1}
    ),
    "a status of one's own": events("events.jsonl", "RunFinished", {"status": "\x1b[2J"}, place=(None, None)),
    "a fold's journal leads out": link("fold-0-0/events.jsonl"),
    "a fold is elsewhere": linked_folder("fold-0-0"),
    "a fold tells of another": events("fold-0-0/events.jsonl", "EpochFinished", EPOCH, place=(0, 1)),
    "an epoch beyond all": events("fold-0-0/events.jsonl", "EpochFinished", {**EPOCH, "epoch": 10**30}),
    "a loss beyond all": events("fold-0-0/events.jsonl", "EpochFinished", {**EPOCH, "val_loss": 10**400}),
    "an end without an epoch": events(
        "fold-0-0/events.jsonl",
        "FoldFinished",
        {"epochs": 1, "scores": {}, "per_class": {}, "weights_sha256": "", "predictions_sha256": ""},
    ),
}
SENT: dict[str, Deed] = {
    "the weights lead out": link("fold-0-1/model.safetensors"),
    "the predictions lead out": link("fold-0-1/predictions.parquet"),
    "the weights are huge": huge("fold-0-1/model.safetensors"),
    "the weights are a folder": folder_for("fold-0-1/model.safetensors"),
    "the environment leads out": link("environment.json"),
    "the environment is deep": text("environment.json", DEEP),
    "the environment is of another kind": text("environment.json", '{"git": [1], "command": "x"}'),
    "the data card is of another kind": text("data-card.json", '{"classes": 1, "findings": {"a": 1}}'),
    "the data card leads out": link("data-card.md"),
    "the folds lead out": link("folds.csv"),
    "an artifact above": artifact("../../secret.txt"),
    "an artifact at the root": artifact("SECRET"),
    "an artifact that leads out": both(link("report/other.html"), artifact("report/other.html")),
    "an artifact's folder is elsewhere": linked_folder("report"),
    "the lock leads out": link("tracking.lock"),
}
HARMLESS: dict[str, Deed] = {
    "the backbone is code beside it": both(
        config("train", "backbone", "evil:boom"),
        text("evil.py", f"from pathlib import Path\nPath('ran').touch()\nprint('{CANARY}')\nboom = print\n"),
    ),
    "the weights are a pickle": text("fold-0-1/model.safetensors", b"cposix\nsystem\n(S'touch ran'\ntR."),
    "the weights have an absurd header": text("fold-0-1/model.safetensors", b"\xff" * 8 + b"{}"),
    "a setting is markup": config("train", "backbone", "[/red][link=x]"),
}
if hasattr(os, "mkfifo"):
    READ |= {f"{name} is a pipe": pipe(name) for name in ("run.json", "events.jsonl", "fold-0-2/events.jsonl")}
    SENT |= {f"{name} is a pipe": pipe(name) for name in ("environment.json", "fold-0-1/predictions.parquet")}
ALL = {**READ, **SENT, **HARMLESS}


def make_project(root: Path) -> Path:
    """A project with one good run."""
    root.mkdir()
    (root / "params.yaml").write_text(SETTINGS)
    JournaledRun.make(root / "runs", GOOD, experiment="Good").complete()
    return root


def spoil(root: Path, deed: Deed, number: int) -> None:
    """Add a run to which the deed was done."""
    (root.parent / "elsewhere").mkdir(exist_ok=True)
    (root.parent / "secret.txt").write_text(CANARY)
    run = JournaledRun.make(root / "runs", f"20260102-030405-bad{number:03d}", experiment=f"Bad{number}").complete()
    deed(Scene(run.folder, root.parent / "secret.txt", root.parent / "elsewhere"))


@pytest.mark.parametrize("name", ALL)
def test_what_somebody_else_gave_is_refused_in_a_line_and_hides_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_project(tmp_path / "project")
    spoil(root, ALL[name], 0)
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "200")
    for arguments in (["runs"], ["runs", "--json"], ["compare"], ["compare", "--json"]):
        code = run_command(arguments)
        out, err = capsys.readouterr()
        assert (code, len(err.splitlines())) == ((1, 1) if name in READ else (0, 0))
        assert "Good" in out
        assert ("Bad0" in out) == (name not in READ)
        assert CANARY not in out + err
        assert (out + err).replace("\n", "").isprintable()
    if name in READ:
        folder = next(path for path in (root / "runs").iterdir() if path.name != GOOD)
        assert run_command(["compare", folder.name]) == 2
        out, err = capsys.readouterr()
        assert (out, len(err.splitlines()) <= 3) == ("", True)
    assert not (root / "ran").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="the limit on memory is POSIX's")
def test_in_bounded_time_and_memory_nothing_from_outside_is_shown_or_sent(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project")
    for number, deed in enumerate(ALL.values()):
        spoil(root, deed, number)
    for command, bad in (("runs", READ), ("compare", READ), ("sync", {**READ, **SENT})):
        began = time.monotonic()
        done = limited([command], root)
        print(f"\n{command}: {len(bad)} of {len(ALL)} refused in {time.monotonic() - began:.1f} s")
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
        assert [line[:6] for line in done.stderr.splitlines()] == ["note: "] * len(bad)
        assert CANARY not in done.stdout + done.stderr
        assert (done.stdout + done.stderr).replace("\n", "").isprintable()
    assert f"{len(HARMLESS) + 1} new in MLflow" in done.stdout
    assert not [path for path in written(root) if CANARY.encode() in path.read_bytes()]
    assert sorted(file.name for file in (root / "mlartifacts").rglob("run.json")) == ["run.json"] * (len(HARMLESS) + 1)
    assert not (root / "ran").exists()
    assert (root.parent / "secret.txt").read_text() == CANARY


def limited(arguments: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    """A command in a process with a limit on its memory and its time."""
    import resource

    return subprocess.run(
        [sys.executable, "-m", "foldproof", *arguments],
        cwd=root,
        env={**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def written(root: Path) -> list[Path]:
    """What the commands wrote."""
    return [path for path in (*root.glob("mlflow.db*"), *(root / "mlartifacts").rglob("*")) if path.is_file()]
