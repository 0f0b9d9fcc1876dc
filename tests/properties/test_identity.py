"""Canonical JSON under hypothesis: one spelling for one value, whatever order it came in."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldproof.config.identity import canonical_json, digest

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=12,
)


def turned(value: Any) -> Any:
    """The same value with the keys of every mapping in the opposite order."""
    match value:
        case dict():
            return {key: turned(value[key]) for key in reversed(list(value))}
        case list():
            return tuple(turned(item) for item in value)
    return value


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_the_order_of_keys_never_counts(value: Any) -> None:
    assert digest(turned(value)) == digest(value)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_nothing_is_lost_in_canonical_json(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value
