"""Addresses on loopback that attacks name as hosts: whoever connects is noted, with what it sent, and sent away."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

ROLES = ("tracking", "remote", "git", "elsewhere")
_MOST = 65536
_PATIENCE_SECONDS = 0.3


@dataclass(frozen=True)
class Contact:
    """Somebody connected to the address of a role and sent this."""

    role: str
    sent: bytes


class Tripwire:
    """A port for each role. `contacts` holds what has come since `forget`."""

    def __init__(self) -> None:
        self.contacts: list[Contact] = []
        self._sockets = {role: socket.create_server(("127.0.0.1", 0)) for role in ROLES}
        self.ports = {role: int(one.getsockname()[1]) for role, one in self._sockets.items()}
        for role, one in self._sockets.items():
            threading.Thread(target=self._listen, args=(role, one), daemon=True).start()

    def address(self, role: str) -> str:
        return f"127.0.0.1:{self.ports[role]}"

    def forget(self) -> None:
        self.contacts.clear()

    def close(self) -> None:
        for one in self._sockets.values():
            with closing(one):
                one.shutdown(socket.SHUT_RDWR)

    def _listen(self, role: str, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with closing(connection):
                self.contacts.append(Contact(role, b"".join(_heard(connection))))


def _heard(connection: socket.socket) -> Iterator[bytes]:
    """What it sends at first; an HTTP client is asked for a password, as a curious server would."""
    connection.settimeout(_PATIENCE_SECONDS)
    try:
        first = connection.recv(_MOST)
        yield first
        if b"HTTP/" in first:
            answer = b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="give"\r\nContent-Length: 0\r\n'
            connection.sendall(answer + b"Connection: close\r\n\r\n")
    except OSError:
        return
