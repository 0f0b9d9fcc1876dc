"""Find the source files and packages that a project's own code, named by dotted paths, reaches.

Found by reading imports; nothing is imported. A module that is installed counts by its package's name, but for the
package that a dotted path itself leads into, whose files count too: an editable one changes under the same version.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import packages_distributions
from pathlib import Path

from foldproof.provenance.packages import normalised
from foldproof.provenance.source_code import imported, reached


@dataclass(frozen=True)
class OwnCode:
    """Source files by the name of their module, and the normalised names of the distributions that they import."""

    files: Mapping[str, Path]
    distributions: tuple[str, ...]


def own_code(paths: Iterable[str], root: Path) -> OwnCode:
    """What the dotted paths `module:attribute` reach; `root` is searched after everything that is installed."""
    modules = [path.partition(":")[0] for path in paths]
    places = (*_search_path(), root)
    tops = {module.partition(".")[0] for module in modules}
    installed = _installed()

    def find(name: str) -> Path | None:
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top == "foldproof" or (top in installed and top not in tops):
            return None
        return file_of(name, places)

    files = reached(modules, find)
    names = {name.partition(".")[0] for module, file in files.items() for name in imported(file, module)} | tops
    found = {normalised(distribution) for name in names for distribution in installed.get(name, ())}
    return OwnCode(files, tuple(sorted(found - {"foldproof"})))


def file_of(module: str, places: Iterable[Path]) -> Path | None:
    """The source of a module in the first of `places` that has it."""
    for place in places:
        path = place.joinpath(*module.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


def loaded_below(root: Path) -> Mapping[str, Path]:
    """The modules that this process has loaded from below `root`, by name, but for an environment that lies in it."""
    found = {}
    for name, module in tuple(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "")
        if file.is_absolute() and file.is_relative_to(root) and "site-packages" not in file.parts:
            found[name] = file
    return {name: file for name, file in found.items() if name != "foldproof" and not name.startswith("foldproof.")}


def _search_path() -> tuple[Path, ...]:
    return tuple(Path(entry) for entry in sys.path if entry and Path(entry).is_dir())


@lru_cache(maxsize=1)
def _installed() -> Mapping[str, list[str]]:
    return packages_distributions()
