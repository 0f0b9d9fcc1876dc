"""DVC remotes elsewhere: plugins that are missing, and a real S3 server in an environment that has its plugin."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import draw_classes
from foldproof.data.versions import dvc
from foldproof.data.versions.add import add
from foldproof.data.versions.pull import pull
from foldproof.errors import DataError
from stored import KEY, SECRET, Store, s3_store, ssh_store

WRONG = "s3cret-of-nobody/2+"


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


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with s3_store(tmp_path_factory.mktemp("s3")) as store:
        yield store


def settings_of(store: Store, **other: str) -> dict[str, str]:
    usual = {"endpointurl": store.address, "access_key_id": KEY, "secret_access_key": SECRET}
    return {"url": "s3://images/data", **usual, **other}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.thorough
def test_images_come_back_from_s3_and_what_is_wrong_there_is_said(s3, project):
    python = s3.python
    configure(project, python=python, **settings_of(s3))
    do(python, project, "dvc", "push", "--quiet")
    lose(project)
    assert "18 files" in do(python, project, "foldproof", "data", "pull")
    lose(project)
    configure(project, python=python, **settings_of(s3, secret_access_key=WRONG))
    assert "credentials are missing or refused" in do(python, project, "foldproof", "data", "pull", code=2)
    configure(project, python=python, **settings_of(s3, url="s3://no-such-bucket/data"))
    assert "there is no such bucket" in do(python, project, "foldproof", "data", "pull", code=2)
    configure(project, python=python, **settings_of(s3))
    objects = [path for path in s3.folder.rglob("*") if path.is_file() and path.suffix != ".dir"]
    objects[0].write_bytes(b"not what its name says")
    assert "damaged there" in do(python, project, "foldproof", "data", "pull", code=2)
    assert not list((project / "photos").rglob("*.png"))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.thorough
def test_images_come_back_over_ssh_for_whoever_has_the_key(project, tmp_path):
    import asyncssh

    for name in ("ours", "nobodys"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(tmp_path / name)
        key.write_public_key(tmp_path / f"{name}.pub")
    (tmp_path / "far").mkdir()
    with ssh_store(tmp_path / "far", tmp_path / "ours.pub") as store:
        configure(project, python=store.python, url=store.address, keyfile=str(tmp_path / "ours"))
        do(store.python, project, "dvc", "push", "--quiet")
        lose(project)
        assert "18 files" in do(store.python, project, "foldproof", "data", "pull")
        lose(project)
        configure(project, python=store.python, url=store.address, keyfile=str(tmp_path / "nobodys"))
        assert "credentials are missing or refused" in do(store.python, project, "foldproof", "data", "pull", code=2)
    assert "the server cannot be reached" in do(store.python, project, "foldproof", "data", "pull", code=2)
