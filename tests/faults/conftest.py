"""A DVC that remembers nothing of other tests."""

import pytest


@pytest.fixture(autouse=True)
def fresh_site_cache(monkeypatch, tmp_path_factory):
    """DVC's index of remotes, which it keeps outside the repository, in a folder of this test's own."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("site")))
