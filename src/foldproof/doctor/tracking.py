"""Where MLflow shall find the runs in: whether it can be reached, bounded in time, out."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from foldproof.config.schema import TrackingSettings
from foldproof.doctor.check import Check
from foldproof.errors import FoldproofError
from foldproof.project import Project
from foldproof.storage import redact
from foldproof.trackers.mlflow.target import is_server, resolve_target, sqlite_file

_PATIENCE_SECONDS = 2.0


def of_tracking(project: Project, tracking: TrackingSettings, environ: Mapping[str, str]) -> Check:
    """A server answers, or the store's file is there or can be made. No run depends on it."""
    if not tracking.enabled:
        return Check("tracking", "note", "off: the runs are in runs/ alone", "set tracking.enabled: true for MLflow")
    try:
        target = resolve_target(tracking, project, environ)
    except FoldproofError as error:
        return Check("tracking", "bad", error.what, error.next_step)
    shown = redact(target.uri)
    if is_server(target.uri):
        parts = urlsplit(target.uri)
        try:
            address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
            socket.create_connection(address, timeout=_PATIENCE_SECONDS).close()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            return Check("tracking", "note", f"{shown} does not answer: {why}", "runs go on; `foldproof sync` later")
        return Check("tracking", "ok", f"{shown} answers")
    file = sqlite_file(target.uri)
    if file is not None and not file.parent.is_dir():
        return Check("tracking", "bad", f"{file.parent} is not there", "make it, or mend tracking.uri")
    return Check("tracking", "ok", shown)
