"""Limit what a server may take: pages, bytes and seconds, whatever it answers."""

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from foldproof.errors import TrackingError
from foldproof.storage import redact
from foldproof.trackers import TrackingTarget
from foldproof.trackers.mlflow.target import is_server

MOST_PAGES = 10_000
MOST_EMPTY_PAGES = 3  # one after another: a server may filter what it has paged
MOST_ANSWER_BYTES = 256 * 2**20  # a page of 1,000 runs with every param and tag at its longest has less
MOST_ANSWER_SECONDS = 120.0
ASKING_SECONDS = 600.0
_PATIENCE = 20.0  # times what was promised
_LEAST_PATIENCE = 300.0
_PIECE = 65536
_NEXT_STEP = "this MLflow does not work; ask whoever runs it"

T = TypeVar("T")


def pages(ask: Callable[[str | None], Any], *, uri: str) -> Iterator[Any]:
    """What is on every page: `ask` gets a page by its token. Raises TrackingError for pages that do not end."""
    token: str | None = None
    empty, seen = 0, {""}
    for _ in range(MOST_PAGES):
        page = ask(token)
        yield from page
        token = page.token
        if not token:
            return
        empty = 0 if page else empty + 1
        if empty >= MOST_EMPTY_PAGES or token in seen:
            break
        seen.add(token)
    raise TrackingError(f"MLflow at {redact(uri)} answers with endless pages", next_step=_NEXT_STEP)


def bound(work: Callable[[Callable[[float], None]], T], *, uri: str, seconds: float = _LEAST_PATIENCE) -> T:
    """What `work` returns or raises; it gets a function that promises its next sign of life within a time.

    Raises TrackingError where it is silent for `seconds`, or far longer than it promised: a server that sends a byte
    now and then keeps any one request from ending.
    """
    deadline = [time.monotonic() + seconds]
    outcome: list[tuple[bool, Any]] = []

    def promise(until: float) -> None:
        deadline[0] = time.monotonic() + max(seconds, until * _PATIENCE)

    def carry_out() -> None:
        try:
            outcome.append((True, work(promise)))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            outcome.append((False, error))

    thread = threading.Thread(target=carry_out, daemon=True)
    thread.start()
    while not outcome:
        thread.join(0.5)
        if not outcome and time.monotonic() > deadline[0]:
            raise TrackingError(f"MLflow at {redact(uri)} never finishes its answer", next_step=_NEXT_STEP)
    done, result = outcome[0]
    if not done:
        raise result
    value: T = result
    return value


def bound_by_target(target: TrackingTarget, work: Callable[[Callable[[float], None]], T]) -> T:
    """What `work` returns; of a server `bound`, elsewhere somebody at a terminal can interrupt."""
    return bound(work, uri=target.uri) if is_server(target.uri) else work(lambda _: None)


@contextmanager
def bounded_answers() -> Iterator[None]:
    """Meanwhile MLflow's client takes no answer that is too long, or too slow once it has begun."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own imports
        from mlflow.utils import request_utils

    session_of = request_utils._get_request_session  # noqa: SLF001 - where every request of MLflow's begins

    def bounded(*arguments: Any, **named: Any) -> Any:
        session = session_of(*arguments, **named)
        if _read_bounded not in session.hooks["response"]:
            session.hooks["response"].append(_read_bounded)
        return session

    request_utils._get_request_session = bounded  # noqa: SLF001
    try:
        yield
    finally:
        request_utils._get_request_session = session_of  # noqa: SLF001


def _read_bounded(response: Any, *_: Any, stream: bool = False, **__: Any) -> None:
    """Read an answer as requests would, but not for ever."""
    if stream or response._content is not False:  # noqa: SLF001 - requests has no public place for what was read
        return
    until = time.monotonic() + MOST_ANSWER_SECONDS
    content = bytearray()
    while piece := response.raw.read1(_PIECE, decode_content=True):
        content += piece
        if len(content) > MOST_ANSWER_BYTES or time.monotonic() > until:
            response.close()
            raise TrackingError("its answer has no end", next_step=_NEXT_STEP)
    response._content, response._content_consumed = bytes(content), True  # noqa: SLF001
