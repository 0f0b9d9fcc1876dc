"""Link to MLflow's table of an experiment's runs, with the columns in which cross-validation is seen.

MLflow keeps columns in no address, only in a view that is stored as a tag of the experiment and named in the link.
"""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from foldproof.trackers.mlflow import door

COLUMNS = (
    *(f"metrics.`{name}`" for name in ("cv_accuracy_mean", "cv_accuracy_std", "cv_avg_best_val_accuracy")),
    *(f"params.`{name}`" for name in ("epochs", "lr")),
)
_VIEW = "foldproof"
_TAG = f"mlflow.sharedViewState.{_VIEW}"
_API = "/api/2.0/mlflow/experiments"
_SECONDS = 10.0


def link_to_runs(address: str, experiment: str, password: str) -> str:
    """The page of the runs of `experiment` on our own server; its view is stored there if it is missing.

    Only the address where the experiment does not exist yet. Raises OSError where the server does not answer.
    """
    asked = urllib.parse.urlencode({"experiment_name": experiment})
    try:
        found = _ask(f"{address}{_API}/get-by-name?{asked}", password)["experiment"]
    except urllib.error.HTTPError:
        return address
    if all(tag["key"] != _TAG for tag in found.get("tags", ())):
        view = {"experiment_id": found["experiment_id"], "key": _TAG, "value": _view()}
        _ask(f"{address}{_API}/set-experiment-tag", password, view)
    return (
        f"{address}/#/experiments/{found['experiment_id']}/runs?viewStateShareKey={_VIEW}&workflowType=machine_learning"
    )


def _view() -> str:
    """A view as MLflow 3.17 stores those that people save, so that it also stands in its menu."""
    now = round(time.time() * 1000)
    state = json.dumps({"selectedColumns": COLUMNS})
    return json.dumps({"name": "Cross-validation", "createdAt": now, "updatedAt": now, "state": state})


def _ask(url: str, password: str, told: dict[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, json.dumps(told).encode() if told else None)  # noqa: S310 - our own server
    request.add_header("Content-Type", "application/json")
    if password:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{door.USER}:{password}".encode()).decode())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=_SECONDS) as answer:
        return json.load(answer)
