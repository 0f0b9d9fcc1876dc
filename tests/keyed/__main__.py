"""Train the project once, then make each change in a forked copy and ask what `run` would train: said.json, there.

Forked after all imports, so that a change costs a moment and no process has loaded a module of the project before.
"""

import contextlib
import importlib
import io
import json
import os
import pkgutil
import shutil
import sys
import traceback
from pathlib import Path

import torch

import foldproof
from foldproof.cli.main import run_command
from foldproof.provenance import foldproof_code
from foldproof.provenance.source_code import digest_of
from keyed.changes import DECIDE, DO_NOT_DECIDE, Change, make


def main(place: Path) -> None:
    torch.set_num_threads(1)
    load_everything()
    template = place / "template"
    make(template)
    in_child(lambda: trained(template))
    said = {}
    for number, change in enumerate((*DECIDE, *DO_NOT_DECIDE)):
        here = place / f"{number:03}" / "root"
        shutil.copytree(template, here)
        said[change.name] = in_child(lambda change=change, here=here: left_to_train(here, change))
        shutil.rmtree(here.parent)
    (place / "said.json").write_text(json.dumps(said))


def load_everything() -> None:
    """What every copy needs: modules, and how foldproof's own source parses, kept by path, time and size."""
    for found in pkgutil.walk_packages(foldproof.__path__, "foldproof."):
        importlib.import_module(found.name)
    digest_of(foldproof_code.modules(foldproof_code.TRAINING).values())


def trained(root: Path) -> object:
    enter(root)
    assert run_command(["run", "--quiet"]) == 0
    return None


def left_to_train(root: Path, change: Change) -> object:
    """Folds that `run` would train; a moved project is the same, so that where it lies is no change."""
    change.do(root)
    enter(root)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run_command(["run", "--plan", "--json", "--allow-dirty"])
    (plan,) = json.loads(out.getvalue())["experiments"] if code == 0 else [{"code": code}]
    return plan.get("folds", 0) - plan.get("folds_finished", 0)


def enter(root: Path) -> None:
    sys.path.insert(0, str(root / "packages"))
    os.chdir(root / "project")


def in_child(do) -> object:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = do()
        except BaseException:  # noqa: BLE001 - told to the parent
            said = traceback.format_exc()
        os.write(writer, json.dumps(said).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        said = json.loads(stream.read() or b"null")
    os.waitpid(child, 0)
    return said


if __name__ == "__main__":
    main(Path(sys.argv[1]))
