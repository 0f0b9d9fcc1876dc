"""Print to the terminal: the only way out, with control characters removed from all text.

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
    """Print one JSON document, in ASCII; everything else is escaped."""
    click.echo(json.dumps(value, allow_nan=False, indent=indent))
