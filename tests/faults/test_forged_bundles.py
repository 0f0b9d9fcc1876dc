"""Bundles in which one thing was forged with care: at which level of `verify` is each found?

`FOLDPROOF_FAULTS=N` forges N bundles and prints at which level each kind was found.
"""

import json
import os
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from foldproof.bundle.collect import BundleContents
from foldproof.bundle.read import opened
from foldproof.bundle.write import write_bundle
from foldproof.project import Project
from foldproof.reproduce.record_source import RecordSource
from foldproof.verify.levels import verify
from forged import FORGERIES, Forgery
from recorded import INLINE, train_inline

COUNT = int(os.environ.get("FOLDPROOF_FAULTS", "0"))
pytestmark = pytest.mark.slow


def a_run_left_out(folder: Path, chance: random.Random) -> None:
    experiment = json.loads((folder / "run.json").read_text())["experiment"]
    others = [other for other in folder.parent.iterdir() if other != folder]
    same = [one for one in others if json.loads((one / "run.json").read_text())["experiment"] == experiment]
    shutil.rmtree(chance.choice(same))


ALL = (*FORGERIES, Forgery("a run left out", a_run_left_out, 0))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """Of an experiment that was run twice, beside another; with images, weights and states."""
    root = train_inline(tmp_path_factory.mktemp("forged"))
    train_inline(root, INLINE.replace(", fast: {train: {lr: 0.01}}", ""))
    project = Project(root / "params.yaml")
    newest = max(project.run_folders(), key=lambda folder: folder.stat().st_mtime)
    wanted = BundleContents(images=True, weights=True, states=True)
    return write_bundle(newest, project, tmp_path_factory.mktemp("bundle") / "run.zip", wanted).path


def found_at(bundle: Path, forgery: Forgery | None, seed: int) -> int | None:
    """The level at which a bundle with one forgery breaks; None where it holds."""
    with opened(bundle) as content:
        if forgery is not None:
            forgery.change(content.run_folder, random.Random(seed))
        subject = RecordSource(folder=content.run_folder, is_foreign=True, with_company=True, images=content.images)
        found = verify(subject, None)
    return next((level.number for level in found.levels if level.state == "broken"), None)


def test_an_honest_bundle_holds(bundle):
    assert found_at(bundle, None, 0) is None


@pytest.mark.parametrize("forgery", ALL, ids=lambda one: one.name)
def test_a_forgery_in_a_bundle_is_found_at_its_rung(bundle, forgery):
    assert found_at(bundle, forgery, seed=1) == (forgery.level if forgery.level < 3 else None)


@pytest.mark.skipif(not COUNT, reason="the campaign runs with FOLDPROOF_FAULTS=N")
@pytest.mark.timeout(36_000)
def test_the_campaign(bundle):
    counts: Counter[tuple[str, str]] = Counter()
    missed = 0
    for number in range(COUNT):
        forgery = ALL[number % len(ALL)]
        level = found_at(bundle, forgery, seed=number)
        missed += level is None and forgery.level < 3
        counts[forgery.name, "not found" if level is None else f"L{level}"] += 1
    for one in ALL:
        print(
            f"{one.name:46}", *(f"{column} {counts[one.name, column]:3}" for column in ("L0", "L1", "L2", "not found"))
        )
    assert not missed
