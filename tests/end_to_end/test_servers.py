"""MLflow servers that were there before: older than ours, behind passwords, tokens and certificates."""

import datetime as dt
import ipaddress
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from faults.proxy import Proxy, proxy_before
from faults.store import Server, compare_store
from foldproof.cli.main import run_command
from foldproof.config.schema import TrackingSettings
from foldproof.doctor.tracking import check_mlflow
from foldproof.errors import TrackingError
from foldproof.project import Project
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.sync import sync
from journaled import JournaledRun
from served import ADMIN, GUEST, asked, old_python, served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.name == "nt", reason="psutil's SIGKILL"),
]
TOKEN = "t0ken-of-a-gateway/3+"
WRONG = "wrong-password/4+"
SECRETS = (ADMIN[1], GUEST[1], TOKEN, WRONG, "pass-of-admin%2F1%2B", "pass-of-guest%2F2%2B")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("old"), python=old_python()) as server:
        yield server


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("new")) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("guarded"), guarded=True) as server:
        yield server


def target_of(address: str, experiment: str) -> TrackingTarget:
    return TrackingTarget(uri=address, experiment=experiment, artifacts=None)


def address_of(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def foldproof(folder: Path, *arguments: str, code: int = 0) -> str:
    """What a command says on both streams; it may say no secret."""
    command = [sys.executable, "-m", "foldproof", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    assert not [secret for secret in SECRETS if secret in said]
    return said


def runs_in(server: Server, experiment: str) -> dict[str, int]:
    """Of each run how many MLflow runs stand for it, all finished. One question: each takes a hash of the password."""
    found = server.client.search_runs([server.experiment_id(experiment)], max_results=1000)
    assert {run.info.status for run in found} == {"FINISHED"}
    return Counter(run.data.tags["foldproof.run_id"] for run in found)


def doctor_of(project: Path) -> tuple[str, str]:
    found = check_mlflow(Project(project / "params.yaml"), TrackingSettings(), os.environ)
    return found.state, f"{found.said}; {found.next_step}"


@pytest.mark.thorough
def test_a_run_is_in_a_server_of_mlflow_2_22_as_its_journals_say(old, tiny_project, monkeypatch):
    assert asked(old.port, "/version").startswith("2.22.")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address_of(old))
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from the environment")
    with (tiny_project / "params.yaml").open("a") as settings:
        settings.write("tracking: {tags: {team: vision, api_key: not-for-others}}\n")
    assert "sync" not in foldproof(tiny_project, "run")
    folders = Project(tiny_project / "params.yaml").run_folders()
    compare_store(old, "from the environment", folders, statuses={})
    found = old.client.search_runs([old.experiment_id("from the environment")])
    assert {(run.data.tags["team"], run.data.tags["api_key"]) for run in found} == {("vision", "***")}
    kept = [path for path in folders[0].rglob("*") if path.is_file()]
    assert [path for path in kept if b"not-for-others" in path.read_bytes()] == []
    assert "1 already the same" in foldproof(tiny_project, "sync")
    assert doctor_of(tiny_project)[0] == "ok"
    told = foldproof(tiny_project, "compare", "--from", f"mlflow:{address_of(old)}")
    assert "3/3" in told


@pytest.mark.thorough
def test_in_a_server_of_mlflow_2_22_nothing_stands_twice_and_failures_are_marked(old, tmp_path):
    target = target_of(address_of(old), "failures")
    whole = JournaledRun.make(tmp_path, "20260102-030405-whole1").complete()
    failed = JournaledRun.make(tmp_path, "20260102-030405-failed", k=2)
    failed.start()
    failed.begin_fold((0, 0), epochs=2)
    failed.finish_fold((0, 0))
    failed.begin_fold((0, 1), epochs=1)
    failed.fail_fold((0, 1))
    failed.end("failed")
    folders = [whole.folder, failed.folder]
    assert sync(folders, target).created == 2
    statuses = {failed.run: "FAILED", f"{failed.run}/0-1": "FAILED"}
    compare_store(old, target.experiment, folders, statuses=statuses)
    again = sync(folders, target)
    assert (again.created, again.completed) == (0, 0)
    compare_store(old, target.experiment, folders, statuses=statuses)


@pytest.mark.thorough
def test_without_a_password_or_with_a_wrong_one_a_run_goes_on_and_sync_completes_it(guarded, tiny_project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address_of(guarded))
    assert doctor_of(tiny_project)[0] == "note"
    assert "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in foldproof(tiny_project, "sync", code=2)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN[0])
    assert "only one is set" in foldproof(tiny_project, "sync", code=2)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", WRONG)
    notices = [line for line in foldproof(tiny_project, "run").splitlines() if "foldproof sync" in line]
    assert len(notices) == 1
    assert "it refuses the user and password of MLFLOW_TRACKING_USERNAME" in notices[0]
    assert "refuses" in doctor_of(tiny_project)[1]
    assert "refuses" in foldproof(tiny_project, "compare", "--from", f"mlflow:{address_of(guarded)}", code=2)
    (folder,) = Project(tiny_project / "params.yaml").run_folders()
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN[1])
    assert doctor_of(tiny_project)[0] == "ok"
    assert "1 new in MLflow" in foldproof(tiny_project, "sync")
    assert runs_in(guarded, "project") == {folder.name: 4}
    assert "3/3" in foldproof(tiny_project, "compare", "--from", f"mlflow:{address_of(guarded)}")
    assert address_of(guarded) in foldproof(tiny_project, "ui")
    kept = [path for path in tiny_project.rglob("*") if path.is_file()]
    assert [(path, secret) for path in kept for secret in SECRETS if secret.encode() in path.read_bytes()] == []


@pytest.mark.thorough
def test_a_server_of_mlflow_2_22_behind_passwords_is_no_other(tmp_path, monkeypatch):
    run = JournaledRun.make(tmp_path, k=2).complete()
    with served(tmp_path, python=old_python(), guarded=True) as server:
        target = target_of(address_of(server), "behind a password")
        with pytest.raises(TrackingError, match="wants to know who asks"):
            sync([run.folder], target)
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN[0])
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN[1])
        assert sync([run.folder], target).created == 1
        assert runs_in(server, target.experiment) == {run.run: 3}


@pytest.mark.thorough
def test_a_user_and_a_password_in_the_address_or_in_mlflows_file_serve_too(guarded, tmp_path, monkeypatch):
    run = JournaledRun.make(tmp_path, k=2).complete()
    inside = target_of(f"http://admin:pass-of-admin%2F1+@127.0.0.1:{guarded.port}", "in the address")
    sync([run.folder], inside)
    assert runs_in(guarded, inside.experiment) == {run.run: 3}
    with pytest.raises(TrackingError, match="in its address") as caught:
        sync([run.folder], replace(inside, uri=inside.uri.replace("1+", "2+")))
    assert "pass-of" not in str(caught.value)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".mlflow").mkdir()
    lines = f"[mlflow]\nmlflow_tracking_username = {ADMIN[0]}\nmlflow_tracking_password = "
    (tmp_path / ".mlflow" / "credentials").write_text(lines + ADMIN[1])
    assert sync([run.folder], replace(inside, uri=address_of(guarded))).created == 0
    (tmp_path / ".mlflow" / "credentials").write_text(lines + WRONG)
    with pytest.raises(TrackingError, match=r"\.mlflow/credentials"):
        sync([run.folder], replace(inside, uri=address_of(guarded)))


@pytest.mark.thorough
def test_whoever_may_only_read_there_is_told_what_to_ask_for(guarded, tmp_path, monkeypatch):
    run = JournaledRun.make(tmp_path, k=2).complete()
    guarded.client.create_experiment("of the admin")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", GUEST[0])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", GUEST[1])
    with pytest.raises(TrackingError, match="may not do that there") as caught:
        sync([run.folder], target_of(address_of(guarded), "of the admin"))
    assert "EDIT" in caught.value.next_step
    sync([run.folder], target_of(address_of(guarded), "of the guest"))
    assert runs_in(guarded, "of the guest") == {run.run: 3}


@pytest.mark.thorough
def test_a_token_reaches_a_gateway_that_demands_it(new, tiny_project, monkeypatch):
    run = JournaledRun.make(tiny_project / "runs", k=2).complete()
    with proxy_before(new.port, token=TOKEN) as gateway:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", gateway.address)
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "by token")
        assert "or MLFLOW_TRACKING_TOKEN" in foldproof(tiny_project, "sync", code=2)
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", WRONG)
        assert "it refuses the token of MLFLOW_TRACKING_TOKEN" in foldproof(tiny_project, "sync", code=2)
        assert gateway.done["pass"] == 0
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
        gateway.done.clear()
        assert "1 new in MLflow" in foldproof(tiny_project, "sync")
        assert doctor_of(tiny_project)[0] == "ok"
        assert "2/2" in foldproof(tiny_project, "compare", "--from", f"mlflow:{gateway.address}")
        assert gateway.done["turned away"] == 0
    compare_store(new, "by token", [run.folder], statuses={})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1, by nobody but itself, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    where = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = made.add_extension(where, critical=False).sign(key, hashes.SHA256())
    file = tmp_path_factory.mktemp("certificate") / "here.pem"
    kind = serialization.Encoding.PEM
    secret = key.private_bytes(kind, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + signed.public_bytes(kind))
    return file


@pytest.fixture
def behind_tls(new: Server, certificate: Path) -> Iterator[Proxy]:
    with proxy_before(new.port, certificate=certificate) as proxy:
        yield proxy


@pytest.mark.thorough
def test_a_certificate_of_ones_own_is_trusted_where_it_is_named(
    new, behind_tls, certificate, tiny_project, monkeypatch
):
    run = JournaledRun.make(tiny_project / "runs", k=2).complete()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", behind_tls.address)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "by tls")
    said = foldproof(tiny_project, "sync", code=2)
    assert "its certificate is not trusted (self" in said
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in said
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
    assert "1 new in MLflow" in foldproof(tiny_project, "sync")
    compare_store(new, "by tls", [run.folder], statuses={})
    monkeypatch.delenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    assert foldproof(tiny_project, "sync") == "runs: 0 new in MLflow, 0 completed, 1 already the same\n"
    assert "Insecure" not in foldproof(tiny_project, "compare", "--from", f"mlflow:{behind_tls.address}")


def test_an_address_that_is_no_mlflow_or_speaks_no_tls_is_named(new, tmp_path):
    run = JournaledRun.make(tmp_path, k=2).complete()
    with pytest.raises(TrackingError, match="speaks no TLS"):
        sync([run.folder], target_of(address_of(new).replace("http:", "https:"), "x"))
    with pytest.raises(TrackingError, match="not MLflow"):
        sync([run.folder], target_of(f"{address_of(new)}/elsewhere", "x"))


@pytest.mark.thorough
def test_a_server_that_leaves_files_to_a_store_names_the_package_for_it(tmp_path):
    run = JournaledRun.make(tmp_path, k=2).complete()
    options = ("--default-artifact-root", "s3://bucket/files", "--no-serve-artifacts")
    with served(tmp_path, *options) as server:
        with pytest.raises(TrackingError, match="'boto3', which is not installed") as caught:
            sync([run.folder], target_of(address_of(server), "far files"))
        assert "pip install boto3" in caught.value.next_step


@pytest.mark.thorough
def test_ui_names_a_server_without_its_password(tiny_project, monkeypatch, capfd):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"https://ada:{WRONG.replace('/', '%2F')}@mlflow.example.org")
    monkeypatch.chdir(tiny_project)
    assert run_command(["ui"]) == 0
    assert capfd.readouterr().out == "MLflow: https://ada:***@mlflow.example.org\n"
