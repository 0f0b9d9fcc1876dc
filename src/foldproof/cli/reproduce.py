"""`foldproof reproduce`."""

from pathlib import Path

import click

from foldproof.cli import complete
from foldproof.cli.here import project_around
from foldproof.cli.out import echo, echo_json
from foldproof.cli.run import Folds
from foldproof.errors import StorageError
from foldproof.storage import cleaned_lines


@click.command("reproduce")
@click.argument("run", metavar="RUN|FILE.zip", shell_complete=complete.runs_or_files)
@click.option("--fold", "folds", type=Folds(), metavar="N,…", help="Train only these folds again.")
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Train only the first N epochs: a valid check.")
@click.option(
    "--from-epoch", type=click.IntRange(1), default=1, metavar="N", help="Begin at the stored state before epoch N."
)
@click.option(
    "--env",
    type=click.Choice(["auto", "here", "rebuild"]),
    default="auto",
    help="Packages: those here, where they agree (auto) or anyway (here); or those recorded (rebuild).",
)
@click.option("--as-is", is_flag=True, help="With code, images and settings as they are now, not as recorded.")
@click.option("--images", type=click.Path(path_type=Path), metavar="DIR", help="Look for the images here too.")
@click.option("--trust-code", is_flag=True, help="Let a record from elsewhere run the code that it needs.")
@click.option(
    "--tolerance", type=click.FloatRange(0, 100), default=1.0, show_default=True, help="Points of accuracy, elsewhere."
)
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Leave the new run's folder there.")
@click.option("--quiet", "-q", is_flag=True, help="Show only the verdict.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(
    run: str,
    folds: frozenset[tuple[int | None, int]] | None,
    epochs: int | None,
    from_epoch: int,
    env: str,
    as_is: bool,
    images: Path | None,
    trust_code: bool,
    tolerance: float,
    keep: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Does it come out again? Train a recorded run once more, in a clean place, and compare bit for bit.

    Code, images and folds are those of the record; nothing of yours is changed. RUN may also be a run's folder. Exit 0
    where it came out again, 1 where it did not or cannot be checked here.

    \b
    foldproof reproduce FirstRun
    foldproof reproduce FirstRun --fold 0 --epochs 1
    foldproof reproduce FirstRun.zip --env rebuild --trust-code
    """
    from foldproof.cli.chosen import subject_of
    from foldproof.cli.progress import shown_progress
    from foldproof.cli.signals import stopping_by_signals
    from foldproof.reproduce.reproduce import reproduce
    from foldproof.reproduce.request import Request

    if keep is not None and keep.exists():
        raise StorageError(f"{keep} is there already", next_step="name a folder that is not there")
    project = project_around()
    request = Request(
        folds=folds,
        epochs=epochs,
        from_epoch=from_epoch,
        env=env,  # type: ignore[arg-type]
        as_is=as_is,
        trust_code=trust_code,
        tolerance=tolerance / 100,
        keep=keep,
    )
    silent = quiet or as_json
    with (
        subject_of(run, project, images=images) as subject,
        stopping_by_signals() as (stopping, interruption),
        shown_progress(quiet=silent) as progress,
    ):
        verdict = reproduce(subject, project, request, stopping=stopping, quiet=silent, progress=progress)
    if verdict is None:
        echo("interrupted; nothing was changed", err=True)
        return interruption.code
    if as_json:
        echo_json({"run": subject.folder.name, **verdict.to_json()})
    else:
        echo(cleaned_lines("\n  ".join((verdict.headline, *verdict.lines))))
    return 0 if verdict.is_yes else 1
