"""A module's source in; every one-line mistake that a person might make in it out. Pure.

Left alone, since no promise hangs on them: docstrings, annotations, decorators, asserts, what an error says, texts and
which of two is said, and the keywords of UNTOUCHED, which only refuse what cannot be. And what needs a GPU to be seen.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any

UNTOUCHED = frozenset(("strict", "encoding", "description", "next_step", "reason", "help", "slots"))
_COMPARED = MappingProxyType(
    {
        ast.Lt: ast.LtE,
        ast.LtE: ast.Lt,
        ast.Gt: ast.GtE,
        ast.GtE: ast.Gt,
        ast.Eq: ast.NotEq,
        ast.NotEq: ast.Eq,
        ast.Is: ast.IsNot,
        ast.IsNot: ast.Is,
        ast.In: ast.NotIn,
        ast.NotIn: ast.In,
    }
)
_REVERSED = MappingProxyType({ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE})
_CALCULATED = MappingProxyType(
    {
        ast.Add: ast.Sub,
        ast.Sub: ast.Add,
        ast.Mult: ast.Div,
        ast.Div: ast.Mult,
        ast.FloorDiv: ast.Mult,
        ast.Mod: ast.Mult,
        ast.Pow: ast.Mult,
        ast.BitAnd: ast.BitOr,
        ast.BitOr: ast.BitAnd,
        ast.BitXor: ast.BitAnd,
        ast.LShift: ast.RShift,
        ast.RShift: ast.LShift,
    }
)
_SIBLINGS = {
    one: other
    for pair in (
        ("min", "max"),
        ("any", "all"),
        ("floor", "ceil"),
        ("argmin", "argmax"),
        ("minimum", "maximum"),
        ("startswith", "endswith"),
        ("removeprefix", "removesuffix"),
        ("partition", "rpartition"),
        ("zeros", "ones"),
        ("intersection", "union"),
        ("above", "below"),
        ("low", "high"),
        ("train_positions", "validation_positions"),
    )
    for one, other in (pair, pair[::-1])
}
_IN_ANY_ORDER = frozenset(("min", "max", "minimum", "maximum"))
_UNDONE = frozenset(("abs", "sorted", "set", "round", "reversed"))
_CLOSER = MappingProxyType({0.975: 0.95, 0.95: 0.9, 0.99: 0.95, 0.05: 0.1, 0.01: 0.05, 0.0: 1.0})


@dataclass(frozen=True)
class Mutant:
    """One change of one file: the bytes from `start` to `end` become `text`.

    `old`, `new`: the lines it changes; `after`: the line before them.
    """

    file: str
    line: int
    operator: str
    start: int
    end: int
    text: str
    old: str
    new: str
    after: str


def mutants_of(file: str, source: str) -> list[Mutant]:
    """All that can be made of a file, in the order of its text; not each of them compiles."""
    text = source.encode()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: dict[tuple[int, int, str], Mutant] = {}
    for operator, (start, end, new) in _Finder(text, starts).edits(ast.parse(source)):
        if text[start:end] != new.encode() and (start, end, new) not in found:
            line = text.count(b"\n", 0, start) + 1
            made = Mutant(file, line, operator, start, end, new, *_changed(text, start, end, new))
            if "cuda" not in made.old:
                found[start, end, new] = made
    return list(found.values())


def applied(mutant: Mutant, source: str) -> str:
    """The source with the change."""
    text = source.encode()
    return (text[: mutant.start] + mutant.text.encode() + text[mutant.end :]).decode()


def compiles(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _changed(text: bytes, start: int, end: int, new: str) -> tuple[str, str, str]:
    first = text.rfind(b"\n", 0, start) + 1
    last = text.find(b"\n", end)
    lines = text[first : last if last >= 0 else len(text)]
    after = text[first:start] + new.encode() + text[end : last if last >= 0 else len(text)]
    before = text[:first].decode().rstrip().rpartition("\n")[2].strip()
    return lines.decode().strip(), after.decode().strip(), before


Edit = tuple[int, int, str]


class _Finder:
    """Walks a syntax tree and proposes edits of its text."""

    def __init__(self, text: bytes, starts: list[int]) -> None:
        self._text, self._starts = text, starts

    def edits(self, node: ast.AST) -> Iterator[tuple[str, Edit]]:
        if isinstance(node, ast.JoinedStr | ast.Assert | ast.Import | ast.ImportFrom) or _says_one_of_two(node):
            return
        for name, propose in _OPERATORS:
            for edit in propose(self, node):
                yield name, edit
        for child in _worth_a_look(node):
            yield from self.edits(child)

    def span(self, node: Any) -> tuple[int, int]:
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def replaced(self, node: Any, new: ast.AST | str) -> Edit:
        text = (
            new if isinstance(new, str) else f"({ast.unparse(new)})" if isinstance(new, ast.expr) else ast.unparse(new)
        )
        return (*self.span(node), text)

    def source(self, node: Any) -> str:
        start, end = self.span(node)
        return self._text[start:end].decode()

    def without(self, parts: list[Any], number: int, *, keep_comma: bool = False) -> Edit:
        """A list of things between commas without one of them."""
        start, end = self.span(parts[number])
        if number + 1 < len(parts):
            return start, self.span(parts[number + 1])[0], ""
        return (self.span(parts[number - 1])[1] if number else start), end, "," if keep_comma else ""


def _worth_a_look(node: ast.AST) -> Iterator[ast.AST]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_comment", "exc", "cause"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.keyword) and child.arg in UNTOUCHED:
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            if isinstance(child, ast.AST) and not _is_a_type(child):
                yield child


def _is_a_type(node: ast.AST) -> bool:
    """Whether it gives a type a name, or lists names."""
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.annotation).endswith("TypeAlias")
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    if node.targets[0].id == "__all__":
        return True
    name = node.targets[0].id.lstrip("_")
    return name[:1].isupper() and not name.isupper() and isinstance(node.value, ast.Subscript | ast.Call)


def _compared(finder: _Finder, node: ast.AST) -> Iterator[Edit]:
    if not isinstance(node, ast.Compare):
        return
    for table in (_COMPARED, _REVERSED):
        for number, operator in enumerate(node.ops):
            if type(operator) in table:
                made = copy.deepcopy(node)
                made.ops[number] = table[type(operator)]()
                yield finder.replaced(node, made)


def _calculated(finder: _Finder, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _CALCULATED:
        if isinstance(node, ast.BinOp) and any(_is_text(side) for side in (node.left, node.right)):
            return
        made = copy.deepcopy(node)
        made.op = _CALCULATED[type(node.op)]()
        yield finder.replaced(node, made)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield finder.replaced(node, node.operand)


def _says_one_of_two(node: ast.AST) -> bool:
    return isinstance(node, ast.IfExp) and (_is_text(node.body) or _is_text(node.orelse))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _constant(finder: _Finder, node: ast.AST) -> Iterator[Edit]:
    if not isinstance(node, ast.Constant) or isinstance(node.value, str | bytes | type(None) | type(...)):
        return
    value = node.value
    if isinstance(value, bool):
        yield finder.replaced(node, str(not value))
    elif isinstance(value, int):
        yield finder.replaced(node, str(value + 1))
        if value:
            yield finder.replaced(node, str(value - 1))
    elif isinstance(value, float):
        yield finder.replaced(node, repr(_CLOSER.get(value, value * 2)))


def _reasoned(finder: _Finder, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.BoolOp):
        made = copy.deepcopy(node)
        made.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield finder.replaced(node, made)
        for number in range(len(node.values)):
            left = [value for at, value in enumerate(node.values) if at != number]
            yield finder.replaced(node, left[0] if len(left) == 1 else ast.BoolOp(node.op, left))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield finder.replaced(node, node.operand)
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield finder.replaced(node.test, f"(not {finder.source(node.test)})")
        yield finder.replaced(node.test, "False")
        if not isinstance(node, ast.While):
            yield finder.replaced(node.test, "True")
    if isinstance(node, ast.comprehension):
        for condition in node.ifs:
            yield finder.replaced(condition, "True")


def _nothing(finder: _Finder, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield finder.replaced(node.value, "None")


def _dropped(finder: _Finder, node: ast.AST) -> Iterator[Edit]:
    call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    if call or isinstance(node, ast.AugAssign | ast.Raise | ast.Continue | ast.Break):
        yield finder.replaced(node, "pass")
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute | ast.Subscript):
        yield finder.replaced(node, "pass")


def _arguments(finder: _Finder, node: ast.AST) -> Iterator[Edit]:
    if not isinstance(node, ast.Call):
        return
    parts = sorted([*node.args, *node.keywords], key=lambda part: (part.lineno, part.col_offset))
    for number, part in enumerate(parts):
        if isinstance(part, ast.keyword) and part.arg is not None and part.arg not in UNTOUCHED:
            yield finder.without(parts, number)
    in_any_order = ast.unparse(node.func).rpartition(".")[2] in _IN_ANY_ORDER
    plain = [] if in_any_order else [part for part in node.args if not isinstance(part, ast.Starred)]
    for one, other in pairwise(plain):
        made = copy.deepcopy(node)
        at, bt = node.args.index(one), node.args.index(other)
        made.args[at], made.args[bt] = made.args[bt], made.args[at]
        yield finder.replaced(node, made)


def _slices(finder: _Finder, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Slice):
        for bound, change in ((node.lower, "+ 1"), (node.upper, "- 1")):
            if bound is not None and not isinstance(bound, ast.Constant):
                yield finder.replaced(bound, f"({finder.source(bound)}) {change}")
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        index = ast.unparse(node.slice)
        if index in ("0", "-1"):
            yield finder.replaced(node.slice, "-1" if index == "0" else "0")


def _elements(finder: _Finder, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Dict):
        parts = [_Entry.of(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]
        if len(parts) == len(node.keys):
            yield from (finder.without(parts, number) for number in range(len(parts)))
        else:
            yield from _entries_among_others(finder, node)
    if isinstance(node, ast.List | ast.Set) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        yield from (finder.without(node.elts, number) for number in range(len(node.elts) if len(node.elts) > 1 else 0))
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        single = len(node.elts) == 2
        for number in range(1 if single else 0, len(node.elts)):
            yield finder.without(node.elts, number, keep_comma=single)


def _entries_among_others(finder: _Finder, node: ast.Dict) -> Iterator[Edit]:
    """Of a dict with `**other` in it: each with what follows it."""
    parts = [value if key is None else _Entry.of(key, value) for key, value in zip(node.keys, node.values, strict=True)]
    for number, key in enumerate(node.keys):
        if key is None:
            yield (*finder.span(parts[number]), "{}")
            continue
        neighbour = number + 1 if number + 1 < len(parts) else number - 1
        if neighbour >= 0 and node.keys[neighbour] is not None:
            yield finder.without(parts, number)


@dataclass(frozen=True)
class _Entry:
    lineno: int
    col_offset: int
    end_lineno: int
    end_col_offset: int

    @staticmethod
    def of(key: Any, value: Any) -> "_Entry":
        return _Entry(key.lineno, key.col_offset, value.end_lineno, value.end_col_offset)


def _siblings(finder: _Finder, node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in _SIBLINGS:
        made = copy.deepcopy(node)
        made.attr = _SIBLINGS[node.attr]
        yield finder.replaced(node, ast.unparse(made))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in _SIBLINGS:
            yield finder.replaced(node.func, _SIBLINGS[node.func.id])
        if node.func.id in _UNDONE and len(node.args) == 1:
            of_many = node.func.id in ("sorted", "set", "reversed")
            yield finder.replaced(node, f"list({finder.source(node.args[0])})" if of_many else node.args[0])
    if isinstance(node, ast.IfExp):
        yield finder.replaced(node, ast.IfExp(node.test, node.orelse, node.body))


_OPERATORS: tuple[tuple[str, Callable[[_Finder, ast.AST], Iterator[Edit]]], ...] = (
    ("comparison", _compared),
    ("arithmetic", _calculated),
    ("constant", _constant),
    ("logic", _reasoned),
    ("return nothing", _nothing),
    ("statement dropped", _dropped),
    ("argument dropped or swapped", _arguments),
    ("index off by one", _slices),
    ("element dropped", _elements),
    ("sibling", _siblings),
)
