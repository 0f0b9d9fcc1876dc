"""A code of a notice or a failure stands in one table with its meaning, and each is raised somewhere."""

import ast
from pathlib import Path
from typing import get_args

import pytest

import foldproof
from foldproof.errors import FailureCode
from foldproof.events.codes import FAILURES, NOTICES, NoticeCode

ROOT = Path(foldproof.__file__).parent
CASES = [("Notice", NoticeCode, NOTICES), ("TrainingError", FailureCode, FAILURES)]


def raised(kind: str) -> set[str]:
    """The codes that the package gives to a `kind`, by the constants of the module where they have a name."""
    codes = set()
    for file in ROOT.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id == kind:
                codes |= {spelled(word.value, tree) for word in call.keywords if word.arg == "code"}
    return codes


def spelled(value: ast.expr, tree: ast.Module) -> str:
    if isinstance(value, ast.Constant):
        return str(value.value)
    assert isinstance(value, ast.Name), f"line {value.lineno}: the code of a notice is a constant"
    found = [
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == value.id
    ]
    return ast.literal_eval(found[0]) if found and found[0] else value.id.lower()  # imported, as DIVERGED is


@pytest.mark.parametrize(("kind", "code", "table"), CASES)
def test_what_may_be_raised_is_what_is_raised_and_every_code_has_one_meaning(kind, code, table):
    assert set(get_args(code)) == set(table)
    assert raised(kind) == set(table) - {""}
    assert len(set(table.values())) == len(table)
    assert all(meaning == meaning.strip() and "\n" not in meaning for meaning in table.values())
