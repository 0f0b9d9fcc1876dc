"""The runs that a command is about: what was typed in, their records and what cannot be read out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from foldproof.config.schema import EXPERIMENT_NAME
from foldproof.errors import DamagedFile, RunNotFound
from foldproof.facts import read_facts, reseed_of
from foldproof.plan.begun import seen_now
from foldproof.project import Project, choose_folders
from foldproof.record import RunRecord, experiments_of, read_records


def chosen_records(project: Project, runs: Sequence[str]) -> tuple[tuple[RunRecord, ...], Mapping[Path, DamagedFile]]:
    """The runs named, or else the newest of each experiment, oldest first, and the runs that cannot be read.

    Raises RunNotFound where nothing has run, and what is wrong with a run that is named.
    """
    experiments, damaged = experiments_of(project.run_folders())
    if runs:
        records = tuple(RunRecord.read(folder) for folder in choose_folders(runs, experiments, damaged))
        damaged = {}
    else:
        newest = {
            experiments[folder]: folder
            for folder in sorted(experiments)
            if EXPERIMENT_NAME.fullmatch(experiments[folder])  # not a fold that was trained again
        }
        records, unread = read_records(sorted(newest.values()))
        damaged |= unread
        if not records and not damaged:
            raise RunNotFound("nothing has run yet", next_step="start with `foldproof run`")
    return tuple(map(seen_now, records)), damaged


def scored_on(project: Project, records: Sequence[RunRecord]) -> int | None:
    """How many experiments have been scored on the images of `records`; None where these are not the same images."""
    fingerprints = {record.facts["fingerprint"] for record in records}
    if len(fingerprints) != 1:
        return None
    identities = set()
    for folder in project.run_folders():
        try:
            facts = read_facts(folder)
        except DamagedFile:
            continue
        if facts["fingerprint"] in fingerprints and reseed_of(facts) is None:
            identities.add(facts["identity"])
    return len(identities)
