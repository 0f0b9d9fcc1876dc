"""The mistakes that are drawn: real ones, of every kind, and the same ones for the same seed."""

import pytest

from mutants import table
from mutants.__main__ import drawn
from mutants.nearest import Reached, lines_of, nearest
from mutants.operators import applied, compiles, mutants_of


def made_of(source: str) -> set[str]:
    return {applied(mutant, source) for mutant in mutants_of("a.py", source)}


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("a < b", ["(a <= b)", "(a > b)"]),
        ("a == b", ["(a != b)"]),
        ("a + b", ["(a - b)"]),
        ("a += b", ["a -= b", "pass"]),
        ("x = 0.975", ["x = 0.95"]),
        ("x = 3", ["x = 4", "x = 2"]),
        ("x = True", ["x = False"]),
        ("a and b", ["(a or b)", "(a)", "(b)"]),
        ("not a", ["(a)"]),
        ("if a > 1: f()", ["if (not a > 1): f()", "if False: f()", "if True: f()", "if a > 1: pass"]),
        ("def f():\n    return 3", ["def f():\n    return None"]),
        ("f(a, b=c)", ["f(a)", "pass"]),
        ("f(a, b)", ["(f(b, a))"]),
        ("x[:n]", ["x[:(n) - 1]"]),
        ("x[0]", ["x[-1]"]),
        ("{'a': 1, 'b': c}", ["{'b': c}", "{'a': 1}"]),
        ("{**d, 'a': 1}", ["{**{}, 'a': 1}"]),
        ("x = (a, b)", ["x = (a,)"]),
        ("[x for x in y if x]", ["[x for x in y if True]"]),
        ("min(a, b)", ["max(a, b)"]),
        ("x = sorted(y)", ["x = list(y)"]),
        ("a if b else c", ["(c if b else a)"]),
    ],
)
def test_a_mistake_of_each_kind_is_made(source, wanted):
    assert set(wanted) <= made_of(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring of 3 words."""',
        "def f(a: int | None) -> tuple[int, int]: ...",
        "@dataclass(frozen=True)\nclass A: ...",
        "assert a > 3",
        "Names = dict[str, tuple[int, int]]",
        "f'{a + 1}'",
        "x = 'one' if a > 3 else f'{b} more'",
        "torch.cuda.synchronize(a + b)",
        "import a",
    ],
)
def test_what_no_promise_hangs_on_is_left_alone(source):
    assert made_of(source) == set()


def test_what_an_error_says_is_left_alone_but_not_whether_it_is_raised():
    assert made_of("raise E(1, a + b)") == {"pass"}


def test_a_mistake_in_the_middle_of_a_line_with_other_letters_changes_nothing_else():
    assert "f('ä', (a <= b), 'ö')" in made_of("f('ä', a < b, 'ö')")


def test_the_same_seed_draws_the_same_mistakes_and_each_of_them_compiles():
    one, again, other = (drawn(20, seed, ["folds/table"]) for seed in (1, 1, 2))
    assert one == again != other
    source = (table.SOURCE / "folds" / "table.py").read_text(encoding="utf-8")
    assert all(compiles(applied(mutant, source)) for mutant in one)


def test_tests_that_import_a_file_come_before_quicker_ones_and_those_that_do_not_reach_a_line_not_at_all():
    reached = {
        "far and quick": Reached(1.0, {"a.py": frozenset((3,))}, frozenset()),
        "near and slow": Reached(20.0, {"a.py": frozenset((3,))}, frozenset(("a.py",))),
        "near and quick": Reached(2.0, {"a.py": frozenset((3,))}, frozenset(("a.py",))),
        "elsewhere": Reached(1.0, {"a.py": frozenset((4,))}, frozenset(("a.py",))),
    }
    assert nearest("a.py", frozenset((2, 3)), reached) == ["near and quick", "near and slow", "far and quick"]


def test_what_no_trace_saw_is_tried_by_the_tests_that_import_its_file():
    reached = {
        "near": Reached(1.0, {"a.py": frozenset((3,))}, frozenset(("a.py",))),
        "far": Reached(1.0, {}, frozenset()),
    }
    assert nearest("a.py", frozenset((5,)), reached) == ["near"]
    assert nearest("b.py", frozenset((5,)), reached) == []


@pytest.mark.parametrize(
    ("line", "lines"), [(1, {1, 2}), (2, {1, 2}), (3, {3}), (4, {4, 5}), (5, {4, 5}), (6, {6}), (7, {7})]
)
def test_a_line_is_executed_where_one_of_its_statement_is(line, lines):
    source = "a = (1,\n2)\ndef f():\n  if (b or\n     c):\n    return 1\n  return 2\n"
    assert lines_of(source, line) == lines


@pytest.mark.parametrize("names", table.equivalent(), ids=lambda names: f"{names[0]}: {names[2][:40]}")
def test_a_survivor_that_is_listed_is_still_there(names):
    source = (table.SOURCE / names[0]).read_text(encoding="utf-8")
    assert names in {table.names(mutant) for mutant in mutants_of(names[0], source)}
    assert len(table.equivalent()[names]) > 20
