"""`foldproof data check`."""

from pathlib import Path

import click

from foldproof.cli.out import echo_json


@click.command("check")
@click.argument("path", required=False, type=click.Path())
@click.option("--deep", is_flag=True, help="Read every file again, whatever is remembered: finds bit rot.")
@click.option("--exclude", is_flag=True, help="Write the files that cannot be trained on to excluded.csv.")
@click.option("--leaks", is_flag=True, help="Measure what a naive random split would pretend (takes a minute).")
@click.option("--all", "show_all", is_flag=True, help="Show every finding, not the first three of a kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(path: str | None, deep: bool, exclude: bool, leaks: bool, show_all: bool, as_json: bool) -> int:
    """Look at every image: is it intact, is it the versioned one, is it there twice, does it give its class away?

    Without PATH, the images of the settings file. Exit 1 where there are errors. An unchanged folder takes seconds.

    \b
    foldproof data check
    foldproof data check --exclude
    """
    from foldproof.check import check_images, leave_out
    from foldproof.cli.progress import shown_progress
    from foldproof.cli.show_data import print_check, print_left_out
    from foldproof.trackers.terminal import Terminal

    with shown_progress(quiet=as_json) as progress:
        checked = check_images(Path.cwd(), path, deep=deep, leaks=leaks, progress=progress)
        left_out = leave_out(checked) if exclude else ()
        if left_out:
            checked = check_images(Path.cwd(), path, leaks=leaks, progress=progress)
    if as_json:
        echo_json(checked.to_json())
        return 1 if checked.has_errors else 0
    console = Terminal()
    print_check(checked, console, show_all=show_all)
    if exclude:
        print_left_out(left_out, console)
    return 1 if checked.has_errors else 0
