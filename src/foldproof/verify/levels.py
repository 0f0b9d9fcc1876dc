"""Check a run's record level by level, as far as this place allows. Start reading here.

L0 needs the record alone, L1 weights and images, L2 one epoch of training; `reproduce` is L3.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from foldproof.data.survey import Progress, no_progress
from foldproof.errors import DamagedFile
from foldproof.folds import Assignment
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
    yield checked("training", _of_folds(recorded, assignments, _training), "losses of all steps, epochs and rates fit")
    yield checked("scores", _of_folds(recorded, assignments, _scores), "every score follows from the predictions")
    others = _others(recorded.folder)
    yield sibling_runs.check_runs(recorded, others, expected=subject.with_company or not subject.is_foreign)
    yield artifacts.check_files(recorded.folder)
    yield artifacts.check_tables(record, others)


def _training(recorded: Recorded, assignments: tuple[Assignment, ...]) -> Iterator[tuple[str, Iterable[str]]]:
    for made in assignments:
        for fold in made.folds(recorded.config.folds.k):
            if fold.id in recorded.record.epochs:
                yield (
                    str(fold.id),
                    [
                        *training_log.check_fold(recorded, fold),
                        *training_log.check_states(recorded, fold.id),
                        *identity.check_fold_key(recorded, fold),
                    ],
                )


def _scores(recorded: Recorded, assignments: tuple[Assignment, ...]) -> Iterator[tuple[str, Iterable[str]]]:
    for made in assignments:
        for fold in made.folds(recorded.config.folds.k):
            if fold.id in recorded.record.finished:
                yield str(fold.id), scores.check_fold(recorded, fold)


def _of_folds(
    recorded: Recorded,
    assignments: tuple[Assignment, ...],
    look: Callable[[Recorded, tuple[Assignment, ...]], Iterator[tuple[str, Iterable[str]]]],
) -> list[str]:
    return [f"{name}: {problem}" for name, problems in look(recorded, assignments) for problem in problems]


def _others(folder: Path) -> tuple[Path, ...]:
    """Runs that stand beside this one: of the same project, or in the same bundle."""
    return tuple(sorted(path.parent for path in folder.resolve().parent.glob("*/run.json")))
