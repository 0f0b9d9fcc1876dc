"""Where MLflow shall find the runs in: whether it can be reached, bounded in time, out."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from foldproof.config.schema import TrackingSettings
from foldproof.doctor.check import Check
from foldproof.errors import FoldproofError
from foldproof.project import Project
from foldproof.storage import redact
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.target import is_server, resolve_target, sqlite_file
from foldproof.trackers.mlflow.trust import sends_password_in_the_clear

_PATIENCE_SECONDS = 2.0


def of_tracking(project: Project, tracking: TrackingSettings, environ: Mapping[str, str]) -> Check:
    """A server answers and takes the user, or the store's file is there or can be made. No run depends on it."""
    if not tracking.to_mlflow:
        way = "name mlflow in tracking.trackers" if tracking.enabled else "set tracking.enabled: true"
        return Check("tracking", "note", "off: the runs are in runs/ alone", f"{way} for MLflow")
    try:
        target = resolve_target(tracking, project, environ)
    except FoldproofError as error:
        return Check("tracking", "bad", error.what, error.next_step)
    if is_server(target.uri):
        return _of_server(target, environ)
    file = sqlite_file(target.uri)
    if file is not None and not file.parent.is_dir():
        return Check("tracking", "bad", f"{file.parent} is not there", "make it, or mend tracking.uri")
    return Check("tracking", "ok", redact(target.uri))


def _of_server(target: TrackingTarget, environ: Mapping[str, str]) -> Check:
    shown, parts = redact(target.uri), urlsplit(target.uri)
    try:
        address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        socket.create_connection(address, timeout=_PATIENCE_SECONDS).close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return Check("tracking", "note", f"{shown} does not answer: {why}", "runs go on; `foldproof sync` later")
    from foldproof.trackers.mlflow.limits import in_time
    from foldproof.trackers.mlflow.store import is_known

    try:
        known = in_time(
            lambda _: is_known(target, seconds=_PATIENCE_SECONDS), uri=target.uri, seconds=10 * _PATIENCE_SECONDS
        )
    except FoldproofError as error:
        return Check("tracking", "note", error.what, error.next_step)
    if sends_password_in_the_clear(target.uri, environ, trusted=target.trusted):
        return Check("tracking", "note", f"{shown} gets your password unencrypted", "write its address with https://")
    there = "has" if known else "has not yet"
    return Check("tracking", "ok", f"{shown} takes this user, and {there} the experiment '{target.experiment}'")
