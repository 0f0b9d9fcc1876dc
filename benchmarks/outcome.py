"""What a side did: its MLflow store in; runs, epochs, images per fold and scores out; and whether two did the same."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.works import Work

METRICS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")


@dataclass(frozen=True)
class Logged:
    """One experiment as MLflow holds it: per fold the epochs that all four metrics have, and the last accuracy."""

    status: tuple[str, ...]
    epochs: tuple[int, ...]
    models: int
    accuracy: float


@dataclass(frozen=True)
class Store:
    """The experiments of a store by name, and one param of each fold as numbers."""

    experiments: Mapping[str, Logged]
    params: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Outcome:
    """What was logged, and how many images each fold validated on."""

    experiments: Mapping[str, Logged]
    images: Mapping[str, tuple[int, ...]]


def logged(uri: str, experiment: str, *, param: str | None = None) -> Store:
    """What the MLflow experiment of that name holds."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name(experiment).experiment_id], max_results=1000)
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    experiments, params = {}, {}
    for parent in parents:
        nested = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
        nested.sort(key=lambda run: run.info.run_name)
        histories = [[len(client.get_metric_history(run.info.run_id, name)) for name in METRICS] for run in nested]
        experiments[parent.info.run_name] = Logged(
            status=tuple(run.info.status for run in (parent, *nested)),
            epochs=tuple(min(lengths) for lengths in histories),
            models=sum(_has_model(client, run) for run in nested),
            accuracy=statistics.mean(run.data.metrics["val_accuracy"] for run in nested),
        )
        params[parent.info.run_name] = tuple(int(run.data.params[param]) for run in nested) if param else ()
    return Store(experiments, params)


def differences(work: Work, ours: Outcome, theirs: Outcome) -> list[str]:
    """Why the two did not do the same work; empty where they did.

    Of each fold's images up to 2 % or 2 may differ: the two stratify by other rules.
    """
    problems = []
    for who, outcome in (("foldproof", ours), ("the script", theirs)):
        if set(outcome.experiments) != set(work.epochs):
            problems.append(f"{who} ran {sorted(outcome.experiments)}, not {sorted(work.epochs)}")
            continue
        for name, epochs in work.epochs.items():
            found = outcome.experiments[name]
            if set(found.status) != {"FINISHED"}:
                problems.append(f"{who}: not every run of {name} is closed: {found.status}")
            if found.epochs != (epochs,) * work.folds:
                problems.append(f"{who}: {name} logged {found.epochs} epochs, not {work.folds} times {epochs}")
            if found.models != work.folds:
                problems.append(f"{who}: {name} logged {found.models} models of {work.folds} folds")
    if problems:
        return problems
    for name in work.epochs:
        one, other = sorted(ours.images[name]), sorted(theirs.images[name])
        allowed = max(2.0, 0.02 * max(other))
        if sum(one) != sum(other) or any(abs(a - b) > allowed for a, b in zip(one, other, strict=True)):
            problems.append(f"{name}: folds of {one} images beside {other}")
    return problems


def _has_model(client, run) -> bool:
    """The script logs a model, foldproof its weights as a file."""
    if run.outputs is not None and run.outputs.model_outputs:
        return True
    return any(file.path.endswith(".safetensors") for file in _files(client, run.info.run_id))


def _files(client, run_id: str, path: str | None = None):
    for file in client.list_artifacts(run_id, path):
        yield from _files(client, run_id, file.path) if file.is_dir else (file,)
