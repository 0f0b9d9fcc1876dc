"""Define the command `foldproof`: load subcommands only when called, and report errors in at most three lines."""

import gc
import importlib
import io
import os
import sys
import warnings
from collections.abc import Mapping

import click

from foldproof import __version__
from foldproof.cli.group import Group

GROUPS: Mapping[str, Mapping[str, str]] = {
    "Start": {
        "try": "What can be expected of a folder of images? Asks nothing.",
        "init": "Make a folder of images a project.",
        "demo": "See the main job on 5,000 real digits.",
        "doctor": "Could a run started now be reproduced?",
        "completion": "Let the Tab key complete what is typed.",
    },
    "Data": {
        "data": "Version images with DVC, bring them back, check them.",
    },
    "Train": {
        "run": "Train experiments under cross-validation.",
        "runs": "List what has run.",
        "ui": "Open MLflow on the runs.",
        "sync": "Bring MLflow up to date with the journals.",
        "config": "Print the settings, resolved.",
    },
    "Judge": {
        "compare": "Put experiments side by side.",
        "report": "One page that shows it all.",
        "diff": "What was different between two runs?",
    },
    "Prove": {
        "verify": "Is a run's record sound? Checks in seconds.",
        "bundle": "Put a run into one file that others can check.",
        "reproduce": "Train a recorded run again: does it come out the same?",
    },
    "Use": {
        "predict": "Label new images with a run's models.",
    },
}
COMMANDS: tuple[str, ...] = tuple(name for group in GROUPS.values() for name in group)


class LazyGroup(Group):
    """Knows its commands by name and one line each; imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"foldproof.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        width = max(map(len, COMMANDS))
        for title, commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in commands.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A RUN is a run id, an experiment's name (its newest run), or the beginning of an id.",
)
@click.version_option(__version__, prog_name="foldproof")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error; or FOLDPROOF_DEBUG=1.")
def foldproof() -> None:
    """k-fold image classification you can prove."""


def main() -> None:
    """Run the command line.

    Exit 0 done; 1 ran, and the answer is no; 2 the user's mistake; 70 a bug in foldproof; 130, 143 interrupted.
    """
    expect_many_values()
    keep_libraries_quiet()
    spell_what_can_be()
    sys.exit(run_command(sys.argv[1:]))


def expect_many_values() -> None:
    """Look for unreachable cycles less often: a command makes some values for every image and keeps nearly all of them.

    With Python's defaults a quarter of the time that 100,000 images take went into looking through them again.
    """
    gc.set_threshold(1_000_000, 50, 1000)


def keep_libraries_quiet() -> None:
    """What libraries warn of is no news to whoever typed a command; `python -W` and PYTHONWARNINGS still show it."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def spell_what_can_be() -> None:
    """Where the terminal or file has no Unicode, as on Windows behind a pipe, what it lacks is a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code; no traceback is printed unless it is asked for (see `is_debug`)."""
    from foldproof.cli.answer import answer, is_debug, traceback_of
    from foldproof.cli.out import echo

    try:
        code = foldproof.main(args=arguments, prog_name="foldproof", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        echo(asked.format_message(), err=True)
        return 2
    except (KeyboardInterrupt, click.Abort):
        echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - whatever it is, it gets an answer
        if is_debug(arguments, os.environ):
            echo(traceback_of(error), err=True)
        told = answer(error, arguments)
        echo(told.text, err=True, colour="red")
        return told.code
    return code if isinstance(code, int) else 0
