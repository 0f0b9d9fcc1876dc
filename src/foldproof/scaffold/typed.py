"""Quote Python code as one line for a shell. Pure."""

from shlex import quote

_READ_BY_SHELLS = frozenset('$`"!\\')  # in double quotes


def python_line(code: str) -> str:
    """In double quotes where that can be, which every shell takes."""
    return f"python -c {quote(code)}" if _READ_BY_SHELLS & set(code) else f'python -c "{code}"'
