"""Check that the trackers are installed and that MLflow can be reached, within seconds."""

import socket
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from foldproof import registry
from foldproof.config.schema import CONSOLE, MLFLOW, TrackingSettings
from foldproof.doctor.check import ProjectCheck, bad, note, ok
from foldproof.errors import FoldproofError
from foldproof.project import Project
from foldproof.storage import redact
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.database import experiment_in, why_unusable, why_unusable_elsewhere
from foldproof.trackers.mlflow.limits import bound
from foldproof.trackers.mlflow.reasons import Reason, explained, why_no_file_store
from foldproof.trackers.mlflow.store import is_known, restoring
from foldproof.trackers.mlflow.target import is_server, resolve_target, sqlite_file
from foldproof.trackers.mlflow.trust import sends_password_in_the_clear

_PATIENCE_SECONDS = 2.0


def check_named_trackers(tracking: TrackingSettings) -> Iterator[ProjectCheck]:
    """Whether what the installed trackers need is there too; own code is not run."""
    for name in tracking.told:
        if name not in (CONSOLE, MLFLOW) and not registry.is_dotted_path(name):
            try:
                registry.load("trackers", name)
            except FoldproofError as error:
                yield bad("trackers", error.what, error.next_step)
            else:
                yield ok("trackers", f"{name} is installed")


def check_mlflow(project: Project, tracking: TrackingSettings, environ: Mapping[str, str]) -> ProjectCheck:
    """A server answers and takes the user, or the store's file is there or can be made. No run depends on it."""
    if not tracking.to_mlflow:
        way = "name mlflow in tracking.trackers" if tracking.enabled else "set tracking.enabled: true"
        return note("tracking", "off: the runs are only in runs/", f"{way} for MLflow")
    try:
        target = resolve_target(tracking, project, environ)
    except FoldproofError as error:
        return bad("tracking", error.what, error.next_step)
    if is_server(target.uri):
        return _of_server(target, environ)
    file = sqlite_file(target.uri)
    if file is not None and not file.parent.is_dir():
        return bad("tracking", f"{file.parent} is not there", "make it, or fix tracking.uri")
    return _of_file(file, target) if file is not None else _of_another(target, environ)


def _of_file(file: Path, target: TrackingTarget) -> ProjectCheck:
    shown = redact(target.uri)
    why = why_unusable(file)
    if why is not None:
        return _of_reason(shown, why)
    with suppress(sqlite3.Error):  # of a database that is being made
        experiment = experiment_in(file, target.experiment)
        if experiment is not None and not experiment.is_active:
            said = f"{shown}: the experiment '{target.experiment}' was deleted in MLflow"
            return note("tracking", said, f"{restoring(target, experiment.id)}; or set tracking.experiment")
    return ok("tracking", shown)


def _of_another(target: TrackingTarget, environ: Mapping[str, str]) -> ProjectCheck:
    """A database behind a driver is asked, within seconds; of a folder of files it is known what MLflow will say."""
    shown = redact(target.uri)
    if target.uri.startswith("file:"):
        why = why_no_file_store(target.uri, environ)
    elif target.artifacts is None:
        return ok("tracking", shown)
    else:
        try:
            why = bound(lambda _: why_unusable_elsewhere(target.uri), uri=target.uri, seconds=10 * _PATIENCE_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises
            why = explained(error, target.uri, environ)
    return _of_reason(shown, why) if why else ok("tracking", shown)


def _of_reason(shown: str, why: Reason) -> ProjectCheck:
    way = f"{why.way_on}; " if why.way_on else ""
    return note("tracking", f"{shown}: {why.text}", f"{way}runs go on, `foldproof sync` later")


def _of_server(target: TrackingTarget, environ: Mapping[str, str]) -> ProjectCheck:
    shown, parts = redact(target.uri), urlsplit(target.uri)
    try:
        address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        socket.create_connection(address, timeout=_PATIENCE_SECONDS).close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return note("tracking", f"{shown} does not answer: {why}", "runs go on; `foldproof sync` later")
    try:
        known = bound(
            lambda _: is_known(target, seconds=_PATIENCE_SECONDS), uri=target.uri, seconds=10 * _PATIENCE_SECONDS
        )
    except FoldproofError as error:
        return note("tracking", error.what, error.next_step)
    if sends_password_in_the_clear(target.uri, environ, trusted=target.trusted):
        return note("tracking", f"{shown} gets your password unencrypted", "write its address with https://")
    there = "has" if known else "has not yet"
    return ok("tracking", f"{shown} takes this user, and {there} the experiment '{target.experiment}'")
