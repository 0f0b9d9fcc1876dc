"""Check a run's record level by level, as far as this place allows. Start reading here.

L0 needs the record alone, L1 weights and images, L2 one epoch of training; `reproduce` is L3.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from foldproof.data.survey import Progress, no_progress
from foldproof.errors import DamagedFile
from foldproof.folds import Fold
from foldproof.project import Project
from foldproof.records.facts import read_facts
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.recorded import Recorded
from foldproof.verify import artifacts, identity, scores, sibling_runs, splits, training_log
from foldproof.verify.level import TITLES, Check, Level, Verification, checked, not_here

HIGHEST = 2


def verify(
    subject: RecordSource,
    project: Project | None,
    *,
    highest: int = HIGHEST,
    trust_code: bool = False,
    heard: Callable[[Level], None] = lambda _: None,
    progress: Progress = no_progress,
) -> Verification:
    """Check the levels up to `highest`, and no further than the first that is broken.

    `heard` is told of every level as soon as it is done. Raises DamagedFile where not even run.json can be read.
    """
    started = time.monotonic()
    facts = read_facts(subject.folder)
    recorded: Recorded | None = None
    try:
        recorded = Recorded.read(subject.folder)
        checks = list(_record(recorded, subject))
    except DamagedFile as error:
        checks = [checked("journals", [error.what], "")]
    levels = [Level(number=0, title=TITLES[0], checks=tuple(checks), seconds=time.monotonic() - started)]
    heard(levels[0])
    if recorded is not None and highest > 0 and levels[0].state != "broken":
        from foldproof.verify.trained import check_further

        for level in check_further(
            recorded, subject, project, highest=highest, trust_code=trust_code, progress=progress
        ):
            levels.append(level)
            heard(level)
    return Verification(
        run=str(facts["run"]),
        experiment=str(facts["experiment"]),
        levels=tuple(levels),
        training_seconds=recorded.record.seconds if recorded else None,
    )


def _record(recorded: Recorded, subject: RecordSource) -> Iterator[Check]:
    """The checks of L0."""
    record = recorded.record
    events = sum(map(len, record.epochs.values())) + len(record.finished)
    yield checked("journals", [], f"whole and in order; {events} epochs and results of {len(record.epochs)} folds")
    assignments, problems = splits.assignments_of(recorded)
    if not problems:
        problems = [*splits.check_leaks(recorded, assignments), *splits.check_held_out(recorded)]
    parts = recorded.config.folds
    apart = "" if recorded.held_out is None else f"; {len(recorded.held_out):,} held out, in none"
    said = f"{parts.k} folds, {parts.repeats} times; no image, copy or group in two of them{apart}"
    yield checked("folds", problems, said)
    if problems:
        yield not_here("results", "without folds that hold, nothing else can be checked")
        return
    yield checked(
        "identity",
        [*identity.check_hashes(recorded, assignments), *identity.check_code(recorded)],
        f"settings, {len(recorded.dataset):,} images and folds match the identity of the run"
        + ("" if record.facts.get("settings") else "; defaults of settings are not recorded"),
    )
    for name, look, said in (
        ("training", _training, "losses of all steps, epochs and rates fit"),
        ("scores", _scores, "every score follows from the predictions"),
    ):
        folds = (fold for made in assignments for fold in made.folds(parts.k))
        yield checked(name, [f"{fold.id}: {problem}" for fold in folds for problem in look(recorded, fold)], said)
    others = _others(recorded.folder)
    yield sibling_runs.check_runs(recorded, others, expected=subject.with_company or not subject.is_foreign)
    yield artifacts.check_files(recorded.folder)
    yield artifacts.check_tables(record, others)


def _training(recorded: Recorded, fold: Fold) -> Iterator[str]:
    if fold.id in recorded.record.epochs:
        yield from training_log.check_fold(recorded, fold)
        yield from training_log.check_states(recorded, fold.id)
        yield from identity.check_fold_key(recorded, fold)


def _scores(recorded: Recorded, fold: Fold) -> Iterator[str]:
    if fold.id in recorded.record.finished:
        yield from scores.check_fold(recorded, fold)


def _others(folder: Path) -> tuple[Path, ...]:
    """Runs that stand beside this one: of the same project, or in the same bundle."""
    return tuple(sorted(path.parent for path in folder.resolve().parent.glob("*/run.json")))
