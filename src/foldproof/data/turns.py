"""How many pixels are decoded at one time, by all threads of a process: a large picture waits until others are done."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from foldproof.storage.limits import PIXELS_AT_ONCE


class Turns:
    """Lets threads in with so many pixels each, in the order in which they come, at most `most` together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._first_in_line = threading.Lock()
        self._changed = threading.Condition()
        self._mine = threading.local()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait for a turn with so many pixels, alone where they are more than `most`; within a turn, go straight on."""
        if getattr(self._mine, "holds", False):
            yield
            return
        share = min(pixels, self._most)
        self._take(share)
        self._mine.holds = True
        try:
            yield
        finally:
            self._mine.holds = False
            self._give_back(share)

    def _take(self, share: int) -> None:
        with self._first_in_line, self._changed:
            self._changed.wait_for(lambda: self._held + share <= self._most)
            self._held += share

    def _give_back(self, share: int) -> None:
        with self._changed:
            self._held -= share
            self._changed.notify_all()


turns = Turns(PIXELS_AT_ONCE)
