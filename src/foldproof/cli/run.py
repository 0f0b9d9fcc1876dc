"""`foldproof run`."""

import os
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foldproof.cli import complete
from foldproof.cli.here import project_here
from foldproof.cli.out import echo, echo_json
from foldproof.errors import FoldsError
from foldproof.storage import cleaned_lines

if TYPE_CHECKING:
    from foldproof.events.types import Notice
    from foldproof.plan.options import RunOptions
    from foldproof.project import Project


class Folds(click.ParamType[frozenset[tuple[int | None, int]]]):
    """`0,3`: folds of every repeat; `1.3`: fold 3 of repeat 1."""

    name = "folds"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> frozenset[tuple[int | None, int]]:
        chosen = set()
        for part in str(value).split(","):
            match = re.fullmatch(r"\s*(?:([0-9]{1,3})\.)?([0-9]{1,3})\s*", part)
            if match is None:
                self.fail(f"'{value}' names no folds; write it as 2 or 0,3, or 1.3 for fold 3 of repeat 1", param, ctx)
            chosen.add((None if match[1] is None else int(match[1]), int(match[2])))
        return frozenset(chosen)


@click.command("run")
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=complete.experiments)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting, as in train.lr=0.01.")
@click.option("--repeats", type=click.IntRange(1, 100), help="Short for --set folds.repeats=N.")
@click.option("--resume", is_flag=True, help="Continue interrupted runs; retrain only folds that failed.")
@click.option(
    "--fold",
    "folds",
    type=Folds(),
    metavar="N,…",
    help="Train only these folds; other folds can join the same run later.",
)
@click.option("--again", is_flag=True, help="Retrain from scratch, even if a complete run exists.")
@click.option("--no-reuse", is_flag=True, help="Train every epoch, even those shared with another experiment.")
@click.option("--reseed", is_flag=True, help="Retrain one fold with a different seed, to tell bad data from bad luck.")
@click.option("--try", "rehearsed", is_flag=True, help="Try every step on 1 fold, 1 epoch, 200 images; keep nothing.")
@click.option("--plan", is_flag=True, help="Show what would be trained, how long it takes and what it writes.")
@click.option("--profile", is_flag=True, help="Show where the time went.")
@click.option("--allow-dirty", is_flag=True, help="Train even if images differ from the versioned ones (recorded).")
@click.option("--quiet", "-q", is_flag=True, help="Show only what failed, and the result.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(
    names: tuple[str, ...],
    overrides: tuple[str, ...],
    repeats: int | None,
    resume: bool,
    folds: frozenset[tuple[int | None, int]] | None,
    again: bool,
    no_reuse: bool,
    reseed: bool,
    rehearsed: bool,
    plan: bool,
    profile: bool,
    allow_dirty: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Train experiments under cross-validation: those named, or all of the settings file.

    Completed experiments are skipped, with a note. Ctrl-C stops with a checkpoint; `--resume` continues from there,
    to the same bits.

    \b
    foldproof run
    foldproof run FirstRun --set train.lr=0.01
    foldproof run --try
    foldproof run --plan
    foldproof run --profile
    foldproof run --resume
    foldproof run FirstRun --again
    foldproof run FirstRun --fold 3 --reseed
    """
    from foldproof.plan.options import RunOptions

    if repeats is not None:
        overrides = (*overrides, f"folds.repeats={repeats}")
    if reseed and (folds is None or resume):
        raise FoldsError(
            "--reseed trains one fold again, from its beginning",
            next_step="say which, as in `foldproof run FirstRun --fold 3 --reseed`",
        )
    if again and (resume or reseed or rehearsed or folds is not None):
        raise FoldsError(
            "--again retrains complete experiments: it cannot be combined with --fold, --resume, --reseed or --try",
            next_step="`foldproof run --again`, or with the names of experiments",
        )
    options = RunOptions(resume=resume, folds=folds, reseed=reseed, again=again, reuse=not (no_reuse or reseed))
    if rehearsed:
        if resume or reseed or plan or folds is not None:
            raise FoldsError(
                "--try is of one fold of a new run, and goes with none of --fold, --resume, --reseed and --plan",
                next_step="`foldproof run --try`, or with the names of experiments",
            )
        return show_rehearsal(names, overrides=overrides, allow_dirty=allow_dirty, quiet=quiet, as_json=as_json)
    if plan:
        return show_plan(names, overrides=overrides, options=options, allow_dirty=allow_dirty, as_json=as_json)
    return train_and_compare(
        names,
        overrides=overrides,
        options=options,
        profile=profile,
        allow_dirty=allow_dirty,
        quiet=quiet,
        as_json=as_json,
    )


def train_and_compare(
    names: tuple[str, ...] = (),
    *,
    overrides: tuple[str, ...] = (),
    options: "RunOptions | None" = None,
    profile: bool = False,
    allow_dirty: bool = False,
    quiet: bool = False,
    as_json: bool = False,
) -> int:
    """Train, then print the comparison of what was trained.

    0 when every fold finished, 1 when one failed, 128 and the signal's number when it was interrupted.
    """
    from foldproof.analysis.as_json import comparison_json
    from foldproof.analysis.candidate import Candidate
    from foldproof.analysis.compare import compare_runs
    from foldproof.cli.progress import shown_progress
    from foldproof.cli.show import print_comparison
    from foldproof.cli.show_profile import print_profile, profile_json
    from foldproof.cli.signals import stopping_by_signals
    from foldproof.plan.options import ONLY_CHANGED
    from foldproof.records.store import RunStore, read_records
    from foldproof.trackers.mlflow.target import resolve_target
    from foldproof.trackers.terminal import Terminal
    from foldproof.workflow import run

    project, loaded = project_here(overrides)
    tracking = loaded.settings.tracking
    with stopping_by_signals() as (stopping, interruption), shown_progress(quiet=quiet or as_json) as progress:
        report = run(
            project,
            loaded,
            names=names,
            options=options or ONLY_CHANGED,
            target=resolve_target(tracking, project, os.environ, overrides=overrides) if tracking.to_mlflow else None,
            trackers=tracking.told,
            allow_dirty=allow_dirty,
            quiet=quiet or as_json,
            progress=progress,
            stopping=stopping,
            profiled=profile,
        )
    notices = (*(report.notices if quiet or as_json else ()), *report.closing_notices)
    if report.was_done and not (quiet or as_json):
        print_notices(report.notices)
    if interruption.number:
        print_notices(notices)
        how = "the same command starts over" if options and options.reseed else "`foldproof run --resume` goes on"
        echo(f"interrupted; {how}", err=True)
        return interruption.code
    if options and options.reseed:
        print_reseeded(project, *report.statuses, as_json=as_json)
        print_notices(notices)
        return 0 if report.all_finished else 1
    store = RunStore.read(project.run_folders())
    records, _ = read_records(stored for stored in store.runs if stored.folder in report.statuses)
    comparison = compare_runs([Candidate.of(record) for record in records], loaded.settings.compare, store)
    if as_json:
        more = {"profile": profile_json(report.spent)} if profile else {}
        echo_json({**comparison_json(comparison), **more})
    else:
        console = Terminal()
        console.print()
        print_comparison(comparison, console)
        if report.spent:
            print_profile(report.spent, console)
    print_notices(notices)
    return 0 if report.all_finished else 1


def show_plan(
    names: tuple[str, ...], *, overrides: tuple[str, ...], options: "RunOptions", allow_dirty: bool, as_json: bool
) -> int:
    """Print what the same command would train; nothing is trained and no run is begun."""
    from foldproof.cli.progress import shown_progress
    from foldproof.cli.show_plan import print_plan
    from foldproof.trackers.terminal import Terminal
    from foldproof.workflow import preview_run

    project, loaded = project_here(overrides)
    with shown_progress(quiet=as_json) as progress:
        preview = preview_run(project, loaded, names=names, options=options, allow_dirty=allow_dirty, progress=progress)
    if as_json:
        echo_json(preview.to_json())
        return 0
    print_plan(preview, Terminal())
    print_notices(preview.notices)
    return 0


def show_rehearsal(
    names: tuple[str, ...], *, overrides: tuple[str, ...], allow_dirty: bool, quiet: bool, as_json: bool
) -> int:
    """Rehearse, and print step by step whether it works; 0 when all does, 1 when not."""
    from foldproof.cli.progress import shown_progress
    from foldproof.cli.show_plan import print_rehearsed
    from foldproof.cli.signals import stopping_by_signals
    from foldproof.rehearsal.rehearse import rehearse
    from foldproof.trackers.mlflow.target import resolve_target
    from foldproof.trackers.terminal import Terminal

    project, loaded = project_here(overrides)
    tracking = loaded.settings.tracking
    with stopping_by_signals() as (stopping, interruption), shown_progress(quiet=quiet or as_json) as progress:
        found = rehearse(
            project,
            loaded,
            names=names,
            target=resolve_target(tracking, project, os.environ, overrides=overrides) if tracking.to_mlflow else None,
            allow_dirty=allow_dirty,
            progress=progress,
            stopping=stopping,
        )
    if interruption.number:
        echo("interrupted; nothing is kept", err=True)
        return interruption.code
    if as_json:
        echo_json(found.to_json())
    else:
        print_rehearsed(found, Terminal())
        print_notices(found.notices)
    return 0 if found.is_well else 1


def print_notices(notices: Iterable["Notice"]) -> None:
    """A line on stderr for each."""
    for notice in notices:
        echo(cleaned_lines(f"note: {notice.text}"), err=True)


def print_reseeded(project: "Project", again: Path, *, as_json: bool) -> None:
    """Whether a fold differs by its images or by its training: a sentence, or with `as_json` a document."""
    from foldproof.analysis.diagnosis import reseeded
    from foldproof.records.record import RunRecord

    record = RunRecord.read(again)
    reseed = record.reseed
    assert reseed is not None
    found = reseeded(RunRecord.read(project.runs / reseed.run), record)
    if as_json:
        told = {"code": found.code, "text": found.text, "evidence": dict(found.evidence)}
        document = {"v": 1, "run": record.run, "reseed_of": asdict(reseed), "diagnosis": told}
        echo_json(document)
    else:
        echo(cleaned_lines(found.text))
