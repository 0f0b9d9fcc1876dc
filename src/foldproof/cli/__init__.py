"""Parse, call one function, print. One file a command."""

import sys


def main() -> None:
    """Run the command line; an interruption gives no traceback, not even while modules are loaded."""
    try:
        from foldproof.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)


__all__ = ["main"]
