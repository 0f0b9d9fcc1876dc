"""Runs that earlier commits recorded are still read, verified, trained again and told apart from damaged ones.

`tests/golden/project` was trained on one Intel machine by the commits named below, 24 images of 12 x 12 pixels; initial
weights and most states were taken out for their size. Bits are asked for only where functions give those of then.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from foldproof.training.determinism import numeric_fingerprint
from lab.typed import typed
from recorded import call

pytestmark = pytest.mark.slow
GOLDEN = Path(__file__).parent.parent / "golden" / "project"


@dataclass(frozen=True)
class Generation:
    """A run, the commit that recorded it, what was new in its format, and the words for it where bits are as then."""

    run: str
    commit: str
    format: str
    verified: str
    reproduced: str


OLDER_CODE = "CANNOT CHECK HERE"  # bits of training changed on purpose since, and the code that made them is not here
GENERATIONS = (
    Generation("20261201-014204-tphc32", "2ed1ecd", "the first", "HOLDS: L0, L1", OLDER_CODE),
    Generation("20261201-014217-ma67qb", "e7ba3ff", "names the runs before it, has reports", "HOLDS: L0", OLDER_CODE),
    Generation("20261201-014230-c3d3jp", "8c5a649", "range of values, schemes of folds", "HOLDS: L0", OLDER_CODE),
    Generation("20261201-014246-gnpwlx", "9c6cc12", "keys by all code", "HOLDS: L0, L1, L2", "REPRODUCED"),
    Generation("20261201-014257-7i3vt5", "0d7e212", "every setting, how judged", "HOLDS: L0, L1, L2", "REPRODUCED"),
)
of_each_generation = pytest.mark.parametrize("generation", GENERATIONS, ids=lambda generation: generation.commit)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("golden") / "project"
    shutil.copytree(GOLDEN, folder, ignore=shutil.ignore_patterns("images"))
    shutil.copytree(GOLDEN / "images", folder / "data" / "train")
    with (folder / "params.yaml").open("a") as settings:
        settings.write("execution: {executor: inline}\n")
    return folder


def bits_are_those_of(project: Path, run: str) -> bool:
    """Whether the functions that newer records name give here what they gave there."""
    recorded = json.loads((project / "runs" / run / "environment.json").read_text())["numeric_class"]
    return bool(recorded["fingerprint"] == numeric_fingerprint(torch.device("cpu")))


def said(project: Path, *command: str) -> dict[str, object]:
    done = call(project, "foldproof", *command, "--json")
    assert done.stdout, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@of_each_generation
def test_a_run_of_an_earlier_format_is_verified_as_far_as_it_can_be(project, generation):
    answer = said(project, "verify", generation.run)
    assert answer["sound"] is True
    if bits_are_those_of(project, GENERATIONS[-1].run):
        assert answer["verdict"] == generation.verified
    else:
        assert str(answer["verdict"]).startswith("HOLDS: L0")


@of_each_generation
def test_a_run_of_an_earlier_format_is_trained_again_and_never_accused(project, generation):
    answer = said(project, "reproduce", generation.run)
    if bits_are_those_of(project, GENERATIONS[-1].run):
        assert answer["verdict"] == generation.reproduced
    else:
        assert answer["verdict"] in (generation.reproduced, OLDER_CODE)


@of_each_generation
def test_one_changed_prediction_of_an_earlier_format_is_noticed(project, generation, tmp_path):
    shutil.copytree(project, tmp_path / "copy")
    file = tmp_path / "copy" / "runs" / generation.run / "fold-0-1" / "steps.f32"
    content = bytearray(file.read_bytes())
    content[1] ^= 1
    file.write_bytes(bytes(content))
    answer = said(tmp_path / "copy", "verify", generation.run, "--level", "0")
    assert answer["sound"] is False


def test_runs_of_all_formats_are_listed_and_stand_in_one_table(project):
    listed = call(project, "foldproof", "runs").stdout
    assert [generation.run for generation in GENERATIONS if generation.run not in listed] == []
    table = typed(project, "compare", *(generation.run for generation in GENERATIONS), COLUMNS="160").stdout
    assert table.count("91.67 ± 0.00") == len(GENERATIONS)
