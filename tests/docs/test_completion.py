"""The Tab key, really pressed in bash: commands, options, experiments and runs; quick, and silent elsewhere.

Whoever wrote the settings and the runs: no shell runs, expands or splits what is offered.
"""

import json
import os
import random
import shutil
import string
import subprocess
import sys
import time
from pathlib import Path

import pytest

from foldproof.cli.main import COMMANDS, run_command
from scored import Scored, write_run

bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
BIN = Path(sys.executable).parent
PRESS_TAB = """\
PATH="$1:$PATH"
eval "$(foldproof completion bash)"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
compopt() { echo files; }
_foldproof_completion foldproof
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text("version: 1\nexperiments: {FirstRun: {}, LongRun: {train: {epochs: 9}}}\n")
    write_run(tmp_path / "runs", "20260102-030405-aaaaaa", Scored(experiment="FirstRun"))
    return tmp_path


def offered(folder: Path, *words: str) -> list[str]:
    """What bash offers once Tab is pressed after `foldproof WORD…`, the last of which is not finished."""
    done = subprocess.run(
        ["bash", "--norc", "-c", PRESS_TAB, "bash", str(BIN), "foldproof", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


@bash
@pytest.mark.slow
def test_bash_offers_commands_options_experiments_and_runs(project: Path) -> None:
    assert set(offered(project, "")) == set(COMMANDS)
    assert set(offered(project, "comp")) == {"compare", "completion"}
    assert set(offered(project, "run", "--res")) == {"--reseed", "--resume"}
    assert offered(project, "run", "") == ["FirstRun", "LongRun"]
    assert offered(project, "run", "FirstRun", "") == ["LongRun"]
    assert offered(project, "verify", "") == ["FirstRun"]
    assert offered(project, "diff", "FirstRun", "2026") == ["20260102-030405-aaaaaa"]
    assert offered(project, "data", "p") == ["pull"]
    assert offered(project, "verify", "no-run-begins-so") == ["files"]


@bash
@pytest.mark.slow
def test_outside_a_project_and_with_broken_settings_nothing_is_offered_and_nothing_said(tmp_path: Path) -> None:
    assert offered(tmp_path, "run", "") == []
    assert offered(tmp_path, "compare", "") == []
    (tmp_path / "params.yaml").write_text("{{")
    assert offered(tmp_path, "run", "") == []


HOSTILE_PARTS = (
    *("$(touch {})", "`touch {}`", ";touch {};", "|touch {}", "&touch {}&", "\n touch {}\n", ">{}", "$IFS", "*", "~"),
    *("'", '"', "\\", " ", "\t", "{{a,b}}", "!!", "#", "--set", "-x", "\u202e", "\x1b[2J", "é"),
)


def hostile_names(canary: Path, count: int) -> list[str]:
    """Each part alone, before and after a name, and as many drawn at random."""
    drawn = random.Random(17)
    parts = [part.format(canary) if "{}" in part else part for part in HOSTILE_PARTS]
    names = [name for part in parts for name in (part, f"{part}FirstRun", f"FirstRun{part}")]
    return names + ["".join(drawn.choices([*parts, "FirstRun", "a", "1"], k=drawn.randint(1, 5))) for _ in range(count)]


PLAIN = {*string.ascii_letters, *string.digits, *"_.-"}
TYPE_IT = """\
PATH="$1:$PATH"
eval "$(foldproof completion bash)"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_foldproof_completion foldproof
for word in "${COMPREPLY[@]}"; do eval "true $word"; done
printf '%s\\n' "${COMPREPLY[@]}"
"""


@bash
@pytest.mark.slow
@pytest.mark.parametrize("typed", ["", "F", "$", "-", "`"])
def test_what_bash_puts_on_the_line_runs_nothing_whatever_experiments_are_called(typed: str, tmp_path: Path) -> None:
    canary, project = tmp_path / "canary", tmp_path / "project"
    for folder in (canary, project):
        folder.mkdir()
    names = [*hostile_names(canary / "ran", 300), "FirstRun", "Run_2.b-c"]
    names = [*dict.fromkeys(name for name in names if "\x1b" not in name)]
    document = {"version": 1, "experiments": {name: {} for name in names}}
    (project / "params.yaml").write_text(json.dumps(document), encoding="utf-8")
    done = subprocess.run(
        ["bash", "--norc", "-c", TYPE_IT, "bash", str(BIN), "foldproof", "run", typed],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert list(canary.iterdir()) == []
    assert sorted(path.name for path in project.iterdir()) == ["params.yaml"]
    offered_names = set(done.stdout.split("\n")) - {""}
    for name in offered_names - {"-h", "-q"}:
        assert name.startswith("--") or (name in names and name.isascii() and set(name) <= PLAIN), name
    assert done.stderr == ""
    if typed in ("", "F"):
        assert "FirstRun" in offered_names


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_only_plain_names_are_offered_to_any_shell(shell: str, tmp_path: Path) -> None:
    names = [*hostile_names(tmp_path / "ran", 100), "FirstRun"]
    document = {"version": 1, "experiments": {name: {} for name in dict.fromkeys(names)}}
    (tmp_path / "params.yaml").write_text(json.dumps(document), encoding="utf-8")
    for number, name in enumerate(names[:60]):
        folder = f"20260102-030405-{number:06d}"
        write_run(tmp_path / "runs", folder, Scored(experiment="FirstRun"))
        file = tmp_path / "runs" / folder / "run.json"
        facts = json.loads(file.read_text())
        facts["config"]["name"] = facts["experiment"] = name
        file.write_text(json.dumps(facts))
    for words in (("run", ""), ("config", ""), ("verify", "2"), ("compare", ""), ("diff", "2"), ("run", "-")):
        for value in values(completed(tmp_path, shell, *words), shell):
            assert set(value) <= PLAIN, value
            assert words[-1] == "-" or not value.startswith("-")


def completed(folder: Path, shell: str, *words: str) -> str:
    """What foldproof answers the shell's function, which then puts it on the line."""
    environment = {
        **os.environ,
        "_FOLDPROOF_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(["foldproof", *words]),
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words)),
    }
    code = "from foldproof.cli.main import foldproof; foldproof.main(prog_name='foldproof')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout


def values(answer: str, shell: str) -> list[str]:
    lines = answer.split("\n")[:-1]
    if shell == "zsh":
        assert len(lines) % 3 == 0
        return [lines[at + 1] for at in range(0, len(lines), 3) if lines[at] == "plain"]
    assert all(line.startswith(("plain,", "file,", "dir,")) for line in lines if line)
    return [line.removeprefix("plain,").partition("\t")[0] for line in lines if line.startswith("plain,")]


def deep() -> str:
    return "version: 1\nexperiments: " + "[" * 3000 + "]" * 3000


def bomb() -> str:
    lines = ["version: 1", "experiments:", "  a0: &a0 {x: 1}"]
    for number in range(1, 30):
        before = ", ".join([f"*a{number - 1}"] * 9)
        lines.append(f"  a{number}: &a{number} {{<<: [{before}], y: [{before}]}}")
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [
        deep(),
        bomb(),
        "version: 1\nexperiments: {a: " + "9" * 5000 + "}",
        'version: 1\nexperiments: {"a\\0b": 1}',
        "version: 1\nexperiments: {" + "x" * 3_000_000 + ": 1}",
        "\ufeffversion: 1\nexperiments: [a, b]",
        "version: 1\nexperiments: !!python/object/apply:os.system [touch ran]",
    ],
    ids=["deep", "bomb", "digits", "nul", "large", "list", "python"],
)
def test_settings_made_to_hurt_keep_nobody_waiting_at_the_tab_key(text: str, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    began = time.monotonic()
    completed(tmp_path, "bash", "run", "")
    assert time.monotonic() - began < 15
    assert sorted(path.name for path in tmp_path.iterdir()) == ["params.yaml"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="named pipes and links")
@pytest.mark.parametrize("name", ["params.yaml", "foldproof.yaml", "runs/20260102-030405-aaaaaa/run.json"])
@pytest.mark.parametrize("kind", ["pipe", "zeros"])
def test_pipes_and_devices_in_place_of_files_keep_nobody_waiting_at_the_tab_key(
    name: str, kind: str, project: Path
) -> None:
    file = project / name
    file.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero")
    began = time.monotonic()
    for words in (("run", ""), ("verify", "2"), ("config", "")):
        completed(project, "bash", *words)
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("words", ["run ", "verify "])
def test_completion_imports_nothing_heavy(project: Path, words: str) -> None:
    code = "import sys; from foldproof.cli.main import foldproof\n"
    code += "try: foldproof.main(prog_name='foldproof')\nexcept SystemExit: print(*sys.modules)"
    environment = {"_FOLDPROOF_COMPLETE": "bash_complete", "COMP_WORDS": f"foldproof {words}", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "plain,FirstRun" in done.stdout
    assert not {"torch", "mlflow", "dvc", "pydantic", "pyarrow", "numpy"} & set(done.stdout.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script_and_is_told_where_to_put_it(shell: str, capsys) -> None:
    assert run_command(["completion", shell]) == 0
    told = capsys.readouterr().out
    assert "_FOLDPROOF_COMPLETE" in told
    assert "foldproof completion" in told.splitlines()[-1]
