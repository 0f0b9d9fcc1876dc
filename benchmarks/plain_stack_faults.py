"""What happens to the usual stack (torch.save, MLflow's client) under the faults of docs/reliability.md.

    python benchmarks/plain_stack_faults.py [--patience 60]

Each line is measured here and now: real processes, real signals, a real port that refuses or hangs.
"""

import argparse
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SAVES = """
import sys, torch
state = {str(n): torch.randn(1000, 1000) for n in range(10)}
torch.save(state, sys.argv[1]); print("ready", flush=True)
while True:
    torch.save(state, sys.argv[1])
"""
LOGS = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1]); mlflow.set_experiment("e")
with mlflow.start_run():
    with mlflow.start_run(nested=True):
        mlflow.log_metric("loss", 1.0); print("ready", flush=True)
        sys.stdin.read()
"""
STARTS = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1]); mlflow.set_experiment("e")
with mlflow.start_run(): mlflow.log_metric("loss", 1.0)
"""


def killed_while_saving(folder: Path, count: int = 12) -> str:
    import torch

    lost = 0
    for trial in range(count):
        file = folder / f"{trial}.pt"
        with subprocess.Popen([sys.executable, "-c", SAVES, file], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.Random(trial).uniform(0, 0.5))
            process.kill()
        try:
            torch.load(file)
        except Exception:  # noqa: BLE001 - whatever it says, the weights are gone
            lost += 1
    return f"{lost} of {count} killed in `torch.save` over the only copy: nothing can be loaded any more"


def flipped_bits(folder: Path, count: int = 1000) -> str:
    import torch

    file = folder / "flip.pt"
    torch.save({"weight": torch.zeros(100, 100)}, file)
    content, seeded, silent = file.read_bytes(), random.Random(1), 0
    for _ in range(count):
        flipped = bytearray(content)
        flipped[seeded.randrange(len(content))] ^= 1 << seeded.randrange(8)
        file.write_bytes(flipped)
        try:
            torch.load(file)
            silent += 1
        except Exception:  # noqa: BLE001 - it was noticed
            continue
    return f"{silent} of {count} flipped bits of a `torch.save` file load without a word"


def waits_for_a_server(patience: float, *, answers: bool) -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if not answers:
            listener.close()
        began = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-c", STARTS, f"http://127.0.0.1:{port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                code = process.wait(timeout=patience)
                end = f"raises after {time.monotonic() - began:.0f} s (exit {code})"
            except subprocess.TimeoutExpired:
                process.kill()
                end = f"still waits in its first call after {patience:.0f} s"
    return f"a server that {'accepts and says nothing' if answers else 'refuses'}: the script {end}"


def killed_while_running(folder: Path) -> str:
    import mlflow

    uri = f"sqlite:///{folder / 'killed.db'}"
    for number in (signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen(
            [sys.executable, "-c", LOGS, uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            os.kill(process.pid, number)
    runs = mlflow.MlflowClient(uri).search_runs(["1"])
    stale = sum(run.info.status == "RUNNING" for run in runs)
    return f"{stale} of {len(runs)} runs of killed scripts are RUNNING for ever"


def first_starts(folder: Path, count: int = 8) -> str:
    uri = f"sqlite:///{folder / 'fresh.db'}"
    processes = [
        subprocess.Popen([sys.executable, "-c", STARTS, uri], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    failed = sum(process.wait() != 0 for process in processes)
    return f"{failed} of {count} scripts started at once on a fresh store fail"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patience", type=float, default=300.0, help="seconds to wait for a dead server")
    patience = parser.parse_args().patience
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measures: list[Callable[[], str]] = [
            lambda: killed_while_saving(folder),
            lambda: flipped_bits(folder),
            lambda: killed_while_running(folder),
            lambda: first_starts(folder),
            lambda: waits_for_a_server(patience, answers=False),
            lambda: waits_for_a_server(patience, answers=True),
        ]
        for measure in measures:
            print(measure(), flush=True)


if __name__ == "__main__":
    main()
