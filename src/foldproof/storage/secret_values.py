"""List every spelling in which secrets from environment variables could appear in a text. Pure.

Of a variable whose name says that it is a secret, its value; of any other, the passwords in it, as in DATABASE_URL.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, quote_plus

from foldproof.storage.secret_forms import KNOWN, URIS
from foldproof.storage.secret_names import is_said, is_secret_name, looks_secret, named_secrets, parts_of, words_of

SHORTEST = 8  # characters: a shorter value would take words out of every text
_SECRET = words_of(
    "key keys token secret secrets pass password passwd passphrase pwd sig signature credential credentials "
    "auth dsn sas pat"
)
_OF_A_PLACE = words_of("file path dir url uri id ids sock socket mode type name user username method host port")
_KNOWN_AS_OTHER = frozenset(("PWD", "OLDPWD", "GPG_KEY", "GPG_KEYS", "SSH_AUTH_SOCK"))


def spelled(environ: Mapping[str, str]) -> list[str]:
    """Every spelling of every secret in the environment, the longest first."""
    return sorted({one for item in environ.items() for one in _of_variable(*item)}, key=lambda one: (-len(one), one))


@lru_cache(maxsize=1024)
def _of_variable(name: str, value: str) -> tuple[str, ...]:
    if len(value) < SHORTEST:
        return ()
    secrets = [value] if _is_secret(name, value) else [one for one in _inside(value) if len(one) >= SHORTEST]
    return tuple(one for secret in secrets for one in _spellings(secret))


def _is_secret(name: str, value: str) -> bool:
    words = parts_of(name)
    if name.upper() in _KNOWN_AS_OTHER or not words or words[-1] in _OF_A_PLACE or not is_said(value):
        return False
    if is_secret_name(name):
        return True
    if not _SECRET.intersection(words):
        return False
    return not _is_word(value) and not _is_there(value)


def _is_word(value: str) -> bool:
    """Whether a value is a word, as in SORT_KEY=accuracy: it would vanish from every text."""
    return len(value) < 16 and all(sign.isalpha() or sign in "_- ." for sign in value)


def _is_there(value: str) -> bool:
    """Whether a value is the path of a file, as in GOOGLE_APPLICATION_CREDENTIALS."""
    try:
        return ("/" in value or "\\" in value) and Path(value).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _inside(value: str) -> Iterator[str]:
    found = [value[slice(*span)] for form in (*URIS, *KNOWN) for span in form.spans(value, value.lower())]
    yield from filter(is_said, found)
    for named in named_secrets(value):
        if named.is_sure or looks_secret(value[named.start : named.end]):
            yield value[named.start : named.end]


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield from _in_base64(secret.encode(errors="surrogateescape"))


def _in_base64(secret: bytes) -> Iterator[str]:
    """The part of base64 that only the secret decides, wherever it begins in what was encoded: `user:password`."""
    for before in range(3):
        first = -(-before * 8 // 6)  # characters that what stands before it has a say in
        decided = (before + len(secret)) * 8 // 6
        text = base64.b64encode(bytes(before) + secret).decode()[first:decided]
        if len(text) >= SHORTEST:
            yield text
            yield text.translate(str.maketrans("+/", "-_"))
