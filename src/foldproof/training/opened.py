"""Watch which files the user's code reads while it is loaded and tried: results may depend on their content."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import get_ident

_INSTALLED = tuple({*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, sys.exec_prefix})
_OF_THE_SYSTEM = ("/proc", "/sys", "/dev")
_CODE = (".py", ".pyc", ".so", ".pyd")


@dataclass
class Read:
    """`files`: the plain files that were opened to be read. `beyond`: whether somebody on a network was asked."""

    files: set[Path] = field(default_factory=set)
    beyond: bool = False


_watching: dict[int, Read] = {}  # by thread
_hooked = False


@contextmanager
def watched() -> Iterator[Read]:
    """What this thread reads in the block. Python's own view: a library that reads by itself is not seen."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_hear)
        _hooked = True
    found = Read()
    _watching[get_ident()] = found
    try:
        yield found
    finally:
        del _watching[get_ident()]
        found.files = {file for file in found.files if _counts(file)}


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if not _watching or (found := _watching.get(get_ident())) is None:
        return
    if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        found.files.add(Path(os.fsdecode(arguments[0])).absolute())
    elif event in ("socket.connect", "socket.getaddrinfo", "urllib.Request", "subprocess.Popen"):
        found.beyond = True


def _counts(file: Path) -> bool:
    real = os.path.realpath(file)
    return (
        Path(real).is_file()
        and not real.startswith(tuple(f"{place}{os.sep}" for place in (*_INSTALLED, *_OF_THE_SYSTEM)))
        and file.suffix not in _CODE
    )
