"""Silence decoding libraries that print to the terminal, and raise the messages that matter.

libtiff writes to the process's standard error by itself. The copy that came with Pillow is told to keep it; where there
is none to be found, it goes on.
"""

import ctypes
import logging
from contextlib import suppress
from functools import cache
from pathlib import Path

import PIL

_HANDLERS = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")


@cache
def silence() -> None:
    """Once a process, before the first picture is opened."""
    for name in ("PIL", "tifffile"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    package = Path(PIL.__file__).parent
    for library in (*package.parent.glob("pillow.libs/libtiff*"), *package.glob(".dylibs/libtiff*")):
        with suppress(OSError, AttributeError):
            loaded = ctypes.CDLL(str(library))
            for handler in _HANDLERS:
                getattr(loaded, handler)(None)
