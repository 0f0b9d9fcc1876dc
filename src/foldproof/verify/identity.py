"""Check that the hashes that identify a run follow from its record."""

import hashlib
import json
from collections.abc import Iterator

from foldproof import folds
from foldproof.config.identity import canonical_json, experiment_identity
from foldproof.config.read import resolved_experiment
from foldproof.config.recorded import SECTIONS
from foldproof.folds import Assignment, Fold
from foldproof.plan.tasks import fold_key
from foldproof.records.facts import range_in_use
from foldproof.records.record import read_journal
from foldproof.reproduce.recorded import CODE_DIFF, Recorded
from foldproof.storage import mapping_in, redact_uris
from foldproof.storage.secret_code import HIDDEN


def check_hashes(recorded: Recorded, assignments: tuple[Assignment, ...]) -> Iterator[str]:
    """Identity and digest of the folds, recomputed. The fingerprint was checked when the record was read."""
    facts = recorded.record.facts
    folds_digest = folds.digest(recorded.dataset, assignments)
    if folds_digest != facts["folds_digest"]:
        yield "folds.csv is not the assignment that run.json names"
    identity = experiment_identity(
        recorded.config,
        fingerprint=recorded.dataset.fingerprint,
        folds_digest=folds_digest,
        within=range_in_use(facts),
    )
    if identity != facts["identity"]:
        yield "the identity in run.json does not match its settings, images and folds"
    if _disagree(recorded):
        yield "the full settings in run.json do not match its identity"
    if list(recorded.dataset.classes) != facts["classes"]:
        yield "the classes in run.json are not those of the images"
    if len(recorded.dataset) != facts["images"]:
        yield f"run.json speaks of {facts['images']} images, dataset.json holds {len(recorded.dataset)}"
    started = recorded.record.started
    if started is not None:
        said = {
            "experiment": (started.experiment, facts["experiment"]),
            "identity": (started.identity, facts["identity"]),
            "fingerprint": (started.fingerprint, facts["fingerprint"]),
            "number of folds": (started.folds, recorded.config.folds.k),
            "number of repeats": (started.repeats, recorded.config.folds.repeats),
            "number of epochs": (started.epochs, recorded.config.train.epochs),
        }
        yield from (
            f"the run's journal has a different {name} from run.json" for name, (a, b) in said.items() if a != b
        )


def _disagree(recorded: Recorded) -> bool:
    """Whether the full settings say otherwise than those that were hashed, which leave some defaults out."""
    facts = recorded.record.facts
    if (full := facts.get("settings")) is None:
        return False
    known = json.loads(canonical_json(resolved_experiment(recorded.config)))
    for part, section in SECTIONS.items():
        hashed, said = facts["config"][part], full[section]
        expected = {key: hashed.get(key, known[section].get(key, said[key])) for key in said}
        if said != expected or not hashed.keys() <= said.keys():
            return True
    return False


def check_fold_key(recorded: Recorded, fold: Fold) -> Iterator[str]:
    """Whether a fold's journal was written for these settings, images, folds and this arithmetic."""
    stated = [event.about.get("fold_key") for event in read_journal(recorded.folder, fold.id)]
    keys = {
        fold_key(
            recorded.config,
            recorded.dataset,
            fold,
            image_size=recorded.record.facts.get("image_size"),
            numeric_class=environment.get("numeric_class"),
            within=range_in_use(recorded.record.facts),
        )
        for environment in recorded.environments
    }
    if set(stated) - keys - {None}:
        yield f"{fold.id}: its journal was written for different settings, images, folds or arithmetic"


def check_code(recorded: Recorded) -> Iterator[str]:
    """Whether the recorded changes to the code are those that were hashed."""
    stated = mapping_in(recorded.environment, "git").get("diff_sha256")
    if stated is not None and not recorded.code_diff:
        yield f"{CODE_DIFF} is missing: the code had changes that were not committed"
    if stated is None and recorded.code_diff:
        yield f"{CODE_DIFF} is there, but the code had no changes"
    if stated and recorded.code_diff and hashlib.sha256(recorded.code_diff).hexdigest() != stated:
        may_be_redacted = b"://" in recorded.code_diff or HIDDEN.encode() in recorded.code_diff
        if redact_uris(recorded.code_diff) == recorded.code_diff and not may_be_redacted:
            yield f"{CODE_DIFF} is not what was hashed"
