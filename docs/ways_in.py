"""Measure every way in: each shape of images from nothing to a compared run, typed in a shell; ways-in.json out.

`.venv/bin/python docs/ways_in.py` takes minutes. Training is cheap: a small network, one epoch.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from ways_in import WAYS  # noqa: E402

CHEAP = (
    " --set train.backbone=small_cnn --set train.pretrained=false --set train.freeze_backbone=false"
    " --set train.epochs=1 --set data.image_size=8"
)


def main() -> None:
    measured = {}
    for way in WAYS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "work"
            folder.mkdir()
            way.make(folder)
            started = time.monotonic()
            for command in way.commands:
                _type(folder, command + (CHEAP if command.startswith("foldproof run") else ""))
            measured[way.name] = round(time.monotonic() - started)
            print(f"{way.name}: {measured[way.name]} s", flush=True)
    (Path(__file__).parent / "ways-in.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def _type(folder: Path, command: str) -> None:
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env={**os.environ, "PATH": tools}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{command}\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
