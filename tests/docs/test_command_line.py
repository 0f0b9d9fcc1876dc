"""The options of every command, frozen; mistakes, answered."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from foldproof.cli.main import COMMANDS, run_command

OPTIONS = {
    "bundle": {
        "--anonymous",
        "--images",
        "--json",
        "--output",
        "--redact-code",
        "--states",
        "--weights",
        "--with-secrets",
        "-o",
        "run",
    },
    "compare": {"--format", "--from", "--json", "--metric", "runs"},
    "completion": {"shell"},
    "config": {"--json", "--set", "name"},
    "diff": {"--json", "a", "b"},
    "doctor": {"folder", "--foreign", "--json"},
    "report": {"--format", "--hash-paths", "--label-errors", "--no-images", "--output", "-o", "runs"},
    "reproduce": {
        "--as-is",
        "--env",
        "--epochs",
        "--fold",
        "--from-epoch",
        "--images",
        "--json",
        "--keep",
        "--quiet",
        "-q",
        "--tolerance",
        "--trust-code",
        "run",
    },
    "run": {
        "--again",
        "--allow-dirty",
        "--fold",
        "--json",
        "--no-reuse",
        "--plan",
        "--profile",
        "--quiet",
        "-q",
        "--repeats",
        "--reseed",
        "--resume",
        "--set",
        "--try",
        "names",
    },
    "runs": {"--json"},
    "try": {"--json", "--k", "--label", "--most", "--seed", "folder"},
    "verify": {"--images", "--json", "--level", "--trust-code", "run"},
}


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_the_options_of_a_command_do_not_change_unnoticed(name):
    command = importlib.import_module(f"foldproof.cli.{name}").command
    assert {spelling for item in command.params for spelling in item.opts} == OPTIONS[name]


@pytest.mark.parametrize("name", ["run", "runs", "compare", "report", "config"])
def test_outside_a_project_a_command_says_how_to_make_one(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command([name]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) <= 3
    assert "foldproof init" in lines[-1]


def test_a_mistyped_command_gets_the_nearest_one(capsys):
    assert run_command(["comapre"]) == 2
    assert "did you mean 'compare'?" in capsys.readouterr().err


def test_an_unknown_option_is_a_mistake_of_the_users(capsys):
    assert run_command(["run", "--nosuch"]) == 2


def test_the_version_is_that_of_the_package(capsys):
    import foldproof

    assert run_command(["--version"]) == 0
    assert foldproof.__version__ in capsys.readouterr().out


def test_every_command_can_be_loaded():
    for name in COMMANDS:
        assert importlib.import_module(f"foldproof.cli.{name}").command.name == name


def test_compare_before_any_run_says_what_to_do(tiny_project, monkeypatch, capsys):
    monkeypatch.chdir(tiny_project)
    assert run_command(["compare"]) == 2
    assert "foldproof run" in capsys.readouterr().err


def test_a_reader_that_closes_the_pipe_is_no_error(tiny_project: Path):
    done = subprocess.run(
        f"'{sys.executable}' -m foldproof --help | head -1", shell=True, capture_output=True, text=True, timeout=30
    )
    assert "Traceback" not in done.stderr
