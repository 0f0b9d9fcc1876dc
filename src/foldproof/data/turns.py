"""Limit how many pixels all threads of a process decode at once: a large picture waits for the others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from foldproof.storage.limits import PIXELS_AT_ONCE


class PixelTurns:
    """Admits threads in order, each with its number of pixels, at most `most` pixels together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._first_in_line = threading.Lock()
        self._changed = threading.Condition()
        self._mine = threading.local()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait for a turn with this number of pixels; a picture of more than `most` gets one to itself. Reentrant."""
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


turns = PixelTurns(PIXELS_AT_ONCE)
