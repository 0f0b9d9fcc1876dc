"""Mistakes with a name: each is made in a copy of the tree, and the tests that are named beside it fail."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mutants import table, trial

NAMED: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "named.toml").read_text(encoding="utf-8"))[
    "mutant"
]


@pytest.mark.parametrize("mutant", NAMED, ids=lambda mutant: mutant["name"])
def test_the_line_of_a_mistake_is_there_once(mutant):
    assert (table.SOURCE / mutant["file"]).read_text(encoding="utf-8").count(mutant["old"]) == 1


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    made = trial.copied(tmp_path_factory.mktemp("mutants") / "copy")
    yield made
    shutil.rmtree(made)


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("mutant", NAMED, ids=lambda mutant: mutant["name"])
def test_a_mistake_fails_each_test_that_is_named_beside_it(mutant, copy):
    path = copy / "src" / "foldproof" / mutant["file"]
    source = path.read_text(encoding="utf-8")
    processes = trial.context()
    for test in mutant["tests"]:
        path.write_text(source.replace(mutant["old"], mutant["new"]), encoding="utf-8")
        try:
            made = trial.tried(processes, copy, [test], seconds=250)
        finally:
            path.write_text(source, encoding="utf-8")
        assert made.code == trial.FAILED, made.said
        assert made.by.startswith(test), made.said
        assert trial.tried(processes, copy, [test], seconds=250).code == trial.PASSED
