"""A run as one file: whole, the same every time, safe to open whoever made it, and silent about whose it is."""

import getpass
import hashlib
import json
import random
import re
import shutil
import socket
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foldproof.bundle.collect import BundleContents
from foldproof.bundle.read import is_bundle, opened
from foldproof.bundle.write import write_bundle
from foldproof.errors import DamagedFile, SettingsError, StorageError
from foldproof.project import Project
from foldproof.records.record import RunRecord
from foldproof.reproduce.record_source import RecordSource
from foldproof.verify.levels import verify
from recorded import INLINE, train_inline

GOLDEN = Path(__file__).parent / "bundles" / "foldproof-0.1.0.zip"
ALL = BundleContents(images=True, weights=True, states=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """Two experiments; the first was run twice."""
    root = train_inline(tmp_path_factory.mktemp("bundled"))
    train_inline(root, INLINE.replace(", fast: {train: {lr: 0.01}}", ""))
    return Project(root / "params.yaml")


def newest(project: Project) -> Path:
    return max(project.run_folders(), key=lambda folder: folder.stat().st_mtime)


def subject(path: Path, run_folder: Path, images: Path | None) -> RecordSource:
    return RecordSource(folder=run_folder, is_foreign=True, with_company=True, images=images)


@pytest.mark.slow
def test_a_bundle_holds_the_record_and_verifies_where_no_project_is(project, tmp_path):
    run = newest(project)
    path = tmp_path / "run.zip"
    write_bundle(run, project, path, ALL)
    with opened(path) as bundle:
        assert RunRecord.read(bundle.run_folder).run == run.name
        assert bundle.wheel is not None
        found = verify(subject(path, bundle.run_folder, bundle.images), None)
        assert found.verdict == "HOLDS: L0, L1, L2"
        names = set(bundle.manifest["files"])
    assert {"README.md", "codecheck.yml", "ro-crate-metadata.json"} <= names


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes(project, tmp_path):
    made = [write_bundle(newest(project), project, tmp_path / f"{n}" / "run.zip", ALL).path for n in range(2)
            if not (tmp_path / f"{n}").mkdir()]  # fmt: skip
    assert made[0].read_bytes() == made[1].read_bytes()


def test_the_metadata_lists_every_file_with_its_hash(project, tmp_path):
    path = write_bundle(newest(project), project, tmp_path / "run.zip", BundleContents()).path
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("bundle.json"))
        crate = json.loads(archive.read("ro-crate-metadata.json"))
        check = json.loads(archive.read("codecheck.yml"))
        readme = archive.read("README.md").decode()
        names = set(archive.namelist())
    assert set(manifest["files"]) == names - {"bundle.json"}
    described = {item["@id"]: item for item in crate["@graph"]}
    files = {name: item["sha256"] for name, item in described.items() if item["@type"] == "File"}
    assert files == {name: sha for name, sha in manifest["files"].items() if name != "ro-crate-metadata.json"}
    assert described["./"]["mentions"][0]["@id"] in described
    assert all(item["file"] in names for item in check["manifest"])
    assert "foldproof verify run.zip" in readme


def test_a_run_of_the_experiment_that_is_left_out_is_found(project, tmp_path):
    with opened(write_bundle(newest(project), project, tmp_path / "run.zip", BundleContents()).path) as bundle:
        assert verify(subject(tmp_path, bundle.run_folder, None), None, highest=0).is_sound
        other = next(
            folder for folder in bundle.run_folder.parent.iterdir()
            if folder != bundle.run_folder
            and json.loads((folder / "run.json").read_text())["experiment"] == "slow"
        )  # fmt: skip
        shutil.rmtree(other)
        found = verify(subject(tmp_path, bundle.run_folder, None), None, highest=0)
    assert not found.is_sound
    (company,) = (check for check in found.levels[0].checks if check.name == "company")
    assert other.name in company.problems[0]


@pytest.mark.slow
def test_an_anonymous_bundle_tells_nobody_and_still_holds(project, tmp_path):
    run = newest(project)
    path = write_bundle(
        run, project, tmp_path / "run.zip", BundleContents(images=True, weights=True, anonymous=True)
    ).path
    facts = json.loads((run / "environment.json").read_text())
    texts = {str(project.root), str(Path.home()), socket.gethostname(), facts["machine"]["hostname"]}
    with suppress(OSError, KeyError):
        texts.add(getpass.getuser())
    words = [re.compile(rf"\b{re.escape(text)}\b".encode()) for text in texts - {"root", "/root"}]
    words += [re.compile(re.escape(s[0]).encode()) for s in json.loads((run / "dataset.json").read_text())["samples"]]
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith((".whl", ".safetensors", ".png", ".f32")):
                content = archive.read(name)
                assert not [word for word in words if word.search(content)], name
    with opened(path) as bundle:
        assert bundle.manifest["anonymous"] is True
        assert verify(subject(path, bundle.run_folder, bundle.images), None, highest=1).verdict == "HOLDS: L0, L1"


@pytest.mark.slow
def test_groups_would_show_in_an_anonymous_bundle_so_it_is_refused(tmp_path):
    root = train_inline(tmp_path / "grouped_", INLINE.replace("path: images", "path: images, group_by: '([0-9]+)'")) \
        if (tmp_path / "grouped_").mkdir() is None else tmp_path  # fmt: skip
    project = Project(root / "params.yaml")
    with pytest.raises(SettingsError, match="groups"):
        write_bundle(newest(project), project, tmp_path / "run.zip", BundleContents(anonymous=True))
    assert not (tmp_path / "run.zip").exists()


def test_a_name_that_shows_all_the_same_stops_an_anonymous_bundle(project, tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "slow")  # as the experiment is called
    with pytest.raises(StorageError, match="the host"):
        write_bundle(newest(project), project, tmp_path / "run.zip", BundleContents(anonymous=True))
    assert not (tmp_path / "run.zip").exists()


def test_a_place_that_cannot_be_written_is_an_error_and_leaves_nothing(project, tmp_path):
    with pytest.raises(StorageError):
        write_bundle(newest(project), project, tmp_path / "no" / "such" / "run.zip", BundleContents())


@pytest.fixture(scope="module")
def small(project, tmp_path_factory) -> bytes:
    return write_bundle(
        newest(project), project, tmp_path_factory.mktemp("small") / "run.zip", BundleContents()
    ).path.read_bytes()


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.sampled_from(["flip", "cut", "insert"]))
def test_damage_anywhere_is_an_error_of_ours_or_no_harm(small, tmp_path, seed, what):
    chance = random.Random(seed)
    content = bytearray(small)
    at = chance.randrange(len(content))
    if what == "flip":
        content[at] ^= 1 << chance.randrange(8)
    elif what == "cut":
        del content[at:]
    else:
        content[at:at] = chance.randbytes(chance.randrange(1, 40))
    path = tmp_path / "damaged.zip"
    path.write_bytes(bytes(content))
    if not is_bundle(path):
        return
    with suppress(DamagedFile), opened(path) as bundle:
        for name, sha256 in bundle.manifest["files"].items():  # whatever was damaged says nothing of a file
            file = bundle.run_folder.parent.parent / name
            assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256


@pytest.mark.parametrize(
    "name", ["../escaped", "/etc/escaped", "runs/../../escaped", "C:\\escaped", "runs\\..\\escaped", "a\0b"]
)
def test_no_name_leads_out_of_where_it_is_unpacked(tmp_path, name):
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
        archive.writestr("bundle.json", json.dumps({"v": 1, "run": "r", "files": {name.split("\0")[0]: "0" * 64}}))
    with pytest.raises(DamagedFile), opened(path):
        pass
    assert not list(tmp_path.rglob("escaped"))


def test_a_link_in_a_bundle_becomes_no_link(tmp_path):
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("runs/r/run.json")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        files = {"runs/r/run.json": hashlib.sha256(b"/etc/passwd").hexdigest()}
        archive.writestr("bundle.json", json.dumps({"v": 1, "run": "r", "files": files}))
    with opened(path) as bundle:
        assert not (bundle.run_folder / "run.json").is_symlink()
        with pytest.raises(DamagedFile):
            RunRecord.read(bundle.run_folder)


@pytest.mark.slow
def test_what_would_fill_the_disk_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("runs/r/run.json", bytes(50 * 2**20))
        archive.writestr("bundle.json", json.dumps({"v": 1, "run": "r", "files": {"runs/r/run.json": "0" * 64}}))
    with pytest.raises(DamagedFile), opened(path):
        pass


def test_the_bundle_of_the_first_version_stays_readable():
    with opened(GOLDEN) as bundle:
        assert bundle.manifest["v"] == 1
        record = RunRecord.read(bundle.run_folder)
        assert (record.experiment, len(record.finished)) == ("golden", 3)
        assert record.last_accuracy.mean == pytest.approx(
            json.loads(GOLDEN.with_suffix(".json").read_text())["accuracy"]
        )
        found = verify(subject(GOLDEN, bundle.run_folder, bundle.images), None, highest=0)
    assert found.verdict == "HOLDS: L0"
