"""Whatever goes wrong is answered in at most three lines; a traceback is shown only where it is asked for."""

import errno
import os
import re
from pathlib import Path

import pytest

from foldproof.cli.answer import answer, is_debug
from foldproof.cli.main import foldproof, run_command
from foldproof.errors import SettingsError


@pytest.fixture(autouse=True)
def logs_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture
def failing(monkeypatch):
    """`failing(error)`: every command raises `error` from now on."""

    def let_fail(error):
        def fail(**ignored):
            raise error

        monkeypatch.setattr(foldproof, "main", fail)

    return let_fail


def test_a_fault_of_ours_is_one_sentence_and_its_traceback_lies_in_a_file(failing, capsys):
    failing(KeyError("seed"))
    assert run_command(["runs"]) == 70
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "unexpected: KeyError: 'seed'"
    assert len(lines) == 3
    log = Path(re.search(r"report it with (.*\.log)$", lines[1])[1])
    written = log.read_text(encoding="utf-8")
    assert "foldproof runs\n" in written
    assert written.rstrip().endswith("KeyError: 'seed'")
    assert "Traceback (most recent call last)" in written


def test_a_fault_of_ours_whose_traceback_cannot_be_written_is_said_all_the_same(failing, capsys, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    failing(ValueError())
    assert run_command(["runs"]) == 70
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "unexpected: ValueError"
    assert "--debug" in lines[1]


@pytest.mark.parametrize("error", [SettingsError("no such thing", next_step="do this"), KeyError("seed")])
def test_with_debug_the_traceback_comes_before_the_answer_and_the_exit_code_is_the_same(error, failing, capsys):
    failing(error)
    without = run_command(["runs"])
    assert "Traceback" not in capsys.readouterr().err
    assert run_command(["--debug", "runs"]) == without
    told = capsys.readouterr().err
    assert told.index("Traceback") < max(told.find("\nerror: "), told.find("\nunexpected: "))


def test_a_traceback_shows_no_password(failing, capsys):
    failing(RuntimeError("cannot reach https://bob:hunter2@example.org"))
    assert run_command(["--debug", "runs"]) == 70
    told = capsys.readouterr().err
    log = Path(re.search(r"report it with (.*\.log)", told)[1])
    assert "hunter2" not in told + log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "environ", "wanted"),
    [
        (["--debug", "runs"], {}, True),
        (["runs"], {}, False),
        (["compare", "--from", "--debug"], {}, False),
        (["runs"], {"FOLDPROOF_DEBUG": "1"}, True),
        (["runs"], {"FOLDPROOF_DEBUG": "0"}, False),
        (["runs"], {"FOLDPROOF_DEBUG": ""}, False),
    ],
)
def test_debug_is_asked_for_before_the_command_or_in_the_environment(arguments, environ, wanted):
    assert is_debug(arguments, environ) is wanted


def test_debug_after_the_command_is_answered_with_where_it_stands(capsys):
    assert run_command(["runs", "--debug"]) == 2
    assert "foldproof --debug" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.EMFILE])
def test_what_the_system_refuses_is_said_with_the_file_and_the_next_step(number):
    told = answer(OSError(number, os.strerror(number), "/photos/a.png"), ["runs"])
    first, next_step = told.text.splitlines()
    assert told.code == 2
    assert first == f"error: /photos/a.png: {os.strerror(number)}"
    assert next_step.startswith("  ")


def test_memory_that_runs_out_is_no_fault_of_ours():
    assert answer(MemoryError(), ["runs"]).code == 2


def test_a_long_text_with_many_lines_stays_one_line(failing):
    told = answer(ValueError("line\n" * 500), ["runs"])
    assert len(told.text.splitlines()) == 3
    assert len(told.text.splitlines()[0]) < 350


@pytest.mark.parametrize(("typed", "meant"), [(["dta"], "data"), (["data", "pul"], "pull")])
def test_a_mistyped_command_of_any_group_gets_the_nearest_one(typed, meant, capsys):
    assert run_command(typed) == 2
    assert f"did you mean '{meant}'?" in capsys.readouterr().err


def test_without_a_command_the_help_is_shown_as_it_is(capsys):
    assert run_command([]) == 2
    assert capsys.readouterr().err.startswith("Usage: foldproof")
