"""Commands killed at random moments (SIGKILL): the next command heals, nothing is lost, no lock stays.

`make faults` runs fifty kills of each; a usual test run a few.
"""

import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import draw_classes
from faults.places import Place, contents, make_place, report, trials
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.images import decoded
from foldproof.data.pixels.originals import Originals
from foldproof.data.rows.files import is_whole
from foldproof.data.scan import scan
from foldproof.data.versions import dvc
from foldproof.data.versions.add import add
from foldproof.data.versions.pull import pull
from foldproof.data.versions.unfinished import interrupted
from foldproof.errors import DataError

EACH = 100  # images in each of three classes
PULL = [sys.executable, "-m", "foldproof", "data", "pull"]
ADD = [sys.executable, "-m", "foldproof", "data", "add", "data/train"]
DECODE = """\
import sys
from pathlib import Path
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.images import decoded
from foldproof.data.pixels.originals import Originals
from foldproof.data.scan import scan
folder, cache = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
decoded(scan(folder).dataset, Originals(folder, Form(size=96)), cache=cache)
"""


def run_until(command: list[str], folder: Path, begins: Callable[[], bool], *, seconds: float) -> bool:
    """Start a command and kill it so many seconds after its work began; whether it was still alive then."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while process.poll() is None and not begins():
            time.sleep(0.001)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
        assert process.returncode == 0, process.stderr.read().decode() if process.stderr else ""
    return False


def duration(command: list[str], folder: Path, begins: Callable[[], bool]) -> float:
    """How long an uninterrupted command works, from when its work begins."""
    began: float | None = None
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            if began is None and begins():
                began = time.monotonic()
            time.sleep(0.001)
        assert process.returncode == 0
    assert began is not None
    return time.monotonic() - began


def note_written(place: Place) -> Callable[[], bool]:
    return lambda: any((place.root / ".dvc" / "tmp" / "foldproof").glob("*.json"))


def temporary(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name.startswith(".")]


@pytest.fixture
def place(tmp_path):
    return make_place(tmp_path / "project", each=EACH)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_killed_pull_is_healed_by_the_next(place):
    def prepare(number: int) -> None:
        shutil.rmtree(place.images)
        if number % 2 == 0:
            shutil.rmtree(place.cache / "files")

    prepare(0)
    works = duration(PULL, place.root, note_written(place))
    print(f"\npull: works for {works:.2f} s")
    seeded, found = random.Random(1), Counter[tuple[str, ...]]()
    for number in range(trials(1, share=20)):
        prepare(number)
        after = seeded.uniform(0, works)
        killed = run_until(PULL, place.root, note_written(place), seconds=after)
        there = contents(place.images) if place.images.is_dir() else {}
        judged = place.judged()
        images = {path: content for path, content in there.items() if path.endswith(".png")}
        assert images.items() <= place.versioned.items()  # whole files only, whenever the kill came
        assert (judged == "clean") == (images == place.versioned)
        if killed and 0 < len(images) < len(place.versioned):
            assert interrupted(place.images, "pull")
        edit = number % 3 == 2 and bool(images)
        if edit:
            path = seeded.choice(sorted(images))
            (place.images / path).write_bytes(b"a day's work %d" % number)
            with pytest.raises(DataError, match="no version holds"):
                pull(place.images)
        again = pull(place.images, force=edit)
        assert contents(place.images) == place.versioned
        assert (len(again.kept), place.judged(), interrupted(place.images, "pull")) == (int(edit), "clean", False)
        share = "none" if not images else "all" if len(images) == len(place.versioned) else "part"
        found[
            (
                "killed" if killed else "ended by itself",
                f"images: {share}",
                f"temporary files: {len(temporary_of(there))}",
                f"run: {judged}",
            )
        ] += 1
        print(f"{after:6.2f} s  {len(images):3d} images  {len(temporary_of(there))} temporary  {judged}")
    report("killed pulls", found)


def temporary_of(there: dict[str, bytes]) -> list[str]:
    return [path for path in there if path.rpartition("/")[2].startswith(".")]


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_killed_add_loses_nothing_and_is_completed_by_the_next(place):
    kinds = ("copy", "symlink", "hardlink")
    original = (place.root / ".dvc" / "config").read_text()

    def prepare(number: int) -> dict[str, bytes]:
        """New images for a third of the folder, and a cache of another kind; DVC's record is of the version before."""
        kind = kinds[number % len(kinds)]
        settings = place.root / ".dvc" / "config"
        settings.write_text(f"{original}[cache]\n    type = {kind}\n")
        draw_classes(place.root / "new", each=EACH // 3, classes=(f"bee{number}", f"cow{number}"))
        for folder in sorted((place.root / "new").iterdir()):
            folder.rename(place.images / folder.name)
        for old in [path for path in place.images.iterdir() if path.name in (f"bee{number - 1}", f"cow{number - 1}")]:
            shutil.rmtree(old)
        return contents(place.images)

    prepare(1)
    works = duration(ADD, place.root, note_written(place))
    print(f"\nadd: works for {works:.2f} s")
    seeded, found = random.Random(2), Counter[tuple[str, ...]]()
    for number in range(2, 2 + trials(1, share=20)):
        before = prepare(number)
        after = seeded.uniform(0, works)
        killed = run_until(ADD, place.root, note_written(place), seconds=after)
        there = {path: content for path, content in contents(place.images).items() if path.endswith(".png")}
        assert there.items() <= before.items()
        judged = state_of(place)
        assert judged != "clean" or there == before
        cut_off = interrupted(place.images, "add")
        add(place.images)
        assert contents(place.images) == before
        assert (state_of(place), temporary(place.images)) == ("clean", [])
        assert not interrupted(place.images, "add")
        found[
            (
                "killed" if killed else "ended by itself",
                kinds[number % 3],
                f"taken out: {len(before) - len(there)}",
                f"noted: {cut_off}",
                f"run: {judged}",
            )
        ] += 1
        print(f"{after:6.2f} s  {len(there)} of {len(before)} images  noted: {cut_off}  {judged}")
    report("killed adds", found)


def state_of(place: Place) -> str:
    found = scan(place.images, cache_dirs=dvc.cache_folders(place.images))
    return dvc.state_of(place.images, found).state


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_killed_decoding_leaves_no_half_cache(tmp_path):
    folder, cache = draw_classes(tmp_path / "images", each=EACH, size=200), tmp_path / "cache"
    dataset = scan(folder).dataset
    reference = decoded(dataset, Originals(folder, Form(size=96)), cache=tmp_path / "reference").read_bytes()
    command = [sys.executable, "-c", DECODE, str(folder), str(cache)]
    works = duration(command, tmp_path, cache.is_dir)
    print(f"\ndecode: works for {works:.2f} s")
    seeded, found = random.Random(3), Counter[tuple[str, ...]]()
    for _ in range(trials(1, share=20)):
        shutil.rmtree(cache, ignore_errors=True)
        after = seeded.uniform(0, works)
        killed = run_until(command, tmp_path, cache.is_dir, seconds=after)
        files = list(cache.glob("images-*.npy"))
        assert all(is_whole(path, deep=True) for path in files)
        halves = len(list(cache.glob(".images-*.tmp"))) if cache.is_dir() else 0
        path = decoded(dataset, Originals(folder, Form(size=96)), cache=cache)
        assert path.read_bytes() == reference
        assert not list(cache.glob(".images-*.tmp"))
        found[("killed" if killed else "ended by itself", f"whole: {len(files)}", f"temporary files: {halves}")] += 1
        print(f"{after:6.2f} s  whole: {len(files)}  temporary: {halves}")
    report("killed decodings", found)
