"""Delete the MLflow runs that stand for runs of ours, and count them."""

from collections.abc import Sequence
from functools import partial

from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.desired_runs import RUN_ID
from foldproof.trackers.mlflow.limits import bound_by_target
from foldproof.trackers.mlflow.store import Pulse, prepare, tracking_errors


def delete_runs(target: TrackingTarget, runs: Sequence[str]) -> int:
    """Delete all MLflow runs that stand for `runs` in the experiment of `target`; how many there were.

    Raises TrackingError, StorageError. Files of theirs that a server keeps go when its `mlflow gc` does.
    """
    return bound_by_target(target, partial(_delete_runs, target, runs))


def _delete_runs(target: TrackingTarget, runs: Sequence[str], pulse: Pulse) -> int:
    store = prepare(target, pulse)
    there = 0
    with tracking_errors(target):
        for run in runs:
            for found in store.client.search_runs([store.experiment_id], filter_string=f"tags.`{RUN_ID}` = '{run}'"):
                store.client.delete_run(found.info.run_id)
                there += 1
    return there
