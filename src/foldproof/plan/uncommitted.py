"""Warn before a run about uncommitted lines that look like secrets, since its record keeps them."""

from foldproof.events.types import Notice
from foldproof.storage import cleaned, redact_uris
from foldproof.storage.secret_code import find_in_diff

_MOST_NAMED = 3


def secret_notices(diff: bytes) -> tuple[Notice, ...]:
    """One line that names file and line of what looks like a secret in code.diff; nothing where nothing does."""
    places = sorted({str(find) for find in find_in_diff(redact_uris(diff))})
    if not places:
        return ()
    named = ", ".join(places[:_MOST_NAMED]) + (", …" if len(places) > _MOST_NAMED else "")
    lines = "a line that looks like a secret" if len(places) == 1 else f"{len(places)} lines that look like secrets"
    text = f"uncommitted code with {lines} is kept in code.diff: {cleaned(named, most=200)}"
    return (Notice(code="secrets_in_code", text=text),)
