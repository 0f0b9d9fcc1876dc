"""Commands that only read run no code of a project that its user has not run there."""

import pytest

from foldproof.errors import UntrustedCode
from foldproof.provenance import trusted_code


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setattr(trusted_code, "user_config_path", lambda _: tmp_path / "config")


def test_code_that_only_the_settings_name_is_refused_until_it_was_run_here(tmp_path):
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    with pytest.raises(UntrustedCode, match="not run here yet"):
        trusted_code.refuse_unknown(here, "own:score")
    trusted_code.accept(here, "own:score")
    trusted_code.refuse_unknown(here, "own:score")
    for place, name in ((here, "own:other"), (elsewhere, "own:score")):
        with pytest.raises(UntrustedCode):
            trusted_code.refuse_unknown(place, name)


def test_what_is_built_in_needs_nobody_and_leaves_nothing(tmp_path):
    trusted_code.refuse_unknown(tmp_path, "accuracy")
    trusted_code.accept(tmp_path, "auto")
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize("content", ["", "{", "{}", "[1]", '[["a", 1]]', "\x00"])
def test_a_list_that_is_none_accepts_nothing_and_is_written_again(tmp_path, content):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "own-code.json").write_text(content)
    with pytest.raises(UntrustedCode):
        trusted_code.refuse_unknown(tmp_path, "own:score")
    trusted_code.accept(tmp_path, "own:score")
    trusted_code.accept(tmp_path, "own:score")
    trusted_code.refuse_unknown(tmp_path, "own:score")
