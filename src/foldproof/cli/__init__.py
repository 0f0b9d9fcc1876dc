"""Parse, call one function, print. One file a command."""

from foldproof.cli.main import main

__all__ = ["main"]
