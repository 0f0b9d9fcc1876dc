"""One pair: a work, a setting of the script and a number in; both sides run in turn, a line of JSON out.

    python -m benchmarks.pair WORK SETTING NUMBER --place FOLDER [--script-first] [--photos FOLDER]

`--search` in place of a number tries the settings called `best` on the first experiment and prints the fastest.
"""

import argparse
import json
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks import works
from benchmarks.images import place as place_images
from benchmarks.measured import Measure, measure
from benchmarks.outcome import differences
from benchmarks.ratios import Pair, script_first
from benchmarks.sides import Foldproof, Script, Side, environment
from benchmarks.works import ScriptSetting, Work


def prepared(work: Work, place: Path, *, photos: Path | None) -> Foldproof:
    """The project of a work below `place`, made where it is not there; every image has been read once."""
    project = Foldproof(work, place / work.name)
    ready = place / f"{work.name}.ready"
    if not ready.exists():
        project.images.mkdir(parents=True)
        count = place_images(work, project.images, photos=photos)
        project.make()
        ready.write_text(f"{count}\n")
    for file in project.images.rglob("*"):
        if file.is_file():
            file.read_bytes()
    return project


def fastest(project: Foldproof, place: Path) -> ScriptSetting:
    """Of the tuned settings the one in which the first experiment takes least time."""
    seconds = {}
    for setting in works.TUNED:
        script = Script(project.work, place / "script", project.images, setting, project.work.experiments[:1])
        seconds[setting] = timed(script).wall
    return min(seconds, key=seconds.__getitem__)


def timed(side: Side) -> Measure:
    """One run from nothing."""
    side.forget()
    return measure(side.command, side.folder, environment())


def run_pair(project: Foldproof, setting: ScriptSetting, number: int, place: Path) -> Pair:
    """Both sides, the script first in even pairs.

    Raises SystemExit where they did not do the same, or where the code changed meanwhile.
    """
    made_by = commit()
    script = Script(project.work, place / "script", project.images, setting, project.work.experiments)
    order: tuple[Side, ...] = (script, project) if script_first(number) else (project, script)
    measures = {side: timed(side) for side in order}
    theirs, ours = script.outcome(), project.outcome()
    if problems := differences(project.work, ours, theirs):
        raise SystemExit("not the same work:\n" + "\n".join(problems))
    if commit() != made_by:
        raise SystemExit(f"the code changed while it was measured, from {made_by} to {commit()}")
    return Pair(
        work=project.work.name,
        setting=setting.name,
        number=number,
        commit=made_by,
        script=measures[script],
        foldproof=measures[project],
        accuracy={
            name: (theirs.experiments[name].accuracy, ours.experiments[name].accuracy) for name in project.work.epochs
        },
        arguments=setting.arguments,
    )


def commit() -> str:
    """Of the checkout that this file lies in; `+` where it has uncommitted changes."""
    described = subprocess.run(
        ("git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"),
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return described.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=works.WORKS)
    parser.add_argument("setting", type=json.loads, help="fields of a ScriptSetting, as JSON")
    parser.add_argument("number", type=int, nargs="?", default=0)
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--place", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    options = parser.parse_args()
    options.place.mkdir(parents=True, exist_ok=True)
    project = prepared(works.WORKS[options.work], options.place.resolve(), photos=options.photos)
    setting = replace(works.USUAL, **options.setting)
    if options.search:
        print(json.dumps(asdict(fastest(project, options.place.resolve()))))
    else:
        print(json.dumps(asdict(run_pair(project, setting, options.number, options.place.resolve()))))


if __name__ == "__main__":
    main()
