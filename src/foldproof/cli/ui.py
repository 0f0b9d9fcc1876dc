"""`foldproof ui`: show the runs in MLflow."""

import os
import signal
import sys
import webbrowser
from types import FrameType

import click

from foldproof.cli.here import project_here
from foldproof.cli.out import echo


@click.command("ui")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; else 5000 or the next free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; others can then reach it.")
@click.option("--password", is_flag=True, help="Show nothing without a user and a new password, which is printed.")
def command(port: int | None, host: str, password: bool) -> int:
    """Open MLflow on the runs of this project, until Ctrl-C.

    \b
    foldproof ui
    foldproof ui --port 8080
    foldproof ui --password
    """
    from foldproof.trackers.mlflow.server import serve
    from foldproof.trackers.mlflow.target import resolve_target

    signal.signal(signal.SIGTERM, _terminated)
    project, loaded = project_here()
    target = resolve_target(loaded.settings.tracking, project, os.environ)
    serve(target, host=host, port=port, say=echo, show=_open_in_browser, with_password=password)
    return 0


def _open_in_browser(page: str) -> None:
    """Where a person types at a desktop; nowhere else would a browser show anything."""
    has_desktop = sys.platform in ("darwin", "win32") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    if has_desktop and sys.stdout.isatty():
        webbrowser.open(page)


def _terminated(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    sys.exit(143)
