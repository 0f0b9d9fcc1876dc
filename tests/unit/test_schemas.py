"""The version of every kind of file: raised on purpose alone, since an older foldproof reads no file of a newer one."""

import importlib

import pytest

VERSIONS = {
    "config.schema": 1,
    "data.checks.card": 1,
    "data.dataset": 2,
    "data.exclusions": 1,
    "data.index": 2,
    "data.pixels.images": 2,
    "environment": 1,
    "events.types": 2,
    "facts": 1,
    "folds.table": 2,
    "leaks": 1,
    "training.checkpoint": 3,
    "training.frozen.rows": 1,
    "training.resuming.state": 1,
    "verify.rung": 1,
}


@pytest.mark.parametrize("module", VERSIONS)
def test_a_schema_has_the_version_that_it_had_until_somebody_raises_it_here_too(module):
    assert importlib.import_module(f"foldproof.{module}").SCHEMA_VERSION == VERSIONS[module]
