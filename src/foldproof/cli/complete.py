"""Suggest names for what has been typed so far. Reads only small files; silent where there are none.

Shells put what is offered on the line as it is, and the next Enter runs it. Only names that no shell reads as anything
but a word are offered, whoever wrote the settings file and the runs.
"""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from foldproof.errors import FoldproofError
from foldproof.storage import read_text
from foldproof.storage.limits import SETTINGS_BYTES

MOST_SETTINGS_BYTES = 200_000
MOST_SECONDS = 2.0


def experiments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The experiments of the settings file that are not typed yet."""
    from foldproof.config.yaml_lines import parse
    from foldproof.project import Project

    try:
        file = Project.find(Path.cwd()).settings_file
        document = parse(read_text(file, most_bytes=SETTINGS_BYTES), name=file.name).value
    except (FoldproofError, OSError):
        return []
    named = document.get("experiments") if isinstance(document, dict) else None
    return _fitting(named if isinstance(named, dict) else ["default"], _typed(ctx, param), incomplete)


def runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Experiments that have run; the ids of runs once the beginning of one is typed."""
    from foldproof.project import Project
    from foldproof.records.store import RunStore

    try:
        store = RunStore.read(_in_time(reversed(Project.find(Path.cwd()).run_folders())))
    except (FoldproofError, OSError, ValueError, RecursionError):
        return []
    ids = sorted(run.run for run in store.runs) if incomplete[:1].isdigit() else []
    return _fitting([*sorted({run.title for run in store.runs}), *ids], _typed(ctx, param), incomplete)


def runs_or_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Runs; files and folders where no run begins so."""
    return runs(ctx, param, incomplete) or [CompletionItem(incomplete, type="file")]


def _in_time(folders: Iterable[Path]) -> Iterator[Path]:
    """As many of `folders` as can be read while somebody waits for the Tab key."""
    until = time.monotonic() + MOST_SECONDS
    for folder in folders:
        if time.monotonic() > until:
            return
        yield folder


def _typed(ctx: click.Context, param: click.Parameter) -> tuple[str, ...]:
    value = ctx.params.get(param.name or "")
    return tuple(value) if isinstance(value, tuple) else ()


def _fitting(names: Iterable[object], typed: tuple[str, ...], incomplete: str) -> list[CompletionItem]:
    from foldproof.config.schema import EXPERIMENT_NAME

    known = [str(name) for name in names]
    return [
        CompletionItem(name)
        for name in known
        if EXPERIMENT_NAME.fullmatch(name) and name.startswith(incomplete) and name not in typed
    ]
