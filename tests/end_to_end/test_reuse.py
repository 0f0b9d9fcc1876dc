"""No epoch is trained twice: a fold goes on from another's end to the same bits; what has run whole stays."""

import json
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from faults.outcome import assert_equal_outcome
from foldproof.cli.main import run_command
from foldproof.config.read import load_settings
from foldproof.events import journal
from foldproof.events.fold_id import FoldId
from foldproof.events.reuse import Reuse
from foldproof.events.types import to_json
from foldproof.executors.stopping import Stopping
from foldproof.plan.options import NEW_RUNS, ONLY_CHANGED, RunOptions
from foldproof.project import Project
from foldproof.records.record import RunRecord
from foldproof.training.resuming.state_files import descriptions, end_state
from foldproof.workflow import RunReport, preview_run, run

SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 3, seed: 1}
train: {backbone: small_cnn, batch_size: 8, seed: 5}
execution: {executor: inline}
experiments:
  four: {train: {epochs: 4}}
  one: {train: {epochs: 1}}
  cosine: {train: {epochs: 4, schedule: cosine}}
  faster: {train: {epochs: 4, lr: 0.01}}
  two: {train: {epochs: 2}}
tracking: {enabled: false}
"""


@pytest.fixture
def project(tiny_project: Path) -> Path:
    (tiny_project / "params.yaml").write_text(SETTINGS)
    return tiny_project


def carry_out(
    root: Path, *names: str, overrides: tuple[str, ...] = (), options: RunOptions = ONLY_CHANGED, stop_after: int = 0
) -> RunReport:
    """Run what is in the project; stopped as soon as a fold has so many epochs in its journal."""
    found = Project.find(root)
    loaded = load_settings(found.settings_file, overrides=overrides)
    with closing(Stopping()) as stopping:
        StopsAfter.epochs, StopsAfter.stopping = stop_after, stopping
        trackers = (f"{__name__}:StopsAfter",) if stop_after else ()
        return run(found, loaded, names=names, options=options, trackers=trackers, stopping=stopping, quiet=True)


class StopsAfter:
    """A tracker that asks to stop as soon as one epoch has so high a number."""

    epochs = 0
    stopping: Stopping

    def __init__(self, context: object) -> None:
        pass

    def tell(self, event: object) -> None:
        if getattr(getattr(event, "body", None), "epoch", 0) == self.epochs:
            self.stopping.ask()

    def close(self, *, within: float = 60.0) -> tuple[()]:  # noqa: ARG002
        return ()


def by_name(report: RunReport) -> Mapping[str, RunRecord]:
    return {record.experiment: record for record in map(RunRecord.read, report.statuses)}


def codes(report: RunReport) -> list[str]:
    return [notice.code for notice in report.notices]


def begun_with(record: RunRecord) -> set[tuple[str, int]]:
    return {(reuse.experiment, reuse.epochs) for reuse in record.reused.values()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        ("train.optimizer=adam", "train.augment=light"),
        ("train.optimizer=sgd", "train.weight_decay=0.01"),
        ("train.optimizer=adamw", "train.freeze_backbone=true", "train.pretrained=false"),
    ],
)
def test_experiments_that_differ_in_epochs_alone_fall_out_of_the_longest_with_the_bits_of_training_each(
    overrides, project
):
    alone = by_name(carry_out(project, overrides=overrides, options=NEW_RUNS))
    together = by_name(carry_out(project, overrides=overrides, options=replace(ONLY_CHANGED, again=True)))
    assert {name: begun_with(record) for name, record in together.items()} == {
        "one": set(),
        "two": {("one", 1)},
        "four": {("two", 2)},
        "cosine": set(),
        "faster": set(),
    }
    for name, record in together.items():
        assert len(record.reused) in (0, 3)
        assert not alone[name].reused
        assert_equal_outcome(record.folder, alone[name].folder)
        for place in record.finished:
            first = "initial.safetensors"
            here, there = place.folder(record.folder), place.folder(alone[name].folder)
            assert (here / first).read_bytes() == (there / first).read_bytes()
            assert len(descriptions(here)) == len(descriptions(there))


@pytest.mark.slow
def test_processes_wait_for_the_end_that_a_fold_begins_with(project):
    names = ("four", "one", "two")
    alone = by_name(carry_out(project, *names, options=NEW_RUNS))
    overrides = ("execution.executor=process", "execution.parallel_folds=2")
    together = by_name(carry_out(project, *names, overrides=overrides, options=replace(ONLY_CHANGED, again=True)))
    assert begun_with(together["four"]) == {("two", 2)}
    assert len(together["four"].reused) == len(together["two"].reused) == 3
    for name, record in together.items():
        assert_equal_outcome(record.folder, alone[name].folder)


@pytest.mark.slow
def test_a_finished_fold_of_an_earlier_run_is_gone_on_from_where_its_end_is_whole(project):
    of_four = ("folds.k=4",)
    alone = by_name(carry_out(project, "four", overrides=of_four, options=NEW_RUNS))["four"]
    shutil.move(alone.folder, project / "alone")
    two = by_name(carry_out(project, "two", overrides=of_four))["two"]
    flipped, gone, other = (end_state(FoldId(0, fold).folder(two.folder), epochs=2) for fold in (0, 1, 2))
    (tensors,) = flipped.parent.glob(f"{flipped.stem}-*.safetensors")
    content = bytearray(tensors.read_bytes())
    content[-1] ^= 1
    tensors.write_bytes(content)
    gone.unlink()
    for path in FoldId(0, 3).folder(two.folder).glob("state-*"):
        shutil.copy(path, other.parent)
    four = by_name(carry_out(project, "four", overrides=of_four))["four"]
    assert_equal_outcome(four.folder, project / "alone")
    assert four.reused == {(0, 3): Reuse(run=two.run, experiment="two", epochs=2)}
    said = [notice.text for notice in four.notices if notice.code.startswith("beginning")]
    assert "four begins with the 2 epochs of two in 3 of 4 folds; --no-reuse trains them again" in said
    assert sum("cannot begin with the 2 epochs of two" in text for text in said) == 2


@pytest.mark.slow
def test_again_takes_nothing_from_earlier_runs_and_without_reuse_every_epoch_is_trained(project):
    carry_out(project, "two")
    begun = {
        ONLY_CHANGED: "2 epochs of two",
        RunOptions(again=True, reuse=True): "1 epoch of one",
        RunOptions(again=False, reuse=False): "",
        NEW_RUNS: "",
    }
    found = Project.find(project)
    loaded = load_settings(found.settings_file)
    for options, expected in begun.items():
        one, four = preview_run(found, loaded, names=("one", "four"), options=options).plans
        assert (one.begins_with, four.begins_with) == ("", expected)
        assert four.epochs_of_others == 3 * int(expected[:1] or 0)


@pytest.mark.slow
def test_added_repeats_take_the_folds_that_are_there_from_the_earlier_run(project):
    more = ("folds.repeats=2",)
    alone = by_name(carry_out(project, "two", overrides=more, options=NEW_RUNS))["two"]
    shutil.move(alone.folder, project / "alone")
    first = by_name(carry_out(project, "two"))["two"]
    again = by_name(carry_out(project, "two", overrides=more))["two"]
    whose = Reuse(run=first.run, experiment="two", epochs=2)
    assert again.reused == dict.fromkeys(first.finished, whose)
    assert_equal_outcome(again.folder, project / "alone")


@pytest.mark.slow
@pytest.mark.parametrize("after", [2, 3])
def test_a_fold_that_goes_on_from_another_and_is_stopped_goes_on_once_more(after, project):
    alone = by_name(carry_out(project, "four", options=NEW_RUNS))["four"]
    shutil.move(alone.folder, project / "alone")
    carry_out(project, "two")
    stopped = carry_out(project, "four", stop_after=after)
    assert list(stopped.statuses.values()) == ["interrupted"]
    resumed = by_name(carry_out(project, "four", options=RunOptions(resume=True, again=False, reuse=True)))["four"]
    assert [resumed.folder] == list(stopped.statuses)
    assert begun_with(resumed) == {("two", 2)}
    assert_equal_outcome(resumed.folder, project / "alone")


@pytest.mark.slow
def test_every_rung_holds_for_a_fold_whose_beginning_was_anothers_without_the_other_run(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    records = by_name(carry_out(project, "one", "two"))
    for record in (records["one"], by_name(carry_out(project, "four"))["four"]):
        assert record.status == "finished"
    for name in ("one", "two"):
        shutil.rmtree(records[name].folder)
    assert run_command(["verify", "four"]) == 0
    assert "HOLDS: L0, L1, L2" in capsys.readouterr().out
    assert run_command(["bundle", "four", "-o", "four.zip", "--images", "--weights"]) == 0
    assert run_command(["reproduce", "four.zip"]) == 0
    assert "REPRODUCED: bit for bit" in capsys.readouterr().out


@pytest.mark.slow
def test_what_has_run_whole_is_not_run_again_and_the_line_names_the_run(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    first = by_name(carry_out(project, "one", "two"))
    capsys.readouterr()
    assert run_command(["run", "two", "one"]) == 0
    shown = capsys.readouterr()
    for name in ("one", "two"):
        assert f"{name}: nothing to train, run {first[name].run} is the same; --again retrains it" in shown.err
        assert f"{name} " in shown.out
    before = set((project / "runs").iterdir())
    assert len(before) == 2
    assert run_command(["run", "two", "--again"]) == 0
    (newest,) = set((project / "runs").iterdir()) - before
    repeated = by_name(carry_out(project, "two"))["two"]
    assert (repeated.run, repeated.reused) == (newest.name, {})


@pytest.mark.slow
def test_what_has_changed_since_the_newest_run_is_said_in_a_line(project):
    first = by_name(carry_out(project, "one"))["one"]
    changed = carry_out(project, "one", overrides=("train.lr=0.5",))
    (said,) = [notice.text for notice in changed.notices if notice.code == "changed"]
    assert said == f"one differs from run {first.run}: train.lr was 0.001 and is 0.5"
    assert "changed" not in codes(carry_out(project, "two"))
    back = carry_out(project, "one")
    assert (list(back.statuses), codes(back)[-1]) == ([first.folder], "done")
    assert "is newer, and otherwise" in back.notices[-1].text
    carry_out(project, "two", options=replace(ONLY_CHANGED, again=True), stop_after=1)
    assert "is newer, and not complete" in carry_out(project, "two").notices[-1].text


@pytest.mark.slow
def test_a_run_under_another_arithmetic_does_not_stand_for_one_here(project):
    first = by_name(carry_out(project, "one"))["one"]
    for place in first.finished:
        record_another_arithmetic(place.folder(first.folder) / "events.jsonl")
    environment = json.loads((first.folder / "environment.json").read_text())
    environment["numeric_class"]["fingerprint"] = "0" * 64
    (first.folder / "environment.json").write_text(json.dumps(environment))
    report = carry_out(project, "one")
    assert list(report.statuses) != [first.folder]
    assert any("the arithmetic differs (fingerprint)" in notice.text for notice in report.notices)


def record_another_arithmetic(file: Path) -> None:
    events = [replace(event, about={**event.about, "fold_key": "f" * 64}) for event in journal.read(file)]
    file.write_bytes(b"".join(journal.frame(to_json(event)) for event in events))
