"""`foldproof sync` and `foldproof ui` in a real project folder; `mlflow ui` there shows the same."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from foldproof.cli.main import run_command
from foldproof.errors import TrackingError
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.server import _choose_port, serve
from foldproof.trackers.mlflow.sync import sync
from journaled import JournaledRun

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="SIGINT")]
BIN = Path(sys.executable).parent
READY_SECONDS = 90.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def ask(address: str, path: str, question: dict[str, Any] | None = None, **headers: str) -> bytes:
    data = None if question is None else json.dumps(question).encode()
    request = urllib.request.Request(address + path, data, {"Content-Type": "application/json", **headers})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as answer:
        content: bytes = answer.read()
        return content


@contextmanager
def running(*command: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Ends by Ctrl-C, after which nothing of `foldproof` may be left; what others leave is ended too."""
    process = subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},  # else MLflow starts nine processes
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        finally:
            process.kill()
            process.stdout.close()
            _, left = psutil.wait_procs(children, timeout=0.5)
            for one in left:
                one.kill()
    assert not left or command[0] != "foldproof"


def address_in(line: str) -> str:
    """The server in the first line of `foldproof ui`, which links to the page of the runs."""
    return line.split()[1].partition("/#/")[0]


def ignore(line: str) -> None:
    """Nobody reads it."""


def wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            ask(address, "/health")
        except OSError:
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.2)
        else:
            return


def what_is_shown(address: str) -> dict[str, Any]:
    """Names and files of all runs, one file's content, as the browser would ask for them."""
    experiments = json.loads(ask(address, "/api/2.0/mlflow/experiments/search", {"max_results": 10}))["experiments"]
    ids = [one["experiment_id"] for one in experiments]
    runs = json.loads(ask(address, "/api/2.0/mlflow/runs/search", {"experiment_ids": ids}))["runs"]
    shown: dict[str, Any] = {}
    for run in runs:
        listed = json.loads(ask(address, f"/api/2.0/mlflow/artifacts/list?run_id={run['info']['run_id']}"))
        shown[run["info"]["run_name"]] = sorted(file["path"] for file in listed["files"])
    parent = next(run for run in runs if run["info"]["run_name"] == "Run_High_LR")["info"]["run_id"]
    shown["run.json"] = json.loads(ask(address, f"/get-artifact?path=run.json&run_uuid={parent}"))["run"]
    return shown


def test_foldproof_ui_and_plain_mlflow_ui_in_the_folder_show_the_same_and_take_runs(tiny_project, monkeypatch, capfd):
    run = JournaledRun.make(tiny_project / "runs").complete()
    monkeypatch.chdir(tiny_project)
    assert run_command(["sync", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == {
        "runs": 1,
        "created": 1,
        "completed": 0,
        "left": [],
        "problems": [],
        "notes": [],
    }
    assert run_command(["sync", "Run_High_LR"]) == 0
    assert capfd.readouterr() == ("runs: 0 new in MLflow, 0 completed, 1 already the same\n", "")

    port = free_port()
    plain = f"http://127.0.0.1:{port}"
    inner = tiny_project / "images"
    with (
        running("foldproof", "ui", folder=inner) as ours,
        running("mlflow", "ui", "--port", str(port), "--workers", "1", folder=tiny_project),
    ):
        address = address_in(ours.stdout.readline())
        assert re.fullmatch(r"http://127\.0\.0\.1:50\d\d", address)
        shown = what_is_shown(address)
        assert sorted(shown) == ["Run_High_LR", "fold-0", "fold-1", "fold-2", "run.json"]
        assert shown["fold-1"] == ["events.jsonl", "model.safetensors", "predictions.parquet"]
        assert shown["run.json"] == "20260102-030405-abcdef"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            ask(address, "/api/2.0/mlflow/experiments/search", {"max_results": 1}, Host="evil.example")
        wait_until_ready(plain)
        assert what_is_shown(plain) == shown
        with_password = TrackingTarget(uri=plain.replace("//", "//bob:hunter2@"), experiment="team", artifacts=None)
        assert sync([run.folder], with_password).created == 1
        assert sync([run.folder], with_password).completed == 0
        assert len(list((tiny_project / "mlartifacts").rglob("model.safetensors"))) == 6
    assert ours.returncode == 130
    assert "hunter2" not in "".join(capfd.readouterr())


def test_a_server_is_only_named_and_without_its_password():
    said: list[str] = []
    target = TrackingTarget(uri="https://bob:hunter2@mlflow.example.org", experiment="x", artifacts=None)
    serve(target, host="127.0.0.1", port=None, say=said.append)
    assert said == ["MLflow: https://bob:***@mlflow.example.org"]


def test_a_port_that_is_taken_is_said_where_it_was_asked_for_else_the_next_free_one_is_used(tmp_path):
    target = TrackingTarget(uri=f"sqlite:///{tmp_path / 'mlflow.db'}", experiment="x", artifacts=tmp_path / "files")
    chosen = _choose_port("127.0.0.1", None)
    with socket.create_server(("127.0.0.1", chosen)):
        assert _choose_port("127.0.0.1", None) > chosen
        with pytest.raises(TrackingError, match=f"port {chosen} on 127.0.0.1 is taken"):
            serve(target, host="127.0.0.1", port=chosen, say=ignore)


def test_a_store_that_is_none_is_told_before_a_server_is_started(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"not a database" * 100)
    target = TrackingTarget(uri=f"sqlite:///{tmp_path / 'mlflow.db'}", experiment="x", artifacts=tmp_path / "files")
    with pytest.raises(TrackingError, match="not a database"):
        serve(target, host="127.0.0.1", port=free_port(), say=ignore)


def test_a_server_that_cannot_start_says_its_last_words_and_leaves_nothing(tmp_path):
    before = set(psutil.Process().children(recursive=True))
    target = TrackingTarget(uri="mysql://nobody@127.0.0.1:1/x", experiment="x", artifacts=tmp_path / "files")
    with pytest.raises(TrackingError, match="MLflow does not start"):
        serve(target, host="127.0.0.1", port=free_port(), say=ignore)
    assert set(psutil.Process().children(recursive=True)) <= before
