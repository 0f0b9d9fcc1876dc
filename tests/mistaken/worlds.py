"""Home folders with a project in them, made once and copied: the kind in, the home folder out."""

import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

from conftest import draw_classes

SETTINGS = """\
version: 1
data: {path: photos, image_size: 16}
folds: {k: 2}
train: {backbone: small_cnn, epochs: 1, batch_size: 8}
experiments:
  FirstRun: {}
  LongRun: {train: {epochs: 2}}
tracking: {enabled: false}
"""
_KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")


class Worlds:
    """bare: photos and settings; versioned: also git, DVC and a remote; trained: also a run of FirstRun."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    def make(self, kind: str) -> Path:
        """A home folder of its own with `project` in it."""
        home = self._folder / f"home-{next(self._numbers):03d}"
        shutil.copytree(self._pristine(kind), home, symlinks=True)
        return home

    def environment(self, home: Path) -> dict[str, str]:
        """Nothing of whoever runs this: no settings, no colours, no telemetry."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        person = {
            f"GIT_{role}_{of}": value
            for role in ("AUTHOR", "COMMITTER")
            for of, value in (("NAME", "A Person"), ("EMAIL", "person@example.org"))
        }
        return {
            **kept,
            **person,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}",
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "120",
            "NO_COLOR": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "DVC_NO_ANALYTICS": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }

    def _pristine(self, kind: str) -> Path:
        home = self._folder / kind
        if not home.exists():
            being_made = self._folder / f"{kind}-being-made"
            getattr(self, f"_{kind}")(being_made)
            being_made.rename(home)
        return home

    def _bare(self, home: Path) -> None:
        draw_classes(home / "project" / "photos", each=6, size=32)
        (home / "project" / "params.yaml").write_text(SETTINGS, encoding="utf-8")

    def _versioned(self, home: Path) -> None:
        shutil.copytree(self._pristine("bare"), home)
        for command in (
            "foldproof init",
            "dvc remote add --quiet --default backup ../backup",
            "foldproof data add photos",
            "git add . && git commit --quiet --message 'photos'",
            "dvc push --quiet",
        ):
            self._type(command, home)

    def _trained(self, home: Path) -> None:
        shutil.copytree(self._pristine("versioned"), home)
        self._type("foldproof run --quiet FirstRun", home)

    def _type(self, command: str, home: Path) -> None:
        subprocess.run(
            ["sh", "-c", command], cwd=home / "project", env=self.environment(home), check=True, capture_output=True
        )
