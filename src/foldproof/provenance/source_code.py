"""Find the modules that code reaches, and hash them without comments, docstrings and layout.

Found by reading imports, also those inside functions; nothing is imported. Pure but for reading the files.
"""

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

Find: TypeAlias = Callable[[str], Path | None]  # the file of a module by its name; None where it does not count


def reached(roots: Iterable[str], find: Find) -> Mapping[str, Path]:
    """The modules that `roots` import, directly or through others, with themselves and their packages, by name."""
    found: dict[str, Path] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        for module in _with_packages(name):
            if module in found or (file := find(module)) is None:
                continue
            found[module] = file
            waiting += imported(file, module)
    return dict(sorted(found.items()))


def imported(file: Path, module: str) -> tuple[str, ...]:
    """The names of modules that a source file may import: of `from a import b` both `a` and `a.b`."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    return tuple(dict.fromkeys(name for pattern in _read(file).imports for name in _resolved(pattern, package)))


def digest_of(files: Iterable[Path]) -> str:
    """SHA-256 over what the files do: source as it is parsed, without comments, docstrings and layout; else bytes."""
    total = hashlib.sha256()
    for file in files:
        total.update(_read(file).digest)
    return total.hexdigest()


class _Import(NamedTuple):
    level: int
    module: str
    names: tuple[str, ...]


class _Source(NamedTuple):
    imports: tuple[_Import, ...]
    digest: bytes


def _read(file: Path) -> _Source:
    """What is in a file; one that cannot be read imports nothing."""
    try:
        info = file.stat()
        return _parsed(file, info.st_mtime_ns, info.st_size)
    except OSError:
        return _Source((), b"")


@lru_cache(maxsize=4096)
def _parsed(file: Path, changed_ns: int, size: int) -> _Source:  # noqa: ARG001 - parts of the key
    content = file.read_bytes()
    try:
        tree = ast.parse(content) if file.suffix == ".py" else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if tree is None:
        return _Source((), hashlib.sha256(content).digest())
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [_Import(0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(_Import(node.level, node.module or "", tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = _without_docstring(node.body)
    return _Source(tuple(found), hashlib.sha256(ast.dump(tree).encode(errors="surrogatepass")).digest())


def _resolved(found: _Import, package: str) -> Iterator[str]:
    parts = package.split(".")
    above = parts[: len(parts) - found.level + 1] if found.level else []
    base = ".".join([*above, *([found.module] if found.module else [])])
    yield base
    yield from (f"{base}.{name}" for name in found.names)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *others]:
            return others
    return body


def _with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
