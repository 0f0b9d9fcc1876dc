"""An MLflow store that somebody else filled in; the scores of the folds that it holds out.

Two habits are known: a parent run with a nested run a fold, and one run with a metric a fold (`fold_3_val_accuracy`).
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from foldproof.errors import TrackingError
from foldproof.storage import cleaned, redact
from foldproof.trackers.mlflow.limits import ASKING_SECONDS, bounded_answers, in_time, pages
from foldproof.trackers.mlflow.reasons import explained
from foldproof.trackers.mlflow.store import set_defaults
from foldproof.trackers.mlflow.target import sqlite_file
from foldproof.trackers.mlflow.wanted import PARENT, RESEED_OF

PREFERRED = ("val_accuracy", "val_acc", "validation_accuracy", "valid_accuracy", "accuracy", "test_accuracy", "acc")
OPTIMISTIC = ("best_val_accuracy", "best_val_acc", "best_accuracy", "best_acc")
MOST_RUNS = 20_000
_FOLD = re.compile(r"(?:^|[^a-z])(?:fold|split|cv)[ _.#/-]*(\d{1,3})(?:\D|$)", re.IGNORECASE)
_ONLY_A_NUMBER = re.compile(r"\s*(\d{1,3})\s*")
_A_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Logged:
    """The score of one fold as it was logged under `metric`; the last value, whatever the epoch."""

    experiment: str
    repeat: int
    fold: int
    score: float
    metric: str
    params: Mapping[str, str]
    images: int | None
    is_newest: bool  # of the runs of this name


def logged_scores(uri: str) -> list[Logged]:
    """Every fold's score of every run in the store, oldest run first; of runs of one name, the newest has it plain.

    Raises TrackingError where the store cannot be read or holds no scores of folds.
    """
    file = sqlite_file(uri)
    if file is not None and not file.is_file():  # MLflow would make one
        raise TrackingError(f"there is no {redact(str(file))}", next_step="name the file as mlflow:sqlite:///mlflow.db")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    set_defaults()
    from google.protobuf.json_format import Error as NoMessage
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    set_defaults()  # the import sets levels of its own
    try:
        runs = in_time(lambda _: _asked_for_runs(MlflowClient, uri), uri=uri, seconds=ASKING_SECONDS)
    except (MlflowException, NoMessage, OSError, ValueError, TypeError, LookupError) as error:
        why = explained(error, uri, os.environ)
        raise TrackingError(
            f"{redact(uri)} cannot be read: {cleaned(why.text, most=200)}",
            next_step=why.way_on or "name it as mlflow:sqlite:///mlflow.db or mlflow:http://…",
        ) from error
    by_parent = _children(runs)
    single = [run for key, run in runs.items() if key not in by_parent and _by_fold(run.data.metrics)]
    names = _names([*(runs[parent] for parent in by_parent), *single])
    found = [*_of_children(by_parent, names, runs), *_of_single(single, names)]
    if not found:
        raise TrackingError(
            f"{redact(uri)} holds {len(runs)} runs, but no accuracy of a fold",
            next_step=f"wanted: nested runs that log {' or '.join(PREFERRED[:2])}; or metrics such as fold_0_accuracy",
        )
    return found


def _asked_for_runs(connect: Callable[..., Any], uri: str) -> dict[str, Any]:
    """Every run by its id, oldest first, MOST_RUNS of them at most."""
    with bounded_answers():
        client = connect(tracking_uri=uri)
        found = pages(lambda token: client.search_experiments(max_results=_A_PAGE, page_token=token), uri=uri)
        experiments = [item.experiment_id for item in found]
        runs = _runs(client, experiments, uri) if experiments else iter(())
        return {run.info.run_id: run for run in islice(runs, MOST_RUNS)}


def _runs(client: Any, experiments: list[str], uri: str) -> Iterator[Any]:
    return pages(
        lambda token: client.search_runs(
            experiments, max_results=_A_PAGE, page_token=token, order_by=["start_time ASC"]
        ),
        uri=uri,
    )


def _of_children(
    by_parent: Mapping[str, Mapping[tuple[int, int], Any]], names: Mapping[str, str], runs: Mapping[str, Any]
) -> Iterator[Logged]:
    for parent, children in by_parent.items():
        metric = _metric([run.data.metrics for run in children.values()])
        for (repeat, fold), run in sorted(children.items()):
            if metric in run.data.metrics:
                yield Logged(
                    experiment=names[parent],
                    repeat=repeat,
                    fold=fold,
                    score=run.data.metrics[metric],
                    metric=str(metric),
                    params=_params(runs[parent], run),
                    images=_images(run.data.params),
                    is_newest=names[parent] == _name(runs[parent]),
                )


def _children(runs: Mapping[str, Any]) -> dict[str, dict[tuple[int, int], Any]]:
    """Parent to place to the newest nested run of that fold that finished; only of parents whose nested runs are folds.

    Trials of a search are nested runs too: they have no number of a fold in their params, nor in their names.
    """
    found: dict[str, dict[tuple[int, int], Any]] = {}
    strange: set[str] = set()
    for run in runs.values():  # oldest first
        parent = run.data.tags.get(PARENT)
        if parent not in runs or RESEED_OF in runs[parent].data.tags:
            continue
        place = _place(run)
        if place is None:
            strange.add(parent)
        elif run.info.status == "FINISHED":
            found.setdefault(parent, {})[place] = run
    return {parent: places for parent, places in found.items() if parent not in strange}


def _place(run: Any) -> tuple[int, int] | None:
    """By the params `repeat` and `fold`, else by the number in a name such as `fold 3`, `Fold_3` or `3`."""
    params = run.data.params
    if params.get("fold", "").isdecimal() and len(params["fold"]) < 4:
        repeat = params.get("repeat", "")
        return int(repeat) if repeat.isdecimal() and len(repeat) < 4 else 0, int(params["fold"])
    name = run.info.run_name or ""
    match = _FOLD.search(name) or _ONLY_A_NUMBER.fullmatch(name)
    return (0, int(match[1])) if match else None


def _of_single(runs: list[Any], names: Mapping[str, str]) -> Iterator[Logged]:
    """Runs that log a metric a fold; the mean of one over folds is none."""
    for run in runs:
        by_metric = _by_fold(run.data.metrics)
        metric = _metric([dict.fromkeys(by_metric, 0.0)]) or next(iter(by_metric))
        for fold, score in sorted(by_metric[metric].items()):
            yield Logged(
                experiment=names[run.info.run_id],
                repeat=0,
                fold=fold,
                score=score,
                metric=metric,
                params=dict(run.data.params),
                images=None,
                is_newest=names[run.info.run_id] == _name(run),
            )


def _by_fold(metrics: Mapping[str, float]) -> dict[str, dict[int, float]]:
    """Metric without its fold, to fold, to value; only accuracies that at least two folds have."""
    found: dict[str, dict[int, float]] = {}
    for name, value in metrics.items():
        match = _FOLD.search(name)
        if match and "acc" in name.lower() and "train" not in name.lower():
            bare = re.sub(r"[ _.#/-]+", "_", name[: match.start()] + "_" + name[match.end(1) :]).strip("_")
            found.setdefault(bare.lower(), {})[int(match[1])] = value
    return {name: folds for name, folds in found.items() if len(folds) > 1}


def _metric(metrics: list[Mapping[str, float]]) -> str | None:
    """The accuracy that most of the runs log, by preference; a best epoch's only where there is nothing else."""
    for name in (*PREFERRED, *OPTIMISTIC):
        if sum(name in one for one in metrics) * 2 > len(metrics):
            return name
    return None


def _names(runs: list[Any]) -> dict[str, str]:
    """What each run is called: its name, with the beginning of its id where a newer one has the same."""
    newest = {_name(run): run.info.run_id for run in runs}
    return {
        run.info.run_id: _name(run)
        if newest[_name(run)] == run.info.run_id
        else f"{_name(run)} ({run.info.run_id[:6]})"
        for run in runs
    }


def _name(run: Any) -> str:
    return str(run.info.run_name or run.info.run_id)


def _images(params: Mapping[str, str]) -> int | None:
    count = params.get("validation_images", "")
    return int(count) if count.isdecimal() and 0 < len(count) < 12 else None


def _params(parent: Any, child: Any) -> dict[str, str]:
    params = dict(parent.data.params) or dict(child.data.params)
    return {key: value for key, value in params.items() if key not in ("fold", "repeat")}
