"""What a record from elsewhere may ask to be installed, and what a later foldproof may conclude."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from foldproof.analysis.difference import Difference
from foldproof.analysis.divergence import Divergence
from foldproof.bundle.collect import BundleContents
from foldproof.bundle.write import write_bundle
from foldproof.project import Project
from foldproof.provenance.wheel import kept_wheel, own_wheel
from foldproof.reproduce.errors import CannotCheck
from foldproof.reproduce.rebuild import rebuilt, recorded_wheel
from foldproof.reproduce.recorded import Recorded
from foldproof.reproduce.verdict import Extent, FoldCheck, excuse_other_foldproof, judge
from recorded import INLINE, done, train_inline


def recorded(environment: dict[str, object]) -> Recorded:
    return Recorded(
        folder=None, record=None, config=None, dataset=None, folds_table="", rows=(), environments=(environment,),
        code_diff=b"",
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"packages": None, "python": "3.11.2"},
        {"packages": ["numpy"], "python": "3.11.2"},
        {"packages": {"numpy": 2}, "python": "3.11.2"},
        {"packages": {"-e /somewhere/else": "1"}, "python": "3.11.2"},
        {"packages": {"numpy": "1 --index-url=elsewhere"}, "python": "3.11.2"},
        {"packages": {"numpy": "2.1\n-r other.txt"}, "python": "3.11.2"},
        {"packages": {"numpy": "2.1"}, "elsewhere": ["numpy"], "python": "3.11.2"},
        {"packages": {"numpy": "2.1"}, "elsewhere": {"numpy": "file:///x"}, "python": "3.11.2"},
        {"packages": {"numpy": "2.1"}, "python": None},
        {"packages": {"numpy": "2.1"}, "python": "3.11; rm"},
    ],
)
def test_what_is_no_list_of_packages_is_never_handed_to_an_installer(environment, tmp_path):
    wheel = tmp_path / "foldproof.whl"
    wheel.write_bytes(b"")
    with pytest.raises(CannotCheck) as raised, rebuilt(recorded(environment), wheel, tmp_path):
        pass
    assert raised.value.needed
    assert list(tmp_path.iterdir()) == [wheel] or not list(tmp_path.rglob("*.txt"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Project:
    root = train_inline(tmp_path_factory.mktemp("trained"), INLINE.replace(", fast: {train: {lr: 0.01}}", ""))
    return Project(root / "params.yaml")


def kept_in(project: Project) -> tuple[Path, dict[str, str]]:
    """The one wheel that a project keeps, and how a record speaks of it."""
    (path,) = project.wheels.glob("*/*.whl")
    return path, {"file": path.name, "sha256": path.parent.name}


NO_WHEELS = (
    {"sha256": "../../..", "file": "ssh/id"},
    {"sha256": "..", "file": "id"},
    {"sha256": "", "file": "id"},
    {"sha256": "/", "file": "id"},
    {"file": "../../../id"},
    {"file": ".."},
    {"file": ""},
    {"file": "id"},
    {"file": "bundle.json"},
    {"file": "foldproof-1-py3-none-any.whl/../../../../id"},
    {"file": 7},
    {"sha256": None},
    {"sha256": "0" * 64},
)


@pytest.mark.parametrize("said", [*NO_WHEELS, "x", 7, [], None, {}], ids=repr)
def test_a_bundle_packs_no_file_that_a_record_calls_its_wheel(trained, tmp_path, said):
    folder = trained.run_folders()[0]
    _, honest = kept_in(trained)
    secret = trained.root / "id"
    secret.write_text("a private key")
    about = json.loads((folder / "environment.json").read_text())
    stated = {**honest, **said} if isinstance(said, dict) and said else said
    before = (folder / "environment.json").read_bytes()
    (folder / "environment.json").write_text(json.dumps({**about, "foldproof_wheel": stated}))
    try:
        for anonymous in (False, True):
            file = tmp_path / f"{anonymous}.zip"
            write_bundle(folder, trained, file, BundleContents(anonymous=anonymous))
            with zipfile.ZipFile(file) as archive:
                packed = [archive.read(name) for name in archive.namelist()]
                assert not [name for name in archive.namelist() if name.endswith(".whl")]
            assert secret.read_bytes() not in packed
    finally:
        (folder / "environment.json").write_bytes(before)
        secret.unlink()


def test_a_wheel_with_another_content_or_behind_a_link_is_neither_packed_nor_used(tmp_path):
    made = own_wheel()
    said = {"foldproof_wheel": {"file": made.file, "sha256": made.sha256}}
    kept = made.keep(tmp_path / "wheels")
    assert kept_wheel(tmp_path / "wheels", said) == kept
    kept.rename(tmp_path / "elsewhere.whl")
    assert kept_wheel(tmp_path / "wheels", said) is None
    kept.symlink_to(tmp_path / "elsewhere.whl")
    assert kept_wheel(tmp_path / "wheels", said) is None
    kept.unlink()
    kept.write_bytes(made.content + b"x")
    assert kept_wheel(tmp_path / "wheels", said) is None
    given = tmp_path / made.file
    given.write_bytes(made.content + b"x")
    assert recorded_wheel(recorded(said), None, given) is None
    given.write_bytes(made.content)
    assert recorded_wheel(recorded(said), None, given) == given


def test_a_wheel_that_came_with_a_clone_is_not_run(tmp_path):
    (tmp_path / "params.yaml").write_text("version: 1\n")
    project, made = Project(tmp_path / "params.yaml"), own_wheel()
    made.keep(project.wheels)
    said = recorded({"foldproof_wheel": {"file": made.file, "sha256": made.sha256}})
    done(tmp_path, "git", "init", "--quiet")
    assert recorded_wheel(said, project, None) is not None
    done(tmp_path, "git", "add", "--all", "--force")
    assert recorded_wheel(said, project, None) is None


PARTED = FoldCheck(
    repeat=0, fold=0, epochs=1, accuracy_then=0.5, accuracy_now=0.6, weights_sha256="w",
    divergence=Divergence(repeat=0, fold=0, epoch=1, step=2, kind="loss", then="1", now="2"),
)  # fmt: skip
WHOLE = Extent(folds=1, of_folds=1, epochs=1, of_epochs=1)


def test_other_bits_of_a_later_foldproof_say_nothing_against_a_record():
    later = replace(Difference(), code=replace(Difference().code, training_code=True))
    verdict = excuse_other_foldproof(judge([PARTED], later, extent=WHOLE, tolerance=0.01), later)
    assert verdict.word == "CANNOT CHECK HERE"
    assert any("--env rebuild" in line for line in verdict.lines)


def test_other_bits_by_a_later_foldproof_and_other_images_are_a_divergence():
    both = replace(
        Difference(),
        code=replace(Difference().code, training_code=True),
        images=replace(Difference().images, changed=("a.png",)),
    )
    assert excuse_other_foldproof(judge([PARTED], both, extent=WHOLE, tolerance=0.01), both).word == "DIVERGED"
