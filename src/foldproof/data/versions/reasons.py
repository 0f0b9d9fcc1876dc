"""Explain in plain words why a remote failed, whichever library raised the exception. Pure."""

import errno
import re
import shlex
from collections.abc import Iterator

from foldproof.storage import redact

# Names of exceptions and words of messages, as boto, google-cloud, azure, asyncssh, aiohttp, webdav and the system say
# them. The first line that fits the exception or one of its causes is the reason.
_REASONS = (
    ("DVC's plugin for such a remote is missing", ("to be installed",)),
    ("the disk is full", ("no space left", "disk quota exceeded")),
    (
        "its name leads to no host",
        ("gaierror", "name or service not known", "temporary failure in name resolution", "clientconnectordnserror",
         "nodename nor servname", "no address associated", "name resolution"),
    ),
    (
        "there is no such bucket or container",
        ("nosuchbucket", "bucket does not exist", "containernotfound", "container does not exist", "no such bucket"),
    ),
    (
        "credentials are missing or refused",
        ("nocredentials", "unable to locate credentials", "partialcredentials", "invalidaccesskeyid", "accessdenied",
         "signaturedoesnotmatch", "expiredtoken", "permissiondenied", "permission denied for user", "authentication",
         "unauthorized", "forbidden", "access denied", "defaultcredentials", "refresherror", "hostkeynotverifiable",
         "401, ", "status=401", "403, ", "status=403"),
    ),
    (
        "the server cannot be reached",
        ("connectionrefused", "clientconnector", "endpointconnection", "connecterror", "connection refused",
         "network is unreachable", "no route to host", "timeout", "timed out", "connectionreset", "connectionlost",
         "serverdisconnected", "connection reset", "cannot connect", "connectionerror", "broken pipe"),
    ),
    ("no permission to read there", ("permissionerror",)),
)  # fmt: skip


_EXTRAS = ("azure", "gdrive", "s3", "ssh")  # of foldproof, each with DVC's plugin
_PLUGIN = re.compile(r"requires '(dvc-(\w+))' to be installed")


def one_line(error: BaseException) -> str:
    """The message of an exception in one line of at most 300 characters, without secrets."""
    return redact(" ".join(str(error).split()))[:300] or type(error).__name__


def reason(error: BaseException) -> str:
    """What went wrong in plain words where they are known, and what the library said."""
    chain = list(_chain(error))
    said, cause = one_line(error), one_line(chain[-1])
    said = said if cause in said else f"{said} ({cause})"
    plain = next((words for words, signs in _REASONS for link in chain if _fits(link, signs)), "")
    return f"{plain}: {said}" if plain else said


def way_on(error: BaseException) -> str:
    """What to do about it, as the next step of an error."""
    for link in _chain(error):
        missing = _PLUGIN.search(str(link))
        if missing:
            package = f"'foldproof[{missing[2]}]'" if missing[2] in _EXTRAS else missing[1]
            return f"`pip install {package}`, then try again"
    said = one_line(error)
    if tracked := re.search(r"output '([^']+)' is already tracked by SCM", said):
        return f"let git forget them (they stay where they are): git rm -r --cached {shlex.quote(tracked[1])}"
    if made := re.search(r"overlaps with an output of stage: '([^']+)' in", said):
        stage = shlex.quote(made[1])
        return f"dvc.yaml makes it: `dvc repro {stage}`; or `dvc commit {stage}`, which records what is there"
    if "validation failed" in said:
        return (
            "another version of DVC wrote that, or a hand: take out what is not allowed, or record it again with DVC 3"
        )
    if "is not a git repository" in said:
        return "make one with `foldproof init`, which changes nothing that is there"
    return "fix that, then try again"


def is_absence(error: BaseException) -> bool:
    """Whether the remote was reached and said that it has no such thing."""
    cause = error.__cause__
    return isinstance(error, FileNotFoundError) and (cause is None or getattr(cause, "status", None) == 404)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what caused it, outermost first; what merely happened while it was handled is not a cause."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def _fits(error: BaseException, signs: tuple[str, ...]) -> bool:
    text = f"{type(error).__name__} {error}".lower()
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        text += " no space left"
    return any(sign in text for sign in signs)
