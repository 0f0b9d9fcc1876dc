"""`foldproof data cache`."""

import time
from typing import TYPE_CHECKING

import click

from foldproof.cli.here import project_here
from foldproof.cli.out import echo, echo_json

if TYPE_CHECKING:
    from foldproof.data.rows.cache import Kept


@click.command("cache")
@click.option("--clear", "clearing", is_flag=True, help="Remove all of them.")
@click.option("--verify", "verifying", is_flag=True, help="Read all of them and compare every row's checksum.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(clearing: bool, verifying: bool, as_json: bool) -> int:
    """List the decoded images and features that are kept, the most recently used first.

    \b
    foldproof data cache
    foldproof data cache --clear
    """
    from foldproof.data.rows import cache as row_cache

    project, loaded = project_here()
    limit_gb = loaded.settings.execution.cache_gb
    freed = row_cache.clear(project.cache) if clearing else 0
    damaged = row_cache.damaged(project.cache) if verifying else ()
    items = row_cache.kept(project.cache)
    total = sum(item.bytes for item in items)
    if as_json:
        content = {
            "caches": [item.to_json() for item in items],
            "bytes": total,
            "limit_bytes": int(limit_gb * row_cache.GB),
            "freed_bytes": freed,
            "damaged": [item.path.name for item in damaged],
        }
        echo_json(content)
        return 1 if damaged else 0
    if clearing:
        echo(f"freed {freed / row_cache.GB:.3f} GB")
    if items:
        _print(items)
    echo(f"{total / row_cache.GB:.3f} GB of at most {limit_gb:g} GB (execution.cache_gb) in {project.cache}")
    for item in damaged:
        echo(f"damaged: {item.path.name}; the next run that needs it makes it again", err=True)
    return 1 if damaged else 0


def _print(items: "tuple[Kept, ...]") -> None:

    from rich.table import Table

    from foldproof.data.rows.cache import GB
    from foldproof.trackers.terminal import Terminal

    table = Table(box=None, pad_edge=False)
    table.add_column("kept")
    for title in ("images", "GB"):
        table.add_column(title, justify="right")
    for title in ("of each", "last used", "key"):
        table.add_column(title, no_wrap=True)
    for item in items:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(item.used))
        images = f"{item.images}" if item.about else "?"
        table.add_row(
            item.kind, images, f"{item.bytes / GB:.3f}", _of_each(item), used, item.path.stem.rpartition("-")[2][:8]
        )
    Terminal().print(table)


def _of_each(item: "Kept") -> str:
    """`224 px squash, 3 x 8 bits`, or `1280 by efficientnet_lite0`."""
    about = item.about
    if item.kind == "features" and about:
        return f"{item.row[0]} by {about.get('backbone', '?')}"
    if not about:
        return "?"
    channels, bits = about.get("channels", 3), about.get("bits", 8)
    return f"{about.get('size', '?')} px {about.get('resize', '')}, {channels} x {bits} bits"
