"""Turn an exception into at most three lines for the user, and an exit code."""

import os
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import click

from foldproof import __version__
from foldproof.errors import FoldproofError
from foldproof.storage import cleaned, cleaned_lines, next_step, redact, redact_arguments
from foldproof.storage.refusal import is_known

MISTAKE, OUR_FAULT = 2, 70
_DEBUG, _DEBUG_VARIABLE = "--debug", "FOLDPROOF_DEBUG"
_MOST_SAID, _MOST_LINES = 300, 3


@dataclass(frozen=True)
class ErrorMessage:
    """What is printed on stderr and the exit code that goes with it."""

    text: str
    code: int


def is_debug(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether tracebacks are wanted: `--debug` stands before the command, or FOLDPROOF_DEBUG is neither empty nor 0."""
    return _DEBUG in takewhile(lambda one: one.startswith("-"), arguments) or environ.get(_DEBUG_VARIABLE, "") not in (
        "",
        "0",
    )


def answer(error: Exception, arguments: Sequence[str]) -> ErrorMessage:
    """2 and the next step for what the user can fix; 70 and where the traceback was written for a bug of ours."""
    if isinstance(error, FoldproofError):
        return ErrorMessage(f"error: {cleaned_lines(redact(_in_three_lines(error)))}", MISTAKE)
    if isinstance(error, click.ClickException):
        return ErrorMessage(f"error: {redact(_of_usage(error, arguments))}", MISTAKE)
    if isinstance(error, MemoryError):
        return ErrorMessage("error: the memory ran out\n  end other programs, then try again", MISTAKE)
    if isinstance(error, FileNotFoundError) and not _stands_somewhere():
        return ErrorMessage("error: the current folder is not there any more\n  change into one that is: cd ~", MISTAKE)
    if isinstance(error, UnicodeEncodeError) and error.encoding == sys.getfilesystemencoding():
        return ErrorMessage(_of_another_encoding(error), MISTAKE)
    if isinstance(error, OSError) and is_known(error):
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
        return ErrorMessage(f"error: {cleaned(redact(said), most=_MOST_SAID)}\n  {next_step(error)}", MISTAKE)
    return ErrorMessage(_of_our_fault(error, arguments), OUR_FAULT)


def _of_another_encoding(error: UnicodeEncodeError) -> str:
    return (
        f"error: '{cleaned(redact(error.object), most=_MOST_SAID)}' cannot be the name of a file here: names are "
        f"{error.encoding}, since LC_ALL, LANG or PYTHONUTF8 says so\n  `export PYTHONUTF8=1`, then try again"
    )


def _stands_somewhere() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def traceback_of(error: BaseException) -> str:
    """The complete traceback, without secrets."""
    return redact("".join(traceback.format_exception(error)))


def _in_three_lines(error: FoldproofError) -> str:
    """What is wrong, as far as the next step leaves room for it."""
    steps = [f"  {line.strip()}" for line in error.next_step.splitlines()][: _MOST_LINES - 1]
    what = error.what.splitlines() or [type(error).__name__]
    room = _MOST_LINES - len(steps)
    if len(what) > room:
        what = [*what[: room - 1], f"{what[room - 1]}; and more, which `foldproof {_DEBUG} …` shows"]
    return "\n".join([*what, *steps])


def _of_usage(error: click.ClickException, arguments: Sequence[str]) -> str:
    said = " ".join(error.format_message().split())
    if isinstance(error, click.NoSuchOption) and error.option_name == _DEBUG:
        return f"{_DEBUG} stands before the command\n  as in `foldproof {_DEBUG} run`"
    if isinstance(error, click.UsageError) and error.ctx:
        return f"{said}\n  see `{error.ctx.command_path} --help`"
    command = next((one for one in arguments if not one.startswith("-")), "")
    return f"{said}\n  see `{' '.join(filter(None, ('foldproof', command)))} --help`"


def _of_our_fault(error: Exception, arguments: Sequence[str]) -> str:
    said = cleaned(redact(" ".join(str(error).split())), most=_MOST_SAID)
    kind = type(error).__name__
    return "\n".join([f"unexpected: {kind}: {said}" if said else f"unexpected: {kind}", *_where(error, arguments)])


def _where(error: Exception, arguments: Sequence[str]) -> list[str]:
    try:
        log = _log(error, arguments)
    except OSError:
        return ["  this is a bug in foldproof; please report it with what `foldproof --debug …` prints"]
    return [
        f"  this is a bug in foldproof; please report it with {log}",
        "  the same command after `foldproof --debug` shows where it happened",
    ]


def _log(error: Exception, arguments: Sequence[str]) -> Path:
    handle, name = tempfile.mkstemp(prefix="foldproof-", suffix=".log", text=True)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"foldproof {__version__}, Python {sys.version.split()[0]}, {sys.platform}\n")
        file.write(redact(f"foldproof {' '.join(redact_arguments(arguments))}\n\n"))
        file.write(traceback_of(error))
    return Path(name)
