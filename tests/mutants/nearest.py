"""Which tests are nearest to a line: those that execute its statement, that import its module, and are quick, first.

Every file of tests is run once unchanged, traced; what it reached is kept until the code or that file changes.
"""

import ast
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutants.table import ALWAYS, SOURCE, TESTS, files, name_of
from mutants.trial import ROOT

MOST_SECONDS = 240.0  # of tests for one mutant


@dataclass(frozen=True)
class Reached:
    """What a file of tests executes, how long it takes without being traced, and which modules it imports."""

    seconds: float
    lines: Mapping[str, frozenset[int]]
    imports: frozenset[str]


def test_files() -> list[str]:
    """All that may be nearest to something, by name: what imports a file that is mutated."""
    mutated = {name_of(path) for path in files()}
    there = (path for name in TESTS for path in (ROOT / name).glob("test_*.py"))
    names = sorted(path.relative_to(ROOT).as_posix() for path in there)
    return [*ALWAYS, *(name for name in names if imports_of(name) & mutated)]


def state_of(test: str) -> str:
    """A hash of all that decides what a file of tests reaches."""
    total = hashlib.sha256()
    beside = [path for path in (ROOT / test).parent.glob("*.py") if not path.name.startswith("test_")]
    for path in sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").glob("*.py"), *beside, ROOT / test]):
        total.update(path.read_bytes())
    return total.hexdigest()


def imports_of(test: str) -> frozenset[str]:
    """The files of foldproof that a file of tests names in its imports."""
    named: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / test).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("foldproof"):
            module = (node.module or "").removeprefix("foldproof").lstrip(".").replace(".", "/")
            named |= {module, *(f"{module}/{alias.name}".lstrip("/") for alias in node.names)}
    inside = (name_of(path) for name in named for path in (SOURCE / name).glob("*.py"))  # of a package, all
    return frozenset((*(f"{name}.py" for name in named), *inside))


def read(kept: Path, test: str, state: str) -> Reached | None:
    """What was kept of a file of tests, if it still holds."""
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if found.get("state") != state:
        return None
    lines = {file: frozenset(numbers) for file, numbers in found["lines"].items()}
    return Reached(found["seconds"], lines, imports_of(test))


def lines_of(source: str, line: int) -> frozenset[int]:
    """The lines of the innermost statement that a line is of, without those of its body."""
    found = range(line, line + 1)
    for node in ast.walk(ast.parse(source)):  # outer ones first
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            inside = [part.lineno for part in getattr(node, "body", ()) if part.lineno > node.lineno]
            end = min(inside, default=(node.end_lineno or node.lineno) + 1)
            found = range(node.lineno, end) if line < end else found
    return frozenset(found)


def nearest(file: str, lines: frozenset[int], reached: Mapping[str, Reached]) -> Sequence[str]:
    """The tests for lines of a file, in the order in which to run them; none where nothing executes or imports them.

    Where a trace saw none of the lines, as of what is called from within the interpreter, those that import the file.
    """
    there = [test for test, one in reached.items() if lines & one.lines.get(file, frozenset())]
    there = there or [test for test, one in reached.items() if file in one.imports]
    there.sort(key=lambda test: (file not in reached[test].imports and test not in ALWAYS, reached[test].seconds))
    chosen, seconds = [], 0.0
    for test in there:
        seconds += reached[test].seconds
        if chosen and seconds > MOST_SECONDS:
            break
        chosen.append(test)
    return chosen
