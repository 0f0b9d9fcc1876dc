"""`foldproof bundle`."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foldproof.cli import complete
from foldproof.cli.out import echo, echo_json
from foldproof.storage import cleaned, cleaned_lines

if TYPE_CHECKING:
    from foldproof.bundle.write import Bundled


@click.command("bundle")
@click.argument("run", metavar="RUN", shell_complete=complete.runs)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE.zip", help="Default: EXPERIMENT-RUN.zip."
)
@click.option("--images", is_flag=True, help="Put the images in.")
@click.option("--weights", is_flag=True, help="Put the trained weights in.")
@click.option("--states", is_flag=True, help="Put the stored states in, from which training can go on.")
@click.option("--anonymous", is_flag=True, help="No names of people, machines, folders or servers.")
@click.option(
    "--redact-code",
    is_flag=True,
    help="Leave out what looks like a secret in uncommitted code, which cannot be applied then.",
)
@click.option("--with-secrets", is_flag=True, help="Pack what looks like a secret as it is.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(
    run: str,
    output: Path | None,
    images: bool,
    weights: bool,
    states: bool,
    anonymous: bool,
    redact_code: bool,
    with_secrets: bool,
    as_json: bool,
) -> int:
    """Pack a run into one file: its record and everything needed to check it and train it again.

    The other runs of its experiment are included, so that nothing is left out. An existing file is replaced.
    Where it would hold what looks like a secret, it asks, or needs one of the options that say what to do.

    \b
    foldproof bundle FirstRun -o FirstRun.zip
    foldproof bundle FirstRun --images --weights --anonymous
    """
    from foldproof.bundle.collect import BundleContents
    from foldproof.bundle.secrets import SecretsFound
    from foldproof.bundle.write import write_bundle
    from foldproof.project import Project
    from foldproof.records.store import RunStore

    if redact_code and with_secrets:
        raise click.UsageError("--redact-code leaves out what --with-secrets packs: choose one")
    project = Project.find(Path.cwd())
    (found,) = RunStore.read(project.run_folders()).find([run])
    record = found.record
    wanted = BundleContents(
        images=images,
        weights=weights,
        states=states,
        anonymous=anonymous,
        secrets="keep" if with_secrets else "leave out of code" if redact_code else "refuse",
    )
    path = output or Path(f"{record.experiment}-{record.run}.zip")
    try:
        made = write_bundle(record.folder, project, path, wanted)
    except SecretsFound as error:
        if as_json or not agreed(error):
            raise
        made = write_bundle(record.folder, project, path, replace(wanted, secrets="keep"))
    show(made, record.run, anonymous=anonymous, as_json=as_json)
    return 0


def show(made: "Bundled", run: str, *, anonymous: bool, as_json: bool) -> None:
    """Say what was written, and what an anonymous bundle names all the same."""
    if as_json:
        about = {"v": 1, "run": run, "file": str(made.path), "files": made.files, "bytes": made.size}
        echo_json({**about, **({"still_names": made.still_tells} if anonymous else {})})
        return
    echo(f"wrote {made.path}: {made.files:,} files, {made.size / 1e6:,.1f} MB")
    if made.still_tells:
        echo(f"  it still names: {cleaned('; '.join(made.still_tells), most=500)}; and when it was trained")
    echo(f"  whoever gets it: `foldproof verify {made.path.name}`, `foldproof reproduce {made.path.name}`")


def agreed(error: Exception) -> bool:
    """Whether a person at a terminal says that what was found goes into the bundle as it is."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    echo(cleaned_lines(str(error)), err=True)
    return click.confirm("pack it as it is?", default=False, err=True)
