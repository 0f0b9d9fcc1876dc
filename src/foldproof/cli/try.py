"""`foldproof try`."""

from pathlib import Path

import click

from foldproof.cli.out import echo_json
from foldproof.first_look.defaults import MOST_IMAGES, SEED, K


@click.command("try")
@click.argument("folder", type=click.Path())
@click.option(
    "--most", type=click.IntRange(10, 1_000_000), default=MOST_IMAGES, help="Look at no more than this many images."
)
@click.option("--k", type=click.IntRange(2, 100), default=K, help="Number of folds.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=SEED, help="Seed of the folds.")
@click.option("--label", metavar="COLUMN", default="", help="Column of a table that holds the label of each image.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(folder: str, most: int, k: int, seed: int, label: str, as_json: bool) -> int:
    """What can be expected of a folder of images? No settings, no git, no DVC; nothing is written beside them.

    A linear model on the features of a network that was trained on other pictures, cross-validated; what it mixes up;
    and what looks wrong. About half a minute for 900 photos on two cores, seconds for those it has seen before.

    \b
    foldproof try photos
    foldproof try photos --most 10000 --json
    """
    from foldproof.cli.progress import shown_progress
    from foldproof.cli.show_try import print_look
    from foldproof.first_look.look import look
    from foldproof.trackers.terminal import Terminal

    with shown_progress(quiet=as_json) as progress:
        seen = look(Path(folder).expanduser(), most=most, k=k, seed=seed, label=label, progress=progress)
    if as_json:
        echo_json(seen.to_json())
    else:
        print_look(seen, Terminal())
    return 0
