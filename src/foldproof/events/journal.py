"""Write and read events.jsonl: one writer appends framed, checksummed lines, anyone reads, a torn tail is cut.

A line is `LENGTH CRC JSON\n`: eight hexadecimal digits for the number of bytes of JSON, eight for their CRC-32C.
A last line without its newline was torn by a crash before it was acknowledged; everything else must check.
"""

import errno
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import google_crc32c

from foldproof.errors import DamagedFile, StorageError
from foldproof.events.fold_id import FoldId
from foldproof.events.types import (
    Body,
    Event,
    FoldFailed,
    FoldResumed,
    FoldStarted,
    Notice,
    RunFinished,
    RunStarted,
    comparable,
    comparable_body,
    from_json,
    to_json,
)
from foldproof.storage import is_held, locked, next_step, read_inside, redact, sync_folder

FILE_NAME = "events.jsonl"
LOCK_NAME = "events.lock"
MOST_BYTES = 2**29
_APPENDING = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_STARTS_OVER = "what was recorded before did not come out again, so the record of this fold starts over"
_ENDS = (FoldFailed, RunFinished)
_HEAD = 18  # two fields of eight hexadecimal digits, each with a space behind it


@dataclass(frozen=True)
class JournalContent:
    """The events of a journal, and how many bytes of it they fill; the rest is a torn tail."""

    events: tuple[Event, ...]
    intact_bytes: int


def frame(payload: bytes) -> bytes:
    """The line that holds `payload`."""
    return b"%08x %08x %s\n" % (len(payload), google_crc32c.value(payload), payload)


def unframe(line: bytes) -> bytes:
    """The payload of a line without its newline. Raises ValueError where length or checksum disagree."""
    length, checksum, payload = int(line[:8], 16), int(line[9:17], 16), line[_HEAD:]
    if len(payload) != length:
        raise ValueError("its length is not what was written")
    if google_crc32c.value(payload) != checksum:
        raise ValueError("its checksum is not what was written")
    if line[:_HEAD] != frame(payload)[:_HEAD]:  # int() also takes upper case, signs and underscores
        raise ValueError("its length and checksum are not spelled as they were written")
    return payload


def parse(content: bytes, *, name: str = FILE_NAME) -> JournalContent:
    """Events of a journal's bytes. Raises DamagedFile with the line that does not check."""
    events: list[Event] = []
    lines = content.split(b"\n")
    torn = lines.pop()
    for number, line in enumerate(lines, start=1):
        try:
            event = from_json(unframe(line))
            if event.seq != number - 1:
                raise ValueError(f"it is number {event.seq} in place {number - 1}")
        except ValueError as error:
            raise DamagedFile(
                f"{name}, line {number} is damaged: {error}",
                next_step="restore the file from a copy; nothing was changed",
            ) from error
        except DamagedFile as error:
            raise DamagedFile(f"{name}, line {number}: {error.what}", next_step=error.next_step) from error
        events.append(event)
    return JournalContent(tuple(events), len(content) - len(torn))


def read(path: Path) -> tuple[Event, ...]:
    """All acknowledged events of a journal; none where there is no file yet.

    Raises DamagedFile where a line does not check, or where it is no plain file of at most MOST_BYTES.
    """
    try:
        content = read_inside(path.parent, path.name, most_bytes=MOST_BYTES)
    except FileNotFoundError:
        return ()
    return parse(content, name=str(path)).events


def is_written(folder: Path) -> bool:
    """Whether a process writes the journal in `folder` at this moment."""
    return is_held(folder / LOCK_NAME)


def group_by_fold(events: Iterable[Event]) -> Mapping[FoldId | None, tuple[tuple[str, bytes], ...]]:
    """What counts in a comparison: (kind, data) in order for each (repeat, fold); None is the run itself.

    What was interrupted or failed and then went on counts as if it had never stopped: a beginning (RunStarted,
    FoldStarted) takes the place of what was recorded before it, and an end that something follows is none.
    """
    places: dict[FoldId | None, list[Event]] = {}
    for event in events:
        counted = places.setdefault(event.fold_id, [])
        compared = comparable(event) is not None
        if isinstance(event.body, RunStarted | FoldStarted):
            counted.clear()
        elif (compared or isinstance(event.body, FoldResumed)) and counted and isinstance(counted[-1].body, _ENDS):
            counted.pop()
        if compared:
            counted.append(event)
    told = {place: tuple(filter(None, map(comparable, counted))) for place, counted in places.items()}
    return {place: items for place, items in told.items() if items}


@dataclass(frozen=True)
class _End:
    """How many events are acknowledged, and how many bytes they fill."""

    events: int
    size: int


class JournalWriter:
    """The one writer of a journal. `append` returns when the event would survive a power cut (a Notice: a kill).

    Raises StorageError where another process still writes here after `wait_seconds`, DamagedFile where what is there
    does not check.
    """

    def __init__(
        self,
        folder: Path,
        *,
        run: str,
        repeat: int | None = None,
        fold: int | None = None,
        about: Mapping[str, Any],
        wait_seconds: float = 1.0,
    ) -> None:
        self.path = folder / FILE_NAME
        self._wait_seconds = wait_seconds
        self._identity: dict[str, Any] = {"run": run, "repeat": repeat, "fold": fold}
        self._fold_id = None if repeat is None or fold is None else FoldId(repeat, fold)
        self._about = dict(about)
        self._held = ExitStack()

    def __enter__(self) -> Self:
        self._held.enter_context(
            locked(self.path.with_name(LOCK_NAME), what=str(self.path), wait_seconds=self._wait_seconds)
        )
        try:
            self._descriptor = os.open(self.path, _APPENDING, 0o644)
            self._held.callback(os.close, self._descriptor)
            content = parse(read_inside(self.path.parent, self.path.name, most_bytes=MOST_BYTES), name=str(self.path))
            sync_folder(self.path.parent)
        except OSError as error:
            self._held.close()
            raise StorageError(f"cannot write {self.path}: {error.strerror}", next_step=next_step(error)) from error
        except BaseException:
            self._held.close()
            raise
        self._end = _End(len(content.events), content.intact_bytes)
        self._events = list(content.events)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def append(self, body: Body, **about: Any) -> Event:
        """Record what happened and return it as the event it became; what is told to people goes without secrets.

        Raises StorageError where it cannot be written.
        """
        body = _without_secrets(body)
        event = Event(
            **self._identity, seq=self._end.events, time=time.time(), body=body, about={**self._about, **about}
        )
        line = frame(to_json(event))
        try:
            os.ftruncate(self._descriptor, self._end.size)  # cuts a torn tail, or a line nobody was told of
            written = os.write(self._descriptor, line)
            if written != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if not isinstance(body, Notice):
                os.fsync(self._descriptor)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._end.size)
            raise StorageError(
                f"cannot write {self.path}: {error.strerror}", next_step="free some space, then run it again"
            ) from error
        self._end = _End(self._end.events + 1, self._end.size + len(line))
        self._events.append(event)
        return event

    @property
    def events(self) -> tuple[Event, ...]:
        """All that is recorded."""
        return tuple(self._events)

    def record(self, bodies: Iterable[Body | None], *, first: int = 0, **about: Any) -> Iterator[Event | None]:
        """Append each body as it comes and pass it on as an event; None, where nothing happened, is passed on.

        `about` holds of the `first` of those that count.

        What stands here since the last beginning is compared, not appended. If it differs, everything said so
        far is recorded again from the beginning.
        """
        known = group_by_fold(self._events).get(self._fold_id, ())
        said: list[Body] = []
        for body in bodies:
            if body is None:
                yield None
                continue
            compared = comparable_body(body)
            if compared is None:
                yield self.append(body)
                continue
            said.append(body)
            if len(said) > len(known):
                yield self.append(body, **(about if len(said) <= first else {}))
            elif known[len(said) - 1] != compared:
                known = ()
                yield self.append(Notice(code="recorded_anew", text=_STARTS_OVER))
                for number, again in enumerate(said):
                    yield self.append(again, **(about if number < first else {}))


def _without_secrets(body: Body) -> Body:
    match body:
        case Notice(text=text):
            return replace(body, text=redact(text))
        case FoldFailed(reason=reason):
            return replace(body, reason=redact(reason))
    return body
