"""A real server's address in, an address before it out whose traffic can be refused, cut, lost, held or answered."""

import re
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
PASS = "pass"
RESET = "reset"  # the connection, before anything is read
CUT = "cut"  # the reply in its middle, by a reset
LOSE = "lose"  # the reply: the server has done what was asked
LATE = "late"  # the server hears of it `seconds` after the client was cut off
DELAY = "delay"  # by `seconds`, then pass
HANG = "hang"  # take the request and do nothing
ERROR = "error"  # answer 500 without asking the server
_RESETTING = struct.pack("ii", 1, 0)
_FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops"
_STRANGER = (
    b'HTTP/1.1 401 Unauthorized\r\nContent-Length: 31\r\nConnection: close\r\n\r\n{"detail": "Not authenticated"}'
)


@dataclass
class Rule:
    """What befalls requests whose path matches: all, or the next `times`."""

    action: str
    path: str = ""
    times: float = float("inf")
    seconds: float = 0.0


class Proxy:
    """One request a connection. `done` counts what befell requests, `asked` which paths were asked for.

    With a `token` it turns away whoever does not bring that; with a `certificate` (and its key in one file) it speaks
    TLS.
    """

    def __init__(self, server: int, *, token: str = "", certificate: Path | None = None) -> None:
        self._token = token
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self.done: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self._server = server
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._hanging = threading.Event()
        self._late: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.accept()

    @property
    def address(self) -> str:
        return f"http{'s' if self._tls else ''}://{HOST}:{self.port}"

    def behave(self, *rules: Rule) -> None:
        """From now on the first of these rules that matches decides; what matches none passes. Hung ones are cut."""
        with self._lock:
            self._rules = list(rules)
            self._hanging.set()
            self._hanging = threading.Event()

    def accept(self) -> None:
        """Listen, on the same port as before."""
        if self._listener is None:
            self._listener = socket.create_server((HOST, self.port))
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Do not listen."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def settle(self) -> None:
        """Return when the server has heard of everything late."""
        for thread in tuple(self._late):
            thread.join(timeout=60)

    def close(self) -> None:
        self.refuse()
        self.behave()
        self.settle()
        with self._lock:
            for connection in self._open:
                connection.close()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        connection.settimeout(120)
        with suppress(OSError), self._greeted(connection) as talking:
            request = _receive(talking)
            if request and not self._knows(request):
                self.done["turned away"] += 1
                talking.sendall(_STRANGER)
            elif request:
                path = request.split(b" ", 2)[1].decode().partition("?")[0]
                rule, hanging = self._choose(path)
                self._act(talking, request, rule, hanging)
        with self._lock:
            self._open.discard(connection)

    def _greeted(self, connection: socket.socket) -> socket.socket:
        return connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)

    def _knows(self, request: bytes) -> bool:
        head = request.partition(b"\r\n\r\n")[0]
        brought = re.search(rb"^authorization: *bearer ([^\r]+)", head, re.IGNORECASE | re.MULTILINE)
        return not self._token or (brought is not None and brought[1].decode() == self._token)

    def _choose(self, path: str) -> tuple[Rule, threading.Event]:
        with self._lock:
            found = (rule for rule in self._rules if rule.times > 0 and re.search(rule.path, path))
            rule = next(found, Rule(PASS))
            rule.times -= 1
            self.done[rule.action] += 1
            self.asked[path] += 1
            return rule, self._hanging

    def _act(self, connection: socket.socket, request: bytes, rule: Rule, hanging: threading.Event) -> None:
        if rule.action in (RESET, HANG):
            if rule.action == HANG:
                hanging.wait()
            _reset(connection)
        elif rule.action == ERROR:
            connection.sendall(_FAILED)
        elif rule.action == LATE:
            _reset(connection)
            self._late.append(threading.Thread(target=self._ask_late, args=(request, rule.seconds), daemon=True))
            self._late[-1].start()
        else:
            time.sleep(rule.seconds)
            reply = self._ask(request)
            if rule.action == CUT:
                connection.sendall(reply[: len(reply) // 2])
                _reset(connection)
            elif rule.action != LOSE:
                connection.sendall(reply)

    def _ask_late(self, request: bytes, seconds: float) -> None:
        time.sleep(seconds)
        self._ask(request)

    def _ask(self, request: bytes) -> bytes:
        with socket.create_connection((HOST, self._server), timeout=120) as server:
            server.sendall(self._addressed(request))
            reply = b""
            while some := server.recv(65536):
                reply += some
            return reply

    def _addressed(self, request: bytes) -> bytes:
        """The request as the server's own clients would send it, with a connection of its own."""
        head, gap, body = request.partition(b"\r\n\r\n")
        lines = [
            line for line in head.split(b"\r\n") if not re.match(rb"(host|connection|expect):", line, re.IGNORECASE)
        ]
        return b"\r\n".join([*lines, b"Host: %s:%d" % (HOST.encode(), self._server), b"Connection: close"]) + gap + body


@contextmanager
def proxy_before(server: int, *, token: str = "", certificate: Path | None = None) -> Iterator[Proxy]:
    """A proxy before the server on this port of the loopback."""
    proxy = Proxy(server, token=token, certificate=certificate)
    try:
        yield proxy
    finally:
        proxy.close()


def _receive(connection: socket.socket) -> bytes:
    """One request, whole; empty where the client went away."""
    request = b""
    while not _is_whole(request):
        some = connection.recv(65536)
        if not some:
            return b""
        request += some
    return request


def _is_whole(request: bytes) -> bool:
    head, gap, body = request.partition(b"\r\n\r\n")
    if not gap:
        return False
    if re.search(rb"transfer-encoding:\s*chunked", head, re.IGNORECASE):
        return body.endswith(b"0\r\n\r\n")
    length = re.search(rb"content-length:\s*(\d+)", head, re.IGNORECASE)
    return len(body) >= (int(length[1]) if length else 0)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETTING)
    connection.close()
