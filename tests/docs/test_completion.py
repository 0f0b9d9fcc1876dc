"""The Tab key, really pressed in bash: commands, options, experiments and runs; quick, and silent elsewhere."""

import shutil
import subprocess
import sys
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
