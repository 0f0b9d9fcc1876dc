"""Random damage to images, cache and remote: what is trained is what was versioned, or nothing is trained.

`make faults` runs a thousand trials; FOLDPROOF_SEED=17 FOLDPROOF_FAULTS=1 repeats the one of seed 17.
"""

import os
import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from faults.places import Place, contents, make_place, report, restore, trials
from foldproof.data.versions.pull import pull
from foldproof.errors import DataError

KINDS = ("flip", "truncate", "delete", "swap", "same size and time")


@dataclass(frozen=True)
class Fault:
    where: str  # images, cache or remote
    kind: str
    files: tuple[Path, ...]


def overwrite(path: Path, content: bytes) -> None:
    """In place: the same inode, whatever links lead to it."""
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()


def apply(fault: Fault) -> None:
    first = fault.files[0]
    before, content = first.stat(), bytearray(first.read_bytes())
    seeded = random.Random(f"{first.name} {fault.kind}")
    match fault.kind:
        case "flip":
            content[seeded.randrange(len(content))] ^= 1 << seeded.randrange(8)
            overwrite(first, bytes(content))
        case "truncate":
            overwrite(first, bytes(content[: seeded.randrange(len(content))]))
        case "delete":
            first.unlink()
        case "swap":
            overwrite(first, fault.files[1].read_bytes())
            overwrite(fault.files[1], bytes(content))
        case _:
            content[-12] ^= 255
            overwrite(first, bytes(content))
            os.utime(first, ns=(before.st_atime_ns, before.st_mtime_ns))
    if first.exists() and fault.where != "images":
        first.chmod(before.st_mode)


def choose(place: Place, seeded: random.Random) -> Fault:
    """A list of files is one object in twenty, and the most interesting one: one time in four it is hit."""
    where = seeded.choice(("images", "cache", "remote"))
    folder = {"images": place.images, "cache": place.cache / "files", "remote": place.remote}[where]
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    lists = [path for path in files if path.suffix == ".dir"]
    kind = seeded.choice(KINDS)
    chosen = seeded.sample(files, 2)
    if len(lists) > 1 and seeded.random() < 0.25:
        chosen = seeded.sample(lists, 2)
    return Fault(where, kind, tuple(chosen))


def left(place: Place, known: set[bytes]) -> set[bytes]:
    """Contents of the images that nothing else holds: no version, not as the beginning of one, and no object.

    A file that is the same as a damaged object of the cache is a copy that DVC made of it.
    """
    objects = set(contents(place.cache / "files").values()) if (place.cache / "files").is_dir() else set()
    there = set(contents(place.images).values()) if place.images.is_dir() else set()
    return {content for content in there - known - objects if not any(whole.startswith(content) for whole in known)}


def kept(place: Place) -> set[bytes]:
    """All contents that somebody could still find."""
    aside = place.root / ".foldproof" / "aside"
    folders = [folder for folder in (place.images, aside) if folder.is_dir()]
    return {content for folder in folders for content in contents(folder).values()}


def pulled(place: Place, *, force: bool) -> str:
    try:
        pull(place.images, force=force)
    except DataError as error:
        return "refused: edits" if "no version holds" in error.what else "refused: remote"
    assert contents(place.images) == place.versioned
    return "healed"


def trial(place: Place, pristine: Path, known: set[bytes], seed: int) -> tuple[list[Fault], tuple[str, ...]]:
    seeded = random.Random(seed)
    restore(pristine, place.root)
    assert place.judged() == "clean"  # also fills what is remembered of unchanged files
    faults = []
    for _ in range(seeded.choice((1, 1, 1, 2, 3))):
        faults.append(choose(place, seeded))
        apply(faults[-1])
    for folder in (place.images, place.cache / "files"):
        if seeded.random() < 0.2:
            shutil.rmtree(folder)
    edits = left(place, known)
    check = place.judged()
    assert check in ("clean", "extra", "refused")
    first = pulled(place, force=False)
    assert edits <= kept(place), "an edit is lost"
    if first != "refused: edits":
        assert place.judged() == ("clean" if first == "healed" else check)
    last = first if first != "refused: edits" else pulled(place, force=True)
    assert edits <= kept(place), "an edit is lost with --force"
    if all(fault.where != "remote" for fault in faults):
        assert last == "healed", "the remote is whole"
    if last == "healed":
        assert place.judged() == "clean"
    return faults, (f"run: {check}", f"pull: {first}", *(() if last == first else (f"--force: {last}",)))


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_random_damage_is_healed_or_refused_and_never_trained(tmp_path):
    place = make_place(tmp_path / "project", each=6)
    known = set(contents(place.cache / "files").values())
    pristine = tmp_path / "pristine"
    shutil.copytree(place.root, pristine, symlinks=True)
    start = int(os.environ.get("FOLDPROOF_SEED", "0"))
    outcomes: Counter[tuple[str, ...]] = Counter()
    alone: Counter[tuple[str, ...]] = Counter()
    began = time.monotonic()
    for seed in range(start, start + trials(20)):
        try:
            faults, outcome = trial(place, pristine, known, seed)
        except BaseException as error:
            error.add_note(f"FOLDPROOF_SEED={seed} FOLDPROOF_FAULTS=1 repeats it")
            raise
        outcomes[outcome] += 1
        if len(faults) == 1:
            alone[(f"{faults[0].where:<7}", f"{faults[0].kind:<18}", *outcome)] += 1
    report(f"{sum(outcomes.values())} trials in {time.monotonic() - began:.0f} s", outcomes)
    report("of these with a single fault", alone)
