"""Decide which server may get the user's password: only one that the user has named.

A password in the environment or in ~/.mlflow/credentials belongs to no host. Settings that came with a repository name
one, too, so it is only sent where this user has named the host: on the command line, in MLFLOW_TRACKING_URI, or once
by `foldproof sync --trust-host`.
"""

import ipaddress
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from foldproof.errors import StorageError
from foldproof.storage import next_step

_CREDENTIALS = (
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_AUTH",
    "MLFLOW_TRACKING_AWS_SIGV4",
    "MLFLOW_TRACKING_CLIENT_CERT_PATH",
    "PGPASSWORD",
    "MYSQL_PWD",
)
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_ADDRESS = re.compile(
    r"(?P<scheme>[a-z]+)(?:\+\w+)?://(?:[^\s/\\?#@\[\]]*@)?(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?"
    r"(?:/[^\s\\?#]*)?(?P<query>[?#].*)?",
    re.IGNORECASE | re.ASCII,
)
_MOST_BYTES = 100_000
_held: dict[str, str] = {}  # what this process keeps back at the moment


def names_a_host(uri: str) -> bool:
    """Whether a password could be sent to where `uri` says, rather than to a file or to a profile of the user's."""
    return uri.partition(":")[0].partition("+")[0].lower() in _PORTS


def origin(uri: str) -> str:
    """`scheme://host:port` of an address that names a host, else the empty string.

    Also empty where libraries could read a different host out of it: a backslash before the `@`, `?host=other`.
    """
    match = _ADDRESS.fullmatch(uri)
    scheme = match["scheme"].lower() if match else ""
    if match is None or scheme not in _PORTS or (match["query"] and scheme not in ("http", "https")):
        return ""
    return f"{scheme}://{match['host'].lower()}:{int(match['port'] or _PORTS[scheme])}"


def is_trusted(uri: str, environ: Mapping[str, str]) -> bool:
    """Whether this user has named the host of `uri`, or it names none that a password could be sent to."""
    own, where = environ.get("MLFLOW_TRACKING_URI", ""), origin(uri)
    if uri == own or not names_a_host(uri):
        return True
    return bool(where) and (is_loopback(_host(where)) or where == origin(own) or where in trusted_hosts())


def _host(where: str) -> str:
    return where.partition("://")[2].rpartition(":")[0].strip("[]")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is of this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hosts_file() -> Path:
    """Where the hosts are kept that this user has trusted; no project's folder, since others write those."""
    return platformdirs.user_config_path("foldproof", appauthor=False) / "mlflow-hosts.txt"


def trusted_hosts() -> frozenset[str]:
    """What `trust_host` has kept; nothing where that cannot be read."""
    try:
        with hosts_file().open("rb") as opened:
            return frozenset(opened.read(_MOST_BYTES).decode().split())
    except (OSError, ValueError):
        return frozenset()


def trust_host(uri: str) -> str:
    """Remember for this user that the host of `uri` may have passwords; which one. Raises StorageError."""
    where, file = origin(uri), hosts_file()
    if where and where not in trusted_hosts():
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as opened:  # noqa: PTH123 - with its mode
                opened.write(f"{where}\n")
        except OSError as error:
            raise StorageError(f"{file} cannot be written: {error.strerror}", next_step=next_step(error)) from error
    return where


def has_credentials(environ: Mapping[str, str]) -> bool:
    """Whether there is a password or the like that belongs to no host."""
    return any(environ.get(name) or _held.get(name) for name in _CREDENTIALS) or credentials_file(environ).is_file()


def sends_password_in_the_clear(uri: str, environ: Mapping[str, str], *, trusted: bool) -> bool:
    """Whether whoever is between this machine and the server can read a password."""
    parts = urlsplit(uri)
    if parts.scheme != "http" or is_loopback(parts.hostname or ""):
        return False
    return parts.password is not None or (trusted and has_credentials(environ))


def credentials_file(environ: Mapping[str, str]) -> Path:
    """Where MLflow keeps a user and a password."""
    return (Path(environ.get("HOME", "~")) / ".mlflow" / "credentials").expanduser()


@contextmanager
def withheld(trusted: bool) -> Iterator[None]:
    """Unless the host is trusted, let this process send it no password meanwhile that belongs to no host."""
    if trusted:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own imports
        from mlflow.utils import credentials

    kept = {name: os.environ.pop(name) for name in _CREDENTIALS if name in os.environ}
    _held.update(kept)
    read = credentials._read_mlflow_creds_from_file  # noqa: SLF001 - MLflow asks for it before each request
    credentials._read_mlflow_creds_from_file = lambda: (None, None)  # noqa: SLF001
    try:
        yield
    finally:
        credentials._read_mlflow_creds_from_file = read  # noqa: SLF001
        os.environ.update(kept)
        for name in kept:
            del _held[name]
