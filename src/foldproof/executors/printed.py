"""Forward what a worker prints to standard error, and keep its last lines in case the worker dies."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection

from foldproof.storage import redact

MOST_LINES = 3
_MOST_KEPT = 8192  # bytes
_MOST_SAID = 400  # characters
_AT_ONCE = 65536
_ENDING_SECONDS = 1.0  # until the last of it has come, where something the worker started still holds the pipe


def print_into(pipe: Connection) -> None:
    """Redirect the output of this process, and of all it starts, into the pipe."""
    for number in (1, 2):
        os.dup2(pipe.fileno(), number)
    pipe.close()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)  # what a process that is killed still holds is lost


class Printed:
    """Reads what a worker prints until it ends."""

    def __init__(self, pipe: Connection, tell: Callable[[bytes], object] | None = None) -> None:
        self._pipe = pipe
        self._tell = tell or _to_standard_error
        self._kept = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def last_lines(self) -> str:
        """The last lines that say something, on one line; empty where there were none."""
        self._thread.join(_ENDING_SECONDS)
        lines = [line.strip() for line in self._kept.decode("utf-8", "replace").splitlines()]
        return redact(" / ".join([line for line in lines if line][-MOST_LINES:]))[-_MOST_SAID:]

    def _read(self) -> None:
        with suppress(OSError), self._pipe:
            while some := os.read(self._pipe.fileno(), _AT_ONCE):
                self._kept = (self._kept + some)[-_MOST_KEPT:]
                with suppress(OSError):
                    self._tell(some)


def _to_standard_error(some: bytes) -> None:
    os.write(2, some)
