"""A function is named by what it does: no public function of a module begins with a bare preposition."""

import ast
import re
from pathlib import Path

import pytest

import foldproof

ROOT = Path(foldproof.__file__).parent
PREPOSITION = re.compile(r"(about|as|at|beside|by|for|from|in|of|on|out|to|under|until|with|without)(_|$)")
CONVERSION = re.compile(r"(to|from)_(csv|json)")  # as they are called everywhere in Python


def is_bare(name: str) -> bool:
    return PREPOSITION.match(name) is not None and CONVERSION.fullmatch(name) is None


def bare_names(path: Path) -> dict[str, list[str]]:
    """The functions of a module or folder that a preposition names, by file."""
    found: dict[str, list[str]] = {}
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        body = ast.parse(file.read_text(encoding="utf-8")).body
        names = [node.name for node in body if isinstance(node, ast.FunctionDef) and is_bare(node.name)]
        if names:
            found[file.relative_to(ROOT).as_posix()] = names
    return found


@pytest.mark.parametrize("name", ["of_run", "as_page", "until", "by_content", "to_rows", "without"])
def test_a_preposition_without_a_verb_is_found(name: str) -> None:
    assert is_bare(name)


@pytest.mark.parametrize("name", ["to_csv", "from_json", "format_row", "bytes_of", "outline", "input_size", "_of_run"])
def test_other_names_are_no_bare_prepositions(name: str) -> None:
    assert not is_bare(name)


def test_no_function_of_a_module_is_named_by_a_preposition() -> None:
    assert bare_names(ROOT) == {}
