"""Type `foldproof ...` in this process, as its console script runs it: a folder and words in, what it printed out.

It saves the seconds in which a process imports torch. What a command leaves in its process is taken back: the working
directory, arguments, environment, search path, modules of a project, warnings filters, the collector's thresholds, log
levels, and torch's threads and determinism. What may stay are caches by content, or by path, time and size;
what is installed is looked up again where PYTHONPATH is given.

`tests/contracts/test_typed.py` holds that both ways print the same. Where a signal, an import, a locale, the end of a
process or `python -m` is the promise, `process` starts one.
"""

import gc
import importlib
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path
from typing import IO

from foldproof.cli.main import main  # `foldproof.cli.main` names the module once that is loaded


def typed(folder: Path, *arguments: str, code: int | None = 0, **environment: str) -> "Finished":
    """`foldproof` with these arguments in `folder`, here; it has to end with `code`, unless that is None."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with ExitStack() as stack:
            stack.enter_context(_taken_back())
            stack.enter_context(_printing_to(out, err))
            stack.enter_context(chdir(folder))
            os.environ.update(environment)
            if "PYTHONPATH" in environment:
                stack.enter_context(_installed_in(environment["PYTHONPATH"].split(os.pathsep)))
            sys.argv = ["foldproof", *arguments]
            returned = _exit_code()
        done = subprocess.CompletedProcess(["foldproof", *arguments], returned, _text(out), _text(err))
    return _checked(done, code)


def process(folder: Path, *arguments: str, code: int | None = 0, **environment: str) -> "Finished":
    """The same in a process of its own, by `python -m foldproof`."""
    done = subprocess.run(
        [sys.executable, "-m", "foldproof", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **environment},
    )
    return _checked(done, code)


Finished = subprocess.CompletedProcess[str]


def _checked(done: Finished, code: int | None) -> Finished:
    assert code is None or done.returncode == code, f"{done.args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr or "--debug" in done.args, done.stderr
    return done


def _exit_code() -> int:
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


@contextmanager
def _printing_to(out: IO[bytes], err: IO[bytes]) -> Iterator[None]:
    """What is written to the descriptors 1 and 2, by this process or one that it starts, goes to these files."""
    streams, saved = (sys.stdin, sys.stdout, sys.stderr), (os.dup(1), os.dup(2))
    try:
        for number, file in ((1, out), (2, err)):
            os.dup2(file.fileno(), number)
        with (
            Path(os.devnull).open(encoding="utf-8") as sys.stdin,
            open(1, "w", encoding="utf-8", closefd=False) as sys.stdout,
            open(2, "w", encoding="utf-8", closefd=False, errors="backslashreplace", buffering=1) as sys.stderr,
        ):
            yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        for number, kept in zip((1, 2), saved, strict=True):
            os.dup2(kept, number)
            os.close(kept)


@contextmanager
def _taken_back() -> Iterator[None]:
    """Whatever a command changes in the process is as it was, after the block."""
    arguments, environment, path, thresholds = sys.argv, dict(os.environ), sys.path[:], gc.get_threshold()
    levels = _levels()
    with warnings.catch_warnings(), _torch_as_it_was():
        try:
            yield
        finally:
            _forget_modules_in(set(sys.path) - set(path))
            sys.argv, sys.path[:] = arguments, path
            os.environ.clear()
            os.environ.update(environment)
            gc.set_threshold(*thresholds)
            for name, level in _levels().items():
                if level != levels.get(name, level):
                    logging.getLogger(name).setLevel(levels[name])


@contextmanager
def _installed_in(folders: Iterable[str]) -> Iterator[None]:
    """Modules and packages are found in these folders first, as by PYTHONPATH; `_taken_back` ends it."""
    sys.path[:0] = [folder for folder in folders if folder and folder not in sys.path]
    _forget_what_is_installed()
    try:
        yield
    finally:
        _forget_what_is_installed()


def _forget_what_is_installed() -> None:
    importlib.invalidate_caches()
    for name, module in tuple(sys.modules.items()):
        if name.startswith("foldproof."):
            for value in vars(module).values():
                if callable(forget := getattr(value, "cache_clear", None)):
                    forget()


def _levels() -> Mapping[str, int]:
    loggers = logging.root.manager.loggerDict
    return {name: found.level for name, found in loggers.items() if isinstance(found, logging.Logger)}


def _forget_modules_in(folders: set[str]) -> None:
    """The next project may have modules of the same names."""
    for name, module in tuple(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and any(Path(file).is_relative_to(folder) for folder in folders):
            del sys.modules[name]


@contextmanager
def _torch_as_it_was() -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads, strictness = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    filled = torch.utils.deterministic.fill_uninitialized_memory
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_deterministic_debug_mode(strictness)
        torch.utils.deterministic.fill_uninitialized_memory = filled


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")
