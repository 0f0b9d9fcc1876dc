"""One round: a work, others and a number in; each runs once, foldproof in the middle; a line of JSON a pair out.

    python -m benchmarks.round WORK '{"usual": [], "lightning": []}' NUMBER --place FOLDER [--part usual] [--ways cold]

The object names the others and gives each the arguments that were searched for it. `--search NAME` in place of a number
tries those and prints the fastest. Others named in `--part` run a part of the work only; see `parts.py`.
"""

import argparse
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.environments import place_weights
from benchmarks.images import place as place_images
from benchmarks.measured import Measure, measure
from benchmarks.others import OTHERS
from benchmarks.outcome import Outcome, differences
from benchmarks.parts import PART, SEARCH, whole
from benchmarks.ratios import Pair, around
from benchmarks.sides import Foldproof, Side, Theirs
from benchmarks.works import WORKS, Work


def prepared(work: Work, place: Path, *, photos: Path | None) -> Foldproof:
    """The project of a work below `place`, made where it is not there; every image has been read once."""
    place_weights(place)
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


def fastest(project: Foldproof, name: str) -> tuple[str, ...]:
    """Of the arguments that may be given to this other, those that make a part of the work fastest."""
    seconds = {}
    for more in OTHERS[name].searched:
        side = Theirs(project.work, project.folder.parent / "script", project.images, OTHERS[name], more, SEARCH)
        seconds[more] = timed(side).wall
    return min(seconds, key=seconds.__getitem__)


def timed(side: Side) -> Measure:
    """One run from nothing but what `forget` leaves. Raises SystemExit where it did not do its work."""
    side.forget()
    return measure(side.command, side.folder, side.environment)


def run_round(
    project: Foldproof, others: Mapping[str, Sequence[str]], number: int, parts: Sequence[str], ways: Sequence[str]
) -> list[Pair]:
    """A pair for each other and each way.

    Raises SystemExit where they did not do the same, or where the code changed meanwhile.
    """
    made_by, work = commit(), project.work
    sides = {
        name: Theirs(
            work,
            project.folder.parent / "script",
            project.images,
            OTHERS[name],
            tuple(more),
            PART if name in parts else None,
        )
        for name, more in others.items()
    }
    before, after = around(tuple(others), number)
    theirs = {name: _run(sides[name]) for name in before}
    ours = {way.name: _run(Foldproof(work, project.folder, way)) for way in work.ways if not ways or way.name in ways}
    theirs |= {name: _run(sides[name]) for name in after}
    if commit() != made_by:
        raise SystemExit(f"the code changed while it was measured, from {made_by} to {commit()}")
    return [
        _pair(sides[name], theirs[name], way, ours[way], number, made_by, project.expected)
        for name in others
        for way in ours
    ]


def _run(side: Side) -> tuple[Measure, Outcome, Measure]:
    """As measured, what was done, and as the whole work would have measured."""
    measured = timed(side)
    if isinstance(side, Theirs) and side.part is not None:
        return measured, side.outcome(), whole(measured, side.store().pace, side.part, side.work)
    return measured, side.outcome(), measured


def _pair(side, theirs, way, ours, number, made_by, we_should) -> Pair:
    measured, their_outcome, their_whole = theirs
    _, our_outcome, our_measure = ours
    name = side.other.name
    found = differences(our_outcome, their_outcome, we_should=we_should, they_should=side.expected, they=name)
    if found:
        raise SystemExit("not the same work:\n" + "\n".join(found))
    return Pair(
        work=side.work.name,
        way=way,
        other=name,
        number=number,
        commit=made_by,
        theirs=their_whole,
        ours=our_measure,
        accuracy={
            one: (their_outcome.experiments[one].accuracy, our_outcome.experiments[one].accuracy)
            for one in their_outcome.experiments
            if side.part is None
        },
        arguments=side.arguments,
        part="" if side.part is None else str(side.part),
        seconds=measured.wall,
    )


def commit() -> str:
    """Of the checkout that this file lies in; `+` where it has uncommitted changes but for what is measured here."""
    here = Path(__file__).parent
    named = subprocess.run(
        ("git", "rev-parse", "--short=12", "HEAD"), cwd=here, capture_output=True, text=True, check=True
    )
    apart = [f":(top,exclude){path}" for path in ("benchmarks/results", "docs/images/growth-*")]
    changed = subprocess.run(("git", "diff", "--quiet", "HEAD", "--", ":/", *apart), cwd=here, check=False)
    return named.stdout.strip() + ("+" if changed.returncode else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=WORKS)
    parser.add_argument("others", type=json.loads, help="names and their searched arguments, as JSON")
    parser.add_argument("number", type=int, nargs="?", default=0)
    parser.add_argument("--search", choices=OTHERS)
    parser.add_argument("--part", default="", help="others that run a part of the work only")
    parser.add_argument("--ways", default="", help="of foldproof; all where left out")
    parser.add_argument("--place", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    options = parser.parse_args()
    options.place.mkdir(parents=True, exist_ok=True)
    project = prepared(WORKS[options.work], options.place.resolve(), photos=options.photos)
    if options.search:
        print(json.dumps(fastest(project, options.search)))
        return
    names = [[name for name in text.split(",") if name] for text in (options.part, options.ways)]
    for pair in run_round(project, options.others, options.number, *names):
        print(json.dumps(asdict(pair)))


if __name__ == "__main__":
    main()
