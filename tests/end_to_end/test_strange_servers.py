"""Servers that are not what an honest MLflow is: they want passwords that are not theirs, or never come to an end."""

import base64
import gzip
import json
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from foldproof.cli.main import run_command
from foldproof.errors import TrackingError
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow import limits
from foldproof.trackers.mlflow.foreign import logged_scores
from foldproof.trackers.mlflow.sync import sync
from foldproof.trackers.mlflow.trust import hosts_file, is_trusted, origin, sends_password_in_the_clear, trust_host
from journaled import JournaledRun

PASSWORD, TOKEN = "hunter2/+secret", "t0ken/+secret"
FAR = "http://mlflow.example.org"
Answer = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


class Listening:
    """What a server on the loopback was asked; it is a proxy for other hosts, too."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[tuple[str, str]] = []  # address, what stood in Authorization

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def secrets(self) -> set[str]:
        """Every secret that has reached it, in any header."""
        told = " ".join(value for _, value in self.asked)
        basic = [value.removeprefix("Basic ") for _, value in self.asked if value.startswith("Basic ")]
        told += "".join(base64.b64decode(part).decode(errors="replace") for part in basic)
        return {secret for secret in (PASSWORD, TOKEN) if secret in told}


@contextmanager
def listening(answer: Answer) -> Iterator[Listening]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else b""
            found.asked.append((self.path, self.headers.get("Authorization", "")))
            told = json.loads(body) if body[:1] == b"{" else {}
            told |= {key: value[0] for key, value in parse_qs(urlsplit(self.path).query).items()}
            answer(self, told)

        do_GET = do_POST = do_PUT = do_PATCH = do  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Listening(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def say(handler: BaseHTTPRequestHandler, status: int, content: bytes | dict[str, Any], **headers: str) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def who_are_you(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
    say(handler, 401, b"You are not authenticated.", WWW_Authenticate='Basic realm="x"')


@pytest.fixture(autouse=True)
def of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of his own, and nothing of MLflow's in the environment."""
    for name in list(os.environ):
        if name.startswith("MLFLOW_TRACKING") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")


@pytest.fixture
def cloned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose settings name a far host, with a run to bring there."""
    project = tmp_path / "cloned"
    JournaledRun.make(project / "runs", k=2).complete()
    (project / "params.yaml").write_text(f"version: 1\ntracking: {{uri: '{FAR}'}}\n")
    monkeypatch.chdir(project)
    return project


CREDENTIALS = {
    "user and password": {"MLFLOW_TRACKING_USERNAME": "ada", "MLFLOW_TRACKING_PASSWORD": PASSWORD},
    "token": {"MLFLOW_TRACKING_TOKEN": TOKEN},
    "file": {},
}


def have(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS[kind].items():
        monkeypatch.setenv(name, value)
    if kind == "file":
        file = Path(os.environ["HOME"]) / ".mlflow" / "credentials"
        file.parent.mkdir(parents=True)
        file.write_text(f"[mlflow]\nmlflow_tracking_username = ada\nmlflow_tracking_password = {PASSWORD}\n")


@pytest.mark.slow
@pytest.mark.parametrize("kind", CREDENTIALS)
def test_a_password_is_not_sent_to_a_host_that_only_the_settings_name(kind, cloned, monkeypatch, capfd):
    have(kind, monkeypatch)
    before = dict(os.environ)
    with listening(who_are_you) as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        assert run_command(["sync"]) == 2
        said = capfd.readouterr().err
        assert "only the settings name this host, so your password was not sent there" in said
        assert "foldproof sync --trust-host" in said
        assert len(said.splitlines()) <= 3
        assert proxy.asked
        assert proxy.secrets() == set()
        assert {name: os.environ.get(name) for name in before} == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", CREDENTIALS)
@pytest.mark.parametrize("how", ["environment", "trusted once", "environment alone"])
def test_a_password_is_sent_to_a_host_that_the_user_has_named(kind, how, cloned, monkeypatch, capfd):
    have(kind, monkeypatch)
    with listening(who_are_you) as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        if how == "trusted once":
            run_command(["sync", "--trust-host"])
            assert "http://mlflow.example.org:80 may have your password from now on" in capfd.readouterr().err
            proxy.asked.clear()
            assert hosts_file().stat().st_mode & 0o777 == 0o600 or os.name == "nt"
        else:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{FAR}:80/")
        if how == "environment alone":
            (cloned / "params.yaml").write_text("version: 1\n")
        assert run_command(["sync"]) == 2
        assert "refuses" in capfd.readouterr().err
        assert proxy.secrets() == {TOKEN if kind == "token" else PASSWORD}


@pytest.mark.slow
def test_a_run_and_doctor_send_no_password_to_it_either_and_the_run_is_done(tiny_project, monkeypatch, capfd):
    have("user and password", monkeypatch)
    with (tiny_project / "params.yaml").open("a") as settings:
        settings.write(f"tracking: {{uri: '{FAR}'}}\n")
    monkeypatch.chdir(tiny_project)
    with listening(who_are_you) as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        assert run_command(["run", "-q"]) == 0
        notices = [line for line in capfd.readouterr().err.splitlines() if "MLflow" in line]
        assert len(notices) == 1
        assert "your password was not sent there" in notices[0]
        assert run_command(["run", "-q", "--again", "--set", f"tracking.uri={FAR}"]) == 0
        assert "refuses the user and password" in capfd.readouterr().err
        assert proxy.secrets() == {PASSWORD}
        sent_at = [value for _, value in proxy.asked].index(next(value for _, value in proxy.asked if value))
        assert sent_at > 0


@pytest.mark.slow
def test_a_password_in_the_address_of_the_settings_belongs_to_them(cloned, monkeypatch, capfd):
    have("token", monkeypatch)
    (cloned / "params.yaml").write_text(
        f"version: 1\ntracking: {{uri: 'http://bob:{'hunter2%2F+secret'}@mlflow.example.org'}}\n"
    )
    with listening(who_are_you) as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        assert run_command(["sync"]) == 2
        assert proxy.secrets() == {PASSWORD}
    assert "in its address" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_password_does_not_follow_to_another_host(status, tmp_path, monkeypatch):
    have("user and password", monkeypatch)
    run = JournaledRun.make(tmp_path, k=2).complete()
    with listening(who_are_you) as other:

        def elsewhere(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
            say(handler, status, b"", Location=f"http://localhost:{other.port}{handler.path}")

        with listening(elsewhere) as first:
            with pytest.raises(TrackingError):
                sync([run.folder], TrackingTarget(uri=first.address, experiment="x", artifacts=None))
            assert first.secrets() == {PASSWORD}
        assert other.asked
        assert other.secrets() == set()


@pytest.mark.parametrize(
    ("uri", "where"),
    [
        ("https://Mlflow.Example.org", "https://mlflow.example.org:443"),
        ("https://ada:x@mlflow.example.org:443/path?q", "https://mlflow.example.org:443"),
        ("http://mlflow.example.org", "http://mlflow.example.org:80"),
        ("http://[2001:db8::1]:5000", "http://[2001:db8::1]:5000"),
        ("postgresql+psycopg2://u:p@db/x", "postgresql://db:5432"),
        ("sqlite:///mlflow.db", ""),
        ("databricks", ""),
        ("http://host:port", ""),
        ("https://one\\@other", ""),
        ("https://one @other", ""),
        ("https://a@b@other", ""),
        ("postgresql:///x?host=other", ""),
        ("postgresql://127.0.0.1/x?host=other", ""),
        ("http://", ""),
    ],
)
def test_a_host_is_its_scheme_name_and_port(uri, where):
    assert origin(uri) == where


def test_trust_in_one_host_is_none_in_its_neighbours(monkeypatch):
    trust_host("https://mlflow.example.org/a")
    assert is_trusted("https://mlflow.example.org:443/b", {})
    for other in (
        *("http://mlflow.example.org", "https://mlflow.example.org:8443", "https://mlflow.example.org.evil.example"),
        *("https://evil.example/https://mlflow.example.org", "https://mlflow.example.org@evil.example"),
        *("https://evil.example#@mlflow.example.org", "postgresql://mlflow.example.org", "https://example.org"),
        *(
            "https://evil.example\\@mlflow.example.org",
            "https://evil.example\t@mlflow.example.org",
            "http:evil.example",
        ),
        *("postgresql:///x?host=evil.example", "postgresql://localhost/x?host=evil.example", "http://", "https:///x"),
    ):
        assert not is_trusted(other, {"MLFLOW_TRACKING_URI": "https://mlflow.example.org"}), other
    for here in ("http://127.0.0.1:5000", "http://localhost:5000", "http://[::1]:1", "sqlite:///x.db", "databricks"):
        assert is_trusted(here, {})


def test_a_password_that_would_go_unencrypted_is_known(monkeypatch):
    have("token", monkeypatch)
    assert sends_password_in_the_clear(FAR, os.environ, trusted=True)
    assert sends_password_in_the_clear("http://ada:x@mlflow.example.org", {}, trusted=False)
    for uri in ("https://mlflow.example.org", "http://127.0.0.1:5000", "sqlite:///x.db"):
        assert not sends_password_in_the_clear(uri, os.environ, trusted=True)
    assert not sends_password_in_the_clear(FAR, os.environ, trusted=False)


NO_RUN = {"info": {"run_id": "1" * 32, "run_uuid": "1" * 32, "experiment_id": "1", "status": "FINISHED"}, "data": {}}


def endless(handler: BaseHTTPRequestHandler, told: dict[str, Any]) -> None:
    """Empty pages with a token for ever; experiments are answered."""
    if "experiments/search" in handler.path and "experiments" not in ENDLESS:
        say(handler, 200, {"experiments": [{"experiment_id": "1", "name": "x", "lifecycle_stage": "active"}]})
    elif "get-by-name" in handler.path:
        say(handler, 200, {"experiment": {"experiment_id": "1", "name": "x", "lifecycle_stage": "active"}})
    elif "runs/search" in handler.path and "history" in ENDLESS:
        run = json.loads(json.dumps(NO_RUN))
        run["data"] = {"tags": [{"key": "foldproof.run_id", "value": "20260102-030405-abcdef"}], "metrics": METRICS}
        say(handler, 200, {"runs": [run]})
    elif "get-history" in handler.path or "search" in handler.path:
        say(handler, 200, {"next_page_token": f"{time.monotonic_ns()}"})
    else:
        say(handler, 200, {})


METRICS = [{"key": "val_accuracy", "value": 0.5, "timestamp": 1, "step": 1}]
ENDLESS: set[str] = set()


@pytest.mark.slow
@pytest.mark.parametrize("what", ["runs", "experiments"])
def test_comparing_ends_where_a_server_answers_empty_pages_for_ever(what, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ENDLESS", {what})
    with listening(endless) as server:
        with pytest.raises(TrackingError, match="endless pages"):
            logged_scores(server.address)
        assert len(server.asked) < 10


@pytest.mark.slow
@pytest.mark.parametrize("what", ["runs", "history"])
def test_sync_ends_where_a_server_answers_empty_pages_for_ever(what, tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ENDLESS", {what})
    run = JournaledRun.make(tmp_path, k=2).complete()
    with listening(endless) as server:
        with pytest.raises(TrackingError, match="endless pages"):
            sync([run.folder], TrackingTarget(uri=server.address, experiment="x", artifacts=None))
        assert len(server.asked) < 30


def test_pages_that_are_filled_or_filtered_are_all_read():
    class Page(list[int]):
        token: str | None = None

    def ask(token: str | None) -> Page:
        number = int(token or 0)
        page = Page([number] if number % 3 == 0 else [])
        page.token = str(number + 1) if number < 3000 else None
        return page

    assert list(limits.pages(ask, uri="x")) == list(range(0, 3001, 3))

    def same(_: str | None) -> Page:
        page = Page([1])
        page.token = "again"
        return page

    with pytest.raises(TrackingError, match="endless pages"):
        list(limits.pages(same, uri="x"))


def flood(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    piece = b'{"runs": [' + b" " * 2**20
    try:
        while True:
            handler.wfile.write(piece)
    except OSError:
        return


def bomb(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
    say(handler, 200, gzip.compress(b" " * 300 * 2**20), Content_Encoding="gzip")


def dribble_body(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    try:
        for _ in range(600):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        return


def dribble_headers(handler: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
    try:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
        for _ in range(600):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.1)
    except OSError:
        return


@pytest.mark.slow
@pytest.mark.parametrize("answer", [flood, bomb, dribble_body, dribble_headers])
@pytest.mark.parametrize("command", ["compare", "sync"])
def test_an_answer_without_end_is_left(answer, command, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_ANSWER_BYTES", 32 * 2**20)
    monkeypatch.setattr(limits, "MOST_ANSWER_SECONDS", 2.0)
    monkeypatch.setattr(limits, "_LEAST_PATIENCE", 4.0)
    monkeypatch.setattr(limits, "_PATIENCE", 0.1)
    monkeypatch.setattr("foldproof.trackers.mlflow.foreign.ASKING_SECONDS", 4.0)
    monkeypatch.setattr(limits.bound, "__kwdefaults__", {"seconds": 4.0})
    run = JournaledRun.make(tmp_path, k=2).complete()
    with listening(answer) as server:
        began = time.monotonic()
        target = TrackingTarget(uri=server.address, experiment="x", artifacts=None)
        asking = {"compare": lambda: logged_scores(server.address), "sync": lambda: sync([run.folder], target)}[command]
        with pytest.raises(TrackingError) as caught:
            asking()
        assert time.monotonic() - began < 30
    assert len(str(caught.value).splitlines()) <= 3


def planted(store: Path, place: str) -> None:
    """An experiment's place of files as a clone's store may hold it."""
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("UPDATE experiments SET artifact_location = ? WHERE name != 'Default'", (place,))


@pytest.mark.slow
@pytest.mark.parametrize("spelled", ["file", "path", "upwards", "linked"])
def test_no_file_is_written_where_a_cloned_store_says(spelled, tmp_path, monkeypatch, capfd):
    project, outside = tmp_path / "cloned", tmp_path / "outside"
    outside.mkdir()
    (outside / "run.json").write_text("mine")
    (project / "mlartifacts").mkdir(parents=True)
    (project / "mlartifacts" / "link").symlink_to(outside)
    (project / "params.yaml").write_text("version: 1\n")
    monkeypatch.chdir(project)
    JournaledRun.make(project / "runs", "20260102-030405-first1", k=2).complete()
    assert run_command(["sync"]) == 0
    places = {
        "file": outside.as_uri(),
        "path": str(outside),
        "upwards": f"{(project / 'mlartifacts').as_uri()}/../../outside",
        "linked": f"{(project / 'mlartifacts').as_uri()}/link",
    }
    planted(project / "mlflow.db", places[spelled])
    JournaledRun.make(project / "runs", "20260102-030405-second", k=2).complete()
    capfd.readouterr()
    for _ in range(2):
        assert run_command(["sync"]) == 1
        said = capfd.readouterr().err
        assert "which is not this project's, so none did" in said
        assert len(said.splitlines()) <= 3
    assert [path.name for path in outside.rglob("*")] == ["run.json"]
    assert (outside / "run.json").read_text() == "mine"
    with closing(sqlite3.connect(project / "mlflow.db")) as store:
        statuses = store.execute("SELECT status FROM runs").fetchall()
        assert (len(statuses), set(statuses)) == (6, {("FINISHED",)})
        assert store.execute("SELECT count(*) FROM metrics").fetchone()[0] > 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project / 'mlflow.db'}")
    if spelled == "file":  # the user says that it is his
        assert run_command(["sync"]) == 0
        assert (outside / "run.json").read_text() == "mine"
        assert list(outside.rglob("model.safetensors"))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="links")
@pytest.mark.parametrize("name", ["mlartifacts", "mlflow.db"])
def test_a_link_that_came_with_the_repository_is_no_store_and_one_of_the_users_own_is(
    name, tmp_path, monkeypatch, capfd
):
    project, outside = tmp_path / "cloned", tmp_path / "outside"
    outside.mkdir()
    project.mkdir()
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run([*git, "init", "-q"], cwd=project, check=True)
    (project / name).symlink_to(outside / "there")
    if name == "mlartifacts":
        (outside / "there").mkdir()
    (project / "params.yaml").write_text("version: 1\n")
    monkeypatch.chdir(project)
    JournaledRun.make(project / "runs", k=2).complete()
    before = sorted(outside.rglob("*"))
    subprocess.run([*git, "add", name], cwd=project, check=True)
    for command in (["sync"], ["ui"]):
        assert run_command(command) == 2
        assert "is a link that came with the repository" in capfd.readouterr().err
    assert sorted(outside.rglob("*")) == before
    subprocess.run([*git, "rm", "-q", "--cached", name], cwd=project, check=True)
    assert run_command(["sync"]) == 0
    assert (sorted(outside.rglob("*")) != before) == (name == "mlartifacts")  # a link to no file is replaced by a store
