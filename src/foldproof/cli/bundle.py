"""`foldproof bundle`."""

from pathlib import Path

import click

from foldproof.cli import complete
from foldproof.cli.out import echo, echo_json


@click.command("bundle")
@click.argument("run", metavar="RUN", shell_complete=complete.runs)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE.zip", help="Default: EXPERIMENT-RUN.zip."
)
@click.option("--images", is_flag=True, help="Put the images in.")
@click.option("--weights", is_flag=True, help="Put the trained weights in.")
@click.option("--states", is_flag=True, help="Put the stored states in, from which training can go on.")
@click.option("--anonymous", is_flag=True, help="No names of people, machines, folders or servers.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(
    run: str, output: Path | None, images: bool, weights: bool, states: bool, anonymous: bool, as_json: bool
) -> int:
    """One file to send: a run's record with all that it takes to check it and to train it again.

    The other runs of its experiment come along, so that nothing is left out. A file that is there is replaced.

    \b
    foldproof bundle FirstRun -o FirstRun.zip
    foldproof bundle FirstRun --images --weights --anonymous
    """
    from foldproof.bundle.collect import Wanted
    from foldproof.bundle.write import write_bundle
    from foldproof.cli.chosen import chosen_records
    from foldproof.project import Project

    project = Project.find(Path.cwd())
    (record,), _ = chosen_records(project, [run])
    wanted = Wanted(images=images, weights=weights, states=states, anonymous=anonymous)
    path = output or Path(f"{record.experiment}-{record.run}.zip")
    made = write_bundle(record.folder, project, path, wanted)
    if as_json:
        echo_json({"v": 1, "run": record.run, "file": str(path), "files": made.files, "bytes": made.size})
    else:
        echo(f"wrote {path}: {made.files:,} files, {made.size / 1e6:,.1f} MB")
        echo(f"  whoever gets it: `foldproof verify {path.name}`, `foldproof reproduce {path.name}`")
    return 0
