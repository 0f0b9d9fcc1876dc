"""Commands that break each promise on purpose, for the oracle to find."""

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from hostile.oracle import PASSWORD


def _canary() -> Path:
    return Path.cwd().parent / "canary"


def keep_all() -> None:
    print("nothing happened")


def write() -> None:
    (_canary() / "thesis.txt").write_text("two years of work\n")


def write_same_size() -> None:
    path = _canary() / "thesis.txt"
    info = path.stat()
    path.write_text("five years of work"[: info.st_size - 1] + "\n")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def touch() -> None:
    os.utime(_canary() / "thesis.txt")


def remove() -> None:
    (_canary() / "id_rsa").unlink()


def make_folder() -> None:
    (Path.home() / "empty").mkdir()


def change_mode() -> None:
    (_canary() / "id_rsa").chmod(0o777)


def swap_for_link() -> None:
    path = _canary() / "thesis.txt"
    path.rename(_canary() / "moved")
    path.symlink_to("moved")


def run_payload() -> None:
    (_canary() / "ran-planted").touch()


def change_the_images() -> None:
    next(Path("images").rglob("*.png")).write_bytes(b"")


def leave_in_tmp() -> None:
    (Path(os.environ["TMPDIR"]) / "left").touch()


def connect() -> None:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5).close()


def send_password() -> None:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5) as connection:
        credentials = base64.b64encode(f"ada:{PASSWORD}".encode())
        connection.sendall(b"GET / HTTP/1.1\r\nAuthorization: Basic " + credentials + b"\r\n\r\n")
        connection.recv(100)


def leave_a_process() -> None:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)


def leave_a_grandchild() -> None:
    command = "(sleep 60 &) ; exit 0"
    subprocess.run(["sh", "-c", command], check=True)


def escape() -> None:
    print("\x1b[2Jowned")


def bidi() -> None:
    print("photo\u202egnp.exe", file=sys.stderr)


def no_utf8() -> None:
    sys.stdout.flush()
    os.write(1, b"\xff\xfe")


def hang() -> None:
    time.sleep(3600)


def spin_in_a_child() -> None:
    subprocess.run([sys.executable, "-c", "while True: pass"], check=True)


def eat_memory() -> None:
    eaten = [b"\1" * 10**8 for _ in range(30)]
    time.sleep(5)
    print(len(eaten))


def eat_memory_in_a_child() -> None:
    command = "import time; eaten = [b'1' * 10**8 for _ in range(30)]; time.sleep(5)"
    subprocess.run([sys.executable, "-c", command], check=True)


def exit_70() -> None:
    sys.exit(70)


def raise_error() -> None:
    raise ValueError("nobody caught this")


def die() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def long_error() -> None:
    print("error: one\n  two\n  three\n  four", file=sys.stderr)
    sys.exit(2)


def ask() -> None:
    print("Password for host None: ", end="")


def show_secret() -> None:
    print((_canary() / "id_rsa").read_text())


def take_along() -> None:
    (Path.cwd() / "out.zip").write_bytes((_canary() / "id_rsa").read_bytes())
