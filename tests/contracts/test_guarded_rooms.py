"""What reads things from somebody else opens, writes and starts nothing by itself: `storage` does it, on checked names.

Each exception stands here with its reason, so that a new one is a decision.
"""

import ast
from collections import Counter
from pathlib import Path

import pytest

import foldproof

ROOT = Path(foldproof.__file__).parent
ROOMS = (
    "analysis",
    "bundle",
    "config",
    "data/labels",
    "data/tables",
    "data/versions",
    "events",
    "folds",
    "predict",
    "reproduce",
    "trackers/mlflow",
    "verify",
    "data/dataset.py",
    "data/exclusions.py",
    "records",
)
RAW = {
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "rmdir", "touch", "rename"),
    *("symlink_to", "hardlink_to", "copy2", "copyfile", "copytree", "move", "rmtree", "Popen", "extractall", "system"),
}
STARTERS = {"subprocess.run", "subprocess.call", "subprocess.check_output", "os.remove", "os.replace", "os.open"}
ALLOWED: dict[str, tuple[int, str]] = {  # how many raw calls, and why each is one
    "analysis/report/page.py": (1, "the style sheet that is installed with foldproof"),
    "analysis/report/pictures.py": (1, "decodes bytes that were read guarded and whose size was looked at"),
    "bundle/entries.py": (1, "the ZIP file that the user named, to be read"),
    "bundle/read.py": (1, "an entry of the archive; what comes out goes through create_inside"),
    "bundle/write.py": (1, "the wheel that a run was made with, proved by its hash"),
    "data/versions/add.py": (2, "the .dvc file beside the folder, guarded against links before"),
    "data/versions/borrow.py": (2, "the .dvc folder of a checkout in our own workshop"),
    "data/versions/bring_in.py": (3, "copies the user's folder to a new one beside its place; links are not followed"),
    "data/versions/dvc.py": (2, "a trial file of a random name, and an object into such a file"),
    "data/versions/guard.py": (2, "files whose kind and size were looked at just before"),
    "data/versions/listing.py": (3, "a list by its checked hash in the cache, and one fetched into a private folder"),
    "data/versions/opening.py": (1, "DVC's own file system, after the guard has looked at the file"),
    "data/versions/placing.py": (13, "`pull`: each path is a RelativePath, each folder reached through no link"),
    "data/versions/reached.py": (1, "a settings file of git's or DVC's, of bounded size, to be read"),
    "data/versions/unfinished.py": (1, "a note of our own under a name that is a hash"),
    "events/journal.py": (1, "the one writer of a journal, with O_NOFOLLOW"),
    "predict/table.py": (1, "the table that the user named, in its temporary place beside it"),
    "reproduce/images.py": (2, "an exclusive link in the workshop, or a copy through create_inside"),
    "reproduce/rebuild.py": (6, "an environment in the user's own cache, after --trust-code"),
    "reproduce/reproduce.py": (1, "the new run to the folder that --keep names"),
    "reproduce/staging.py": (1, "folds.csv of the project into the workshop"),
    "reproduce/worktree.py": (3, "our own workshop: cleared, filled, and freed of links"),
    "trackers/mlflow/app.py": (1, "the password file that our own parent process has written"),
    "trackers/mlflow/database.py": (1, "the migrations that are installed with MLflow"),
    "trackers/mlflow/foreign.py": (1, "the first bytes of a file that the user named"),
    "trackers/mlflow/store_template.py": (1, "an empty store of our own as the user's new one"),
    "trackers/mlflow/runs_page.py": (1, "our own server, asked over HTTP"),
    "trackers/mlflow/server.py": (5, "MLflow's own server with its log and a password file in a private folder"),
    "trackers/mlflow/tracker.py": (1, "our own tracking process"),
    "trackers/mlflow/trust.py": (3, "the user's own list of hosts, made with mode 0600"),
    "trackers/mlflow/worker.py": (1, "os.devnull in the place of standard output"),
    "verify/epoch.py": (1, "a folder of our own workshop, taken away after use"),
}


def modules() -> list[str]:
    found = [
        path for room in ROOMS for path in ([ROOT / room] if room.endswith(".py") else (ROOT / room).rglob("*.py"))
    ]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def raw_calls(source: str) -> Counter[str]:
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    bare = [call.id for call in calls if isinstance(call, ast.Name) and call.id == "open"]
    dotted = [ast.unparse(call) for call in calls if isinstance(call, ast.Attribute)]
    return Counter([*bare, *(name for name in dotted if name.rsplit(".", 1)[-1] in RAW or name in STARTERS)])


@pytest.mark.parametrize("module", modules())
def test_a_guarded_room_touches_files_and_programs_only_where_it_says_why(module):
    calls = raw_calls((ROOT / module).read_text(encoding="utf-8"))
    most, _ = ALLOWED.get(module, (0, ""))
    assert calls.total() == most, dict(calls)


def test_every_exception_is_of_a_module_that_is_there_and_has_a_reason():
    assert ALLOWED.keys() <= set(modules())
    assert all(len(reason) > 20 for _, reason in ALLOWED.values())


def test_a_raw_call_is_seen():
    assert raw_calls("import os\npath.unlink()\nos.remove('x')\nwith open('y') as file: pass").total() == 3
