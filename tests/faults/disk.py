"""A disk that fails when told to, for a tree of processes: see failing_disk.c. Needs a C compiler and Linux."""

import mmap
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("failing_disk.c")
NUMBERS = struct.Struct("4l")  # count, at, kind, clock
UNDER, HIT = 3000, 1000
KINDS = (
    "nothing",
    "fail once",
    "full from there on",
    "torn, then killed",
    "killed before",
    "killed after",
    "group killed",
)


class Disk:
    """What is done below `under` is counted; `arm` lets one operation fail, or kill who does it."""

    def __init__(self, folder: Path, under: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None or sys.platform != "linux":
            pytest.skip("needs a C compiler and Linux")
        self._library, control = folder / "failing_disk.so", folder / "control"
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", self._library, SOURCE, "-ldl"], check=True, timeout=60
        )
        control.write_bytes(bytes(NUMBERS.size + UNDER + HIT))
        self.environment = {"LD_PRELOAD": str(self._library), "FAULTS_CONTROL": str(control)}
        with control.open("r+b") as file:
            self._mapped = mmap.mmap(file.fileno(), 0)
        name = os.fsencode(under)
        self._mapped[NUMBERS.size : NUMBERS.size + len(name)] = name

    def arm(self, kind: str = "nothing", at: int = 0, *, clock_seconds: int = 0) -> None:
        """From now on count anew; the operation `at`, from 1, is hit. The clock is `clock_seconds` wrong."""
        self._mapped[: NUMBERS.size] = NUMBERS.pack(0, at, KINDS.index(kind), clock_seconds)
        self._mapped[NUMBERS.size + UNDER :] = bytes(HIT)

    @property
    def count(self) -> int:
        """Operations since `arm`."""
        return int(NUMBERS.unpack(self._mapped[: NUMBERS.size])[0])

    @property
    def hit(self) -> str:
        """What was hit: the operation and the file's path."""
        return self._mapped[NUMBERS.size + UNDER :].split(b"\0", 1)[0].decode(errors="replace")

    def close(self) -> None:
        self._mapped.close()
