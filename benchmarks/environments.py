"""What the sides run in: a folder in; environment variables, Python with the peers' libraries, weights on disk out."""

import os
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "peers" / "requirements.txt"
PEERS = Path(__file__).parents[1] / ".bench" / "venv"
WEIGHTS = "resnet18-f37072fd.pth"  # what torchvision calls the published file
_REMOVED = ("MLFLOW_", "DVC_", "GIT_", "OMP_", "MKL_", "PYTHON")


def variables(home: Path) -> Mapping[str, str]:
    """Nobody's own settings, no telemetry, and caches of a user who has none but those below `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_REMOVED)}
    own = {"TORCH_HOME": str(home / "torch"), "XDG_CACHE_HOME": str(home / "cache")}
    return {**kept, **own, "MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "1"}


def peers_python() -> Path:
    """The interpreter of the peers' environment, which is made where it is not there or its list has changed."""
    stamp, digest = PEERS / "requirements.sha256", sha256(REQUIREMENTS.read_bytes()).hexdigest()
    python = PEERS / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != digest:
        uv = str(Path(sys.executable).with_name("uv"))
        _do(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(PEERS))
        installing = ("pip", "install", "--quiet", "--compile-bytecode", "--python", str(python))
        _do(uv, *installing, "--require-hashes", "--requirement", str(REQUIREMENTS))
        stamp.write_text(digest)
    return python


def place_weights(home: Path) -> Path:
    """Random weights of a resnet18 where torchvision looks for the published ones, which cannot be had offline.

    They cost as much as those; their accuracy means nothing.
    """
    file = home / "torch" / "hub" / "checkpoints" / WEIGHTS
    if not file.exists():
        import torch
        from torchvision.models import resnet18

        torch.manual_seed(42)
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save(resnet18(weights=None).state_dict(), file)
    return file


def _do(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)
