"""What was installed then and what is here now; the differences on which bits can depend, out."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from foldproof.facts import range_in_use
from foldproof.provenance.packages import DECISIVE, OF_DEEP_IMAGES, installed, normalised
from foldproof.reproduce.recorded import Recorded


def disagreements(recorded: Recorded, code: Path, *, now: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """`numpy 2.1.0 then, 2.2.0 now` for each installed package on which the bits of this run can depend.

    `code`: the folder with the run's own code, whose imports count too.
    """
    then = _packages(recorded.environment)
    here = installed() if now is None else now
    deep = OF_DEEP_IMAGES if range_in_use(recorded.record.facts) else ()
    names = (*DECISIVE, *deep, *_cuda(then, here), *_imported(recorded.own_code, code))
    changed = [name for name in dict.fromkeys(names) if then.get(name) != here.get(name)]
    return tuple(f"{name} {then.get(name, 'absent')} then, {here.get(name, 'absent')} now" for name in changed)


def _packages(environment: Mapping[str, Any]) -> Mapping[str, str]:
    packages = environment.get("packages")
    return packages if isinstance(packages, dict) else {}


def _cuda(*sides: Mapping[str, str]) -> Iterable[str]:
    return sorted({name for side in sides for name in side if name.startswith("nvidia-")})


def _imported(own_code: Sequence[str], code: Path) -> Iterable[str]:
    """Distributions that the user's modules import, also by way of other modules of theirs."""
    distributions = packages_distributions()
    waiting, seen = [name.partition(":")[0] for name in own_code], set[str]()
    found = set[str]()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        file = _file_of(module, code)
        if file is None:
            found |= {normalised(name) for name in distributions.get(module.partition(".")[0], [])}
        else:
            waiting += _imports(file, module)
    return sorted(found - {"foldproof"})


def _file_of(module: str, code: Path) -> Path | None:
    path = code.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _imports(file: Path, module: str) -> list[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return [name for name in found if name]
