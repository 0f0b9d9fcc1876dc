"""Offer the commands as functions that return values with tables."""

import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from foldproof import registry
from foldproof.analysis.candidate import Candidate
from foldproof.analysis.compare import compare_runs
from foldproof.cli.chosen import chosen_records
from foldproof.cli.signals import Interruption, stopping_by_signals
from foldproof.config.check import sections
from foldproof.config.read import load_settings
from foldproof.config.schema import SETTINGS_FILES
from foldproof.errors import ProjectError, SettingsError
from foldproof.executors.stopping import Stopping
from foldproof.metrics import metric_of
from foldproof.notebook.values import Compared, Run, Runs
from foldproof.plan.options import RunOptions
from foldproof.project import Project
from foldproof.records.record import RunRecord
from foldproof.records.store import RunStore, read_records, seen_now
from foldproof.storage import cleaned_lines, redact
from foldproof.trackers.mlflow.target import read_here, read_instead, resolve_target
from foldproof.workflow import run as train

Names: TypeAlias = str | Sequence[str]
Place: TypeAlias = str | os.PathLike[str] | None


def run(
    path: Place = None,
    *,
    names: Names = (),
    overrides: Mapping[str, Any] | Sequence[str] = (),
    resume: bool = False,
    again: bool = False,
    reuse: bool = True,
    folds: Sequence[int] = (),
    allow_dirty: bool = False,
    quiet: bool = False,
) -> Runs:
    """Train the experiments named, or all of the settings file, as `foldproof run` does; progress goes to stderr.

    `path`: the project's folder or its settings file; else the project of the current folder. `overrides`: changed
    settings, as {"train.lr": 0.01} or ["train.lr=0.01"]. Completed experiments are skipped unless `again`; `reuse`:
    first epochs that another experiment has trained are taken from it. A fold that failed shows in its run's status.
    Interrupted, each fold ends with a checkpoint; KeyboardInterrupt is then raised, and `resume=True` goes on.
    """
    project = _project(path)
    loaded = load_settings(project.settings_file, overrides=_spelled(overrides))
    typed = _spelled(overrides)
    tracking = loaded.settings.tracking
    target = resolve_target(tracking, project, read_here(os.environ), overrides=typed) if tracking.to_mlflow else None
    with _stopping() as (stopping, interruption):
        report = train(
            project,
            loaded,
            names=_listed(names),
            options=RunOptions(
                resume=resume, folds=frozenset((None, fold) for fold in folds) or None, again=again, reuse=reuse
            ),
            target=target,
            trackers=tracking.told,
            allow_dirty=allow_dirty,
            quiet=quiet,
            stopping=stopping,
        )
    for notice in (*(report.notices if quiet or report.was_done else ()), *report.closing_notices):
        print(cleaned_lines(f"note: {notice.text}"), file=sys.stderr)
    if target is not None and (other := read_instead(target.uri)):
        there = redact(target.uri)
        print(
            f"note: these runs are in {there}; mlflow reads {other} here: mlflow.set_tracking_uri({there!r})",
            file=sys.stderr,
        )
    if interruption.number:
        raise KeyboardInterrupt("interrupted; foldproof.run(..., resume=True) goes on")
    order = [config.name for config in loaded.experiments]
    records = sorted(map(RunRecord.read, report.statuses), key=lambda record: order.index(record.experiment))
    return Runs(tuple(map(Run, records)))


def load(wanted: str | os.PathLike[str], *, path: Place = None) -> Run:
    """A recorded run: by its id, its experiment's name (the newest), the beginning of its id, or its folder.

    Raises RunNotFound, and DamagedFile for a record that cannot be read.
    """
    if (Path(wanted) / "run.json").is_file():
        return Run(seen_now(RunRecord.read(Path(wanted))))
    (found,) = RunStore.read(_project(path).run_folders()).find([str(wanted)])
    return Run(seen_now(found.record))


def runs(path: Place = None) -> Runs:
    """Everything that has run, oldest first. `damaged` says which runs cannot be read, and why."""
    store = RunStore.read(_project(path).run_folders())
    records, unread = read_records(store.runs)
    return Runs(tuple(map(Run, records)), damaged=tuple(map(str, {**store.damaged, **unread}.values())))


def compare(*which: "str | Run", metric: str | None = None, path: Place = None) -> Compared:
    """Runs side by side, as `foldproof compare` puts them: those given, or the newest of each experiment.

    `metric`: instead of the one in the settings. Raises RunNotFound where nothing has run, UnknownName.
    """
    project = _project(path)
    settings = load_settings(project.settings_file).settings.compare
    metric = metric or settings.metric
    if metric != "auto":
        registry.make_named_importable(project.root, [metric])
        metric_of(metric)
    store = RunStore.read(project.run_folders())
    records = tuple(
        record
        for one in which or [None]
        for record in ((one.record,) if isinstance(one, Run) else chosen_records(store, [one] if one else [])[0])
    )
    settings = replace(settings, metric=metric)
    return Compared(compare_runs([Candidate.of(record) for record in records], settings, store))


def _project(path: Place) -> Project:
    """The project meant. Raises ProjectError."""
    where = Path.cwd() if path is None else Path(path).expanduser()
    if where.is_file():
        if where.name not in SETTINGS_FILES:
            raise ProjectError(
                f"{where} is no settings file of a project", next_step=f"it is called {' or '.join(SETTINGS_FILES)}"
            )
        return Project(where.resolve())
    if not where.is_dir():
        raise ProjectError(f"there is no {where}", next_step="name a project's folder or its settings file")
    return Project.find(where)


def _listed(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _spelled(overrides: Mapping[str, Any] | Sequence[str]) -> tuple[str, ...]:
    """As `--set` takes them; JSON is YAML. Sections may hold settings, as in the file."""
    if isinstance(overrides, Mapping):
        return tuple(f"{key}={_as_json(key, value)}" for key, value in _flat(overrides))
    return tuple(overrides)


def _flat(overrides: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in overrides.items():
        if key in sections() and isinstance(value, Mapping):
            yield from ((f"{key}.{name}", inner) for name, inner in value.items())
        else:
            yield key, value


def _as_json(key: str, value: Any) -> str:
    """Numbers and arrays of numpy, and paths, are what they hold."""

    def plain(item: Any) -> Any:
        if isinstance(item, os.PathLike):
            return os.fspath(item)
        if hasattr(item, "tolist"):
            return item.tolist()
        raise TypeError

    try:
        if isinstance(value, Mapping):
            value = {name.item() if hasattr(name, "item") else name: one for name, one in value.items()}
        return json.dumps(value, default=plain)
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"{key}: a {type(value).__name__} is no value of a setting", next_step="give a number, a text or a list"
        ) from error


@contextmanager
def _stopping() -> Iterator[tuple[Stopping, Interruption]]:
    """Signals are heeded where they can be: in the main thread."""
    if threading.current_thread() is threading.main_thread():
        with stopping_by_signals() as both:
            yield both
        return
    stopping = Stopping()
    try:
        yield stopping, Interruption()
    finally:
        stopping.close()
