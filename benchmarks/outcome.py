"""What a side did: its MLflow store in; runs, epochs, images per fold and scores out; and whether two did the same."""

import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parts import Pace

METRICS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")
MODELS = (".safetensors", ".ckpt", ".pth")  # foldproof, Lightning and skorch log such a file, the others a model


@dataclass(frozen=True)
class Logged:
    """One experiment as MLflow holds it: per fold the epochs that all four metrics have, and the last accuracy."""

    status: tuple[str, ...]
    epochs: tuple[int, ...]
    models: int
    accuracy: float


@dataclass(frozen=True)
class Store:
    """The experiments of a store by name, one param of each fold as numbers, and how fast folds and epochs went."""

    experiments: Mapping[str, Logged]
    params: Mapping[str, tuple[int, ...]]
    pace: Pace


@dataclass(frozen=True)
class Outcome:
    """What was logged, and how many images each fold validated on."""

    experiments: Mapping[str, Logged]
    images: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Expected:
    """What a side must have done: epochs that each experiment logs, and of how many folds."""

    epochs: Mapping[str, int]
    folds: int


def logged(file: Path, experiment: str, *, param: str | None = None, metrics: Sequence[str] = METRICS) -> Store:
    """What the MLflow experiment of that name holds. `metrics`: the names of the four, accuracy of validation last.

    A copy of the SQLite file is read: MLflow keeps a file open and would show an earlier one of the same path.
    """
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as place:
        copy = shutil.copy(file, Path(place) / file.name)
        return _read(MlflowClient(f"sqlite:///{copy}"), experiment, param, metrics)


def _read(client, experiment: str, param: str | None, metrics: Sequence[str]) -> Store:
    runs = client.search_runs([client.get_experiment_by_name(experiment).experiment_id], max_results=1000)
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    experiments, params, lasted, apart = {}, {}, [], []
    for parent in parents:
        nested = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
        nested.sort(key=lambda run: run.info.run_name)
        histories = [[client.get_metric_history(run.info.run_id, name) for name in metrics] for run in nested]
        experiments[parent.info.run_name] = Logged(
            status=tuple(run.info.status for run in (parent, *nested)),
            epochs=tuple(min(map(len, found)) for found in histories),
            models=sum(_has_model(client, run) for run in nested),
            accuracy=statistics.mean(run.data.metrics[metrics[-1]] for run in nested),
        )
        params[parent.info.run_name] = tuple(int(run.data.params[param]) for run in nested) if param else ()
        times = [run.info.end_time - run.info.start_time for run in nested if run.info.end_time]
        lasted += times[1:] or times  # the first also waits for what is loaded once
        ends = [sorted(point.timestamp for point in found[-1]) for found in histories]
        apart += [(times[-1] - times[0]) / (len(times) - 1) for times in ends if len(times) > 1]
    return Store(experiments, params, Pace(_mean_seconds(lasted), _mean_seconds(apart)))


def differences(
    ours: Outcome, theirs: Outcome, *, we_should: Expected, they_should: Expected, they: str = "the script"
) -> list[str]:
    """Why the two did not do the same work, or what of it they were to do; empty where they did.

    Of each fold's images up to 2 % or 2 may differ: the two stratify by other rules.
    """
    problems = [*_lacks("foldproof", ours, we_should), *_lacks(they, theirs, they_should)]
    if problems:
        return problems
    for name in they_should.epochs:
        one, other = sorted(ours.images[name]), sorted(theirs.images[name])
        allowed = max(2.0, 0.02 * max(other))
        mean = sum(one) / len(one)
        other += [round(mean)] * (len(one) - len(other))  # folds that were not to be run
        if any(abs(a - b) > allowed for a, b in zip(one, sorted(other), strict=True)):
            problems.append(f"{name}: folds of {one} images beside {other}")
        elif they_should.folds == we_should.folds and sum(one) != sum(other):
            problems.append(f"{name}: {sum(one)} images beside {sum(other)}")
    return problems


def _lacks(who: str, outcome: Outcome, expected: Expected) -> list[str]:
    if set(outcome.experiments) != set(expected.epochs):
        return [f"{who} ran {sorted(outcome.experiments)}, not {sorted(expected.epochs)}"]
    problems = []
    for name, epochs in expected.epochs.items():
        found = outcome.experiments[name]
        if set(found.status) != {"FINISHED"}:
            problems.append(f"{who}: not every run of {name} is closed: {found.status}")
        if found.epochs != (epochs,) * expected.folds:
            problems.append(f"{who}: {name} logged {found.epochs} epochs, not {expected.folds} times {epochs}")
        if found.models != expected.folds:
            problems.append(f"{who}: {name} logged {found.models} models of {expected.folds} folds")
    return problems


def _mean_seconds(milliseconds: Sequence[float]) -> float:
    return statistics.mean(milliseconds) / 1000 if milliseconds else 0.0


def _has_model(client, run) -> bool:
    if run.outputs is not None and run.outputs.model_outputs:
        return True
    return any(file.path.endswith(MODELS) for file in _files(client, run.info.run_id))


def _files(client, run_id: str, path: str | None = None):
    for file in client.list_artifacts(run_id, path):
        yield from _files(client, run_id, file.path) if file.is_dir else (file,)
