"""Open MLflow's client and experiment for a target; turn every trouble of MLflow's into a TrackingError."""

import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from shlex import quote
from typing import Any, TypeAlias

from foldproof.errors import FoldproofError, TrackingError
from foldproof.provenance.committed_links import leading_out
from foldproof.storage import cleaned, locked, redact
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.database import why_unusable
from foldproof.trackers.mlflow.limits import bounded_answers
from foldproof.trackers.mlflow.moved import Moved, follow_the_project
from foldproof.trackers.mlflow.places import kept_folders, lies_within, local_path
from foldproof.trackers.mlflow.reasons import Reason, explained
from foldproof.trackers.mlflow.store_template import put_empty_store
from foldproof.trackers.mlflow.target import is_server, sqlite_file
from foldproof.trackers.mlflow.trust import is_trusted, names_a_host, origin, withheld

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    # Ending a run prints its address, and with it the password of the tracking URI.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # MLflow's own defaults let a dead server hang a call for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
LOCK_SECONDS = 60.0
LATER = "the runs are safe in runs/; when this is fixed, `foldproof sync` brings them to MLflow"
_REFUSALS = ("INVALID_PARAMETER_VALUE", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST", "BAD_REQUEST")
USUAL_SECONDS = 2.0
OPENING_SECONDS = 20.0  # to import MLflow, or to make a SQLite store
Pulse: TypeAlias = Callable[[float], None]  # "the next sign of life comes within these seconds"


@dataclass(frozen=True)
class Store:
    """An experiment of a tracking server or store, ready for runs."""

    client: Any  # mlflow.MlflowClient
    experiment_id: str
    target: TrackingTarget
    moved: Moved | None = None  # where the project was moved or copied since the store was used last

    def why_no_files(self, location: str) -> str:
        """Why no file of a run is sent to the place that the store names for it; empty where files may go there.

        Whoever filled the store, or runs the server, chose that place: a folder of this machine, or another host.
        """
        if self.target.trusted or self._is_ours(location):
            return ""
        shown = cleaned(redact(location), most=200)
        return (
            f"the files of '{self.target.experiment}' would go to {shown}, which is not this project's, so none did; "
            "set another tracking.experiment, or MLFLOW_TRACKING_URI if this store is yours"
        )

    def _is_ours(self, location: str) -> bool:
        path = local_path(location)
        if path is not None:
            return self.target.artifacts is not None and lies_within(path, kept_folders(self.target.artifacts))
        address = re.sub("^mlflow-artifacts://(?=[^/])", "http://", location)
        if not names_a_host(address) or is_trusted(address, os.environ):
            return True
        return origin(address).partition(":")[2] == origin(self.target.uri).partition(":")[2] != ""


def set_defaults() -> None:
    """Keep MLflow quiet, private and bounded in time, where the user has not said otherwise in the environment."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="mlflow")  # its own use of its dependencies: nobody here can fix it
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")  # MLFLOW_TRACKING_INSECURE_TLS asks for it


def prepare(target: TrackingTarget, pulse: Pulse) -> Store:
    """Open the store, made first where there is none, and its experiment. Raises TrackingError, StorageError.

    Processes that make one SQLite store at once would destroy it, hence the lock file beside it.
    """
    set_defaults()
    pulse(OPENING_SECONDS)
    refuse_committed_links(target)
    file = sqlite_file(target.uri)

    def imported() -> None:
        pulse(USUAL_SECONDS if is_server(target.uri) else OPENING_SECONDS)
        if file is not None:
            put_empty_store(file)

    with tracking_errors(target), store_lock(target.uri):
        refuse_unusable(target)
        moved = follow_the_project(target)
        client = _client(target, imported)
        return Store(client, _experiment(client, target, moved), target, moved)


def refuse_committed_links(target: TrackingTarget) -> None:
    """Raises TrackingError where the store or its folder of files is a link that came with the repository."""
    for path in (sqlite_file(target.uri), target.artifacts):
        if path is not None and not target.trusted and path.is_symlink() and leading_out(path):
            raise TrackingError(
                f"{cleaned(str(path), most=200)} is a link that came with the repository: nothing is put there",
                next_step="remove it, or set tracking.uri; the runs are safe in runs/",
            )


def refuse_unusable(target: TrackingTarget) -> None:
    """Raises TrackingError where the store's file is of a different MLflow, or not of MLflow: it is left as it is."""
    file = sqlite_file(target.uri)
    why = None if file is None else why_unusable(file)
    if why is not None:
        raise told(why, target.uri)


def told(why: Reason, uri: str) -> TrackingError:
    """The error that says why MLflow at `uri` did not do what was asked, and the way on."""
    return TrackingError(
        f"MLflow at {redact(uri)}: {why.text}",
        next_step=f"{why.way_on}; the runs are safe in runs/, and `foldproof sync` then brings them to MLflow"
        if why.way_on
        else LATER,
    )


def one_line_of(error: FoldproofError) -> str:
    """What went wrong, and the way on where there is more to do than to come back later."""
    return error.what if error.next_step in ("", LATER) else f"{error.what}; {error.next_step}"


def is_known(target: TrackingTarget, *, seconds: float) -> bool:
    """Whether a server has the experiment, asked once, for at most that long. Nothing is made there.

    Raises TrackingError where it does not answer, refuses the user, or has the experiment deleted.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(max(1, round(seconds))))
    set_defaults()
    with tracking_errors(target):
        found = _client(target).get_experiment_by_name(target.experiment)
    if found is not None:
        _refuse_deleted(target, found)
    return found is not None


@contextmanager
def tracking_errors(target: TrackingTarget) -> Iterator[None]:
    """Turn what MLflow, its store, a driver or the network raise into a TrackingError without secrets.

    Meanwhile a server that this user has not named gets no password that belongs to no host, and none answers for ever.
    """
    try:
        with withheld(trusted=target.trusted or not names_a_host(target.uri)), bounded_answers():
            yield
    except FoldproofError:
        raise
    except Exception as error:  # the one place where a tracker is isolated
        why = explained(error, target.uri, os.environ, trusted=target.trusted)
        raise told(why, target.uri) from error


def was_refused(error: TrackingError) -> bool:
    """Whether MLflow answered, and what was asked did not fit what it holds: somebody else changed it meanwhile."""
    return getattr(error.__cause__, "error_code", "") in _REFUSALS


def _client(target: TrackingTarget, imported: Callable[[], None] = lambda: None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.tracking import MlflowClient

    set_defaults()  # the import sets levels of its own
    imported()
    return MlflowClient(tracking_uri=target.uri)


def _experiment(client: Any, target: TrackingTarget, moved: Moved | None) -> str:
    found = client.get_experiment_by_name(target.experiment)
    if found is None and moved is not None and target.artifacts is not None:
        former = client.get_experiment_by_name(moved.before.name)
        if former is not None and former.lifecycle_stage == "active" and target.experiment == moved.file.parent.name:
            client.rename_experiment(former.experiment_id, target.experiment)  # named after the folder, as it was
            return str(former.experiment_id)
    if found is None:
        from mlflow.exceptions import MlflowException

        try:
            location = target.artifacts.as_uri() if target.artifacts else None
            return str(client.create_experiment(target.experiment, artifact_location=location))
        except MlflowException:
            found = client.get_experiment_by_name(target.experiment)  # somebody else was faster
            if found is None:
                raise
    _refuse_deleted(target, found)
    return str(found.experiment_id)


def _refuse_deleted(target: TrackingTarget, found: Any) -> None:
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"the experiment '{target.experiment}' was deleted in MLflow",
            next_step=f"restore it: {restoring(target, found.experiment_id)}; or set tracking.experiment",
        )


def restoring(target: TrackingTarget, experiment: str) -> str:
    """The command that brings a deleted experiment back."""
    return f"MLFLOW_TRACKING_URI={quote(redact(target.uri))} mlflow experiments restore -x {experiment}"


def store_lock(uri: str) -> AbstractContextManager[None]:
    """The lock that whoever makes or migrates a SQLite store holds; of other stores there is none."""
    file = sqlite_file(uri)
    if file is None:
        return nullcontext()
    return locked(file.with_name(f"{file.name}.lock"), what=str(file), wait_seconds=LOCK_SECONDS)
