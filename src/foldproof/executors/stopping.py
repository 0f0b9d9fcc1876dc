"""Pass on a request to stop, from a signal handler to the executors, which end their work properly."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Stopping:
    """Asked for once, from a signal handler or anywhere; seen by looking, or waited for beside pipes."""

    def __init__(self) -> None:
        self.asked = False
        self.heeded = False
        self._asking, self.waitable = socket.socketpair()
        self._asking.setblocking(False)

    def ask(self) -> None:
        """Ask for the work to end at its next step, with a checkpoint."""
        self.asked = True
        with suppress(OSError):
            self._asking.send(b"!")

    @contextmanager
    def listening(self) -> Iterator[None]:
        """For the block, whoever asks is heard soon; outside it nobody looks."""
        self.heeded = True
        try:
            yield
        finally:
            self.heeded = False

    def close(self) -> None:
        """Give back what it holds."""
        self._asking.close()
        self.waitable.close()
