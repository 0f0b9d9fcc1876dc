"""k-fold image classification you can prove.

In a notebook: `foldproof.run`, `load`, `runs` and `compare`; nothing is imported before one of them is used.
"""

import sys
from importlib import import_module
from types import ModuleType

TYPE_CHECKING = False  # `typing` is not loaded yet, and a file of that name could lie in the current folder
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"
_FUNCTIONS = ("compare", "load", "run", "runs")


class _Package(ModuleType):
    """`foldproof.run` is the function; the module of the same name is imported from as ever."""

    @property
    def run(self) -> "Any":
        return import_module("foldproof.notebook").run

    @run.setter
    def run(self, module: ModuleType) -> None:
        """The import system puts the module here."""


def __getattr__(name: str) -> "Any":
    if name in _FUNCTIONS:
        return getattr(import_module("foldproof.notebook"), name)
    raise AttributeError(f"module 'foldproof' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*globals(), *_FUNCTIONS]


sys.modules[__name__].__class__ = _Package
