"""Where nothing is to be trained no image is decoded: what the process opens and leaves says so."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foldproof.cli.main import run_command
from foldproof.config.read import load_settings
from foldproof.plan.options import ONLY_CHANGED, RunOptions
from foldproof.project import Project
from foldproof.workflow import run
from recorded import INLINE, train_inline

SETTINGS = INLINE.replace("epochs: 3", "epochs: 1") + "tracking: {enabled: false}\n"
WATCHED = """\
import json, sys
from pathlib import Path
opened = set()
sys.addaudithook(lambda event, given: opened.add(str(given[0])) if event == "open" else None)
from foldproof.cli.main import run_command
from foldproof.data import index
index.YOUNG_NS = 0  # what was found in a file is trusted at once, not after two seconds
code = run_command(["run", "--json", *sys.argv[1:]])
below = sorted(Path(name).name for name in opened if "images" in Path(name).parts)
print(json.dumps({"code": code, "opened": below}), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    return train_inline(tmp_path_factory.mktemp("trained"), SETTINGS)


@pytest.fixture
def project(trained, tmp_path) -> Path:
    """What has run, its decoded images lost."""
    root = tmp_path / "project"
    shutil.copytree(trained, root)
    for kept in decoded(root):
        kept.unlink()
    return root


def decoded(root: Path) -> list[Path]:
    return sorted((root / ".foldproof" / "cache").glob("images-*.npy"))


def opened_by(root: Path, *arguments: str) -> list[str]:
    """The images that `foldproof run` opens."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments], cwd=root, capture_output=True, text=True, check=True
    )
    said = json.loads(done.stderr.splitlines()[-1])
    assert said["code"] == 0, done.stderr
    return list(said["opened"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [ONLY_CHANGED, RunOptions(resume=True), RunOptions(folds=frozenset({(None, 0), (None, 2)}))],
    ids=["run", "--resume", "--fold"],
)
def test_what_has_run_whole_is_decoded_by_no_way_to_run_it(project, options):
    found = Project(project / "params.yaml")
    report = run(found, load_settings(found.settings_file), options=options, quiet=True)
    assert (report.was_done, report.all_finished, len(report.statuses)) == (True, True, 2)
    assert decoded(project) == []


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [(), ("--resume",), ("--fold", "0,2")], ids=" ".join)
def test_what_has_run_whole_opens_no_image_and_decodes_none(project, arguments):
    opened_by(project)  # a copied file is another: they are looked through once more
    before = sorted((project / "runs").iterdir())
    assert opened_by(project, *arguments) == []
    assert decoded(project) == []
    assert sorted((project / "runs").iterdir()) == before


@pytest.mark.slow
def test_the_table_at_the_end_of_a_run_and_that_of_compare_agree_in_everything(project, monkeypatch, capsys):
    """Another experiment was scored on these images: a note of both tables that the runs compared cannot tell."""
    run, *others = sorted((project / "runs").iterdir())
    other = project / "runs" / "20260101-000000-aaaaaa"
    shutil.copytree(run, other)
    facts = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(
        json.dumps({**facts, "run": other.name, "experiment": "gone", "identity": "0" * 64})
    )
    name = facts["experiment"]
    monkeypatch.chdir(project)

    def printed(*arguments: str) -> str:
        assert run_command(list(arguments)) == 0
        return capsys.readouterr().out.strip()

    at_the_end = json.loads(printed("run", name, "--json"))
    assert at_the_end == json.loads(printed("compare", name, "--json"))
    assert at_the_end["experiments_scored_on_these_images"] == 2 + len(others)
    table = printed("compare", name)
    assert table.splitlines()[-1] in printed("run", name)
    assert f"{2 + len(others)} experiments have been scored on these images" in " ".join(table.split())


@pytest.mark.slow
def test_only_images_in_the_form_that_is_to_be_trained_on_are_decoded(project):
    settings = project / "params.yaml"
    settings.write_text(SETTINGS.replace("slow: {}", "slow: {}, larger: {data: {image_size: 16}}"))
    opened_by(project)
    (large,) = decoded(project)
    assert large.stat().st_size > 18 * 16 * 16 * 3
    large.unlink()
    assert opened_by(project) == []
    assert decoded(project) == []


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("--again", "slow"), ("slow", "--fold", "1", "--reseed")], ids=" ".join)
def test_what_is_trained_once_more_has_its_images_decoded(project, arguments):
    opened_by(project, *arguments)
    assert len(decoded(project)) == 1
