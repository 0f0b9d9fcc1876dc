"""States that a record holds are read and copied as plain files of a bounded size, named as a training names them."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from foldproof.config.identity import canonical_json
from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.project import Project
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.states import Stored, last_before_the_end, said_by_states, state_before
from foldproof.verify.levels import verify
from recorded import train_inline

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no pipes in folders")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    return train_inline(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def run(trained, tmp_path) -> Path:
    root = tmp_path / "project"
    shutil.copytree(trained, root)
    (tmp_path / "secret").write_text("secret")
    return Project(root / "params.yaml").run_folders()[0]


def state_of(run: Path) -> Stored:
    found = last_before_the_end(run, FoldId(0, 0), 3)
    assert found is not None
    return found


def described(path: Path, change: dict[str, object]) -> None:
    """Another description of a state, with the checksum that fits."""
    about = {**json.loads(path.read_bytes()), **change}
    about.pop("sha256")
    path.write_bytes(canonical_json({**about, "sha256": hashlib.sha256(canonical_json(about)).hexdigest()}))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link(target: str) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    return do


def huge(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(2**42)


DEEDS = {
    "a pipe": pipe,
    "a link to /dev/zero": link("/dev/zero"),
    "a link out": link("../../../../secret"),
    "a file of 4 TiB": huge,
}


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("which", ["state-*.json", "state-*.safetensors"])
def test_a_state_that_is_no_plain_file_is_refused_at_once(run, tmp_path, deed, which):
    for path in (run / "fold-0-0").glob(which):
        DEEDS[deed](path)
    state = state_of(run)
    (tmp_path / "copy").mkdir()
    with pytest.raises(DamagedFile) as refused:
        state.copy_to(tmp_path / "copy")
    assert len(str(refused.value).splitlines()) <= 3
    if which.endswith("json"):
        assert list((tmp_path / "copy").iterdir()) == []
    assert said_by_states(run, run, FoldId(0, 0)) == () or which.endswith("safetensors")
    project = Project(run.parent.parent / "params.yaml")
    found = verify(RecordSource(folder=run, is_foreign=True), project)
    assert not found.is_sound
    assert any("state-" in problem for level in found.levels for check in level.checks for problem in check.problems)


@pytest.mark.parametrize(
    "name",
    [
        "../../../../secret", "/etc/passwd", "secret", "model.safetensors", "state-000003-00000000-../x.safetensors",
        "", 7, None, "state-000003-00000000-00.json", "state-000003-00000000-00.safetensors\n",
        "x/state-000003-00000000-00.safetensors",
    ],
)  # fmt: skip
def test_a_state_that_names_another_file_as_its_own_is_not_copied(run, tmp_path, name):
    state = state_of(run)
    described(state.checked(), {"file": name})
    (tmp_path / "copy").mkdir()
    with pytest.raises(DamagedFile):
        state.copy_to(tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_a_copy_takes_the_place_of_nothing_and_follows_no_link(run, tmp_path):
    state = state_of(run)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / state.name).symlink_to(tmp_path / "secret")
    with pytest.raises(DamagedFile):
        state.copy_to(tmp_path / "copy")
    assert (tmp_path / "secret").read_text() == "secret"


def test_a_fold_that_is_a_link_has_no_states(run, tmp_path):
    (run / "fold-0-0").rename(tmp_path / "elsewhere")
    (run / "fold-0-0").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DamagedFile):
        state_before(run, FoldId(0, 0), 3)
    assert said_by_states(run, run, FoldId(0, 0)) == ()


def test_a_state_as_a_training_wrote_it_is_copied_bit_for_bit(run, tmp_path):
    state = state_of(run)
    state.copy_to(tmp_path / "copy")
    copied = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()}
    assert len(copied) == 2
    assert all((run / "fold-0-0" / name).read_bytes() == content for name, content in copied.items())


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("deed", DEEDS)
def test_weights_that_are_no_plain_file_are_a_problem_and_no_hang(run, deed):
    DEEDS[deed](run / "fold-0-0" / "model.safetensors")
    found = verify(RecordSource(folder=run, is_foreign=True), Project(run.parent.parent / "params.yaml"))
    assert found.verdict.startswith("DOES NOT HOLD at L1")
