"""Journals in, MLflow runs out: on a real SQLite store."""

import io
import json
import math
import multiprocessing
import os
import shutil
import statistics
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from foldproof.config.schema import TrackingSettings
from foldproof.errors import SettingsError, StorageError, TrackingError
from foldproof.events.journal import JournalWriter
from foldproof.events.types import EpochFinished, FoldResumed, FoldStarted, RunStarted
from foldproof.project import Project
from foldproof.records.facts import read_facts
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.apply import MlflowRun, create_run_for
from foldproof.trackers.mlflow.desired_runs import DesiredRun, desired_runs, parameters
from foldproof.trackers.mlflow.points import class_keys, fold_points
from foldproof.trackers.mlflow.projection import Projection
from foldproof.trackers.mlflow.reasons import reason
from foldproof.trackers.mlflow.run_folder import RunReader
from foldproof.trackers.mlflow.store import ENVIRONMENT, OPENING_SECONDS, USUAL_SECONDS, Store, prepare
from foldproof.trackers.mlflow.sync import sync
from foldproof.trackers.mlflow.target import resolve_target
from foldproof.trackers.mlflow.worker import Answers, Parent, Work
from foldproof.trackers.mlflow.worker import work as work_on
from journaled import CLASSES, DATA, GIT, HEX, JournaledRun, epoch


def no_pulse(seconds: float) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Making a store takes seconds; each test has an experiment of its own in it. The folder has a wild name."""
    folder = tmp_path_factory.mktemp("Projekt #1 ü 100%")
    target = TrackingTarget(uri=f"sqlite:///{folder / 'mlflow.db'}", experiment="x", artifacts=folder / "mlartifacts")
    with pytest.MonkeyPatch.context() as patch:
        for name in ENVIRONMENT:
            patch.setenv(name, ENVIRONMENT[name])
        yield prepare(target, no_pulse)


@pytest.fixture
def store(shared_store: Store, request: pytest.FixtureRequest) -> Store:
    return prepare(replace(shared_store.target, experiment=request.node.name), no_pulse)


@dataclass
class Held:
    """What the store holds of one run."""

    parent: Any
    folds: dict[str, Any]


def held(store: Store, run: str) -> Held:
    found = store.client.search_runs([store.experiment_id], filter_string=f"tags.`foldproof.run_id` = '{run}'")
    parents = [one for one in found if "mlflow.parentRunId" not in one.data.tags]
    children = [one for one in found if "mlflow.parentRunId" in one.data.tags]
    assert len(parents) == 1
    assert all(one.data.tags["mlflow.parentRunId"] == parents[0].info.run_id for one in children)
    named = {one.info.run_name: one for one in children}
    assert len(named) == len(children)
    return Held(parents[0], named)


def everything(store: Store, run: str) -> str:
    """All that can be read of a run, as text, to tell whether something changed."""
    holds = held(store, run)
    texts = []
    for one in (holds.parent, *(holds.folds[name] for name in sorted(holds.folds))):
        history = {
            key: [(p.step, p.timestamp, repr(p.value)) for p in store.client.get_metric_history(one.info.run_id, key)]
            for key in sorted(one.data.metrics)
        }
        files = sorted(artifacts(store, one.info.run_id))
        inputs = [item.to_dictionary() for item in one.inputs.dataset_inputs]
        info = (one.info.run_id, one.info.status, one.info.start_time, one.info.end_time)
        texts.append(
            repr((info, sorted(one.data.tags.items()), sorted(one.data.params.items()), history, files, inputs))
        )
    return "\n".join(texts)


def artifacts(store: Store, run_id: str, path: str | None = None) -> Iterator[str]:
    for file in store.client.list_artifacts(run_id, path):
        if file.is_dir:
            yield from artifacts(store, run_id, file.path)
        else:
            yield file.path


def series(store: Store, run: Any, key: str) -> dict[int, float]:
    points = store.client.get_metric_history(run.info.run_id, key)
    assert len({point.step for point in points}) == len(points)
    return {point.step: point.value for point in points}


def project(store: Store, run: JournaledRun, *, final: bool = False) -> bool:
    with Projection(run.folder, no_pulse) as projection:
        return projection.advance(store, final=final)


def wanted(run: JournaledRun, *, abandoned: bool = False) -> list[DesiredRun]:
    reader = RunReader(run.folder)
    reader.look()
    return list(desired_runs(reader.content(), abandoned=abandoned))


@pytest.mark.slow
def test_the_parent_bears_the_experiments_name_its_settings_and_where_it_comes_from(store, tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    project(store, run)
    parent = held(store, run.run).parent
    assert (parent.info.run_name, parent.info.status) == ("Run_High_LR", "FINISHED")
    assert parent.data.params == {
        "backbone": "small_cnn",
        "epochs": "2",
        "folds.k": "3",
        "folds.repeats": "1",
        "folds.seed": "42",
        "image_size": "28",
        "lr": "0.01",
        "pretrained": "False",
        "resize": "squash",
        "seed": "7",
    }
    tags = parent.data.tags
    assert tags["mlflow.source.git.commit"] == GIT["commit"]
    assert tags["mlflow.source.git.branch"] == "main"
    assert tags["mlflow.source.name"] == "foldproof run Run_High_LR"
    assert tags["foldproof.git.dirty"] == "true"
    assert tags["foldproof.dvc.hash"] == DATA["dvc_hash"]
    assert tags["foldproof.data.state"] == "clean"
    assert tags["foldproof.identity"] == HEX
    assert tags["foldproof.fingerprint"] == HEX[::-1]
    assert tags["mlflow.user"]
    assert "Optimistic" in tags["mlflow.note.content"]


def test_tags_of_the_settings_are_on_the_run_and_its_folds_and_a_person_may_change_them(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2).complete()
    environment = json.loads((run.folder / "environment.json").read_text())
    given = {"team": "vision", "place": "http://ada:hunter222@example.org", "api_key": "abcdefgh"}
    foreign = {"mlflow.parentRunId": "1", "foldproof.run_id": "x", "bad\nname": "x"}
    (run.folder / "environment.json").write_text(json.dumps({**environment, "tags": {**given, **foreign}}))
    project(store, run)
    shown = {"team": "vision", "place": "http://ada:***@example.org", "api_key": "***"}
    holds = held(store, run.run)
    for one in (holds.parent, *holds.folds.values()):
        assert one.data.tags.items() >= shown.items()
        assert one.data.tags["foldproof.run_id"] == run.run
        assert not [name for name in one.data.tags if "bad" in name]
    store.client.set_tag(holds.parent.info.run_id, "team", "sound")
    project(store, run, final=True)
    assert held(store, run.run).parent.data.tags["team"] == "sound"


@pytest.mark.slow
def test_the_data_set_is_an_input_of_the_parent_without_the_password_of_its_remote(store, tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    project(store, run)
    (given,) = held(store, run.run).parent.inputs.dataset_inputs
    assert given.dataset.name == "data/train"
    assert given.dataset.digest == HEX[::-1][:36]
    assert json.loads(given.dataset.profile) == {"images": 60, "classes": 3}
    source = json.loads(given.dataset.source)
    assert (source["uri"], source["dvc_hash"]) == ("data/train", DATA["dvc_hash"])
    assert "hunter2" not in everything(store, run.run)


def test_every_fold_is_a_nested_run_with_its_epochs_at_the_times_of_the_journal(store, tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    project(store, run)
    holds = held(store, run.run)
    assert sorted(holds.folds) == ["fold-0", "fold-1", "fold-2"]
    fold = holds.folds["fold-1"]
    assert fold.data.tags["foldproof.place"] == "0-1"
    assert fold.data.params.items() >= holds.parent.data.params.items()
    assert (fold.data.params["fold"], fold.data.params["train_images"]) == ("1", "40")
    with Projection(run.folder, no_pulse) as projection:
        projection._reader.look()
        events = projection._reader.content().by_fold[0, 1]
    told = {event.body.epoch: event for event in events if isinstance(event.body, EpochFinished)}
    for key in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr"):
        points = store.client.get_metric_history(fold.info.run_id, key)
        assert [(p.step, p.value, p.timestamp) for p in points] == [
            (number, getattr(event.body, key), round(event.time * 1000)) for number, event in told.items()
        ]
    assert fold.info.start_time == round(events[0].time * 1000)
    assert fold.info.end_time == round(events[-1].time * 1000)


def test_a_folds_scores_and_recall_by_class_come_with_the_names_of_the_classes_beside_them(store, tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    project(store, run)
    holds = held(store, run.run)
    metrics = holds.folds["fold-0"].data.metrics
    assert metrics["accuracy"] == epoch((0, 0), 2).val_accuracy
    assert metrics["my.metrics_top2"] == 1.0
    assert (metrics["recall_class_00"], metrics["recall_class_01"]) == (1.0, 0.5)
    assert math.isnan(metrics["recall_class_02"])
    names = json.loads(
        Path(store.client.download_artifacts(holds.parent.info.run_id, "classes.json", tmp_path)).read_text()
    )
    assert names == dict(zip(("class_00", "class_01", "class_02"), CLASSES, strict=True))


def test_the_parent_sums_up_the_folds_at_the_last_the_best_and_every_epoch(store, tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    project(store, run)
    parent = held(store, run.run).parent
    last = [epoch(place, 2).val_accuracy for place in run.places]
    best = [max(epoch(place, number).val_accuracy for number in (1, 2)) for place in run.places]
    assert parent.data.metrics["cv_accuracy_mean"] == pytest.approx(statistics.mean(last), abs=1e-12)
    assert parent.data.metrics["cv_accuracy_std"] == pytest.approx(statistics.stdev(last), abs=1e-12)
    assert parent.data.metrics["cv_avg_best_val_accuracy"] == pytest.approx(statistics.mean(best), abs=1e-12)
    assert statistics.mean(best) > statistics.mean(last)
    assert parent.data.metrics["cv_avg_best_val_loss"] == 0.5
    assert series(store, parent, "mean_val_loss") == {1: 1.0, 2: 0.5}
    assert series(store, parent, "sd_val_loss") == {1: 0.0, 2: 0.0}
    assert series(store, parent, "mean_train_loss") == {1: 1.5, 2: 0.75}
    assert series(store, parent, "mean_val_accuracy")[2] == pytest.approx(statistics.mean(last), abs=1e-12)


def test_files_of_the_run_and_of_its_folds_can_be_had_from_mlflow(store, tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    project(store, run)
    holds = held(store, run.run)
    described = {"run.json", "environment.json", "dataset.json", "folds.csv", "classes.json"}
    of_folds = {
        f"fold-0-{fold}/{name}" for fold in range(3) for name in ("events.jsonl", "steps.f32", "predictions.parquet")
    }
    expected = {*described, *of_folds, "events.jsonl", "report/report.html"}
    assert set(artifacts(store, holds.parent.info.run_id)) == expected
    fold = holds.folds["fold-2"].info.run_id
    assert set(artifacts(store, fold)) == {"model.safetensors", "predictions.parquet", "events.jsonl"}
    kept = store.target.artifacts / fold / "artifacts" / "model.safetensors"
    assert kept.read_bytes() == (run.fold_folder((0, 2)) / "model.safetensors").read_bytes()


def test_repeats_are_told_apart_by_name(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2, repeats=2).complete()
    project(store, run)
    assert sorted(held(store, run.run).folds) == ["fold-0-0", "fold-0-1", "fold-1-0", "fold-1-1"]


@pytest.mark.slow
def test_projecting_again_changes_nothing(store, tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    assert project(store, run)
    before = everything(store, run.run)
    assert not project(store, run)
    assert everything(store, run.run) == before


@pytest.mark.slow
def test_step_by_step_forgetting_everything_between_or_at_once_gives_the_same(store, tmp_path):
    live = JournaledRun.make(tmp_path)
    assert not project(store, live)
    live.start()
    for place in live.places:
        live.begin_fold(place, epochs=1)
        project(store, live)
        live.append(epoch(place, 2), place=place)
        project(store, live)
        live.finish_fold(place)
        project(store, live)
    assert held(store, live.run).parent.info.status == "RUNNING"
    live.add_report()
    live.end()
    project(store, live)
    step_by_step = everything(store, live.run)
    at_once = prepare(replace(store.target, experiment="at once"), no_pulse)
    project(at_once, live)

    def without_ids(text: str, ids: list[str]) -> str:
        for number, run_id in enumerate(ids):
            text = text.replace(run_id, f"run {number}")
        return text

    def ids(where: Store) -> list[str]:
        holds = held(where, live.run)
        return [one.info.run_id for one in (holds.parent, *(holds.folds[name] for name in sorted(holds.folds)))]

    assert without_ids(everything(at_once, live.run), ids(at_once)) == without_ids(step_by_step, ids(store))


def test_an_epoch_trained_twice_with_one_result_is_one_point(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    run.begin_fold((0, 0), epochs=2)
    run.begin_fold((0, 1), epochs=1)
    project(store, run)
    run.fail_fold((0, 0))
    project(store, run)
    assert held(store, run.run).folds["fold-0"].info.status == "FAILED"
    run.begin_fold((0, 0), epochs=2)
    run.finish_fold((0, 0))
    run.append(epoch((0, 1), 2), place=(0, 1))
    run.finish_fold((0, 1))
    run.end()
    project(store, run)
    holds = held(store, run.run)
    assert series(store, holds.folds["fold-0"], "val_loss") == {1: 1.0, 2: 0.5}
    assert series(store, holds.parent, "mean_val_loss") == {1: 1.0, 2: 0.5}
    assert holds.folds["fold-0"].info.status == "FINISHED"


def test_nothing_stands_twice_after_a_crash_even_in_a_store_that_keeps_every_point(store, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    files = prepare(replace(store.target, uri=(tmp_path / "mlruns").as_uri()), no_pulse)
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    for place in run.places:
        run.begin_fold(place, epochs=1)
        run.append(epoch(place, 2, val_loss=math.nan), place=place)
        project(files, run)
    project(files, run)
    holds = held(files, run.run)
    assert set(series(files, holds.folds["fold-0"], "val_loss")) == {1, 2}
    assert set(series(files, holds.parent, "mean_val_loss")) == {1, 2}


def test_a_failed_fold_and_its_run_are_marked_with_the_reason_and_no_secret(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    run.begin_fold((0, 0), epochs=2)
    run.finish_fold((0, 0))
    run.begin_fold((0, 1), epochs=1)
    run.fail_fold((0, 1))
    run.end("failed")
    project(store, run)
    holds = held(store, run.run)
    assert (holds.parent.info.status, holds.folds["fold-1"].info.status) == ("FAILED", "FAILED")
    assert holds.folds["fold-0"].info.status == "FINISHED"
    assert holds.folds["fold-1"].data.tags["foldproof.failure"] == "RuntimeError: no space; token=***"
    assert "cv_accuracy_mean" not in holds.parent.data.metrics
    assert series(store, holds.parent, "mean_val_loss") == {1: 1.0}


def test_an_interrupted_run_is_killed_and_goes_on_when_it_is_resumed(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    run.begin_fold((0, 0), epochs=1)
    run.end("interrupted")
    project(store, run)
    holds = held(store, run.run)
    assert (holds.parent.info.status, holds.folds["fold-0"].info.status) == ("KILLED", "KILLED")
    run.start()
    run.append(epoch((0, 0), 2), place=(0, 0))
    project(store, run)
    holds = held(store, run.run)
    assert (holds.parent.info.status, holds.folds["fold-0"].info.status) == ("RUNNING", "RUNNING")
    run.finish_fold((0, 0))
    run.begin_fold((0, 1), epochs=2)
    run.finish_fold((0, 1))
    run.end()
    project(store, run)
    holds = held(store, run.run)
    assert {one.info.status for one in (holds.parent, *holds.folds.values())} == {"FINISHED"}
    assert holds.parent.data.metrics["cv_avg_best_val_loss"] == 0.5


def test_a_run_without_an_end_that_no_process_writes_is_killed_wherever_it_was_written(store, tmp_path):
    run = JournaledRun.make(tmp_path, about=("another-machine", 4711))
    run.start()
    run.begin_fold((0, 0), epochs=1)
    with JournalWriter(run.fold_folder((0, 0)), run=run.run, repeat=0, fold=0, about={}):
        project(store, run, final=True)
        holds = held(store, run.run)
        assert (holds.parent.info.status, holds.folds["fold-0"].info.status) == ("RUNNING", "RUNNING")
    project(store, run, final=True)
    holds = held(store, run.run)
    assert (holds.parent.info.status, holds.folds["fold-0"].info.status) == ("KILLED", "KILLED")
    assert "events.jsonl" in set(artifacts(store, holds.folds["fold-0"].info.run_id))


@pytest.mark.slow
def test_what_was_killed_and_failed_finishes_as_the_same_runs_when_it_is_resumed(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    run.begin_fold((0, 0), epochs=1)
    run.fail_fold((0, 0))
    run.begin_fold((0, 1), epochs=1)
    project(store, run, final=True)
    before = held(store, run.run)
    assert [before.folds[name].info.status for name in ("fold-0", "fold-1")] == ["FAILED", "KILLED"]
    assert "foldproof.failure" in before.folds["fold-0"].data.tags
    run.start()
    for place in run.places:
        run.append(FoldResumed(epoch=1, step=1, file="resume.safetensors"), place=place)
    project(store, run)
    holds = held(store, run.run)
    assert {one.info.status for one in (holds.parent, *holds.folds.values())} == {"RUNNING"}
    assert "foldproof.failure" not in holds.folds["fold-0"].data.tags
    ends = {}
    for place in run.places:
        run.append(epoch(place, 2), place=place)
        ends[f"fold-{place[1]}"] = run.finish_fold(place)
    run.end()
    project(store, run, final=True)
    after = held(store, run.run)
    assert {one.info.status for one in (after.parent, *after.folds.values())} == {"FINISHED"}
    assert after.parent.info.run_id == before.parent.info.run_id
    for name, fold in after.folds.items():
        assert fold.info.run_id == before.folds[name].info.run_id
        assert fold.info.end_time == round(ends[name].time * 1000)
        assert series(store, fold, "val_loss") == {1: 1.0, 2: 0.5}
    assert after.parent.info.end_time >= max(fold.info.end_time for fold in after.folds.values())


def test_a_fold_that_goes_on_after_a_failure_has_not_ended(tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    run.begin_fold((0, 0), epochs=1)
    run.fail_fold((0, 0))
    run.begin_fold((0, 1), epochs=1)
    run.end("interrupted")
    assert [one.status for one in wanted(run)] == ["KILLED", "FAILED", "KILLED"]
    assert all(one.seal for one in wanted(run))
    run.start()
    run.append(FoldResumed(epoch=0, step=3, file="resume.safetensors"), place=(0, 0))
    assert [(one.status, one.seal) for one in wanted(run)] == [("RUNNING", "")] * 3
    assert [(one.status, one.ended is None) for one in wanted(run, abandoned=True)] == [("KILLED", False)] * 3
    run.append(epoch((0, 0), 2), place=(0, 0))
    run.finish_fold((0, 0))
    run.end("interrupted")
    assert [one.status for one in wanted(run)] == ["KILLED", "FINISHED", "KILLED"]


@pytest.mark.slow
def test_an_old_copy_of_a_run_takes_nothing_back(store, tmp_path):
    run = JournaledRun.make(tmp_path / "here", k=2)
    run.start()
    run.begin_fold((0, 0), epochs=2)
    copy = replace(run, folder=tmp_path / "there" / run.run)
    shutil.copytree(run.folder, copy.folder)
    run.finish_fold((0, 0))
    run.begin_fold((0, 1), epochs=2)
    run.finish_fold((0, 1))
    run.end()
    assert project(store, run, final=True)
    before = everything(store, run.run)
    assert not project(store, copy, final=True)
    assert everything(store, run.run) == before


def test_what_a_late_reply_leaves_is_gone_when_the_run_has_ended(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    run.begin_fold((0, 0), epochs=2)
    with Projection(run.folder, no_pulse) as projection:
        projection.advance(store)
        known = held(store, run.run)
        tags = {"foldproof.run_id": run.run, "foldproof.place": "0-0", "mlflow.parentRunId": known.parent.info.run_id}
        for late in ({"foldproof.run_id": run.run}, tags, tags):
            store.client.create_run(store.experiment_id, tags=late)
        run.finish_fold((0, 0))
        run.end("interrupted")
        assert projection.advance(store, final=True)
        assert not projection.advance(store, final=True)
    holds = held(store, run.run)
    (fold,) = holds.folds.values()
    assert (holds.parent.info.status, fold.info.status) == ("KILLED", "FINISHED")
    assert series(store, fold, "val_loss") == {1: 1.0, 2: 0.5}


def test_infinite_values_stand_in_a_tag_since_mlflow_would_alter_them(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    for place in run.places:
        run.begin_fold(place, epochs=1)
        run.append(epoch(place, 2, train_loss=math.inf, val_loss=math.nan), place=place)
    project(store, run)
    holds = held(store, run.run)
    fold = holds.folds["fold-0"]
    assert series(store, fold, "train_loss") == {1: 1.5}
    assert math.isnan(series(store, fold, "val_loss")[2])
    assert fold.data.tags["foldproof.infinite"] == "train_loss@2=inf"
    assert holds.parent.data.tags["foldproof.infinite"] == "mean_train_loss@2=inf"


@pytest.mark.slow
def test_more_points_than_one_call_takes_arrive_all(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2, epochs=450)
    run.start()
    run.append(
        FoldStarted(train_images=1, validation_images=1, parameters=1, trained_parameters=1, weights_sha256=HEX),
        *(epoch((0, 0), number) for number in range(1, 451)),
        place=(0, 0),
    )
    project(store, run)
    assert len(series(store, held(store, run.run).folds["fold-0"], "train_loss")) == 450


def test_a_run_made_twice_at_once_or_left_by_a_lost_reply_ends_as_one(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    run.begin_fold((0, 0), epochs=1)
    with Projection(run.folder, no_pulse) as projection:
        projection._reader.look()
        content = projection._reader.content()
    parent, _ = desired_runs(content, abandoned=False)
    made: list[MlflowRun] = []

    def make() -> None:
        made.append(create_run_for(store, parent, no_pulse, more_tags={}))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    ghost = store.client.create_run(store.experiment_id, tags={"foldproof.run_id": run.run})
    project(store, run)
    parent_id = held(store, run.run).parent.info.run_id
    assert parent_id == min([*(mlflow_run.run_id for mlflow_run in made), ghost.info.run_id])


def test_a_run_deleted_meanwhile_is_made_anew(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    with Projection(run.folder, no_pulse) as projection:
        projection.advance(store)
        store.client.delete_run(held(store, run.run).parent.info.run_id)
        run.begin_fold((0, 0), epochs=1)
        run.end("interrupted")
        assert projection.advance(store)
    assert held(store, run.run).parent.info.status == "KILLED"


@pytest.mark.slow
def test_one_process_at_a_time_projects_a_run_and_sync_leaves_it_to_that_one(store, tmp_path):
    run = JournaledRun.make(tmp_path).complete()
    other = JournaledRun.make(tmp_path, "20260102-030405-second").complete()
    with Projection(run.folder, no_pulse):
        with pytest.raises(StorageError, match=f"in use by process {os.getpid()} on"), Projection(run.folder, no_pulse):
            pass
        report = sync([run.folder, other.folder], store.target)
    assert (report.runs, report.created, report.completed, report.problems) == (2, 1, 0, ())
    (who,) = report.left
    assert f"{run.run} is in use by process {os.getpid()}" in who


def end(work: Work, answers: io.StringIO) -> tuple[bool, list[str]]:
    """Let a tracking process's work end as when its parent closes it. Whether it was all, and the trouble it told."""
    reading, writing = os.pipe()
    parent = Parent(reading)
    os.write(writing, b"{}\nclose\n")
    os.close(writing)
    parent.order()
    parent.gone.wait(timeout=10)
    done = work_on(work, parent)
    os.close(reading)
    told = [json.loads(line) for line in answers.getvalue().splitlines()]
    return done, [line["trouble"] for line in told if "trouble" in line]


def tracking(store: Store, run: JournaledRun) -> tuple[Work, io.StringIO]:
    answers = io.StringIO()
    return Work([run.folder], store.target, Answers(answers)), answers


@pytest.mark.slow
def test_of_two_trackers_of_one_run_the_one_that_is_turned_away_leaves_all_to_the_other(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    first, second = tracking(store, run), tracking(store, run)
    first[0].step(final=False)
    second[0].step(final=False)
    run.begin_fold((0, 1), epochs=2)
    run.finish_fold((0, 1))
    assert end(*second) == (True, [])
    assert held(store, run.run).folds == {}
    run.begin_fold((0, 0), epochs=2)
    run.finish_fold((0, 0))
    run.end()
    assert end(*first) == (True, [])
    holds = held(store, run.run)
    assert {one.info.status for one in (holds.parent, *holds.folds.values())} == {"FINISHED"}
    assert len(holds.folds) == 2


@pytest.mark.slow
def test_of_two_trackers_of_one_run_the_second_takes_over_when_the_first_is_gone(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    run.begin_fold((0, 0), epochs=2)
    run.finish_fold((0, 0))
    first, second = tracking(store, run), tracking(store, run)
    first[0].step(final=False)
    second[0].step(final=False)
    with JournalWriter(run.fold_folder((0, 1)), run=run.run, repeat=0, fold=1, about={}):
        assert end(*first) == (True, [])
    assert held(store, run.run).parent.info.status == "RUNNING"
    run.begin_fold((0, 1), epochs=2)
    run.finish_fold((0, 1))
    run.end()
    assert end(*second) == (True, [])
    holds = held(store, run.run)
    assert {one.info.status for one in (holds.parent, *holds.folds.values())} == {"FINISHED"}


@pytest.mark.slow
def test_what_was_journaled_just_before_another_tracker_was_turned_away_is_not_forgotten(store, tmp_path):
    run = JournaledRun.make(tmp_path, k=2)
    run.start()
    first, second = tracking(store, run), tracking(store, run)
    first[0].step(final=True)
    run.begin_fold((0, 0), epochs=2)
    run.end("interrupted")
    assert end(*second) == (True, [])
    assert not first[0].leave()
    assert end(*first) == (True, [])
    assert held(store, run.run).folds["fold-0"].info.status == "KILLED"


def test_trying_again_is_no_progress_until_a_request_succeeds():
    stream = io.StringIO()
    answers = Answers(stream)
    answers.pulse(USUAL_SECONDS)
    answers.trouble("refused")
    said = stream.getvalue()
    answers.pulse(OPENING_SECONDS)
    answers.pulse(USUAL_SECONDS)  # before the first request of the next try
    assert stream.getvalue() == said
    answers.pulse(USUAL_SECONDS)  # that one succeeded, or this would not be said
    assert stream.getvalue() != said


@pytest.mark.slow
def test_sync_says_what_mlflow_lacked_and_goes_on_after_a_damaged_run(store, tmp_path):
    unfinished = JournaledRun.make(tmp_path, "20260102-030405-unfini", k=2)
    unfinished.start()
    complete = JournaledRun.make(tmp_path, "20260102-030405-comple").complete()
    damaged = JournaledRun.make(tmp_path, "20260102-030405-damage")
    damaged.start()
    journal = damaged.folder / "events.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"RunStarted", b"RunStopped"))
    folders = [damaged.folder, unfinished.folder, complete.folder]
    first = sync(folders, store.target)
    assert (first.created, first.completed) == (2, 0)
    assert "line 1 is damaged" in first.problems[0]
    unfinished.begin_fold((0, 0), epochs=1)
    second = sync(folders, store.target)
    assert (second.created, second.completed) == (0, 1)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="fork, so that nobody has to import MLflow anew")
def test_a_store_is_made_once_though_several_processes_ask_at_once(shared_store, tmp_path):
    target = TrackingTarget(uri=f"sqlite:///{tmp_path / 'new.db'}", experiment="x", artifacts=tmp_path / "files")
    forked = multiprocessing.get_context("fork")
    processes = [forked.Process(target=prepare, args=(target, no_pulse)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert prepare(target, no_pulse).experiment_id == "1"


def test_a_database_that_is_none_is_named_without_a_traceback(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"not a database" * 100)
    target = TrackingTarget(uri=f"sqlite:///{tmp_path / 'mlflow.db'}", experiment="x", artifacts=tmp_path)
    with pytest.raises(TrackingError, match="not a database") as caught:
        prepare(target, no_pulse)
    assert len(str(caught.value).splitlines()) <= 3


def test_a_deleted_experiment_is_not_used(store):
    store.client.delete_experiment(store.experiment_id)
    with pytest.raises(TrackingError, match="mlflow experiments restore"):
        prepare(store.target, no_pulse)


def test_a_password_in_the_uri_is_in_no_error():
    target = TrackingTarget(uri="postgresql+nodriver://bob:hunter2@127.0.0.1:1/x", experiment="x", artifacts=None)
    with pytest.raises(TrackingError) as caught:
        prepare(target, no_pulse)
    assert "hunter2" not in str(caught.value)


def test_of_an_error_of_the_network_its_cause_is_said():
    error = OSError("API request to http://x failed: Max retries exceeded (Caused by ConnectError('refused'))\nmore")
    assert reason(error) == "ConnectError('refused')"
    assert len(reason(ValueError("x" * 1000))) == 200


def test_classes_have_keys_of_one_width_that_sort_like_their_numbers():
    keys = class_keys(f"class {number}" for number in range(101))
    assert list(keys) == sorted(keys)
    assert keys["class_007"] == "class 7"


def test_points_of_no_events_are_none():
    assert fold_points([], CLASSES) == ()


def test_parameters_have_the_defaults_that_an_identity_leaves_out_where_they_are_recorded(tmp_path):
    facts = read_facts(JournaledRun.make(tmp_path).folder)
    assert "precision" not in parameters(facts)
    full = {"data": {"channels": 3}, "folds": {"scheme": "stratified"}, "train": {"precision": "float32"}}
    named = parameters({**facts, "settings": {**full, "execution": {"device": "cpu"}, "compare": {}}})
    more = {"channels": "3", "folds.scheme": "stratified", "precision": "float32"}
    assert named == {**parameters(facts), **more}


def test_a_run_that_has_only_begun_is_there_to_be_watched(store, tmp_path):
    run = JournaledRun.make(tmp_path)
    (event,) = run.append(
        RunStarted(experiment=run.experiment, identity=HEX, fingerprint=HEX, folds=3, repeats=1, epochs=2)
    )
    project(store, run)
    holds = held(store, run.run)
    assert (holds.parent.info.status, holds.folds) == ("RUNNING", {})
    assert holds.parent.info.start_time == round(event.time * 1000)


def target_of(tmp_path: Path, environ: dict[str, str] | None = None, **tracking: str) -> TrackingTarget:
    folder = tmp_path / "digits"
    folder.mkdir(exist_ok=True)
    return resolve_target(TrackingSettings(**tracking), Project(folder / "params.yaml"), environ or {})


def test_runs_go_to_a_database_in_the_projects_folder_unless_told_otherwise(tmp_path):
    root = tmp_path / "digits"
    assert target_of(tmp_path) == TrackingTarget(
        uri=f"sqlite:///{root / 'mlflow.db'}", experiment="digits", artifacts=root / "mlartifacts"
    )


def test_settings_win_over_the_environment_and_the_environment_over_the_default(tmp_path):
    environ = {"MLFLOW_TRACKING_URI": "http://server:5000", "MLFLOW_EXPERIMENT_NAME": "team"}
    assert target_of(tmp_path, environ) == TrackingTarget(uri="http://server:5000", experiment="team", artifacts=None)
    told = target_of(tmp_path, environ, uri="sqlite:///db/runs.db?timeout=30", experiment="mine")
    assert told.uri == f"sqlite:///{tmp_path / 'digits' / 'db' / 'runs.db'}?timeout=30"
    assert told.experiment == "mine"


@pytest.mark.parametrize(
    ("uri", "resolved"),
    [
        ("sqlite:////elsewhere/mlflow.db", "sqlite:////elsewhere/mlflow.db"),
        ("mlruns", "file://{root}/mlruns"),
        ("file:mlruns", "file://{root}/mlruns"),
        ("file:///elsewhere/ml%20runs", "file:///elsewhere/ml%20runs"),
        ("postgresql+psycopg2://u:p@host/db", "postgresql+psycopg2://u:p@host/db"),
        ("databricks", "databricks"),
        ("databricks://profile", "databricks://profile"),
    ],
)
def test_only_relative_files_are_resolved_and_only_stores_without_a_server_keep_files_here(tmp_path, uri, resolved):
    target = target_of(tmp_path, uri=uri)
    assert target.uri == resolved.format(root=tmp_path / "digits")
    assert (target.artifacts is None) == uri.startswith("databricks")


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:mlflow.db"])
def test_a_sqlite_uri_without_a_file_is_a_mistake_in_the_settings(tmp_path, uri):
    with pytest.raises(SettingsError, match="names no database file"):
        target_of(tmp_path, uri=uri)
