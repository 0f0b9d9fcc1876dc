"""Remove passwords and tokens from text.

What is secret is told by its form (`secret_forms`), by the name it is given to (`secret_names`), and by standing in an
environment variable that is named like a secret (`secret_values`).
"""

import os
from collections.abc import Iterable, Sequence

from foldproof.storage.secret_code import HIDDEN
from foldproof.storage.secret_forms import COMMAND_LINES, HEADERS, KNOWN, URIS, SecretForm
from foldproof.storage.secret_names import is_said, is_secret_name, named_secrets, secret_options
from foldproof.storage.secret_values import spelled

_FORMS = (*URIS, *HEADERS, *KNOWN, *COMMAND_LINES)


def redact(text: str) -> str:
    """`text` with `***` for whatever in it is known to be a secret."""
    for secret in spelled(os.environ):
        text = text.replace(secret, HIDDEN)
    text = _without(_FORMS, text)
    text = _cut(text, ((named.start, named.end) for named in named_secrets(text)))
    return _cut(text, ((named.start, named.end) for named in secret_options(text)))


def redact_value(name: str, value: str) -> str:
    """`redact(value)`, or `***` where its name says that it is a secret."""
    return HIDDEN if is_secret_name(name) else redact(value)


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """Each word of a command line without secrets, be it by itself or after `--password`."""
    options = ["", *arguments]
    return [
        HIDDEN if option.startswith("--") and "=" not in option and _is_value_of(option, word) else redact(word)
        for option, word in zip(options, arguments, strict=False)
    ]


def redact_uris(content: bytes) -> bytes:
    """`content`, text of any encoding, with what is secret in URIs replaced and all else as it was: a diff applies."""
    text = content.decode(errors="surrogateescape")
    text = _without(URIS, text)
    return text.encode(errors="surrogateescape")


def _is_value_of(option: str, word: str) -> bool:
    return any(secret_options(f"{option} '{word}'")) if " " not in word else is_secret_name(option)


def _without(forms: Iterable[SecretForm], text: str) -> str:
    folded = text.lower()
    for form in forms:
        text = _cut(text, [span for span in form.spans(text, folded) if is_said(text[slice(*span)])])
    return text


def _cut(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces, after = [], 0
    for start, end in spans:
        pieces += [text[after:start], HIDDEN]
        after = end
    return "".join([*pieces, text[after:]]) if pieces else text
