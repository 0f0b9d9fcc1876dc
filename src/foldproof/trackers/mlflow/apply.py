"""Bring an MLflow run to a desired state by sending what it lacks; sending it again changes nothing."""

import getpass
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from foldproof.events.fold_id import FoldId
from foldproof.trackers.mlflow.desired_runs import (
    FAILURE,
    PARENT,
    PLACE,
    RUN_ID,
    SEAL,
    DesiredRun,
    Upload,
    sealed_events,
)
from foldproof.trackers.mlflow.limits import pages
from foldproof.trackers.mlflow.places import local_path
from foldproof.trackers.mlflow.points import Point
from foldproof.trackers.mlflow.store import USUAL_SECONDS, Pulse, Store
from foldproof.trackers.mlflow.target import is_server

_UPLOAD_BYTES_PER_SECOND = 1e6  # slower than this counts as hanging
_POINTS_A_CALL = 500  # MLflow takes twice as many
_TEXTS_A_CALL = 100
_POINTS_A_PAGE = 25_000


class MlflowRun:
    """An MLflow run and what is known to be in it."""

    def __init__(self, store: Store, run: Any, pulse: Pulse) -> None:
        self.run_id: str = run.info.run_id
        self.without_files = store.why_no_files(run.info.artifact_uri or "")
        self._folder = local_path(run.info.artifact_uri or "")
        self._store = store
        self._client = store.client
        self._pulse = pulse
        self._tags: dict[str, str] = dict(run.data.tags)
        self._params: dict[str, str] = dict(run.data.params)
        self._status = (run.info.status, run.info.end_time)
        self._keys = tuple(run.data.metrics)
        self._points: set[tuple[object, ...]] | None = None
        self._uploads: set[Upload] = set()
        self._texts: dict[str, str] = {}
        self._has_dataset = False

    def apply(self, desired: DesiredRun, *, more_tags: Mapping[str, str]) -> bool:
        """Send what the run lacks, the status last. Whether it lacked anything."""
        if sealed_events(self._tags.get(SEAL, "")) > desired.events:  # this is an old copy: MLflow knows how it went on
            return self.tag(more_tags)
        tags = {**desired.tags, **more_tags}
        sealed = desired.seal and self._tags.get(SEAL) == desired.seal
        if sealed and tags.items() <= self._tags.items() and not self._lost_files(desired.uploads):
            return False
        sent = [
            self._send_tags_and_params(tags, desired.params),
            self._delete_failure(tags),
            self._send_points(desired.points),
            self._send_dataset(desired.dataset),
            self._send_files(desired.uploads, desired.texts),
            self._send_status(desired.status, desired.ended),
            self._send_tags_and_params({SEAL: desired.seal} if desired.seal and not self.without_files else {}, {}),
        ]
        return any(sent)

    def tag(self, tags: Mapping[str, str]) -> bool:
        """Set tags. Whether they were other before."""
        return self._send_tags_and_params(tags, {})

    def _delete_failure(self, tags: Mapping[str, str]) -> bool:
        if FAILURE in tags or FAILURE not in self._tags:
            return False
        self._pulse(USUAL_SECONDS)
        self._client.delete_tag(self.run_id, FAILURE)
        del self._tags[FAILURE]
        return True

    def _send_tags_and_params(self, tags: Mapping[str, str], params: Mapping[str, str]) -> bool:
        from mlflow.entities import Param, RunTag

        new_tags = {key: value for key, value in tags.items() if self._tags.get(key) != value}
        new_params = {key: value for key, value in params.items() if key not in self._params}
        for some in _batches(new_tags.items(), _TEXTS_A_CALL):
            self._log(tags=[RunTag(key, value) for key, value in some])
        for some in _batches(new_params.items(), _TEXTS_A_CALL):
            self._log(params=[Param(key, value) for key, value in some])
        self._tags |= new_tags
        self._params |= new_params
        return bool(new_tags or new_params)

    def _send_points(self, points: Sequence[Point]) -> bool:
        from mlflow.entities import Metric

        known = self._known_points()
        metrics = [Metric(p.key, p.value, milliseconds(p.time), p.step) for p in points if not p.is_infinite]
        new = [metric for metric in metrics if _identity(metric) not in known]
        for some in _batches(new, _POINTS_A_CALL):
            self._log(metrics=some)
            known |= set(map(_identity, some))
        return bool(new)

    def _known_points(self) -> set[tuple[object, ...]]:
        """Asked for once: a server of MLflow 2 refuses NaN twice, and a file store keeps every point twice."""
        if self._points is None:
            known: set[tuple[object, ...]] = set()
            for key in self._keys:
                self._pulse(USUAL_SECONDS)
                known |= set(map(_identity, metric_history(self._store, self.run_id, key)))
            self._points = known
        return self._points

    def _log(self, **what: Any) -> None:
        self._pulse(USUAL_SECONDS)
        self._client.log_batch(self.run_id, synchronous=True, **what)

    def _send_dataset(self, dataset: Mapping[str, str] | None) -> bool:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        if dataset is None or self._has_dataset:
            return False
        self._pulse(USUAL_SECONDS)
        tags = [InputTag("mlflow.data.context", "cross-validation")]
        self._client.log_inputs(self.run_id, [DatasetInput(Dataset(**dataset), tags)])
        self._has_dataset = True
        return True

    def _send_files(self, uploads: Sequence[Upload], texts: Mapping[str, str]) -> bool:
        if self.without_files:
            return False
        files = {upload: upload.file() for upload in uploads if upload not in self._uploads}
        new = {upload: file for upload, file in files.items() if file is not None}
        new_texts = {name: text for name, text in texts.items() if self._texts.get(name) != text}
        for upload, file in new.items():
            self._pulse(USUAL_SECONDS + file.stat().st_size / _UPLOAD_BYTES_PER_SECOND)
            self._client.log_artifact(self.run_id, str(file), upload.to or None)
            self._uploads.add(upload)
        for name, text in new_texts.items():
            self._pulse(USUAL_SECONDS)
            self._client.log_text(self.run_id, text, name)
            self._texts[name] = text
        return bool(new or new_texts)

    def _lost_files(self, uploads: Sequence[Upload]) -> bool:
        """Whether files that were sent into a folder of this machine are not there any more."""
        if self._folder is None or self.without_files:
            return False
        sent = ((upload.to, file.name) for upload in uploads if (file := upload.file()) is not None)
        return not all((self._folder / to / name).is_file() for to, name in sent)

    def _send_status(self, status: str, ended: float | None) -> bool:
        end = None if ended is None else milliseconds(ended)
        if self._status == (status, end) or (end is None and self._status[0] == status):
            return False
        self._pulse(USUAL_SECONDS)
        if end is None:
            self._client.update_run(self.run_id, status=status)
        else:
            self._client.set_terminated(self.run_id, status, end)
        self._status = (status, end)
        return True


def find_runs(store: Store, run: str, pulse: Pulse) -> tuple[dict[FoldId | None, MlflowRun], bool]:
    """The MLflow runs that stand for `run` and its folds, and whether some had to be deleted.

    Of several for one fold the least id stays, whoever looks: so two that look at once never delete all of them.
    """
    pulse(USUAL_SECONDS)
    found = _by_fold(_search(store, run))
    known = {fold_id: _only(store, runs, pulse) for fold_id, runs in found.items()}
    return known, any(len(runs) > 1 for runs in found.values())


def is_settled(store: Store, run: str, known: Mapping[FoldId | None, MlflowRun], pulse: Pulse) -> bool:
    """Whether the runs `known` are all that stands for `run`, and the folds' hang below that of the run.

    Not so where a request was carried out late, after its reply was given up, or where another machine is at work.
    """
    pulse(USUAL_SECONDS)
    found = _by_fold(_search(store, run))
    parents = {one.data.tags.get(PARENT) for fold_id, runs in found.items() if fold_id is not None for one in runs}
    return parents <= {known[None].run_id} and {
        fold_id: [one.info.run_id for one in runs] for fold_id, runs in found.items()
    } == {fold_id: [one.run_id] for fold_id, one in known.items()}


def create_run_for(store: Store, desired: DesiredRun, pulse: Pulse, *, more_tags: Mapping[str, str]) -> MlflowRun:
    """A new MLflow run; where another process makes the same one at this moment both take that of the least id."""
    pulse(USUAL_SECONDS)
    store.client.create_run(
        store.experiment_id,
        start_time=milliseconds(desired.started),
        run_name=desired.name,
        tags={**_user(), **desired.first_tags, **desired.tags, **more_tags},
    )
    pulse(USUAL_SECONDS)
    found = _by_fold(_search(store, desired.run, fold_id=desired.tags.get(PLACE)))
    return _only(store, found[desired.fold_id], pulse)


def metric_history(store: Store, run_id: str, key: str) -> Iterable[Any]:
    """Every point of a metric. MLflow's client would ask a server for pages as long as it names another."""
    if not is_server(store.target.uri):
        return list(store.client.get_metric_history(run_id, key))
    asked = store.client._tracking_client.store.get_metric_history  # noqa: SLF001 - the page that follows is asked here
    return pages(
        lambda token: asked(run_id=run_id, metric_key=key, max_results=_POINTS_A_PAGE, page_token=token),
        uri=store.target.uri,
    )


def milliseconds(seconds: float) -> int:
    """MLflow's unit of time."""
    return round(seconds * 1000)


def _search(store: Store, run: str, *, fold_id: str | None = None) -> Iterator[Any]:
    conditions = [f"tags.`{RUN_ID}` = '{run}'"] + ([f"tags.`{PLACE}` = '{fold_id}'"] if fold_id else [])
    yield from pages(
        lambda token: store.client.search_runs(
            [store.experiment_id], filter_string=" AND ".join(conditions), max_results=1000, page_token=token
        ),
        uri=store.target.uri,
    )


def _by_fold(runs: Iterator[Any]) -> dict[FoldId | None, list[Any]]:
    found: dict[FoldId | None, list[Any]] = {}
    for run in runs:
        repeat, dash, fold = run.data.tags.get(PLACE, "").partition("-")
        fold_id = FoldId(int(repeat), int(fold)) if dash else None
        if dash or PARENT not in run.data.tags:
            found.setdefault(fold_id, []).append(run)
    return found


def _only(store: Store, runs: list[Any], pulse: Pulse) -> MlflowRun:
    least, *others = sorted(runs, key=lambda run: str(run.info.run_id))
    for other in others:
        pulse(USUAL_SECONDS)
        store.client.delete_run(other.info.run_id)
    return MlflowRun(store, least, pulse)


def _user() -> dict[str, str]:
    try:
        return {"mlflow.user": getpass.getuser()}
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return {}


def _identity(metric: Any) -> tuple[object, ...]:
    return metric.key, metric.step, metric.timestamp, repr(float(metric.value))  # as text, since nan is not nan


def _batches(items: Any, size: int) -> Iterator[list[Any]]:
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
