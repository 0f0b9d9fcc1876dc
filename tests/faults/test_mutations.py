"""A project changed in one way after its run: is it noticed, where, and is the cause named?

`FOLDPROOF_FAULTS=N` draws N changes that matter and N / 2 that cannot, and prints a table.
"""

import json
import os
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from lab.typed import process, typed
from mutated import MUTATIONS, NEUTRAL, OF_SETTINGS, Mutation, World, first_difference, make_world
from recorded import trained

COUNT = int(os.environ.get("FOLDPROOF_FAULTS", "0"))
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> tuple[World, Path]:
    made = make_world(tmp_path_factory.mktemp("world"))
    return made, trained(made.project, **made.environment)


def tried(world: tuple[World, Path], place: Path, mutation: Mutation, seed: int) -> dict[str, object]:
    """What reproduce says of the changed project, and what the files say."""
    original, record = world
    shutil.copytree(original.project.parent, place)
    paths = f"{original.environment['PYTHONPATH'].split(':')[0]}:{place / 'packages'}"
    here = World(place / "project", place / "packages", {**original.environment, "PYTHONPATH": paths})
    mutation.change(here, random.Random(seed))
    command = ["reproduce", record.name, "--as-is", "--json", "--keep", str(place / "kept")]
    before_torch = set(here.environment) > {"PYTHONPATH"} or "portable" in mutation.name
    finished = (process if before_torch else typed)(here.project, *command, code=None, **here.environment)
    assert finished.stdout, finished.stderr
    said: dict[str, object] = json.loads(finished.stdout)
    return {**said, "truth": first_difference(here.project / "runs" / record.name, place / "kept")}


def judged(said: dict[str, object], mutation: Mutation) -> dict[str, bool]:
    """Whether a change was noticed, its place is that of the files, and its cause is right."""
    truth, found = said["truth"], said["divergence"]
    if truth is None:
        return {"noticed": said["verdict"] == "REPRODUCED"}
    place = None if found is None else (found["fold"], found["epoch"], found["step"])  # type: ignore[index]
    causes = said["causes"]
    return {
        "noticed": said["verdict"] != "REPRODUCED",
        "place": place == truth,
        "cause": bool(causes) and causes[0]["kind"] in mutation.causes,  # type: ignore[index]
    }


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_a_change_that_matters_is_noticed_at_its_place_and_by_its_cause(world, tmp_path, mutation):
    said = tried(world, tmp_path / "changed", mutation, seed=0)
    assert all(judged(said, mutation).values()), said


OFTEN = ("train.precision: bfloat16", "train.freeze_backbone: True")


@pytest.mark.parametrize(
    "mutation",
    [pytest.param(one, marks=() if one.name in OFTEN else pytest.mark.thorough, id=one.name) for one in OF_SETTINGS],
)
def test_a_setting_that_matters_is_noticed_at_its_place_and_is_the_first_cause(world, tmp_path, mutation):
    said = tried(world, tmp_path / "changed", mutation, seed=0)
    assert all(judged(said, mutation).values()), said


@pytest.mark.parametrize("mutation", NEUTRAL, ids=lambda one: one.name)
def test_a_change_that_cannot_matter_comes_out_again(world, tmp_path, mutation):
    said = tried(world, tmp_path / "changed", mutation, seed=0)
    assert said["truth"] is None
    assert said["verdict"] == "REPRODUCED", said


@pytest.mark.skipif(not COUNT, reason="the campaign runs with FOLDPROOF_FAULTS=N")
@pytest.mark.timeout(36_000)
def test_the_campaign(world, tmp_path):
    counts: Counter[tuple[str, str]] = Counter()
    for number in range(COUNT + COUNT // 2):
        chance = random.Random(number)
        mutation = chance.choice((*MUTATIONS, *OF_SETTINGS) if number < COUNT else NEUTRAL)
        said = tried(world, tmp_path / "changed", mutation, seed=number)
        found = judged(said, mutation)
        counts[mutation.name, "drawn"] += 1
        counts[mutation.name, "same bits"] += said["truth"] is None
        counts.update((mutation.name, what) for what, right in found.items() if right)
        if not all(found.values()):
            print(number, mutation.name, said["text"], said["truth"], said["causes"])
        shutil.rmtree(tmp_path / "changed")
    for one in (*MUTATIONS, *OF_SETTINGS, *NEUTRAL):
        columns = ("drawn", "same bits", "noticed", "place", "cause")
        print(f"{one.name:34}", *(f"{what} {counts[one.name, what]:3}" for what in columns))
    total = sum(counts[one.name, "drawn"] for one in (*MUTATIONS, *OF_SETTINGS, *NEUTRAL))
    assert sum(count for (_, what), count in counts.items() if what == "noticed") == total
