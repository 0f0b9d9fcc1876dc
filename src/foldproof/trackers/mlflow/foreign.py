"""Read the scores of folds from an MLflow store that someone else filled, and say how they were understood.

How runs are told to be folds is in `logged_folds`, how metrics are understood in `measures`.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from foldproof.errors import TrackingError
from foldproof.events.fold_id import FoldId
from foldproof.storage import cleaned, redact
from foldproof.trackers.mlflow.database import why_unusable
from foldproof.trackers.mlflow.desired_runs import PARENT, RESEED_OF
from foldproof.trackers.mlflow.fold_numbers import RunSeen
from foldproof.trackers.mlflow.limits import ASKING_SECONDS, bound, bounded_answers, pages
from foldproof.trackers.mlflow.logged_folds import Family, Taken, families, taken
from foldproof.trackers.mlflow.measures import MEASURES, measured
from foldproof.trackers.mlflow.reasons import Reason, explained
from foldproof.trackers.mlflow.store import set_defaults
from foldproof.trackers.mlflow.target import DEFAULT_URI, sqlite_file

MOST_RUNS = 20_000
_MOST_STEPS = 100  # runs whose metrics are asked for step by step
_MOST_NAMED = 3
_MOST_METRICS = 12
_SQLITE = b"SQLite format 3"
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


@dataclass(frozen=True, kw_only=True)
class LoggedScores:
    """Every fold's score, of one `measure`; `said`: what was taken for what."""

    scores: tuple[Logged, ...]
    measure: str
    said: str


def logged_scores(source: str, metric: str | None = None) -> LoggedScores:
    """Every fold's score of every run in the store, oldest run first; of runs of one name, the newest has it plain.

    `source`: a URI, a database file or a folder such as ./mlruns. `metric`: its name there, or one of MEASURES; without
    it what most of them log. Raises TrackingError where the store cannot be read or holds no scores of folds.
    """
    uri = _uri(source)
    file = sqlite_file(uri)
    if file is not None and not file.is_file():  # MLflow would make one
        raise TrackingError(f"there is no {redact(str(file))}", next_step="name the file as mlflow:sqlite:///mlflow.db")
    if file is not None and (why := why_unusable(file)) is not None and os.access(file, os.W_OK):
        raise _unreadable(uri, why)
    runs = [*_seen(uri).values()]
    found = families(runs)
    chosen = taken(found, metric)
    if not chosen:
        raise _nothing(uri, runs, found, metric)
    names = _names([one.family for one in chosen])
    newest = {one.family.name: at for at, one in enumerate(chosen)}
    scores = [
        Logged(
            experiment=names[at],
            repeat=repeat,
            fold=fold,
            score=score,
            metric=one.metric,
            params=one.family.params,
            images=one.family.images.get(FoldId(repeat, fold)),
            is_newest=newest[one.family.name] == at,
        )
        for at, one in enumerate(chosen)
        for (repeat, fold), score in sorted(one.by_fold.items())
    ]
    return LoggedScores(scores=tuple(scores), measure=chosen[0].measured.measure, said=_said(chosen, found))


def is_store(path: Path) -> bool:
    """Whether a file is a database, or a folder one of MLflow's."""
    if path.is_dir():
        return (path / "0").is_dir() or any(path.glob("*/meta.yaml"))
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def _uri(source: str) -> str:
    """A database file or a folder as MLflow names it; without any, what MLflow itself would take here."""
    if not source:
        source = os.environ.get("MLFLOW_TRACKING_URI") or (DEFAULT_URI if Path("mlflow.db").exists() else "mlruns")
    if source.startswith("file:"):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    if "://" in source or source.startswith("file:"):
        return source
    path = Path(source).expanduser()
    if path.is_dir():
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # it is only read
        return path.absolute().as_uri()
    if path.is_file() or path.suffix in (".db", ".sqlite", ".sqlite3"):
        return f"sqlite:///{path.absolute()}"
    return source


def _seen(uri: str) -> dict[str, RunSeen]:
    """Every run by its id, oldest first, MOST_RUNS of them at most."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    set_defaults()
    from google.protobuf.json_format import Error as NoMessage
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    set_defaults()  # the import sets levels of its own
    try:
        return bound(lambda _: _asked_for_runs(MlflowClient, uri), uri=uri, seconds=ASKING_SECONDS)
    except (MlflowException, NoMessage, OSError, ValueError, TypeError, LookupError) as error:
        raise _unreadable(uri, explained(error, uri, os.environ)) from error


def _unreadable(uri: str, why: Reason) -> TrackingError:
    return TrackingError(
        f"{redact(uri)} cannot be read: {cleaned(why.text, most=200)}",
        next_step=why.way_on or "name it as mlflow:sqlite:///mlflow.db, mlflow:./mlruns or mlflow:http://…",
    )


def _asked_for_runs(connect: Callable[..., Any], uri: str) -> dict[str, RunSeen]:
    with bounded_answers():
        client = connect(tracking_uri=uri)
        found = pages(lambda token: client.search_experiments(max_results=_A_PAGE, page_token=token), uri=uri)
        experiments = {item.experiment_id: item.name for item in found}
        runs = list(islice(_runs(client, list(experiments), uri), MOST_RUNS)) if experiments else []
        reseeds = {run.info.run_id for run in runs if RESEED_OF in run.data.tags}
        left = [run for run in runs if not reseeds & {run.info.run_id, run.data.tags.get(PARENT)}]
        stepped = [run for run in left if _by_step(run)]
        steps = {run.info.run_id: _steps(client, run) for run in stepped[:_MOST_STEPS]}
        return {run.info.run_id: _run_seen(run, experiments, steps.get(run.info.run_id, {})) for run in left}


def _steps(client: Any, run: Any) -> dict[str, dict[int, float]]:
    return {
        name: {point.step: point.value for point in client.get_metric_history(run.info.run_id, name)}
        for name in _by_step(run)
    }


def _by_step(run: Any) -> list[str]:
    return [name for name in run.data.metrics if (known := measured(name)) and known.by_step]


def _run_seen(run: Any, experiments: Mapping[str, str], steps: Mapping[str, Mapping[int, float]]) -> RunSeen:
    return RunSeen(
        id=run.info.run_id,
        name=str(run.info.run_name or run.info.run_id),
        experiment=experiments.get(run.info.experiment_id, ""),
        parent=run.data.tags.get(PARENT, ""),
        finished=run.info.status == "FINISHED",
        params=dict(run.data.params),
        tags={name: text for name, text in run.data.tags.items() if not name.startswith("mlflow.")},
        metrics=dict(run.data.metrics),
        steps=steps,
    )


def _runs(client: Any, experiments: list[str], uri: str) -> Iterator[Any]:
    return pages(
        lambda token: client.search_runs(
            experiments, max_results=_A_PAGE, page_token=token, order_by=["start_time ASC"]
        ),
        uri=uri,
    )


def _names(found: list[Family]) -> list[str]:
    """What each experiment is called: as its run, with the beginning of its id where a newer one has the same name."""
    newest = {family.name: family.id for family in found}
    return [family.name if newest[family.name] == family.id else f"{family.name} ({family.id[:6]})" for family in found]


def _said(chosen: list[Taken], found: list[Family]) -> str:
    """What was taken for what, in one line."""
    by_metric = Counter(one.metric for one in chosen)
    measure = chosen[0].measured.measure
    metrics = ", ".join(sorted(by_metric))
    told = [f"{metrics} as MLflow has it" + ("" if set(by_metric) == {measure} else f", as {measure}")]
    told.append(f"folds are {_some(one.family.how for one in chosen)}")
    again = sum(one.family.again for one in chosen)
    told += [f"of {again} folds that were logged again the newest"] if again else []
    with_it = {id(one.family) for one in chosen}
    without = [family.name for family in found if id(family) not in with_it]
    told += [f"left out, without it: {_some(without)}"] if without else []
    others = sorted({name for one in chosen for name in one.family.scores} - set(by_metric))
    told += [f"--metric takes others: {_some(others)}"] if others else []
    told.append("that all had the same images and folds is not verified")
    if any(one.measured.optimistic for one in chosen):
        told.append("each fold chose its own best epoch: optimistic")
    return "; ".join(told)


def _some(texts: Iterable[str], most: int = _MOST_NAMED) -> str:
    different = [cleaned(text, most=100) for text in dict.fromkeys(texts)]
    more = f" and {len(different) - most} more" if len(different) > most else ""
    return ", ".join(different[:most]) + more


def _nothing(uri: str, runs: list[RunSeen], found: list[Family], metric: str | None) -> TrackingError:
    what = f"{redact(uri)} holds {len(runs)} runs"
    if found:
        logged = sorted({name for family in found for name in family.scores})
        said = f"no '{cleaned(metric, most=60)}' of folds" if metric else f"no {', '.join(MEASURES)} of folds"
        return TrackingError(
            f"{what}, but {said}", next_step=f"folds have: {_some(logged, _MOST_METRICS) or 'none that is known'}"
        )
    return TrackingError(
        f"{what}, but none that are told apart as folds, with an accuracy, F1 or AUC",
        next_step="wanted: runs that log val_acc, named such as resnet_fold3 or with params for fold and experiment;"
        " or metrics like fold_0_acc",
    )
