"""MLflow servers as others run them: of an older version, behind passwords; a folder in, a running server out."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from environments import environment
from faults.store import Server
from foldproof.trackers.mlflow.server import _Address, _end

OLD = ("mlflow[auth]==2.22.*", "sqlalchemy<2.1")  # SQLAlchemy 2.1 lacks what MLflow 2.22 imports
ADMIN, GUEST = ("admin", "pass-of-admin/1+"), ("guest", "pass-of-guest/2+")
READY_SECONDS = 240.0  # with others at work on the machine; usually 10 to 20
_SETTINGS = """\
[mlflow]
default_permission = READ
database_uri = sqlite:///{users}
admin_username = {name}
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""


def old_python() -> Path:
    """An interpreter with MLflow 2.22."""
    return environment("mlflow-2.22", *OLD)


@contextmanager
def served(folder: Path, *options: str, python: Path | None = None, guarded: bool = False) -> Iterator[Server]:
    """A server with a SQLite store and files in `folder`, of this environment's MLflow or another's.

    `guarded`: behind passwords, with ADMIN, and GUEST who may read.
    """
    from mlflow import MlflowClient

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(python or sys.executable), "-P", "-m", "mlflow", "server", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'server.db'}"]
    command += options or ("--artifacts-destination", str(folder / "files"))
    command += ["--app-name", "basic-auth"] if guarded else []
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=_environment(folder), stdout=log, stderr=log)
    try:
        _wait_until_ready(process, port, folder / "log.txt")
        if guarded:
            told = {"username": GUEST[0], "password": GUEST[1]}
            asked(port, "/api/2.0/mlflow/users/create", told, user=ADMIN)
        user = "admin:pass-of-admin%2F1+@" if guarded else ""
        yield Server(port, folder / "files", MlflowClient(f"http://{user}127.0.0.1:{port}"))
    finally:
        _end(process)


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _Address("127.0.0.1", port).is_healthy():
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, "the server is not ready"
        time.sleep(0.2)


def asked(port: int, path: str, told: Mapping[str, str] | None = None, *, user: tuple[str, str] | None = None) -> Any:
    """What the server answers to a GET, or to a POST of what is told."""
    headers = {"Content-Type": "application/json"}
    if user:
        headers["Authorization"] = "Basic " + b64encode(":".join(user).encode()).decode()
    data = None if told is None else json.dumps(told).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        return answer.read().decode()


def _environment(folder: Path) -> dict[str, str]:
    settings = _SETTINGS.format(users=folder / "users.db", name=ADMIN[0], password=ADMIN[1])
    (folder / "auth.ini").write_text(settings, encoding="utf-8")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")},
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "not of any server but this one",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
