"""What the doctor finds in real projects, and what it says to do."""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import SETTINGS
from foldproof.data.versions import dvc, unfinished
from foldproof.data.versions.add import add
from foldproof.doctor.check import ProjectCheck
from foldproof.doctor.examine import examine
from foldproof.project import Project
from journaled import JournaledRun


@dataclass(frozen=True)
class NearlyFull:
    free: int = 10**6


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tiny_project) -> Path:
    """Committed, versioned and pushed."""
    git(tiny_project, "init", "--quiet")
    dvc.init(tiny_project)
    dvc.add_local_remote(tiny_project, "store", tiny_project.parent / "store")
    add(tiny_project / "images")
    dvc.push(tiny_project)
    (tiny_project / ".gitignore").write_text("/images\n/.foldproof/\n/runs/\n")
    git(tiny_project, "add", "--all")
    git(tiny_project, "commit", "--quiet", "--message", "all")
    return tiny_project


def seen(project: Path, environ: dict[str, str] | None = None) -> dict[str, ProjectCheck]:
    found = examine(Project(project / "params.yaml"), environ or {})
    assert found.is_fit == all(check.state != "bad" for check in found.checks)
    return {check.name: check for check in found.checks}


@pytest.mark.slow
def test_a_project_in_order_could_be_reproduced(project):
    found = examine(Project(project / "params.yaml"), {})
    assert found.is_fit
    assert found.verdict == "a run started now could be reproduced"
    assert {check.name for check in found.checks if check.state == "ok"} >= {
        "settings", "code", "folds", "images", "record", "remote", "packages", "disk", "device", "tracking", "runs"
    }  # fmt: skip


def test_every_check_that_is_not_ok_says_what_to_do(tiny_project):
    found = examine(Project(tiny_project / "params.yaml"), {})
    assert not found.is_fit
    assert all(check.next_step for check in found.checks if check.state != "ok")


@pytest.mark.slow
def test_images_that_nobody_versioned_are_bad(tiny_project):
    assert seen(tiny_project)["images"].state == "bad"
    assert "data add" in seen(tiny_project)["images"].next_step


@pytest.mark.slow
def test_an_edited_image_is_bad(project):
    path = next((project / "images" / "cat").iterdir())
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content + b"\0")
    found = seen(project)["images"]
    assert found.state == "bad"
    assert path.name in found.said


@pytest.mark.slow
def test_objects_that_the_remote_lost_are_found_by_hash_though_everything_was_pushed(project):
    lost = next(path for path in sorted((project.parent / "store").rglob("*")) if path.is_file())
    lost.unlink()
    assert dvc.push(project) <= 1
    lost.unlink(missing_ok=True)
    found = seen(project)["remote"]
    assert found.state == "bad"
    assert "1 files" in found.said
    assert "dvc push" in found.next_step


@pytest.mark.slow
def test_a_dvc_file_that_git_does_not_know_is_bad(project):
    git(project, "rm", "--quiet", "--cached", "images.dvc")
    git(project, "commit", "--quiet", "--message", "less")
    assert seen(project)["record"].state == "bad"


@pytest.mark.slow
def test_without_a_remote_the_images_are_on_this_machine_alone(project):
    subprocess.run(["git", "config", "--file", ".dvc/config", "--remove-section", "core"], cwd=project, check=True)
    assert seen(project)["remote"].state == "bad"


@pytest.mark.slow
def test_a_module_that_is_trained_with_and_not_in_git_is_bad(project):
    (project / "own.py").write_text("def net(*, classes, pretrained): ...\n")
    (project / "params.yaml").write_text(SETTINGS.replace("small_cnn", "'own:net'"))
    found = seen(project)["code"]
    assert found.state == "bad"
    assert "own.py" in found.said
    git(project, "add", "own.py")
    assert seen(project)["code"].state == "note"
    git(project, "commit", "--quiet", "--all", "--message", "own")
    assert seen(project)["code"].state == "ok"


@pytest.mark.slow
def test_portable_settings_are_told_from_those_of_this_processor(project):
    assert seen(project)["arithmetic"].state == "note"
    (project / "params.yaml").write_text(SETTINGS.replace("seed: 5", "seed: 5, portable: true"))
    assert seen(project)["arithmetic"].state == "ok"


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_a_note_since_runs_go_on(project):
    found = seen(project, {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"})["tracking"]
    assert found.state == "note"
    assert "sync" in found.next_step


@pytest.mark.slow
def test_a_store_in_a_folder_that_is_not_there_is_bad(project):
    assert seen(project, {"MLFLOW_TRACKING_URI": "sqlite:////no/such/folder/mlflow.db"})["tracking"].state == "bad"


@pytest.mark.slow
def test_a_package_from_a_folder_is_named(project, tmp_path, monkeypatch):
    info = tmp_path / "site" / "homemade-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: homemade\nVersion: 1.0\n")
    (info / "direct_url.json").write_text('{"url": "file:///somewhere/homemade", "dir_info": {}}')
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    found = seen(project)["packages"]
    assert found.state == "note"
    assert "homemade" in found.said


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
def test_it_changes_nothing(project):
    def there() -> dict[str, bytes]:
        files = [path for path in project.rglob("*") if path.is_file() and ".dvc" not in path.parts]
        return {str(path): path.read_bytes() for path in files if ".git" not in path.parts}

    before = there()
    examine(Project(project / "params.yaml"), {})
    assert there() == before


def test_a_full_disk_is_bad_before_the_run_and_not_in_it(tiny_project, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: NearlyFull())
    assert seen(tiny_project)["disk"].state == "bad"


def test_modules_from_beside_are_named(tiny_project, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    found = examine(Project(tiny_project / "params.yaml"), {})
    assert any("PYTHONPATH" in check.said for check in found.checks)


def test_more_threads_than_cores_are_named(tiny_project):
    settings = tiny_project / "params.yaml"
    settings.write_text(settings.read_text().replace("seed: 5}", "seed: 5, threads: 256}"))
    assert "256" in seen(tiny_project)["device"].said


@pytest.mark.slow
@pytest.mark.parametrize("what", ["pull", "add"])
def test_images_that_are_half_there_are_bad(project, what):
    unfinished.write(project, unfinished.Note(kind=what, folder="images"))
    check = seen(project)["images"]
    assert check.state == "bad"
    assert f"data {what}" in check.next_step


@pytest.mark.slow
def test_a_run_that_was_cut_off_is_named(tiny_project):
    assert seen(tiny_project)["runs"].state == "ok"
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    JournaledRun.make(tiny_project / "runs", about=(platform.node(), int(gone.stdout))).start()
    check = seen(tiny_project)["runs"]
    assert (check.state, "--resume" in check.next_step) == ("note", True)


@pytest.mark.slow
def test_a_filter_that_the_repository_brings_is_named_and_not_run(project, tmp_path):
    git(project, "config", "filter.theirs.clean", f"touch '{tmp_path}/ran'; cat")
    (project / ".gitattributes").write_text("*.yaml filter=theirs\n")
    found = seen(project)["filters"]
    assert found.state == "note"
    assert "theirs" in found.said
    assert not (tmp_path / "ran").exists()
