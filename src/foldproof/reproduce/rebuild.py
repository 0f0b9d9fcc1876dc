"""Rebuild the Python environment of a run, with the foldproof that made it.

Made once for each list of packages and kept in the user's own cache folder, since what lies in a project may have come
with a clone of it; uv makes it where uv is installed, else venv and pip do.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from foldproof.config.identity import canonical_json
from foldproof.executors.stopping import Stopping
from foldproof.project import Project
from foldproof.provenance import worktree
from foldproof.provenance.packages import DECISIVE
from foldproof.provenance.wheel import is_wheel, kept_wheel, stated_wheel
from foldproof.reproduce.errors import CannotCheck
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.recorded import Recorded
from foldproof.reproduce.request import Request
from foldproof.reproduce.trust import may_run
from foldproof.storage import cleaned, locked, own_folder, redact

_READY = "ready"
_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")  # PEP 508
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.!+_-]*")
_PATIENCE_SECONDS = 3600
_BUILDING_SECONDS = 3600.0


def retrain_with_own_foldproof(
    subject: RecordSource,
    recorded: Recorded,
    project: Project | None,
    request: Request,
    place: Path,
    stopping: Stopping,
    *,
    quiet: bool,
) -> Path | None:
    """Let the foldproof that made the run train it again, among the packages that it had; the new run's folder.

    None where it was interrupted. Raises CannotCheck where there is no such environment, or it could not train.
    """
    wheel = recorded_wheel(recorded, project, subject.wheel)
    out = place / "rebuilt"
    with rebuilt(recorded, wheel, environments() if project else place) as python:
        command = [str(python), "-P", "-m", "foldproof", "reproduce", str(subject.folder.resolve())]
        command += ["--env", "here", "--keep", str(out), "--from-epoch", str(request.from_epoch)]
        command += ["--epochs", str(request.epochs)] if request.epochs else []
        if request.folds is not None:
            named = sorted(f"{fold}" if repeat is None else f"{repeat}.{fold}" for repeat, fold in request.folds)
            command += ["--fold", ",".join(named)]
        command += ["--trust-code"] if may_run(subject, request) else []
        command += ["--images", str(subject.images)] if subject.images else []
        command += ["--quiet"] if quiet else []
        said = watched(command, project.root if project else place, stopping)
    if stopping.asked:
        return None
    if not (out / "run.json").exists():
        raise CannotCheck(
            f"the foldproof of the run could not train it: {said}", needed="what that asks for; or `--env here`"
        )
    return out


@contextmanager
def rebuilt(recorded: Recorded, wheel: Path | None, home: Path) -> Iterator[Path]:
    """The Python of an environment in `home` with the recorded packages and the foldproof of `wheel`.

    `home` is a folder that nobody else writes to: an environment that stands there already is used as it is.

    Raises CannotCheck where something of it cannot be had.
    """
    environment = recorded.environment
    if wheel is None:
        raise CannotCheck(
            "the foldproof that made this run is not here: neither in .foldproof/wheels nor in a bundle",
            needed="a bundle of the run, or the project in which it was made; or `--env here`",
        )
    packages = _requirements(environment)
    python = _python_like(str(environment.get("python", "")))
    digest = hashlib.sha256(canonical_json([packages, str(environment.get("python")), _sha256(wheel)])).hexdigest()
    folder = home / digest[:32]
    with locked(home / f"{digest[:32]}.lock", what="this environment", wait_seconds=_BUILDING_SECONDS):
        if not (folder / _READY).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _build(folder, python, packages, wheel)
            (folder / _READY).touch()
        yield _python_of(folder)


def environments() -> Path:
    """Where environments are kept: a folder in the user's cache that nobody else can write to. Raises StorageError."""
    return own_folder(platformdirs.user_cache_path("foldproof", appauthor=False) / "envs")


def recorded_wheel(recorded: Recorded, project: Project | None, given: Path | None) -> Path | None:
    """The wheel that made a run, from its bundle or the project, proved by its hash; None where it is not here.

    One that the project's repository brought is not used: it was not kept by a run that was made here.
    """
    stated = stated_wheel(recorded.environment)
    if stated is None:
        return None
    _, sha256 = stated
    if given is not None and is_wheel(given.parent, given.name, sha256):
        return given
    kept = kept_wheel(project.wheels, recorded.environment) if project else None
    return None if kept is None or worktree.known_to_git(kept.parent, kept.name) else kept


def watched(command: Sequence[str], folder: Path, stopping: Stopping) -> str:
    """Run a command in `folder` until it ends, or is asked to stop; the last line that it said.

    What it says of its progress is passed on.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    last = ""
    with (
        stopping.listening(),
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=None, text=True, encoding="utf-8"
        ) as process,
    ):
        while process.poll() is None:
            try:
                out, _ = process.communicate(timeout=0.2)
                last = next((line for line in out.splitlines() if line.strip()), last)
            except subprocess.TimeoutExpired:
                if stopping.asked:
                    process.terminate()
    return cleaned(last, most=300)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _requirements(environment: Mapping[str, Any]) -> Sequence[str]:
    """`name==version` of each. Raises CannotCheck where the record lists none, or something that is no package."""
    listed, elsewhere = environment.get("packages"), environment.get("elsewhere") or {}
    if not isinstance(listed, dict) or not isinstance(elsewhere, dict):
        raise CannotCheck("the record has no list of packages", needed="`--env here`")
    packages = {name: version for name, version in listed.items() if name != "foldproof"}
    for name, version in packages.items():
        if not (_DISTRIBUTION.fullmatch(name) and isinstance(version, str) and _VERSION.fullmatch(version)):
            said = cleaned(f"{name}=={version}", most=80)
            raise CannotCheck(f"the record names a package that cannot be one: {said}", needed="`--env here`")
    lost = sorted(elsewhere.keys() & packages.keys() & set(DECISIVE))
    if lost:
        raise CannotCheck(
            f"{', '.join(lost)} did not come from a package index and cannot be installed again",
            needed="`--env here`, in an environment that has it",
        )
    return [f"{name}=={version}" for name, version in packages.items() if name not in elsewhere]


def _python_like(version: str) -> str:
    if not re.fullmatch(r"[0-9]+\.[0-9]+[0-9a-z.+]*", version):
        raise CannotCheck("the record does not say which Python the run had", needed="`--env here`")
    wanted = version.split(".")[:2]
    if wanted == [str(part) for part in sys.version_info[:2]]:
        return sys.executable
    found = shutil.which(f"python{'.'.join(wanted)}")
    if found is None:
        raise CannotCheck(f"the run had Python {version}", needed=f"Python {'.'.join(wanted)} on the PATH")
    return found


def _build(folder: Path, python: str, packages: Sequence[str], wheel: Path) -> None:
    """Installers start beside the environment, where no project has settings for them, such as another index."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    folder.parent.mkdir(parents=True, exist_ok=True)
    listed = folder.with_suffix(".txt")
    listed.write_text("\n".join(packages) + "\n", encoding="utf-8")
    inside = str(_python_of(folder))
    if uv:
        make = [uv, "venv", "--quiet", "--python", python, str(folder)]
        install = [uv, "pip", "install", "--quiet", "--python", inside, "--no-deps"]
    else:
        make = [python, "-m", "venv", str(folder)]
        install = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _call(make, "no environment could be made", cwd=folder.parent)
    _call([*install, "-r", str(listed)], "the recorded packages could not be installed", cwd=folder.parent)
    _call([*install, str(wheel)], "the recorded foldproof could not be installed", cwd=folder.parent)


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _call(command: Sequence[str], failed: str, *, cwd: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE_SECONDS,
            env=environment,
            cwd=cwd,
            check=False,
        )
        said = done.stderr.strip().splitlines()
        if done.returncode == 0:
            return
        reason = next((line for line in reversed(said) if line.strip()), f"code {done.returncode}")
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    raise CannotCheck(
        f"{failed}: {cleaned(redact(reason.strip()), most=300)}",
        needed="access to a package index that has them; or `--env here`",
    )
