"""Runs commands in forked children of one process that has imported everything: an order in, what came of it out.

A line of JSON on stdin: argv, cwd, environment, the files for stdout and stderr, the limits; `call`, a function, or
`program`, which takes the child's place where imports and `sys.path` are the point. A line on stdout: exit code,
seconds, memory beyond the imports, and the processes that the command left running, which are ended.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: what a command leaves behind becomes a child of this process
_ADDRESSES = 6 * 2**30  # beyond what the imports take; a guard for the machine, not the limit that is judged
_FILE_BYTES = 2**31
_LOOK_SECONDS = 0.02
_LINGER_SECONDS = 0.5
_ALSO = (
    "dvc.repo", "dvc.repo.add", "dvc.repo.fetch", "dvc.repo.push", "dvc_data.index", "dvc.fs", "mlflow.tracking",
    "mlflow.store.tracking.sqlalchemy_store", "pyarrow.parquet", "matplotlib.figure", "PIL.PngImagePlugin", "jinja2",
    "PIL.WebPImagePlugin", "PIL.TiffImagePlugin", "sklearn.linear_model", "rich.console", "rich.table", "ruamel.yaml",
    "ruamel.yaml.main", "requests", "multiprocessing.connection", "alembic", "diskcache", "torch._dynamo",
)  # fmt: skip


def import_everything() -> None:
    import foldproof

    for found in pkgutil.walk_packages(foldproof.__path__, "foldproof."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for name in _ALSO:
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Looked:
    """Processes below one, and the memory of theirs that is not shared with files, in bytes."""

    processes: tuple[int, ...]
    anonymous: int


def look(pid: int) -> Looked:
    below = _below(pid)
    return Looked(below, sum(_anonymous(one) for one in below))


def _below(pid: int) -> tuple[int, ...]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(word) for word in path.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_below(child)]
    return tuple(found)


def _anonymous(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


def _child(order: dict[str, Any]) -> None:
    os.setsid()
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, order["out"], os.O_WRONLY | os.O_CREAT),
        (2, order["err"], os.O_WRONLY | os.O_CREAT),
    ):
        descriptor = os.open(name, flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _ADDRESSES, used + _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    os.environ.clear()
    os.environ.update(order["environment"])
    tempfile.tempdir = None  # as TMPDIR says now
    os.chdir(order["cwd"])
    if order["program"]:
        os.execve(order["program"][0], [*order["program"], *order["argv"]], order["environment"])
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, errors="backslashreplace")
    sys.argv = ["foldproof", *order["argv"]]
    code = 99
    try:
        _call(order)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:  # noqa: BLE001 - whatever it is, it is told
        import traceback

        traceback.print_exc()
        code = 70
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _call(order: dict[str, Any]) -> None:
    module, _, name = order["call"].partition(":")
    importlib.import_module(module).__dict__[name]()
    sys.exit(0)


def carry_out(order: dict[str, Any]) -> dict[str, Any]:
    mine = _anonymous(os.getpid())
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _child(order)
    shared = 0 if order["program"] else mine
    return watch(child, began, shared=shared, seconds=order["seconds"], most=order["most_bytes"])


def watch(child: int, began: float, *, shared: int, seconds: float, most: int) -> dict[str, Any]:
    """Until `child` ends or is ended, for its time or for its memory; then end what it left."""
    peak, why, used = 0, "", None
    while True:
        seen = look(os.getpid())
        peak = max(peak, seen.anonymous - shared) if seen.processes else peak
        done, status, used = os.wait4(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() - began > seconds or peak > most:
            why = f"over {most:,} bytes" if peak > most else f"over {seconds:.0f} s"
            _end((*_below(child), child))
            _, status, used = os.wait4(child, 0)
            break
        time.sleep(_LOOK_SECONDS)
    elapsed = time.monotonic() - began
    left = () if why else _left()
    _end(look(os.getpid()).processes)
    _reap()
    code = os.waitstatus_to_exitcode(status)
    cpu = used.ru_utime + used.ru_stime
    return {"code": code, "seconds": elapsed, "cpu": cpu, "memory": peak, "left": left, "stopped": why}


def _left() -> list[str]:
    """Command lines of what is still there a moment after the command has ended."""
    deadline = time.monotonic() + _LINGER_SECONDS
    while True:
        _reap()
        left = look(os.getpid()).processes
        if not left or time.monotonic() > deadline:
            return [_command_line(pid) for pid in left]
        time.sleep(_LOOK_SECONDS)


def _command_line(pid: int) -> str:
    try:
        said = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        said = ""
    return said or f"process {pid}"


def _end(processes: tuple[int, ...]) -> None:
    for pid in processes:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def become_subreaper() -> None:
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def main() -> None:
    sys.path[0] = "/nonexistent"  # `python -m` put the current folder there
    import_everything()
    become_subreaper()
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(carry_out(json.loads(line))), flush=True)


class Server:
    """The other end: starts the process when it is first asked, gives orders, hears what came of them."""

    def __init__(self) -> None:
        self._process = self._started()

    def _started(self) -> "subprocess.Popen[str]":
        tests = str(Path(__file__).parents[1])
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "hostile.server"],
            env={**os.environ, "PYTHONPATH": tests, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def carry_out(self, order: dict[str, Any]) -> dict[str, Any]:
        """What came of the order. A server that has ended, as after a test that ran out of time, is started again."""
        try:
            return self._asked(order)
        except (BrokenPipeError, ValueError):
            self.close()
            self._process = self._started()
            return self._asked(order)

    def _asked(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.kill()
        self._process.wait(timeout=30)
        self._process.stdout.close()


if __name__ == "__main__":
    main()
