"""Every shape in which images come, from nothing to a compared run, by the commands that the documentation counts."""

import json
import shlex
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from foldproof.cli.main import run_command
from foldproof.project import Project
from foldproof.records.record import RunRecord
from served import old_python, served
from ways_in import REFUSALS, WAYS, Refusal, Way, call

CHEAP = "train.backbone=small_cnn train.pretrained=false train.freeze_backbone=false train.epochs=1 data.image_size=8"
INLINE = [word for pair in f"{CHEAP} execution.executor=inline".split() for word in ("--set", pair)]


WITHOUT_MLFLOW = ["--set", "tracking.enabled=false"]


def typed(command: str, more: Sequence[str] = ()) -> int:
    """What a person types, in this process; training is made cheap and nothing else."""
    words = shlex.split(command)
    if words[0] == "dvc":
        call(Path(), command)
        return 0
    assert words[0] == "foldproof"
    return run_command([*words[1:], *([*INLINE, *more] if words[1] == "run" else [])])


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_from_nothing_to_a_compared_run(way: Way, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "my work"
    folder.mkdir()
    way.make(folder)
    there = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts}
    if not way.git:
        monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(folder)
    with ExitStack() as held:
        server = held.enter_context(served(tmp_path, python=old_python())) if way.server else None
        if server:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.port}")
        more = () if server or way.name == "class folders" else WITHOUT_MLFLOW
        said = ""
        for command in way.commands:
            assert typed(command, more) == 0, f"{command}\n{capsys.readouterr().err}"
            printed = capsys.readouterr()
            said += printed.out + printed.err
        if server:
            if "`foldproof sync` completes it" in said:  # where the machine is busy, the server answers late
                assert typed("foldproof sync") == 0
            found = server.client.search_runs([server.experiment_id("my work")])
            assert len(found) == 2 * (1 + way.folds)
    assert "verdict:" in said
    project = Project.find(folder)
    records = [RunRecord.read(run) for run in project.run_folders()]
    assert len(records) == 2
    for record in records:
        assert (record.status, len(record.finished)) == ("finished", way.folds)
        assert record.facts["images"] == way.images
        assert record.facts["classes"] == ["cat", "dog", "eel"]
    unchanged = {
        path: content for path, content in there.items() if path.name not in (".gitignore", "config", "dvc.lock")
    }
    assert {path: path.read_bytes() for path in unchanged} == unchanged
    assert typed(f"foldproof verify {records[0].run} --level 0") == 0
    version = json.loads((records[0].folder / "environment.json").read_text())["data"]["state"]
    assert version == ("clean" if way.versioned else "unversioned")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_what_is_no_class_is_refused_as_what_it_is_and_nothing_is_made(refusal: Refusal, tmp_path, monkeypatch, capsys):
    refusal.make(tmp_path)
    there = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    for command in ("foldproof init", "foldproof try ."):
        assert typed(command) == 2
        said = capsys.readouterr().err
        assert refusal.said in said
        assert refusal.way_on in said
    assert sorted(tmp_path.rglob("*")) == there


@pytest.mark.slow
def test_predefined_parts_are_one_fold_and_never_train_on_the_test(tmp_path, monkeypatch, capsys):
    next(way for way in WAYS if way.name == "train/ val/ test/").make(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run_command(["init"]) == 0
    assert typed("foldproof run --set folds.scheme=predefined", WITHOUT_MLFLOW) == 0
    record = RunRecord.read(Project.find(tmp_path).run_folders()[0])
    (started,) = record.fold_started.values()
    assert (started.train_images, started.validation_images) == (27, 9)
    held_out = json.loads((record.folder / "held-out.json").read_text())
    trained = json.loads((record.folder / "dataset.json").read_text())
    assert len(held_out["samples"]) == 9
    assert not {row[1] for row in held_out["samples"]} & {row[1] for row in trained["samples"]}
    assert "cannot tell" in capsys.readouterr().out
