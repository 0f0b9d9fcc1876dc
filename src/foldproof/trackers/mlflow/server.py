"""Run MLflow's own server on a project's store until interrupted.

It opens only files of the project's runs, for requests that show or change runs: see `door` and `fence`.
"""

import http.client
import json
import os
import platform
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from foldproof.errors import TrackingError
from foldproof.storage import redact
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow import app, door
from foldproof.trackers.mlflow.moved import follow_the_project
from foldproof.trackers.mlflow.places import kept_folders
from foldproof.trackers.mlflow.runs_page import link_to_runs
from foldproof.trackers.mlflow.store import (
    ENVIRONMENT,
    refuse_committed_links,
    refuse_unusable,
    store_lock,
    tracking_errors,
)
from foldproof.trackers.mlflow.trust import is_loopback

FIRST_PORT = 5000
READY_SECONDS = 90.0
_PORTS_TO_TRY = 50
_ENDING_SECONDS = 5.0
_NOT_OURS = ("MLFLOW_GUNICORN_OPTS", "MLFLOW_WAITRESS_OPTS", "MLFLOW_STATIC_PREFIX")  # would start another application


def serve(
    target: TrackingTarget,
    *,
    host: str,
    port: int | None,
    say: Callable[[str], None],
    show: Callable[[str], None] = lambda _: None,
    with_password: bool = False,
) -> None:
    """Say and `show` the page of the runs once a browser can open it, then serve until interrupted.

    All its processes end with this.

    A target that is a server already is only named. Without a port: 5000 or the next free one. `with_password`: a new
    one is said once, and nothing is shown without it.
    Raises TrackingError where the port is taken or no server comes up.
    """
    if target.artifacts is None:
        say(f"MLflow: {redact(target.uri)}")
        return
    refuse_committed_links(target)
    refuse_unusable(target)
    with store_lock(target.uri), tracking_errors(target):
        moved = follow_the_project(target)
    if moved is not None:
        say(f"note: {moved.said}")
    chosen = _choose_port(host, port)
    address = _Address(_reachable(host), chosen)
    password = secrets.token_urlsafe(16) if with_password else ""
    with tempfile.TemporaryDirectory() as folder, _started(target, host, chosen, Path(folder), password) as server:
        with store_lock(target.uri):
            _wait_until_ready(server, address)
        page = link_to_runs(str(address), target.experiment, password)
        say(f"MLflow: {page} (Ctrl-C ends it)")
        for line in _about_the_password(host, password):
            say(line)
        show(page)
        server.process.wait()
        raise TrackingError(f"MLflow ended: {server.last_words}", next_step="start it again with `foldproof ui`")


def _about_the_password(host: str, password: str) -> Iterator[str]:
    if password:
        yield f"user: {door.USER}, password: {password} (until Ctrl-C)"
    elif is_loopback(host):
        yield (
            "note: there is no password; other users of this machine can read and change the runs "
            "(`foldproof ui --password` asks for one)"
        )
    else:
        yield (
            "note: there is no password; whoever reaches this address can read and change the runs "
            "(`--password` asks for one)"
        )
    if password and not is_loopback(host):
        yield "note: the password is sent unencrypted; whoever is in between can read it"


class _Address:
    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def __str__(self) -> str:
        return f"http://{_bracketed(self.host)}:{self.port}"

    def is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=2.0)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class _Server:
    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process, self._log = process, log

    @property
    def last_words(self) -> str:
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        telling = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)] or lines
        return redact(telling[-1])[:200] if telling else f"exit code {self.process.poll()}"


@contextmanager
def _started(target: TrackingTarget, host: str, port: int, folder: Path, password: str = "") -> Iterator[_Server]:
    """MLflow's server with `folder`, which nobody else may read, for its log and as an empty place to stand in."""
    assert target.artifacts is not None
    command = [sys.executable, "-P", "-m", "mlflow", "server", "--host", host, "--port", str(port), "--workers", "1"]
    command += ["--allowed-hosts", ",".join(_allowed_hosts(host, port))]
    command += ["--artifacts-destination", str(target.artifacts), "--app-name", app.NAME]
    environment = {
        **ENVIRONMENT,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_ENABLE_AI_GATEWAY": "false",
        **{name: value for name, value in os.environ.items() if name not in _NOT_OURS},
        "MLFLOW_BACKEND_STORE_URI": target.uri,  # not on the command line: it may hold a password
        app.FOLDERS: json.dumps([str(kept) for kept in kept_folders(target.artifacts)]),
        **_password_file(folder, password),
    }
    log, stand = folder / "log.txt", folder / "empty"
    stand.mkdir()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=stand, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield _Server(process, log)
    finally:
        _end(process)


def _password_file(folder: Path, password: str) -> dict[str, str]:
    if not password:
        return {}
    file = folder / "password"
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:  # noqa: PTH123
        opened.write(password)
    return {app.PASSWORD_FILE: str(file)}


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the server and what it started: MLflow's command leaves its children when it is killed."""
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        _unless_gone(member.terminate)
    _, stubborn = psutil.wait_procs(family, timeout=_ENDING_SECONDS)
    for member in stubborn:
        _unless_gone(member.kill)
    process.wait()


def _unless_gone(ending: Callable[[], None]) -> None:
    try:
        ending()
    except psutil.NoSuchProcess:
        return


def _wait_until_ready(server: _Server, address: _Address) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not address.is_healthy():
        if server.process.poll() is not None:
            raise TrackingError(f"MLflow does not start: {server.last_words}", next_step="fix this, then try again")
        if time.monotonic() > deadline:
            raise TrackingError(f"MLflow was not ready after {READY_SECONDS:.0f} s", next_step="try again")
        time.sleep(0.1)


def _choose_port(host: str, wanted: int | None) -> int:
    tried = range(FIRST_PORT, FIRST_PORT + _PORTS_TO_TRY) if wanted is None else [wanted]
    for port in tried:
        if _is_free(host, port):
            return port
    raise TrackingError(
        f"port {tried[0]} on {host} is taken or cannot be used",
        next_step="choose a different one with --port, or leave it out",
    )


def _is_free(host: str, port: int) -> bool:
    """Nobody answers there, and it can be had. On a Mac AirPlay answers on 5000 though the port can be had."""
    try:
        socket.create_connection((_reachable(host), port), timeout=0.5).close()
    except OSError:
        pass
    else:
        return False
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - where to look, not where to listen


def _allowed_hosts(host: str, port: int) -> list[str]:
    """What a browser may call the server: anything else is a page that tries to reach it through another name."""
    names = {"localhost", "127.0.0.1", "[::1]", _bracketed(_reachable(host))}
    if not is_loopback(host):
        names |= {platform.node(), socket.getfqdn()}
        addresses = (address for found in psutil.net_if_addrs().values() for address in found)
        names |= {_bracketed(a.address) for a in addresses if a.family in (socket.AF_INET, socket.AF_INET6)}
    return sorted({*(f"{name}:{port}" for name in names), *names} - {""})


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
