"""Settings that nobody means: each is refused in an error of ours, or taken; none takes long."""

import pytest

from foldproof.config.read import load_settings
from foldproof.config.yaml_lines import scalar
from foldproof.errors import FoldproofError, SettingsError
from foldproof.scaffold.make import _is_ours


def _before(letter: str, number: int) -> str:
    return f"*{letter}{number - 1}" if number else "*a"


_DOUBLED = "".join(f"b{n}: &b{n} {{<<: [{', '.join([_before('b', n)] * 3)}]}}\n" for n in range(40))
_NESTED = "".join(f"c{n}: &c{n} [{', '.join([_before('c', n)] * 9)}]\n" for n in range(30))
REFUSED = {
    "a number of 5,000 digits": "train: {seed: " + "9" * 5000 + "}",
    "a number of 5,000 hexadecimal digits": "train: {seed: 0x" + "f" * 5000 + "}",
    "a rate of 400 digits": "train: {lr: 1" + "0" * 400 + "}",
    "a range of 400 digits": "data: {range: [0, 1" + "0" * 400 + "]}",
    "a path with the character 0": 'data: {path: "a\\0b"}',
    "half a character": 'data: {path: "\\ud800"}',
    "half a character in a key": 'data: {columns: {"\\ud800": x}}',
    "half a character in a tag": 'tracking: {tags: {"\\udcff": x}}',
    "a character beyond the last": 'data: {path: "\\U00110000"}',
    "a character far beyond the last": 'data: {path: "\\UFFFFFFFF"}',
    "3,000 levels of lists": "data: " + "[" * 3000 + "]" * 3000,
    "3,000 levels of mappings": "data: " + "{a: " * 3000 + "}" * 3000,
    "1,000 levels of indentation": "data:\n" + "".join(" " * n + "a:\n" for n in range(1, 1000)),
    "3,000 levels of dashes": "data: " + "- " * 3000 + "a",
    "3,000 levels of brackets in a pattern": 'data: {group_by: "' + "(" * 3000 + ")" * 3000 + '"}',
    "merges of merges": "a: &a {x: 1}\n" + _DOUBLED,
    "aliases of aliases": "a: &a [x, x, x]\n" + _NESTED,
    "a value within itself": "data: &d {path: *d}",
    "a list of itself twice": "data: &d [*d, *d]",
    "an object of Python": 'data: !!python/object/apply:os.system ["touch canary"]',
    "a key twice": "data: {}\ndata: {}",
    "a tab": "data:\n\tpath: x",
    "no anchor": "data: *nothing",
    "two documents": "---\nversion: 1",
    "a version of YAML to come": "%YAML 99.9",
    "a rate that is no number": "train: {lr: .nan}",
    "a rate without end": "train: {lr: 1e400}",
    "30,000 keys": "\n".join(f"k{n}: 1" for n in range(30_000)),
    "true for a number": "train: {epochs: true}",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", REFUSED)
def test_settings_that_nobody_means_are_refused(tmp_path, what, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "params.yaml"
    file.write_text(f"version: 1\n{REFUSED[what]}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_settings(file)
    assert str(error.value).isprintable() or "\n" in str(error.value)
    assert _is_ours(file) in (True, False)  # as `init` asks
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("text", ["9" * 5000, "0x" + "f" * 5000, "[" * 3000 + "]" * 3000, "\ud800", "1e400", '"a\\0b"'])
@pytest.mark.parametrize("key", ["train.lr", "train.seed", "data.range", "folds.k"])
def test_what_set_says_is_refused_or_taken(tmp_path, key, text):
    (tmp_path / "params.yaml").write_text("version: 1\n")
    with pytest.raises(FoldproofError):
        load_settings(tmp_path / "params.yaml", overrides=[f"{key}={text}"])
    assert scalar("1e-3") == 0.001


@pytest.mark.parametrize("content", ["version: 1".encode("utf-16"), b"version: 1\xff", b"\0" * 100, bytes(2 * 2**20)])
def test_what_is_no_utf_8_or_far_too_long_is_refused(tmp_path, content):
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(FoldproofError):
        load_settings(tmp_path / "params.yaml")
