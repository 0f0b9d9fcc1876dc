"""Measure every way in: each shape of images from nothing to a compared run, typed in a shell; ways-in.json out.

`.venv/bin/python docs/ways_in.py` takes minutes. Training is cheap: a small network, one epoch.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from served import old_python, served  # noqa: E402
from ways_in import REFUSALS, WAYS  # noqa: E402

CHEAP = (
    " --set train.backbone=small_cnn --set train.pretrained=false --set train.freeze_backbone=false"
    " --set train.epochs=1 --set data.image_size=8"
)


def main() -> None:
    measured: dict[str, float] = {}
    for way in WAYS:
        with tempfile.TemporaryDirectory() as name, ExitStack() as held:
            folder = Path(name) / "work"
            folder.mkdir()
            way.make(folder)
            more = {} if way.git else {"PATH": str(Path(sys.executable).parent)}
            if way.server:
                server = held.enter_context(served(Path(name), python=old_python()))
                more = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{server.port}"}
            started = time.monotonic()
            for command in way.commands:
                _type(folder, command + (CHEAP if command.startswith("foldproof run") else ""), more)
            measured[way.name] = round(time.monotonic() - started)
            print(f"{way.name}: {measured[way.name]} s", flush=True)
    for refusal in REFUSALS:
        with tempfile.TemporaryDirectory() as name:
            refusal.make(Path(name))
            started = time.monotonic()
            _type(Path(name), "foldproof init", {}, expected=2)
            measured[refusal.name] = round(time.monotonic() - started, 1)
            print(f"{refusal.name}: {measured[refusal.name]} s", flush=True)
    (Path(__file__).parent / "ways-in.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def _type(folder: Path, command: str, more: Mapping[str, str], *, expected: int = 0) -> None:
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": tools, "DVC_NO_ANALYTICS": "1", **more}
    call = ["/bin/sh", "-c", command]
    done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != expected:
        raise SystemExit(f"{command}\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
