"""Text in, the same text without passwords and tokens out."""

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

# Each begins where a name begins and takes all of it at once: the time is linear in the length of the text.
_URI_PASSWORD = re.compile(
    r"(?P<head>(?<![a-z0-9+.-])[a-z0-9+.-]++://[^\s/:@]*+:)(?P<secret>[^\s@/]++(?:@[^\s@/\"',;<>]++)*)@",
    re.IGNORECASE,
)
_URI_TOKEN = re.compile(r"(?P<head>\bhttps?://)(?P<secret>[^\s/:@]++)@", re.IGNORECASE)
_BEARER = re.compile(r"(?P<head>\bbearer\s{1,8})(?P<secret>[\w.~+/=-]{8,})", re.IGNORECASE)
_NAMED_SECRET = re.compile(
    r"(?P<head>(?<![\w.-])(?=[\w.-]*?(?:password|passwd|secret|token|api_?key|access_?key))[\w.-]++"
    r"['\"]?\s{0,8}[=:]\s{0,8}['\"]?)(?P<secret>[^\s,;&'\"]+)",
    re.IGNORECASE,
)


_SECRET_VARIABLE = re.compile(r"password|passwd|secret|token|api_?key|access_?key", re.IGNORECASE)
_OF_A_PLACE = ("_FILE", "_PATH", "_DIR", "_URL", "_URI", "_ID")
_SHORTEST_SECRET = 8  # a shorter value would take words out of every text


def redact(text: str) -> str:
    """`text` with `***` for the passwords and tokens in URIs, bearer tokens, and the values of names like `token=`.

    So are the values of environment variables with such names, as they are and as a URI spells them.
    """
    for secret in _secrets_of(os.environ):
        text = text.replace(secret, "***")
    for pattern in (_URI_PASSWORD, _URI_TOKEN):
        text = pattern.sub(lambda match: match["head"] + "***@", text)
    for pattern in (_BEARER, _NAMED_SECRET):
        text = pattern.sub(lambda match: match["head"] + "***", text)
    return text


def redact_value(name: str, value: str) -> str:
    """`redact(value)`, or `***` where its name says that it is a secret."""
    return "***" if _SECRET_VARIABLE.search(name) else redact(value)


def _secrets_of(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        if _SECRET_VARIABLE.search(name) and not name.upper().endswith(_OF_A_PLACE) and len(value) >= _SHORTEST_SECRET:
            yield value
            yield quote(value, safe="")


def redact_uris(content: bytes) -> bytes:
    """`content`, text of any encoding, with what is secret in URIs replaced and all else as it was: a diff applies."""
    text = content.decode(errors="surrogateescape")
    for pattern in (_URI_PASSWORD, _URI_TOKEN):
        text = pattern.sub(lambda match: match["head"] + "***@", text)
    return text.encode(errors="surrogateescape")
