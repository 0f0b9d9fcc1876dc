"""Resolve settings, project and environment to a tracking server or store. Imports no MLflow."""

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import unquote, urlsplit

from foldproof.config.schema import TrackingSettings
from foldproof.errors import SettingsError, nearest
from foldproof.project import Project
from foldproof.storage import redact
from foldproof.storage.nowhere import why_no_path
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.trust import is_trusted, names_a_host

DEFAULT_URI = "sqlite:///mlflow.db"
_SQLITE = re.compile(r"(?P<head>sqlite(?:\+\w+)?:///)(?P<path>[^?]+)(?P<query>\?.*)?", re.DOTALL)
_NEARLY_HTTP = re.compile(r"(https?):/?([^/].*)", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"[\w.-]{2,}:\d+(?:/.*)?")
_DATABASE_FILES = (".db", ".sqlite", ".sqlite3")
_SERVERS = ("http", "https", "databricks", "databricks-uc", "uc")
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


def resolve_target(
    tracking: TrackingSettings, project: Project, environ: Mapping[str, str], *, overrides: Sequence[str] = ()
) -> TrackingTarget:
    """The settings win over `MLFLOW_TRACKING_URI` and `MLFLOW_EXPERIMENT_NAME`, and these over the defaults.

    `overrides`: which of the settings were typed.

    Relative paths start at the settings file's folder, in a copy of DVC's at that of the project that started it.
    Raises SettingsError where the URI is not one.
    """
    uri = absolute(tracking.uri or environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI, project.home)
    typed = any(text.partition("=")[0].strip() == "tracking.uri" for text in overrides)
    named = typed or bool(environ.get("MLFLOW_TRACKING_URI") and not tracking.uri)
    return TrackingTarget(
        uri=uri,
        experiment=tracking.experiment or environ.get("MLFLOW_EXPERIMENT_NAME") or project.home.name or "foldproof",
        artifacts=project.artifacts.absolute() if _keeps_files_here(uri) else None,
        private=tracking.privacy,
        trusted=named or (names_a_host(uri) and is_trusted(uri, environ)),
    )


def sqlite_file(uri: str) -> Path | None:
    """The database file of a `sqlite:` URI, None for any other."""
    match = _SQLITE.fullmatch(uri)
    return Path(match["path"]) if match else None


def is_server(uri: str) -> bool:
    """Whether `uri` is the address of a tracking server that a browser can open."""
    return urlsplit(uri).scheme in ("http", "https")


def read_here(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with MLFLOW_TRACKING_URI as MLflow itself reads it: a relative path starts at the current folder.

    `mlflow.set_tracking_uri` of a notebook sets that variable.
    """
    uri = environ.get("MLFLOW_TRACKING_URI")
    return {**environ, "MLFLOW_TRACKING_URI": absolute(uri, Path.cwd())} if uri else dict(environ)


def read_instead(uri: str) -> str:
    """The store that the notebook's own MLflow reads, where it differs from `uri`; empty where none is loaded."""
    ask = getattr(sys.modules.get("mlflow"), "get_tracking_uri", None)
    if ask is None:
        return ""
    read = str(ask())
    with suppress(SettingsError):
        if absolute(read, Path.cwd()) == uri:
            return ""
    return redact(read)


def absolute(uri: str, root: Path) -> str:
    """A URI with the path of a file made absolute, from `root`. Raises SettingsError where it is none."""
    if uri.startswith("sqlite"):
        match = _SQLITE.fullmatch(uri)
        if match is None or match["path"] == ":memory:":
            raise SettingsError(
                f"tracking.uri '{redact(uri)}' names no database file", next_step="write it as sqlite:///mlflow.db"
            )
        return f"{match['head']}{_path(uri, match['path'], root).as_posix()}{match['query'] or ''}"
    if uri.startswith("file:"):
        path = unquote(urlsplit(uri).path)
        return _path(uri, path[1:] if re.match(r"/[A-Za-z]:", path) else path, root).as_uri()
    if "://" in uri:
        _check_scheme(uri)
    if "://" in uri or uri in ("databricks", "databricks-uc", "uc") or uri.startswith("arn:"):
        return uri
    return _path(uri, uri, root).as_uri()


def _path(uri: str, spelled: str, root: Path) -> Path:
    """Raises SettingsError where MLflow would make a folder called `~`, `C:`, `localhost:5000` or `mlflow.db`."""
    path = (root / spelled).absolute()
    if not path.is_dir() and uri == spelled and (meant := _meant(spelled)):
        raise SettingsError(
            f"tracking.uri '{redact(uri)}' is the name of a folder to MLflow", next_step=f"write it as {meant}"
        )
    if wrong := why_no_path(path):
        raise SettingsError(f"tracking.uri '{redact(uri)}': {wrong[0]}", next_step=wrong[1])
    return path


def _meant(spelled: str) -> str:
    """The URI of a server or database file that was named without what says so; empty for anything else."""
    if nearly := _NEARLY_HTTP.fullmatch(spelled):
        return redact(f"{nearly[1]}://{nearly[2]}")
    if _HOST_AND_PORT.fullmatch(spelled):
        return redact(f"http://{spelled}")
    return redact(f"sqlite:///{spelled}") if spelled.lower().endswith(_DATABASE_FILES) else ""


def _check_scheme(uri: str) -> None:
    known = (*_SERVERS, *_DATABASES, *(found.name for found in entry_points(group="mlflow.tracking_store")))
    scheme = uri.partition("://")[0].partition("+")[0].lower()
    if scheme not in known:
        hint = nearest(scheme, known)
        raise SettingsError(
            f"tracking.uri '{redact(uri)}': MLflow knows no '{scheme}'{'; ' + hint if hint else ''}",
            next_step="write it as sqlite:///mlflow.db, or http://server:5000",
        )


def _keeps_files_here(uri: str) -> bool:
    return uri.startswith("file:") or urlsplit(uri).scheme.partition("+")[0] in _DATABASES
