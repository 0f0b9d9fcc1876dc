"""A home, a project in it that has run, its remote, and precious files beside: what commands are let loose on.

It always lies in one place, since MLflow's store holds absolute paths, and is made once and copied for every case.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import draw_classes
from hostile.server import Server

SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 2, seed: 1}
train: {backbone: small_cnn, batch_size: 8, epochs: 2, seed: 5}
execution: {executor: inline}
experiments: {first: {}, other: {train: {lr: 0.01}}}
"""
DVC_REMOTE = "[core]\n    remote = store\n['remote \"store\"']\n    url = ../../remote\n"
PRECIOUS = {
    "thesis.txt": "four years of work\n",
    "id_rsa": "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret-of-the-canary\n",
    "photos/one.png": "no image at all, and the only copy\n",
    "site-packages/harmless.pth": "# a line that Python would run\n",
    "other.dir": "[]",
    "code/model.py": "# the only copy\n",
}
SECRET = "secret-of-the-canary"
_KEPT = ("PATH", "LD_LIBRARY_PATH")
_PERSON = {
    f"GIT_{role}_{of}": value
    for role in ("AUTHOR", "COMMITTER")
    for of, value in (("NAME", "A Person"), ("EMAIL", "person@example.org"))
}


@dataclass(frozen=True)
class Done:
    """What came of one command."""

    code: int
    out: bytes
    err: bytes
    seconds: float
    cpu: float
    memory: int
    left: tuple[str, ...]
    stopped: str


@dataclass(frozen=True)
class World:
    """`base` holds home, project, remote, given (by a stranger), canary and tmp. Not watched: the files for output."""

    base: Path
    server: Server

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def project(self) -> Path:
        return self.base / "project"

    @property
    def remote(self) -> Path:
        return self.base / "remote"

    @property
    def canary(self) -> Path:
        return self.base / "canary"

    @property
    def given(self) -> Path:
        return self.base / "given"

    @property
    def bundle(self) -> Path:
        """A bundle of `first`, with images, weights and states."""
        return self.given / "first.zip"

    @property
    def runs(self) -> dict[str, Path]:
        """Folders of the project's runs by their experiments."""
        found = {
            json.loads(path.read_text())["experiment"]: path.parent for path in self.project.glob("runs/*/run.json")
        }
        return dict(sorted(found.items()))

    def environment(self, **more: str) -> dict[str, str]:
        """Nothing of whoever runs this: no settings, no colours, no telemetry."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {
            **kept,
            **_PERSON,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}",
            "HOME": str(self.home),
            "TMPDIR": str(self.base / "tmp"),
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "160",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "DVC_NO_ANALYTICS": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "GIT_CONFIG_SYSTEM": os.devnull,
            **more,
        }

    def foldproof(
        self,
        *argv: str,
        within: Path | None = None,
        environment: dict[str, str] | None = None,
        program: tuple[str, ...] = (),
        call: str = "foldproof.cli.main:main",
        seconds: float = 30.0,
        most_bytes: int = 2 * 10**9,
    ) -> Done:
        """Run a command in the project, or `within` a folder; a real process where `program` is given."""
        out, err = self.base.with_name("out.txt"), self.base.with_name("err.txt")
        for path in (out, err):
            path.unlink(missing_ok=True)
        told = self.server.carry_out(
            {
                "argv": argv,
                "cwd": str(within or self.project),
                "environment": self.environment(**(environment or {})),
                "out": str(out),
                "err": str(err),
                "program": program,
                "call": call,
                "seconds": seconds,
                "most_bytes": most_bytes,
            }
        )
        return Done(out=out.read_bytes(), err=err.read_bytes(), **{**told, "left": tuple(told["left"])})

    def type(self, command: str, **environment: str) -> str:
        """A line for a shell in the project, as its owner or the attacker types it."""
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.project,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout


def python() -> tuple[str, ...]:
    """What `python -m foldproof` begins with."""
    return (sys.executable, "-m", "foldproof")


def installed() -> tuple[str, ...]:
    """The script that an installer makes."""
    return (str(Path(sys.executable).with_name("foldproof")),)


class Worlds:
    """One world, made once, and put back as it was before every case."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._pristine = folder / "pristine"
        self._world = World(folder / "w", server)
        self._site = folder / "none"

    def fresh(self) -> World:
        if not self._pristine.exists():
            make(self._world)
            self._site = dvc_site(self._world)
            self._world.base.rename(self._pristine)
        shutil.rmtree(self._site, ignore_errors=True)
        shutil.rmtree(self._world.base, ignore_errors=True)
        shutil.copytree(self._pristine, self._world.base, symlinks=True)
        return self._world


def make(world: World) -> None:
    for folder in (world.home, world.project, world.remote, world.given, world.canary, world.base / "tmp"):
        folder.mkdir(parents=True)
    for name, content in PRECIOUS.items():
        (world.canary / name).parent.mkdir(exist_ok=True)
        (world.canary / name).write_text(content)
    (world.home / ".gitconfig").write_text("[user]\n name = A Person\n email = person@example.org\n")
    draw_classes(world.project / "images", each=4)
    (world.project / "params.yaml").write_text(SETTINGS)
    world.type("git init --quiet")
    _well(world, "init")
    _well(world, "data", "add", "images")
    with (world.project / ".dvc" / "config").open("a") as file:
        file.write(DVC_REMOTE)
    world.type("python -m dvc push --quiet && git add --all && git commit --quiet --message images")
    _well(world, "run", "--quiet")
    world.type("git add --all && git commit --quiet --message run")
    _well(world, "bundle", "first", "--images", "--weights", "--states", "-o", str(world.bundle))
    shutil.copytree(world.runs["first"], world.given / "run" / world.runs["first"].name)
    shutil.rmtree(world.base / "tmp")
    (world.base / "tmp").mkdir()


def _well(world: World, *argv: str) -> None:
    done = world.foldproof(*argv, seconds=180)
    assert done.code == 0, f"{argv}: {done.out.decode()}{done.err.decode()}"


def dvc_site(world: World) -> Path:
    """Where DVC by itself keeps its index of this project: for all users of the machine."""
    return Path(world.type("python -c 'from dvc.repo import Repo; print(Repo().site_cache_dir)'").splitlines()[-1])


def read_zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def rewrite_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))
