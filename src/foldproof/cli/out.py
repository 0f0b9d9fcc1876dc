"""The one way to the terminal: text of whoever, out with nothing in it that a terminal would obey.

Styling is put around it afterwards. Every command prints through `echo`, `echo_json` or a `Terminal`.
"""

import json
from typing import Any

import click

from foldproof.storage import escaped


def echo(text: str, *, err: bool = False, nl: bool = True, colour: str | None = None) -> None:
    """Print lines of text."""
    click.secho(escaped(text), err=err, nl=nl, fg=colour)


def echo_json(value: Any, *, indent: int | None = None) -> None:
    """Print one JSON document, in ASCII alone: what is not, it escapes."""
    click.echo(json.dumps(value, allow_nan=False, indent=indent))
