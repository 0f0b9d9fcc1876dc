"""Check that no earlier run of the experiment was left out."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from foldproof.errors import DamagedFile
from foldproof.records.facts import FILE_NAME, MOST_BYTES, read_facts
from foldproof.reproduce.recorded import Recorded
from foldproof.storage import read_inside
from foldproof.verify.level import Check, checked, not_here


def check_runs(recorded: Recorded, beside: Iterable[Path], *, expected: bool) -> Check:
    """Every run names those of its experiment that were there when it began; all of them have to be here, unchanged.

    Runs that came later are known only where one that is here names them. Where they are not `expected`, as beside the
    folder of one run that was copied, one that lacks is no harm.
    """
    facts = recorded.record.facts
    if "before" not in facts:
        return not_here("company", "the run was made before runs named those of their experiment")
    there: dict[str, str] = {}
    named: dict[str, dict[str, str]] = {}
    for folder in beside:
        try:
            others = read_facts(folder)
            there[folder.name] = hashlib.sha256(read_inside(folder, FILE_NAME, most_bytes=MOST_BYTES)).hexdigest()
        except (DamagedFile, OSError):
            continue
        if (others["experiment"], others["identity"]) == (facts["experiment"], facts["identity"]) or (
            others["run"] == facts["run"]
        ):
            named[folder.name] = dict(others.get("before") or {})
    named[recorded.folder.name] = dict(facts["before"])
    problems = list(_left_out(named, there))
    if problems and not expected:
        return not_here("company", f"{len(problems)} earlier runs of this experiment are not beside it")
    count = len({run for before in named.values() for run in before})
    return checked("company", problems, f"{count} earlier runs of this experiment, none left out")


def _left_out(named: Mapping[str, Mapping[str, str]], there: Mapping[str, str]) -> Iterable[str]:
    said = set[str]()
    for run, before in named.items():
        for earlier, sha256 in before.items():
            if earlier in said:
                continue
            if earlier not in there:
                said.add(earlier)
                yield f"run {earlier} of this experiment, which {run} names, was left out"
            elif there[earlier] != sha256:
                said.add(earlier)
                yield f"the run.json of {earlier} is not the one that {run} names"
