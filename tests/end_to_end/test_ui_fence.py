"""What another user of the machine can do while `foldproof ui` is open: see the runs and change them, nothing else."""

import base64
import json
import os
import re
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from end_to_end.test_ui import address_in, running
from foldproof.cli.main import run_command
from foldproof.trackers.mlflow.door import is_allowed
from foldproof.trackers.mlflow.places import kept_folders, lies_within, local_path
from journaled import JournaledRun

slow = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="SIGINT")]
SECRET = "not for anybody else"
API = "/api/2.0/mlflow"


@dataclass
class Open:
    """A `foldproof ui` that is open, and what lies around its project."""

    project: Path
    outside: Path
    address: str
    said: list[str]
    parent: str  # run id of our run in MLflow

    def ask(self, method: str, path: str, told: Any = None, **headers: str) -> tuple[int, bytes]:
        """Status and answer, whatever they are."""
        data = told if isinstance(told, bytes | None) else json.dumps(told).encode()
        request = urllib.request.Request(self.address + path, data, method=method)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def told(self, method: str, path: str, told: Any = None) -> Any:
        status, answer = self.ask(method, path, told)
        assert status == 200, (path, status, answer[:500])
        return json.loads(answer)


def listing(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def project_with_run(folder: Path) -> Path:
    """A run in MLflow, links planted below its artifacts, and experiments of others in the store."""
    os.chdir(folder)
    JournaledRun.make(folder / "runs").complete()
    assert run_command(["sync"]) == 0
    return folder


def plant(project: Path, outside: Path) -> None:
    """What a clone, or an MLflow that had no fence, may have left: links, and experiments whose files lie elsewhere."""
    (project / "mlartifacts" / "planted").symlink_to(outside)
    (project / "mlartifacts" / "planted.txt").symlink_to(outside / "secret.txt")
    with closing(sqlite3.connect(project / "mlflow.db")) as store, store:
        experiment, artifacts = store.execute(
            "SELECT experiment_id, artifact_uri FROM runs WHERE artifact_uri LIKE '%artifacts' LIMIT 1"
        ).fetchone()
        own = local_path(artifacts)
        assert own is not None
        (own / "linked").symlink_to(outside)
        (own / "linked.txt").symlink_to(outside / "secret.txt")
        columns = [row[1] for row in store.execute("PRAGMA table_info(runs)")]
        row = dict(
            zip(
                columns, store.execute(f"SELECT * FROM runs WHERE artifact_uri = '{artifacts}'").fetchone(), strict=True
            )
        )
        for number, place in enumerate(foreign_places(project, outside)):
            row |= {"run_uuid": f"{number:032x}", "artifact_uri": place, "name": f"foreign {number}"}
            store.execute(
                f"INSERT INTO runs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
            )
        assert experiment


def foreign_places(project: Path, outside: Path) -> list[str]:
    kept = project / "mlartifacts"
    return [
        outside.as_uri(),
        str(outside),
        f"{kept.as_uri()}/../../outside",
        f"{kept.as_uri()}/%2e%2e/%2e%2e/outside",
        f"{kept}/../../outside",
        f"{kept.as_uri()}/planted",
        project.as_uri(),
        f"{project.as_uri()}/mlartifacts-not",
        f"file://localhost{outside}",
        f"file://elsewhere{outside}",
        "mlflow-artifacts:/../../outside",
        "mlflow-artifacts:/planted",
        "mlflow-artifacts://127.0.0.1:9/x",
        "s3://bucket/x",
        "ftp://127.0.0.1:9/x",
        "http://127.0.0.1:9/x",
        "hdfs://127.0.0.1:9/x",
        "runs:/1/x",
        "models:/x/1",
        "dbfs:/x",
    ]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Open]:
    base = tmp_path_factory.mktemp("machine")
    outside, project = base / "outside", base / "project"
    outside.mkdir()
    (outside / "secret.txt").write_text(SECRET)
    project.mkdir()
    (project / "params.yaml").write_text("version: 1\nexperiments: {Run_High_LR: {}}\n")
    before = Path.cwd()
    try:
        project_with_run(project)
    finally:
        os.chdir(before)
    plant(project, outside)
    with running("foldproof", "ui", folder=project) as process:
        assert process.stdout is not None
        said = [process.stdout.readline(), process.stdout.readline()]
        ui = Open(project, outside, address_in(said[0]), said, "")
        (experiment,) = [
            one["experiment_id"]
            for one in ui.told("POST", f"{API}/experiments/search", {"max_results": 10})["experiments"]
            if one["name"] == "project"
        ]
        runs = ui.told("POST", f"{API}/runs/search", {"experiment_ids": [experiment], "max_results": 100})["runs"]
        ui.parent = next(one["info"]["run_id"] for one in runs if one["info"]["run_name"] == "Run_High_LR")
        yield ui


@pytest.mark.usefixtures("opened")
class TestOpened:
    pytestmark = slow

    def test_it_says_that_there_is_no_password(self, opened: Open) -> None:
        assert opened.said[1].startswith("note: there is no password; other users of this machine can read and change")
        assert "--password" in opened.said[1]

    def test_the_projects_own_files_are_shown_and_its_page_loads(self, opened: Open) -> None:
        assert opened.ask("GET", "/")[0] == 200
        page = opened.ask("GET", "/")[1].decode()
        for script in re.findall(r'src="\.?/?(static-files/[^"]+)"', page)[:3]:
            assert opened.ask("GET", f"/{script}")[0] == 200
        listed = opened.told("GET", f"{API}/artifacts/list?run_id={opened.parent}")["files"]
        assert "run.json" in {file["path"] for file in listed}
        assert not {file["path"] for file in listed} & {"linked", "linked.txt"}
        status, content = opened.ask("GET", f"/get-artifact?path=run.json&run_uuid={opened.parent}")
        assert (status, json.loads(content)["run"]) == (200, "20260102-030405-abcdef")

    def test_runs_can_be_changed_and_files_added_to_an_experiment_made_here(self, opened: Open) -> None:
        made = opened.told("POST", f"{API}/experiments/create", {"name": "by hand"})["experiment_id"]
        run = opened.told("POST", f"{API}/runs/create", {"experiment_id": made, "run_name": "one"})["run"]["info"]
        opened.told("POST", f"{API}/runs/set-tag", {"run_id": run["run_id"], "key": "note", "value": "x"})
        proxied = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
        path = f"/api/2.0/mlflow-artifacts/artifacts/{proxied}/a/b.txt"
        assert opened.ask("PUT", path, b"bytes", Content_Type="application/octet-stream")[0] == 200
        assert opened.ask("GET", path) == (200, b"bytes")
        assert opened.ask("GET", f"/get-artifact?path=a/b.txt&run_uuid={run['run_id']}") == (200, b"bytes")
        inside = (opened.project / "mlartifacts" / "elsewhere").as_uri()
        opened.told("POST", f"{API}/experiments/create", {"name": "inside", "artifact_location": inside})

    def test_no_experiment_is_made_whose_files_lie_elsewhere(self, opened: Open) -> None:
        made = []
        for number, place in enumerate(foreign_places(opened.project, opened.outside)):
            if place == "mlflow-artifacts:/planted":  # nothing is opened there, as the next test shows
                continue
            for key in ("artifact_location", "artifactLocation"):
                told = {"name": f"foreign {key} {number}", key: place}
                status, answer = opened.ask("POST", f"{API}/experiments/create", told)
                made += [(place, answer)] if status < 400 else []
        assert made == []

    def test_no_file_elsewhere_is_listed_read_written_or_removed(self, opened: Open) -> None:
        before, listed = listing(opened.outside), sorted(path.name for path in opened.outside.iterdir())
        answers = []
        for number in range(len(foreign_places(opened.project, opened.outside))):
            run = f"{number:032x}"
            answers += [opened.ask("GET", f"{API}/artifacts/list?run_id={run}")]
            answers += [opened.ask("GET", f"/ajax-api/2.0/mlflow/artifacts/list?run_id={run}&path=.")]
            for path in ("secret.txt", "./secret.txt", "outside/secret.txt"):
                answers += [opened.ask("GET", f"/get-artifact?run_uuid={run}&path={path}")]
            for path in ("planted.txt", "new.txt", "a/new.txt"):
                asked = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path={path}"
                answers += [opened.ask("POST", asked, b"x" * 10, Content_Type="application/octet-stream")]
            query = json.dumps({"query": GRAPH.replace("RUN", run), "operationName": "Q"}).encode()
            answers += [opened.ask("POST", "/graphql", query)]
        self.links(opened, answers)
        leaks = [one for one in answers if SECRET.encode() in one[1] or b"secret.txt" in _paths(one[1])]
        assert leaks == []
        assert listing(opened.outside) == before
        assert sorted(path.name for path in opened.outside.iterdir()) == listed

    def links(self, opened: Open, answers: list[tuple[int, bytes]]) -> None:
        proxied = "/api/2.0/mlflow-artifacts/artifacts"
        for path in (
            *("planted/secret.txt", "planted.txt", "planted/new.txt", "%70lanted/secret.txt", "./planted/secret.txt"),
            *("../outside/secret.txt", "%2e%2e/outside/secret.txt", "..%2foutside%2fsecret.txt", "a/../planted.txt"),
            *("//outside/secret.txt", f"{opened.outside}/secret.txt", "planted//secret.txt", "planted", "planted/"),
        ):
            for prefix in (proxied, proxied.replace("/api", "/ajax-api")):
                answers += [opened.ask("GET", f"{prefix}/{path}")]
                answers += [opened.ask("PUT", f"{prefix}/{path}", b"x", Content_Type="application/octet-stream")]
                answers += [opened.ask("DELETE", f"{prefix}/{path}")]
            answers += [opened.ask("GET", f"{proxied}?path={path}")]
            for run in (opened.parent,):
                answers += [opened.ask("GET", f"/get-artifact?run_uuid={run}&path={path}")]
        for path in ("linked", "linked.txt", "linked/secret.txt", "linked/new.txt"):
            quoted = urllib.parse.quote(path, safe="")
            answers += [opened.ask("GET", f"/get-artifact?run_uuid={opened.parent}&path={quoted}")]
            answers += [opened.ask("GET", f"{API}/artifacts/list?run_id={opened.parent}&path={quoted}")]
            asked = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={opened.parent}&path={quoted}"
            answers += [opened.ask("POST", asked, b"x", Content_Type="application/octet-stream")]

    def test_a_model_whose_source_lies_elsewhere_is_not_made_or_not_opened(self, opened: Open) -> None:
        opened.told("POST", f"{API}/registered-models/create", {"name": "m"})
        for place in foreign_places(opened.project, opened.outside):
            for more in ({}, {"run_id": opened.parent}, {"run_id": "0" * 32}):
                told = {"name": "m", "source": place, **more}
                status, answer = opened.ask("POST", f"{API}/model-versions/create", told)
                if status == 200:
                    version = json.loads(answer)["model_version"]["version"]
                    got = opened.ask("GET", f"/model-versions/get-artifact?name=m&version={version}&path=secret.txt")
                    assert got[0] >= 400
                    assert SECRET.encode() not in got[1]

    def test_what_calls_other_hosts_or_runs_programs_is_refused(self, opened: Open) -> None:
        for method, path in REFUSED:
            for prefix in ("/api", "/ajax-api"):
                status, _ = opened.ask(method, path.replace("/api", prefix, 1), {} if method != "GET" else None)
                assert status == 403, (method, path, status)


REFUSED = [
    ("POST", "/api/2.0/mlflow/webhooks"),
    ("POST", "/api/2.0/mlflow/webhooks/1/test"),
    ("POST", "/api/2.0/mlflow/gateway-proxy"),
    ("GET", "/api/2.0/mlflow/gateway-proxy?gateway_path=x"),
    ("POST", "/api/2.0/mlflow/runs/create-promptlab-run"),
    ("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url"),
    ("GET", "/api/2.0/mlflow/get-trace-artifact?request_id=1"),
    ("GET", "/api/3.0/mlflow/get-trace-artifact?request_id=1"),
    ("POST", "/api/3.0/mlflow/assistant/message"),
    ("GET", "/api/3.0/mlflow/assistant/status"),
    ("PUT", "/api/3.0/mlflow/assistant/config"),
    ("POST", "/api/3.0/jobs"),
    ("POST", "/api/3.0/mlflow/scorers/register"),
    ("POST", "/api/3.0/mlflow/scorer/invoke"),
    ("POST", "/api/3.0/mlflow/genai/evaluate/invoke"),
    ("POST", "/api/3.0/mlflow/gateway/secrets/create"),
    ("POST", "/api/3.0/mlflow/gateway/endpoints/create"),
    ("POST", "/gateway/mlflow/v1/chat/completions"),
    ("POST", "/api/3.0/mlflow/mcp-servers"),
    ("GET", "/api/3.0/mlflow/mcp-servers"),
    ("POST", "/v1/traces"),
    ("POST", "/api/3.0/mlflow/traces"),
    ("POST", "/api/3.0/mlflow/demo/generate"),
    ("POST", "/api/3.0/mlflow/prompt-optimization/jobs"),
    ("POST", "/api/3.0/mlflow/workspaces"),
    ("POST", "/api/2.0/mlflow/not/yet/invented"),
]
GRAPH = 'query Q { mlflowListArtifacts(input: {runId: "RUN", path: "."}) { files { path } } }'


def _paths(answer: bytes) -> bytes:
    """The answer, unless it is an error or a redirection, which name what was asked for."""
    return b"" if any(sign in answer for sign in (b"error_code", b"No such artifact", b"Redirecting...")) else answer


@pytest.mark.parametrize(
    "path",
    [
        "//api/2.0/mlflow/webhooks",
        "/api/2.0/mlflow/runs/../webhooks",
        "/api/2.0/mlflow/runs/search/",
        "/api/2.0/mlflow/runs/create-promptlab-run",
        "/API/2.0/mlflow/runs/search",
        "/static-files",
        "/x/health",
        "/health/",
        "",
    ],
)
def test_only_the_very_paths_of_the_table_pass(path: str) -> None:
    assert not any(is_allowed(method, path) for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "TRACE"))


def test_every_method_of_a_repository_that_takes_a_path_is_behind_the_fence() -> None:
    """A newer MLflow that adds one is to be looked at."""
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    from foldproof.trackers.mlflow.fence import FencedRepository

    own = {name for name, value in vars(LocalArtifactRepository).items() if callable(value) and name[0] != "_"}
    assert own <= set(vars(FencedRepository))


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_a_place_is_within_the_folders_only_without_links_and_steps_upwards(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    outside.mkdir()
    (project / "mlartifacts" / "a").mkdir(parents=True)
    (project / "mlartifacts" / "planted").symlink_to(outside)
    kept = kept_folders(project / "mlartifacts")
    for place in foreign_places(project, outside):
        path = local_path(place)
        assert path is None or not lies_within(path, kept), place
    for place in ("mlartifacts", "mlartifacts/a", "mlartifacts/new/artifacts", "mlruns/0/x/artifacts"):
        for spelled in (str(project / place), (project / place).as_uri()):
            path = local_path(spelled)
            assert path is not None
            assert lies_within(path, kept), place


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGINT")
def test_with_a_password_nothing_is_shown_to_who_does_not_know_it(tiny_project: Path, monkeypatch) -> None:
    monkeypatch.chdir(tiny_project)
    JournaledRun.make(tiny_project / "runs").complete()
    assert run_command(["sync"]) == 0
    with running("foldproof", "ui", "--password", folder=tiny_project) as process:
        assert process.stdout is not None
        address, said = address_in(process.stdout.readline()), process.stdout.readline()
        match = re.fullmatch(r"user: (\S+), password: (\S{20,}) \(until Ctrl-C\)\n", said)
        assert match is not None
        ui = Open(tiny_project, tiny_project, address, [said], "")
        right = "Basic " + base64.b64encode(f"{match[1]}:{match[2]}".encode()).decode()
        wrong = [
            "Basic " + base64.b64encode(text.encode()).decode()
            for text in (f"{match[1]}:x", f"admin:{match[2]}", ":", f"{match[1]}:", f"{match[1]}:{match[2]} ")
        ]
        for path in ("/", "/get-artifact?path=run.json&run_uuid=1", "/version", "/static-files/x", "/api/3.0/jobs"):
            assert ui.ask("GET", path)[0] == 401
            for one in (*wrong, "Bearer x", "Basic", "", right.lower()):
                assert ui.ask("GET", path, Authorization=one)[0] == 401, one
        for method in ("POST", "PUT", "DELETE"):
            assert ui.ask(method, f"{API}/experiments/search", {"max_results": 1})[0] == 401
        assert ui.ask("GET", "/health")[0] == 200
        status, answer = ui.ask("POST", f"{API}/experiments/search", {"max_results": 9}, Authorization=right)
        assert (status, tiny_project.name.encode() in answer) == (200, True)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        assert not any(match[2] in " ".join(one.cmdline()) for one in family)
        assert not any(match[2] in value for one in family[1:] for value in one.environ().values())
        files = [one.environ().get("FOLDPROOF_UI_PASSWORD_FILE") for one in family[1:]]
        (file,) = {Path(one) for one in files if one}
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not file.exists()
