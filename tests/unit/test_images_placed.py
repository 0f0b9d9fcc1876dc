"""Images of a record are placed below the folder for them and nowhere else, whatever names the record gives them."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foldproof.bundle.collect import BundleContents
from foldproof.bundle.read import opened
from foldproof.bundle.write import write_bundle
from foldproof.data.dataset import Dataset, Sample
from foldproof.project import Project
from foldproof.reproduce.images import Source, place
from foldproof.reproduce.record_source import RecordSource
from foldproof.verify.levels import verify
from recorded import done, train_inline

PARTS = (
    "..", ".", "", "a", "a.png", "A.PNG", "b.png", "images", "images-0", "IMAGES-0", "0000001.png", "0000002.png",
    "ä.png", "a\u0308.png", "x\\y.png", "..\\..\\z.png", "C:x.png", "~", "folds.csv", "secret.png", "n\ne.png",
)  # fmt: skip
NUMBERED = [f"images{more}/000000{number}.png" for more in ("", "-0") for number in range(4)]
PATHS = st.one_of(
    st.sampled_from([*NUMBERED, "../x", "/x.png", "a", "a/b.png"]),
    st.builds(
        lambda head, parts: head + "/".join(parts),
        st.sampled_from(["", "", "", "/", "//", "./", "../", "images/", "images-0/"]),
        st.lists(st.sampled_from(PARTS), min_size=1, max_size=4),
    ),
)


def content(number: int) -> bytes:
    return f"image {number}".encode()


def tree(folder: Path, *, apart_from: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a folder but one in it: kind, size, time and content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        if path != apart_from and apart_from not in path.parents:
            info = path.lstat()
            is_file = path.is_file() and not path.is_symlink()
            body: object = path.read_bytes() if is_file else path.readlink() if path.is_symlink() else None
            found[str(path)] = (info.st_mode, info.st_mtime_ns if is_file else 0, body)
    return found


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=st.lists(PATHS, min_size=1, max_size=6), linked=st.booleans(), named_alike=st.booleans())
def test_whatever_the_names_each_image_has_a_place_of_its_own_and_nothing_else_changes(
    tmp_path_factory, paths, linked, named_alike
):
    here = tmp_path_factory.mktemp("placed")
    source, cache, workshop = here / "data", here / "cache", here / "shop"
    cache.mkdir()
    source.mkdir()
    (here / "secret.png").write_bytes(b"mine")
    for number in range(len(paths)):
        kept = cache / f"{number:032x}"
        kept.write_bytes(content(number))
        target = source / (f"000000{number}.png" if named_alike else f"{number}.PNG")
        target.symlink_to(kept) if linked else shutil.copyfile(kept, target)
    destination = workshop / "images"
    destination.mkdir(parents=True)
    dataset = Dataset.of(
        [Sample(hashlib.sha256(content(number)).hexdigest(), "c", path) for number, path in enumerate(paths)]
    )
    before = tree(here, apart_from=destination)
    made = place(dataset, destination, [Source("here", lambda: source)])
    assert tree(here, apart_from=destination) == before
    names = [sample.path for sample in made.samples]
    assert len(set(names)) == len(names)
    for sample in made.samples:
        path = destination / sample.path
        assert path.parent.resolve().is_relative_to(destination)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sample.sha256
    assert made.fingerprint == dataset.fingerprint


def test_where_the_system_makes_no_links_an_image_is_copied_and_never_through_one(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no links here")

    source, destination = tmp_path / "data", tmp_path / "placed"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.png").write_bytes(content(number))
    (tmp_path / "mine.png").write_bytes(b"mine")
    destination.mkdir()
    (destination / "a.png").symlink_to(tmp_path / "mine.png")
    names = ("a.png", "a.png/b.png", "c.png")
    dataset = Dataset.of(
        [Sample(hashlib.sha256(content(number)).hexdigest(), "c", name) for number, name in enumerate(names)]
    )
    monkeypatch.setattr(Path, "symlink_to", refuse)
    made = place(dataset, destination, [Source("here", lambda: source)])
    assert (tmp_path / "mine.png").read_bytes() == b"mine"
    by_hash = {sample.sha256: destination / sample.path for sample in made.samples}
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == sha256 for sha256, path in by_hash.items())


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    return train_inline(tmp_path_factory.mktemp("trained"))


def renamed(folder: Path, names: dict[int, str]) -> None:
    """Call images of a record something else; no hash of it depends on their paths."""
    about = json.loads((folder / "dataset.json").read_text())
    for number, name in names.items():
        about["samples"][number][0] = name
    (folder / "dataset.json").write_text(json.dumps(about))


@pytest.mark.slow
@pytest.mark.parametrize("by_bundle", [False, True])
@pytest.mark.parametrize("linked", ["not", "by hand", pytest.param("by DVC", marks=pytest.mark.slow)])
def test_verifying_a_record_overwrites_no_image_of_the_project(trained, tmp_path, by_bundle, linked):
    """Numbered as images once were that had no name of their own: a link to the user's file was copied through."""
    root = tmp_path / "project"
    shutil.copytree(trained, root)
    if linked == "by hand":
        for number, path in enumerate(sorted((root / "images").rglob("*.png"))):
            kept = tmp_path / "cache" / f"{number:032x}"
            kept.parent.mkdir(exist_ok=True)
            path.rename(kept)
            path.symlink_to(kept)
    if linked == "by DVC":
        done(root, "git", "init", "--quiet")
        done(root, "dvc", "init", "--quiet")
        done(root, "dvc", "config", "cache.type", "symlink")
        done(root, "dvc", "add", "--quiet", "images")
        assert all(path.is_symlink() for path in (root / "images").rglob("*.png"))
        for path in (root / ".dvc" / "cache").rglob("*"):
            path.chmod(path.stat().st_mode | 0o200)  # as on file systems that have no read-only files
    project = Project(root / "params.yaml")
    folder = tmp_path / "record" / project.run_folders()[0].name
    shutil.copytree(project.run_folders()[0], folder)
    renamed(
        folder,
        {0: "images/0000002.png", 1: "images-0/0000003.png", 2: "../x", 3: "/etc/x.png", 4: "images/0000002.png"},
    )
    before = tree(tmp_path, apart_from=root / ".foldproof")
    if by_bundle:
        away = tmp_path / "away"
        shutil.copytree(root, away)
        shutil.rmtree(away / "runs" / folder.name)
        shutil.copytree(folder, away / "runs" / folder.name)
        file = tmp_path / "run.zip"
        write_bundle(away / "runs" / folder.name, Project(away / "params.yaml"), file, BundleContents(weights=True))
        before = tree(tmp_path, apart_from=root / ".foldproof")
        with opened(file) as bundle:
            found = verify(RecordSource(folder=bundle.run_folder, is_foreign=True, images=bundle.images), project)
    else:
        found = verify(RecordSource(folder=folder, is_foreign=True), project)
    assert tree(tmp_path, apart_from=root / ".foldproof") == before
    assert "L2" in found.verdict
    assert found.is_sound
    assert not list((root / ".foldproof").glob("reproduce-*"))
