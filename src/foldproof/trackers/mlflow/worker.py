"""Bring MLflow up to date with run folders, in a process of its own, until stdin ends.

First line of stdin: one JSON document; later the word `close`, unless the parent dies. Lines on stdout:
`{"within": seconds}` promises the next line within that time, `{"trouble": text}` is why MLflow lacks something,
`{"note": text}` is worth knowing,
`{"done": true}` says that it lacks nothing.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TextIO

from foldproof.errors import DamagedFile, FoldproofError, StorageError
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.projection import Projection
from foldproof.trackers.mlflow.store import OPENING_SECONDS, Store, one_line_of, prepare, set_defaults, tracking_errors

LOOK_SECONDS = 2.0  # between two looks while folds are trained: what happens meanwhile is sent together
POLL_SECONDS = 0.2  # at the end
MOST_POLL_SECONDS = 3.0  # where there is so much to read that looking takes long
LAST_SECONDS = 60.0
GRACE_SECONDS = 1.0
TRIES = 3
NICENESS = 5
_MARGIN_SECONDS = 0.2


class Answers:
    """What goes back to the parent; when it is gone, nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._promise = (0.0, 0.0)  # when, and for how long
        self._doubts = 0

    def say(self, message: Mapping[str, Any]) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(json.dumps(message) + "\n")
            self._stream.flush()

    def trouble(self, text: str) -> None:
        """Say why MLflow lacks something. Trying again is no progress: promises count when a request has succeeded."""
        self._doubts, self._promise = 2, (0.0, 0.0)
        self.say({"trouble": text})

    def pulse(self, seconds: float) -> None:
        """Promise the next sign of life; of the same promise many times at once, one is said."""
        if self._doubts and seconds != OPENING_SECONDS:
            self._doubts -= 1
        if self._doubts:
            return
        now = time.monotonic()
        when, how_long = self._promise
        if seconds != how_long or now >= when + _MARGIN_SECONDS:
            self._promise = (now, seconds)
            self.say({"within": seconds + _MARGIN_SECONDS})


class Parent:
    """Whoever started this process: still there, gone after a `close`, or dead."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._text = b""
        self.gone = threading.Event()
        self.waits = False

    def order(self) -> dict[str, Any]:
        """The first line. What follows is waited for from then on."""
        while b"\n" not in self._text:
            self._text += os.read(self._descriptor, 65536) or b"null\n"
        line, _, self._text = self._text.partition(b"\n")
        threading.Thread(target=self._listen, daemon=True).start()
        return dict(json.loads(line) or {})

    def _listen(self) -> None:
        while some := os.read(self._descriptor, 65536):  # not sys.stdin: its lock would be held when Python ends
            self._text += some
        self.waits = self._text.startswith(b"close")
        self.gone.set()


class Work:
    """The runs of one invocation and the store they go to, which is opened when it can be."""

    def __init__(self, folders: list[Path], target: TrackingTarget, answers: Answers) -> None:
        self._target = target
        self._answers = answers
        self._store: Store | None = None
        self._waiting = [Projection(folder, answers.pulse) for folder in folders]
        self._open: dict[Projection, ExitStack] = {}
        self.damaged = False
        self.troubled = False

    @property
    def runs_go_on(self) -> bool:
        """Whether some process still writes what was brought last."""
        return any(projection.is_running for projection in self._open)

    def step(self, *, final: bool) -> bool:
        """Project what is new in every run. Whether there was anything; `troubled` says that something is lacking."""
        self.troubled = False
        try:
            self._store = self._store or self._prepared()
            for projection in tuple(self._waiting):
                self._enter(projection)
            changed = False
            for projection in tuple(self._open):
                changed |= self._advance(projection, self._store, final=final)
            return changed
        except FoldproofError as error:
            self._trouble(error)
            return False

    def _prepared(self) -> Store:
        store = prepare(self._target, self._answers.pulse)
        if store.moved is not None:
            self._answers.say({"note": store.moved.said})
        return store

    def _enter(self, projection: Projection) -> None:
        entered = ExitStack()
        try:
            entered.enter_context(projection)
            self._open[projection] = entered
            self._waiting.remove(projection)
        except StorageError as error:  # the other runs can go on; where another process is at work it sees all journals
            if not projection.elsewhere:
                self._trouble(error)

    def _advance(self, projection: Projection, store: Store, *, final: bool) -> bool:
        try:
            return projection.advance(store, final=final)
        except DamagedFile as error:  # the other runs can go on
            self._open.pop(projection).close()
            self._damage(error)
            return False

    def _damage(self, error: DamagedFile) -> None:
        self.damaged = True
        self._trouble(error)

    def _trouble(self, error: FoldproofError) -> None:
        self.troubled = True
        self._answers.trouble(one_line_of(error))

    def leave(self) -> bool:
        """Let others project the runs. Whether nothing was missed; what was is to be entered again."""
        behind: list[Projection] = []
        for projection in tuple(self._open):
            self._open.pop(projection).close()
            if projection.without_files:
                self.damaged = True
                self._answers.trouble(projection.without_files)
            try:
                behind += [projection] if projection.missed() else []
            except DamagedFile as error:
                self._damage(error)
        self._waiting += behind
        return not behind


def work(todo: Work, parent: Parent) -> bool:
    """Project until the parent is gone and nothing is left. Whether MLflow then lacks nothing.

    A parent that waits is kept waiting for few more tries; without one there is a minute for the server to come back
    and for folds that outlive the parent to end.
    """
    failures = 0
    deadline: float | None = None
    while True:
        final = parent.gone.is_set()
        if final and deadline is None:
            deadline = time.monotonic() + LAST_SECONDS
        began = time.monotonic()
        changed = todo.step(final=final)
        failures = failures + 1 if todo.troubled else 0
        rests = parent.waits or not (changed or todo.runs_go_on)
        if final and not todo.troubled and rests and todo.leave():
            return not todo.damaged
        if deadline is not None and (time.monotonic() > deadline or (parent.waits and failures >= TRIES)):
            return False
        _pause(parent, min(max(LOOK_SECONDS, 4 * (time.monotonic() - began)), MOST_POLL_SECONDS))


def _pause(parent: Parent, seconds: float) -> None:
    if parent.gone.is_set():
        time.sleep(POLL_SECONDS)
    elif parent.gone.wait(seconds) and not parent.waits:
        time.sleep(GRACE_SECONDS)  # until the system says so too, and orphans have written their last


def main() -> None:
    """Read the order, let everything else print into nothing, work, and say how it ended."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # meant for the parent; here there is still something to write
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    answers = Answers(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    answers.pulse(OPENING_SECONDS)
    parent = Parent(0)
    order = parent.order()
    named = order["target"]
    target = TrackingTarget(**{**named, "artifacts": Path(named["artifacts"]) if named["artifacts"] else None})
    todo = Work([Path(folder) for folder in order["folders"]], target, answers)
    set_defaults()
    try:
        with tracking_errors(target):
            if work(todo, parent):
                answers.say({"done": True})
    except FoldproofError as error:
        answers.trouble(one_line_of(error))


if __name__ == "__main__":
    main()
