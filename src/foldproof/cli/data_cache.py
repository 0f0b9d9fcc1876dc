"""`foldproof data cache`."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from foldproof.data.pixels.cache import Kept


@click.command("cache")
@click.option("--clear", "clearing", is_flag=True, help="Remove all of them.")
@click.option("--verify", "verifying", is_flag=True, help="Read all of them and compare every row's checksum.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(clearing: bool, verifying: bool, as_json: bool) -> int:
    """List the decoded images that are kept, the most recently used first.

    \b
    foldproof data cache
    foldproof data cache --clear
    """
    import json
    from pathlib import Path

    from foldproof.config.read import load_settings
    from foldproof.data.pixels import cache as pixel_cache
    from foldproof.project import Project

    project = Project.find(Path.cwd())
    limit_gb = load_settings(project.settings_file).settings.execution.cache_gb
    freed = pixel_cache.clear(project.cache) if clearing else 0
    damaged = pixel_cache.damaged(project.cache) if verifying else ()
    items = pixel_cache.kept(project.cache)
    total = sum(item.bytes for item in items)
    if as_json:
        content = {
            "caches": [item.to_json() for item in items],
            "bytes": total,
            "limit_bytes": int(limit_gb * pixel_cache.GB),
            "freed_bytes": freed,
            "damaged": [item.path.name for item in damaged],
        }
        click.echo(json.dumps(content, allow_nan=False))
        return 1 if damaged else 0
    if clearing:
        click.echo(f"freed {freed / pixel_cache.GB:.3f} GB")
    if items:
        _print(items)
    click.echo(f"{total / pixel_cache.GB:.3f} GB of at most {limit_gb:g} GB (execution.cache_gb) in {project.cache}")
    for item in damaged:
        click.echo(f"damaged: {item.path.name}; the next run that needs it makes it anew", err=True)
    return 1 if damaged else 0


def _print(items: "tuple[Kept, ...]") -> None:
    import time

    from rich.console import Console
    from rich.table import Table

    from foldproof.data.pixels.cache import GB

    table = Table(box=None, pad_edge=False)
    for title in ("images", "size", "GB"):
        table.add_column(title, justify="right")
    for title in ("resize", "last used", "file"):
        table.add_column(title)
    for item in items:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.used))
        size = f"{item.size} px" if item.size else "?"
        images = f"{item.images}" if item.size else "?"
        table.add_row(images, size, f"{item.bytes / GB:.3f}", item.resize or "?", used, item.path.name[:15] + "…")
    Console(highlight=False).print(table)
