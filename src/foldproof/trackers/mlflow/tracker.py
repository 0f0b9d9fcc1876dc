"""Start the process that projects the journals into MLflow, and wait for it at the end, bounded."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from foldproof.events.types import Event, Notice
from foldproof.trackers import CLOSING_SECONDS, TrackerContext

STARTING_SECONDS = 20.0  # until the first sign of life: importing MLflow takes seconds
SILENT_SECONDS = 2.0
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class MlflowTracker:
    """Uses a process of its own that reads the journals: training waits for no server, and a crash loses nothing."""

    def __init__(self, context: TrackerContext) -> None:
        self._trouble = ""
        self._notes: list[str] = []
        self._done = False
        self._process: subprocess.Popen[str] | None = None
        self._silent_until = time.monotonic() + STARTING_SECONDS
        if context.target is not None and context.folders:
            folders = [folder.absolute() for folder in context.folders]
            order = {"folders": folders, "target": asdict(context.target)}
            try:
                self._start(order)
            except OSError as error:
                self._trouble = f"its process cannot be started: {error.strerror or error}"

    def tell(self, event: Event) -> None:
        """Nothing to do: the event stands in a journal, and the other process reads it there."""

    def close(self, *, within: float = CLOSING_SECONDS) -> tuple[Notice, ...]:
        """Wait for the rest to reach MLflow while there is progress, at most `within` seconds. Says what is lacking.

        The process has ended when this returns or raises.
        """
        process = self._process
        if process is not None:
            self._process = None
            try:
                code = self._wait(process, within)
            finally:
                self._end(process)
            ended_badly = f"its process ended with exit code {code}" if code else "it does not answer"
            self._trouble = "" if self._done else self._trouble or ended_badly
        notices = tuple(Notice(code="tracking", text=f"MLflow: {text}") for text in self._notes)
        self._notes = []
        if not self._trouble:
            return notices
        text = f"MLflow lacks a part of this: {' '.join(self._trouble.split())}"
        text += "" if "`foldproof sync`" in text else "; `foldproof sync` completes it"
        self._trouble = ""
        return (*notices, Notice(code="tracking_incomplete", text=text))

    def _start(self, order: dict[str, Any]) -> None:
        detached: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            detached = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "foldproof.trackers.mlflow.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1")},
            text=True,
            encoding="utf-8",
            **detached,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(
            json.dumps(order, default=str) + "\n"
        )  # on no command line: a URI may hold a password
        self._process.stdin.flush()
        self._listener = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._listener.start()

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.endswith("\n"):
                return  # it was killed in the middle of a word
            message = json.loads(line)
            if "within" in message:
                self._silent_until = time.monotonic() + message["within"]
            self._trouble = message.get("trouble", self._trouble)
            self._notes += [message["note"]] if "note" in message else []
            self._done = message.get("done", False)

    def _wait(self, process: "subprocess.Popen[str]", within: float) -> int | None:
        """The exit code, or None where the process was silent for too long or the time is over."""
        assert process.stdin is not None
        began = time.monotonic()
        with suppress(OSError):
            process.stdin.write("close\n")
            process.stdin.flush()
        with suppress(OSError):
            process.stdin.close()
        while process.poll() is None:
            now = time.monotonic()
            if now > max(self._silent_until, began + SILENT_SECONDS) or now > began + within:
                return None
            time.sleep(0.02)
        return process.returncode

    def _end(self, process: "subprocess.Popen[str]") -> None:
        process.kill()
        process.wait()
        self._listener.join(timeout=1.0)
        if process.stdout is not None:
            process.stdout.close()
