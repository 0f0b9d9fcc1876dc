"""Explain in plain words, without secrets, what MLflow, a driver or the network raised, and what to do about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from shlex import quote
from typing import Any
from urllib.parse import unquote, urlsplit

from foldproof.storage import redact
from foldproof.trackers.mlflow.trust import credentials_file, has_credentials, origin

_MOST = 200  # characters of what a library says
_USER, _PASSWORD, _TOKEN = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"
_CERTIFICATE = "MLFLOW_TRACKING_SERVER_CERT_PATH"
_SAID_STATUS = re.compile(r"failed with error code (\d{3}) != |^(\d{3}) (?:Client|Server) Error")
_UNKNOWN_USER = re.compile(r"unauthori[sz]ed|unauthenticated|not authenticated|invalid (?:\w+ )?token", re.IGNORECASE)
_PACKAGES = {"psycopg": "'psycopg[binary]'", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}
_UNREACHED = re.compile(r"Failed to (?:establish a new connection: (?:\[Errno -?\d+\] )?)?([^\"')\[(]+[^\"')\[( ])")
_NO_JSON = "not in a valid JSON format"
_FILE_STORE = "filesystem tracking backend"  # MLflow's words where it will not write to files
_NO_TLS = ("CERTIFICATE_VERIFY_FAILED", "SSLError", "SSL: ")


@dataclass(frozen=True)
class Reason:
    """`text` goes on after a colon. `way_on` is empty where nothing better is known than to try again later."""

    text: str
    way_on: str = ""


def explained(error: BaseException, uri: str, environ: Mapping[str, str], *, trusted: bool = True) -> Reason:
    """Why a server or store at `uri` did not do what was asked; what the user can do about it, where that is known."""
    status, text = _status(error), f"{type(error).__name__}: {error}"
    if isinstance(error, ModuleNotFoundError):
        name = str(error.name).partition(".")[0]
        return Reason(
            f"it takes the package '{name}', which is not installed", f"`pip install {_PACKAGES.get(name, name)}`"
        )
    if status == HTTPStatus.UNAUTHORIZED or (status is None and _UNKNOWN_USER.search(text)):
        return _refused_user(uri, environ) if trusted else _refused_nobody(uri, environ)
    if status == HTTPStatus.FORBIDDEN:
        return Reason(
            "this user may not do that there (403)", "ask whoever runs it for EDIT, or set another tracking.experiment"
        )
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Reason("it takes no file as large as one of these (413)", "ask whoever runs it to raise that limit")
    if _NO_JSON in text or (status == HTTPStatus.NOT_FOUND and "Response body" in text):
        return Reason(
            "what answers there is not MLflow; a page to log in on, perhaps", "fix the address, or log in as it asks"
        )
    if _FILE_STORE in text and (why := why_no_file_store(uri, {})):
        return why
    if any(sign in text for sign in _NO_TLS):
        return _no_trust(error, text)
    return Reason(reason(error))


def reason(error: BaseException) -> str:
    """The first line of what `error` says, at most 200 characters, without secrets."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = redact(lines[0] if lines else type(error).__name__)
    cause = re.search(r"\(Caused by (.+)\)", text)  # urllib3's, behind two lines of addresses
    text = cause[1] if cause else text
    unreached = _UNREACHED.search(text)
    text = f"the server cannot be reached: {unreached[1]}" if unreached else text
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def _refused_user(uri: str, environ: Mapping[str, str]) -> Reason:
    """By what MLflow sends: the address's own user, else user and password, else a token."""
    user, password, token = map(environ.get, (_USER, _PASSWORD, _TOKEN))
    if "@" in urlsplit(uri).netloc:
        return Reason("it refuses the user and password in its address (401)", "fix that")
    if user and password:
        return Reason(f"it refuses the user and password of {_USER} and {_PASSWORD} (401)", "fix that")
    if credentials_file(environ).is_file():
        return Reason("it refuses the user and password of ~/.mlflow/credentials (401)", "fix that")
    if token:
        return Reason(f"it refuses the token of {_TOKEN} (401)", "fix that")
    if user or password:
        return Reason(f"it wants to know who asks (401); of {_USER} and {_PASSWORD} only one is set", "set the other")
    return Reason("it wants to know who asks (401)", f"set {_USER} and {_PASSWORD}, or {_TOKEN}")


def _refused_nobody(uri: str, environ: Mapping[str, str]) -> Reason:
    """The password was kept back: the settings name the host, and others may have written them."""
    if "@" in urlsplit(uri).netloc or not has_credentials(environ):
        return _refused_user(uri, environ)
    return Reason(
        "it wants to know who asks (401); only the settings name this host, so your password was not sent there",
        f"`foldproof sync --trust-host` if it is yours, or `export MLFLOW_TRACKING_URI={origin(uri)}`",
    )


def why_no_file_store(uri: str, environ: Mapping[str, str]) -> Reason | None:
    """Why MLflow keeps no runs in a folder such as ./mlruns; None where it was told to."""
    if environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("true", "1"):
        return None
    folder = unquote(urlsplit(uri).path) or "mlruns"
    migrate = f"mlflow migrate-filestore --source {quote(folder)} --target sqlite:///mlflow.db"
    return Reason("this MLflow keeps no runs in a folder of files", f"`{migrate}`, then remove tracking.uri")


def _no_trust(error: BaseException, text: str) -> Reason:
    if "WRONG_VERSION_NUMBER" in text:
        return Reason("it speaks no TLS", "write its address with http://")
    if "CERTIFICATE_VERIFY_FAILED" in text:
        said = re.search(r"certificate verify failed: ([\w ,'.-]+)", text)
        why = f" ({said[1].strip()})" if said else ""
        return Reason(f"its certificate is not trusted{why}", f"name a file with the right one in {_CERTIFICATE}")
    return Reason(reason(error))


def _status(error: BaseException) -> int | None:
    """What the server answered, where it did; MLflow says 500 for whatever it has no name for."""
    response: Any = getattr(error, "response", None)
    if response is not None:
        return int(response.status_code)
    said = _SAID_STATUS.search(str(error))
    if said:
        return int(said[1] or said[2])
    known = getattr(error, "get_http_status_code", None)
    status = int(known()) if known else None
    return None if status == HTTPStatus.INTERNAL_SERVER_ERROR else status
