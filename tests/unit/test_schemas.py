"""The version of every kind of file: raised on purpose alone, since an older foldproof reads no file of a newer one."""

from types import ModuleType

import pytest

from foldproof import leaks
from foldproof.config import schema
from foldproof.data import dataset, exclusions, index
from foldproof.data.checks import card
from foldproof.data.pixels import images
from foldproof.events import types
from foldproof.folds import table
from foldproof.plan import environment
from foldproof.records import facts
from foldproof.training import checkpoint
from foldproof.training.frozen import rows
from foldproof.training.resuming import state
from foldproof.verify import level

VERSIONS = {
    **dict.fromkeys((environment, leaks, schema, exclusions, card, rows, state, level), 1),
    **dict.fromkeys((dataset, facts, images, types, table), 2),
    index: 4,
    checkpoint: 3,
}


@pytest.mark.parametrize(("module", "version"), VERSIONS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_schema_has_the_version_that_it_had_until_somebody_raises_it_here_too(module: ModuleType, version: int):
    assert version == module.SCHEMA_VERSION
