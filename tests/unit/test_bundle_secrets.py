"""A bundle holds no secret that nobody decided on, and an anonymous one says neither commit, data hash nor camera."""

import json
import os
import pty
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from foldproof.bundle.anonymous import still_tells
from foldproof.bundle.collect import BundleContents
from foldproof.bundle.read import opened
from foldproof.bundle.secrets import SecretsFound
from foldproof.bundle.write import write_bundle
from foldproof.errors import DataError
from foldproof.project import Project
from foldproof.records.record import RunRecord
from foldproof.reproduce.errors import CannotCheck
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.recorded import Recorded
from foldproof.reproduce.worktree import place_recorded_code
from foldproof.verify.levels import verify
from leaking import made
from recorded import INLINE, call, done, draw_classes, train_inline

TOKEN = made("hf_", 34)
PASSWORD = "swordfish7swordfish"
SETTINGS = INLINE.replace(
    "experiments: {slow: {}, fast: {train: {lr: 0.01}}}",
    "experiments: {plain: {}, own: {train: {backbone: 'lab_net:net'}}}",
)
NET = """\
from foldproof.models.small_cnn import small_cnn as net
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Two experiments, trained with secrets in code that was not committed; one of them has its own backbone."""
    root = tmp_path_factory.mktemp("leaky") / "project"
    draw_classes(root / "images")
    (root / "params.yaml").write_text(SETTINGS)
    (root / "lab_net.py").write_text(NET)
    (root / ".gitignore").write_text("/images\n/runs/\n/.foldproof/\n__pycache__/\n")
    done(root, "git", "init", "--quiet")
    done(root, "git", "add", "--all")
    done(root, "git", "commit", "--quiet", "--message", "all")
    (root / "lab_net.py").write_text(f'{NET}\n\nTOKEN = "{TOKEN}"\nPASSWORD = "{PASSWORD}"\nkey = "image"\n')
    sys.path.insert(0, str(root))
    here = Path.cwd()
    os.chdir(root)
    try:
        yield Project(train_inline(root, SETTINGS) / "params.yaml")
    finally:
        os.chdir(here)
        sys.path.remove(str(root))


def run_of(project: Project, experiment: str = "plain") -> Path:
    return next(
        folder
        for folder in project.run_folders()
        if json.loads((folder / "run.json").read_text())["experiment"] == experiment
    )


def subject(run_folder: Path, images: Path | None) -> RecordSource:
    return RecordSource(folder=run_folder, is_foreign=True, with_company=True, images=images)


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.slow
def test_the_run_says_which_lines_look_like_secrets_and_not_the_secrets(project: Project) -> None:
    journal = (run_of(project) / "events.jsonl").read_text()
    assert "uncommitted code with 2 lines that look like secrets is kept in code.diff: " in journal
    assert "lab_net.py:4, lab_net.py:5" in journal
    assert TOKEN not in journal
    assert PASSWORD not in journal


@pytest.mark.slow
def test_the_diff_of_a_run_stays_as_it_is_so_that_it_can_be_applied(project: Project) -> None:
    assert TOKEN.encode() in (run_of(project) / "code.diff").read_bytes()
    assert Recorded.read(run_of(project)).has_whole_diff


def test_a_bundle_with_secrets_in_code_is_refused_and_the_lines_are_named(project: Project, tmp_path: Path) -> None:
    with pytest.raises(SecretsFound) as caught:
        write_bundle(run_of(project), project, tmp_path / "run.zip", BundleContents())
    said = str(caught.value)
    assert "lab_net.py:4 (a Hugging Face token), lab_net.py:5 (a value of PASSWORD)" in said
    assert "--redact-code" in said
    assert "--with-secrets" in said
    assert TOKEN not in said
    assert PASSWORD not in said
    assert len(said.splitlines()) <= 3
    assert not (tmp_path / "run.zip").exists()


def test_secrets_left_out_of_code_leave_a_bundle_that_holds_and_cannot_be_applied(
    project: Project, tmp_path: Path
) -> None:
    run = run_of(project, "own")
    path = write_bundle(run, project, tmp_path / "run.zip", BundleContents(secrets="leave out of code")).path
    texts = b"\n".join(contents(path).values())
    assert TOKEN.encode() not in texts
    assert PASSWORD.encode() not in texts
    with opened(path) as bundle:
        assert verify(subject(bundle.run_folder, None), None, highest=0).verdict == "HOLDS: L0"
        recorded = Recorded.read(bundle.run_folder)
        assert b"***" in recorded.code_diff
        assert not recorded.has_whole_diff
        (tmp_path / "shop").mkdir()
        with pytest.raises(CannotCheck, match="secrets in them, which were left out"):
            place_recorded_code(tmp_path / "shop", project, recorded, is_foreign=False)


def test_secrets_that_somebody_decided_to_pack_go_along_bit_for_bit(project: Project, tmp_path: Path) -> None:
    run = run_of(project)
    path = write_bundle(run, project, tmp_path / "run.zip", BundleContents(secrets="keep")).path
    assert contents(path)[f"runs/{run.name}/code.diff"] == (run / "code.diff").read_bytes()


def test_an_anonymous_bundle_has_no_diff_so_nothing_is_asked(project: Project, tmp_path: Path) -> None:
    path = write_bundle(run_of(project), project, tmp_path / "run.zip", BundleContents(anonymous=True)).path
    assert not [name for name in contents(path) if name.endswith("code.diff")]


@pytest.mark.parametrize("place", ["environment.json", "report/report.md", "data-card.md"])
def test_a_secret_in_any_other_text_stops_a_bundle(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    file = run_of(project) / place
    before = file.read_bytes() if file.exists() else None
    file.parent.mkdir(exist_ok=True)
    environment = json.loads((run_of(project) / "environment.json").read_bytes())
    text = json.dumps({**environment, "note": "as-spoken-by-us"}) if place.endswith("json") else "as-spoken-by-us"
    file.write_text(text)
    try:
        write_bundle(run_of(project), project, tmp_path / "before.zip", BundleContents(secrets="leave out of code"))
        monkeypatch.setenv("LAB_PASSWORD", "as-spoken-by-us")
        with pytest.raises(SecretsFound, match=rf"{place}:1 \(the value of an environment variable\)") as caught:
            write_bundle(run_of(project), project, tmp_path / "run.zip", BundleContents(secrets="leave out of code"))
        assert "spoken" not in str(caught.value)
    finally:
        file.unlink() if before is None else file.write_bytes(before)
    assert not (tmp_path / "run.zip").exists()


@pytest.mark.slow
def test_the_command_refuses_with_2_and_packs_when_told(project: Project, tmp_path: Path) -> None:
    run = run_of(project).name
    refused = call(project.root, "foldproof", "bundle", run, "-o", str(tmp_path / "a.zip"))
    assert refused.returncode == 2
    assert "lab_net.py:4" in refused.stderr
    assert TOKEN not in refused.stderr + refused.stdout
    assert len(refused.stderr.strip().splitlines()) <= 3
    both = call(project.root, "foldproof", "bundle", run, "--redact-code", "--with-secrets")
    assert both.returncode == 2
    done(project.root, "foldproof", "bundle", run, "-o", str(tmp_path / "b.zip"), "--redact-code")
    done(project.root, "foldproof", "bundle", run, "-o", str(tmp_path / "c.zip"), "--with-secrets")
    assert {path.name for path in tmp_path.iterdir()} == {"b.zip", "c.zip"}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")
@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 2), ("\n", 2)])
def test_at_a_terminal_it_asks(project: Project, tmp_path: Path, typed: str, code: int) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    command = [sys.executable, "-m", "foldproof", "bundle", run_of(project).name, "-o", str(tmp_path / "a.zip")]
    try:
        done = subprocess.run(
            command, cwd=project.root, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, timeout=120, check=False
        )
        said = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == code
    assert "pack it as it is? [y/N]" in said
    assert TOKEN not in said
    assert (tmp_path / "a.zip").exists() == (code == 0)


def test_an_anonymous_bundle_names_neither_commit_nor_data(project: Project, tmp_path: Path) -> None:
    run = run_of(project)
    environment = json.loads((run / "environment.json").read_bytes())
    commit, before = environment["git"]["commit"], (run / "environment.json").read_bytes()
    environment["data"] |= {"dvc_hash": "0123456789abcdef0123456789abcdef.dir", "remote": "'lab' (s3://lab/store)"}
    (run / "environment.json").write_text(json.dumps(environment))
    try:
        path = write_bundle(run, project, tmp_path / "run.zip", BundleContents(anonymous=True)).path
        again = write_bundle(run, project, tmp_path / "again" / "run.zip", BundleContents(anonymous=True)).path \
            if not (tmp_path / "again").mkdir() else path  # fmt: skip
    finally:
        (run / "environment.json").write_bytes(before)
    texts = b"\n".join(content for name, content in contents(path).items() if not name.endswith(".whl"))
    for telling in (commit, commit[:7], "0123456789abcdef0123456789abcdef", "s3://lab"):
        assert telling.encode() not in texts
    assert path.read_bytes() == again.read_bytes()
    assert b"its commit left out" in contents(path)["README.md"]
    with opened(path) as bundle:
        assert verify(subject(bundle.run_folder, bundle.images), None, highest=0).verdict == "HOLDS: L0"


def test_an_anonymous_bundle_of_own_code_says_what_it_names_and_that_it_has_no_commit(
    project: Project, tmp_path: Path
) -> None:
    made = write_bundle(run_of(project, "own"), project, tmp_path / "run.zip", BundleContents(anonymous=True))
    assert "own code lab_net:net" in made.still_tells
    assert "experiment own" in made.still_tells
    with opened(made.path) as bundle, pytest.raises(CannotCheck, match="an anonymous bundle does not say"):
        place_recorded_code(tmp_path / "shop", project, Recorded.read(bundle.run_folder), is_foreign=True)


def test_an_anonymous_bundle_says_also_what_its_metric_names(project: Project) -> None:
    record = RunRecord.read(run_of(project, "own"))
    full = record.facts["settings"]
    facts = {**record.facts, "settings": {**full, "compare": {"metric": "lab_net:score", "rope": 1.0}}}
    assert "own code lab_net:net, lab_net:score" in still_tells(replace(record, facts=facts), {})


@pytest.mark.slow
def test_images_that_name_somebody_are_refused_in_an_anonymous_bundle_and_named(tmp_path: Path) -> None:
    root = tmp_path / "project"
    draw_classes(root / "images")
    paths = sorted((root / "images").rglob("*.png"))[:5]
    for number, path in enumerate(paths):
        block = Image.Exif()
        block[315], block[33432] = f"Ada {number}", "Lovelace"
        picture = Image.open(path)
        picture.load()
        picture.save(path, exif=block)
    train_inline(root, INLINE.replace(", fast: {train: {lr: 0.01}}", ""))
    project = Project(root / "params.yaml")
    (run,) = project.run_folders()
    with pytest.raises(DataError) as caught:
        write_bundle(run, project, tmp_path / "run.zip", BundleContents(images=True, anonymous=True))
    said = str(caught.value)
    assert f"{paths[0]}: Artist, Copyright" in said
    assert "and 2 more" in said
    assert len(said.splitlines()) <= 3
    assert "Lovelace" not in said
    assert not (tmp_path / "run.zip").exists()
    write_bundle(run, project, tmp_path / "named.zip", BundleContents(images=True))
    write_bundle(run, project, tmp_path / "without.zip", BundleContents(anonymous=True))
