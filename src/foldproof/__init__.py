"""k-fold image classification you can prove.

In a notebook: `foldproof.run`, `load`, `runs` and `compare`; nothing is imported before one of them is used.
"""

import os
import sys

TYPE_CHECKING = False  # nothing more is loaded yet: a file called `typing` could lie in the current folder
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"
_FUNCTIONS = ("compare", "load", "run", "runs")


def installed_first() -> "list[str]":
    """`sys.path` with the current folder, and that of the script that runs, behind all others: a file there stands for
    no module of Python's or of an installed package.
    """
    script = getattr(sys.modules["__main__"], "__file__", None)
    own = {"", os.path.dirname(os.path.abspath(script)) if script else ""}  # noqa: PTH100, PTH120 - as in sys.path
    try:
        own |= {os.getcwd()}  # noqa: PTH109
    except OSError:  # it is gone
        own |= {""}
    return [*(one for one in sys.path if one not in own), *(one for one in sys.path if one in own)]


def _function(name: str) -> "Any":
    """A function of the notebook, whatever the files around a script or notebook are called."""
    before = sys.path[:]
    sys.path[:] = installed_first()
    try:
        from importlib import import_module

        return getattr(import_module("foldproof.notebook"), name)
    finally:
        sys.path[:] = before


def __getattr__(name: str) -> "Any":
    if name in _FUNCTIONS:
        return _function(name)
    raise AttributeError(f"module 'foldproof' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*globals(), *_FUNCTIONS]
