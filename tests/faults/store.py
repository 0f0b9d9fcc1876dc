"""A real MLflow server; what it holds against what the journals say."""

import json
import math
import socket
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from foldproof.events.fold_id import FoldId
from foldproof.events.types import ArtifactAdded, EpochFinished, Event, FoldFailed, FoldFinished
from foldproof.records.record import RunRecord, read_events
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.desired_runs import parameters
from foldproof.trackers.mlflow.server import _Address, _started, _wait_until_ready
from foldproof.trackers.mlflow.store import ENVIRONMENT
from foldproof.trackers.mlflow.sync import sync

QUANTITIES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
OF_A_RUN = ("run.json", "environment.json", "dataset.json", "folds.csv", "data-card.json", "data-card.md")
OF_A_FOLD = ("model.safetensors", "predictions.parquet", "events.jsonl")
RECORD_OF_A_FOLD = ("events.jsonl", "steps.f32", "predictions.parquet")  # in the parent too, which is a whole record
Points = dict[tuple[str, int], float]


@dataclass(frozen=True)
class Server:
    """A server on the loopback, with a SQLite store and files in a folder."""

    port: int
    artifacts: Path
    client: Any

    def experiment_id(self, name: str) -> str:
        return str(self.client.get_experiment_by_name(name).experiment_id)


@contextmanager
def mlflow_server(folder: Path) -> Iterator[Server]:
    """MLflow's own server; ended with all its processes."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    target = TrackingTarget(uri=f"sqlite:///{folder / 'server.db'}", experiment="", artifacts=folder / "files")
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as logs:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        with _started(target, "127.0.0.1", port, Path(logs)) as server:
            _wait_until_ready(server, _Address("127.0.0.1", port))
            from mlflow import MlflowClient

            yield Server(port, folder / "files", MlflowClient(f"http://127.0.0.1:{port}"))


def compare_store(server: Server, experiment: str, folders: Sequence[Path], *, statuses: Mapping[str, str]) -> None:
    """Assert that the experiment holds exactly these runs: each once, with its folds below it, whole and nothing twice.

    `statuses` maps what is not FINISHED, a run or `run/fold`, to what it is.
    """
    found = server.client.search_runs([server.experiment_id(experiment)], max_results=1000)
    by_id = {one.info.run_id: one for one in found}
    by_run: dict[str, list[Any]] = {}
    for one in found:
        by_run.setdefault(one.data.tags["foldproof.run_id"], []).append(one)
    assert sorted(by_run) == sorted(folder.name for folder in folders)
    for folder in folders:
        ours = by_run[folder.name]
        (parent,) = [one for one in ours if "mlflow.parentRunId" not in one.data.tags]
        children = {one.data.tags["foldproof.place"]: one for one in ours if one is not parent}
        assert len(children) == len(ours) - 1, "a fold stands twice"
        assert {one.data.tags["mlflow.parentRunId"] for one in children.values()} <= {parent.info.run_id}
        _compare_run(server, folder, parent, children, statuses)
    assert len(by_id) == len(found)


def _compare_run(
    server: Server, folder: Path, parent: Any, children: Mapping[str, Any], statuses: Mapping[str, str]
) -> None:
    record, events = RunRecord.read(folder), read_events(folder)
    told: dict[FoldId | None, list[Event]] = {}
    for event in events:
        told.setdefault(event.fold_id, []).append(event)
    places = {f"{place[0]}-{place[1]}": place for place in told if place is not None}
    assert children.keys() == places.keys()
    assert parent.info.status == statuses.get(folder.name, "FINISHED")
    assert parent.info.run_name == record.experiment
    assert parent.data.params == parameters(record.facts)
    assert len(parent.inputs.dataset_inputs) == 1
    assert _points(server, parent) == _spelled(_wanted_of_run(record))
    assert _files(server, parent) == {
        "classes.json": json.dumps(
            {f"class_{number:02d}": name for number, name in enumerate(record.facts["classes"])},
            indent=1,
            ensure_ascii=False,
        ).encode(),
        **_contents(folder, (*OF_A_RUN, *_added(told[None]), "events.jsonl", "code.diff")),
        **_contents(folder, [path.name for path in folder.glob("environment-*.json")]),
        **_contents(folder, [f"fold-{name}/{file}" for name in places for file in RECORD_OF_A_FOLD]),
    }
    for name, place in places.items():
        child = children[name]
        assert child.info.status == statuses.get(f"{folder.name}/{name}", "FINISHED")
        assert child.data.params.items() >= parent.data.params.items()
        assert ("foldproof.failure" in child.data.tags) == (place in record.failed)
        assert _points(server, child) == _spelled(_wanted_of_fold(told[place], record.facts["classes"]))
        of_fold = _contents(place.folder(folder), OF_A_FOLD)
        assert _files(server, child) == {**of_fold, **_contents(folder, _added(told[place]))}
        if isinstance(told[place][-1].body, FoldFinished | FoldFailed):
            assert child.info.end_time == round(told[place][-1].time * 1000)
    if record.ended_at is not None:
        assert parent.info.end_time == round(record.ended_at * 1000)


def _points(server: Server, run: Any) -> dict[tuple[str, int], str]:
    held: dict[tuple[str, int], str] = {}
    for key in run.data.metrics:
        for point in server.client.get_metric_history(run.info.run_id, key):
            assert (key, point.step) not in held, f"{key} stands twice at {point.step}"
            held[key, point.step] = repr(float(point.value))
    return held


def _spelled(points: Points) -> dict[tuple[str, int], str]:
    return {name: repr(float(value)) for name, value in points.items()}


def _wanted_of_fold(events: Sequence[Event], classes: Sequence[str]) -> Points:
    points: Points = {}
    for event in events:
        if isinstance(event.body, EpochFinished):
            for quantity in (*QUANTITIES, "lr"):
                points[quantity, event.body.epoch] = getattr(event.body, quantity)
        if isinstance(event.body, FoldFinished):
            for name, value in event.body.scores.items():
                points[name.replace(":", "_"), event.body.epochs] = value
            for name, value in event.body.per_class.items():
                points[f"recall_class_{list(classes).index(name):02d}", event.body.epochs] = value
    return points


def _wanted_of_run(record: RunRecord) -> Points:
    points: Points = {}
    folds = record.facts["config"]["folds"]
    if len(record.epochs) == folds["k"] * folds["repeats"]:
        for across in zip(*record.epochs.values(), strict=False):
            for quantity in QUANTITIES:
                values = [getattr(epoch, quantity) for epoch in across]
                points[f"mean_{quantity}", across[0].epoch] = math.fsum(values) / len(values)
                points[f"sd_{quantity}", across[0].epoch] = statistics.stdev(values)
    if record.complete:
        points["cv_avg_best_val_accuracy", 0] = record.best_epoch_accuracy.mean
        points["cv_avg_best_val_loss", 0] = record.best_epoch_loss.mean
        scores = [fold.scores for fold in record.finished.values()]
        across_folds = {name: [one[name] for one in scores] for name in scores[0]}
        across_folds["val_loss"] = [record.epochs[place][-1].val_loss for place in record.finished]
        across_folds["accuracy"] = [record.epochs[place][-1].val_accuracy for place in record.finished]
        for name, values in across_folds.items():
            points[f"cv_{name}_mean".replace(":", "_"), 0] = math.fsum(values) / len(values)
            points[f"cv_{name}_std".replace(":", "_"), 0] = statistics.stdev(values)
    return points


def _files(server: Server, run: Any) -> dict[str, bytes]:
    root = server.artifacts / unquote(urlsplit(run.info.artifact_uri).path).lstrip("/")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def _contents(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def _added(events: Sequence[Event]) -> list[str]:
    return [event.body.file for event in events if isinstance(event.body, ArtifactAdded)]


def sync_in_this_process(folders: list[Path], target: TrackingTarget, answer: Path) -> None:
    """What it did as JSON into `answer`; for processes that a test starts."""
    answer.write_text(json.dumps(asdict(sync(folders, target))))
