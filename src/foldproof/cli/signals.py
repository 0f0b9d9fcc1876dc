"""Turn signals from a terminal or a job system into a request to stop, or an immediate exit."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from foldproof.executors.stopping import Stopping

_STOPPING = b"\nstopping: each fold ends after its step, with a checkpoint (once more: at once)\n"


class Interruption:
    """The signal that came first, or 0; `code` is the exit code that tells of it."""

    def __init__(self) -> None:
        self.number = 0

    @property
    def code(self) -> int:
        return 128 + self.number


@contextmanager
def stopping_by_signals() -> Iterator[tuple[Stopping, Interruption]]:
    """While training heeds it, the first SIGINT, SIGTERM or SIGHUP asks to stop; else, or the second, ends at once.

    Ending at once is KeyboardInterrupt, or SystemExit with 128 and the signal's number. A signal that is ignored, as
    SIGHUP under nohup, stays so.
    """
    stopping, interruption = Stopping(), Interruption()

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if stopping.heeded and not stopping.asked:
            interruption.number = number
            stopping.ask()
            os.write(2, _STOPPING)
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        else:
            sys.exit(128 + number)

    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in names)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, handle)
    try:
        yield stopping, interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stopping.close()
