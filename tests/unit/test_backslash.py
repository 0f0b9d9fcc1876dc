"""A class or a file with a backslash in its name, which only Windows reads as a folder, goes all the way."""

import os
import shutil
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from conftest import draw_classes
from foldproof.bundle.collect import BundleContents
from foldproof.bundle.read import opened
from foldproof.bundle.write import write_bundle
from foldproof.executors.stopping import Stopping
from foldproof.project import Project
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.reproduce import reproduce
from foldproof.reproduce.request import Request
from foldproof.verify.levels import verify
from recorded import INLINE, train_inline

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows reads a backslash as the end of a folder")
SETTINGS = INLINE.replace(", fast: {train: {lr: 0.01}}", "").replace("epochs: 3", "epochs: 2")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    root = tmp_path_factory.mktemp("backslash")
    draw_classes(root / "images", classes=("cat", "dog\\big", "eel\\..\\..\\x"))
    first = root / "images" / "cat" / "000.png"
    first.rename(first.with_name("C:\\000.png"))
    return Project(train_inline(root, SETTINGS) / "params.yaml")


@pytest.mark.slow
def test_its_run_is_verified_and_comes_out_again(project):
    subject = RecordSource(folder=project.run_folders()[0], is_foreign=False)
    assert verify(subject, project).verdict == "HOLDS: L0, L1, L2"
    with closing(Stopping()) as stopping:
        verdict = reproduce(subject, project, Request(epochs=1), stopping=stopping, quiet=True)
    assert verdict is not None
    assert verdict.word == "REPRODUCED"


@pytest.mark.slow
@pytest.mark.parametrize("anonymous", [False, True])
def test_its_bundle_holds_where_no_project_is(project, tmp_path, anonymous):
    wanted = BundleContents(images=True, weights=True, states=True, anonymous=anonymous)
    write_bundle(project.run_folders()[0], project, tmp_path / "run.zip", wanted)
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        names = [name for name in archive.namelist() if name.startswith("images/")]
    assert len(names) == 18
    assert anonymous or "images/dog\\big/000.png" in names
    with opened(tmp_path / "run.zip") as bundle:
        subject = RecordSource(folder=bundle.run_folder, is_foreign=True, with_company=True, images=bundle.images)
        assert verify(subject, None).verdict == "HOLDS: L0, L1, L2"
        with closing(Stopping()) as stopping:
            verdict = reproduce(subject, None, Request(epochs=1), stopping=stopping, quiet=True)
    assert verdict is not None
    assert verdict.word == "REPRODUCED"


@pytest.mark.slow
def test_a_record_elsewhere_finds_its_images_by_their_content(project, tmp_path):
    record = tmp_path / "record"
    shutil.copytree(project.run_folders()[0], record)
    images = tmp_path / "renamed"
    images.mkdir()
    for number, path in enumerate(sorted(Path(project.root / "images").rglob("*.png"))):
        shutil.copyfile(path, images / f"{number}\\x.png")
    assert verify(RecordSource(folder=record, is_foreign=True, images=images), None).verdict == "HOLDS: L0, L1, L2"
