"""Small holes that a sceptic found, each closed: a pipe as an image of a bundle, a token behind a hyphen."""

import os

import pytest

from foldproof.bundle.write import _content, _Image
from foldproof.errors import DamagedFile
from foldproof.storage import redact

TOKEN = "ghp_" + "a1B2c3D4e5" * 4


@pytest.mark.parametrize("before", ["br-", "feature/x-", " ", "="])
def test_a_token_of_a_service_is_hidden_behind_a_hyphen_too(before):
    assert TOKEN not in redact(f"branch{before}{TOKEN}")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_an_image_keeps_no_bundle_waiting(tmp_path):
    os.mkfifo(tmp_path / "1.png")
    with pytest.raises(DamagedFile):
        _content(_Image("images/1.png", tmp_path / "1.png", "0" * 64, 0))
