"""Write metrics.json and plots/ for `dvc metrics diff` and `dvc plots diff`.

Written where the project's dvc.yaml asks for them. They hold results alone, so that the same experiment leaves the same
bytes, and DVC can tell that nothing has changed.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from foldproof.errors import DamagedFile
from foldproof.project import METRICS_FILE, PLOTS_FOLDER, Project
from foldproof.records.facts import reseed_of
from foldproof.records.record import RunRecord, Spread
from foldproof.storage import parse_json, read_file, write_atomically
from foldproof.storage.limits import PIPELINE_BYTES

DVC_FILE = "dvc.yaml"
_SERIES = ("val_accuracy", "val_loss", "train_accuracy", "train_loss")


def write_dvc_files(project: Project, records: Iterable[RunRecord]) -> None:
    """Write what these runs amount to; experiments that are not among them keep what is there. Raises StorageError."""
    if not _is_asked_for(project):
        return
    metrics = _metrics_there(project)
    for record in records:
        if record.finished and reseed_of(record.facts) is None:
            metrics[record.experiment] = _summary(record)
            path = project.for_dvc / PLOTS_FOLDER / f"{record.experiment}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, _epochs(record))
    write_atomically(project.for_dvc / METRICS_FILE, json.dumps(metrics, indent=1, sort_keys=True) + "\n")


def _is_asked_for(project: Project) -> bool:
    with suppress(OSError, DamagedFile):
        return METRICS_FILE.encode() in read_file(project.root / DVC_FILE, most_bytes=PIPELINE_BYTES)
    return False


def _metrics_there(project: Project) -> dict[str, Any]:
    with suppress(OSError, ValueError, DamagedFile):
        found = parse_json(read_file(project.for_dvc / METRICS_FILE, most_bytes=PIPELINE_BYTES))
        if isinstance(found, dict):
            return found
    return {}


def _summary(record: RunRecord) -> Mapping[str, Any]:
    values = {
        "accuracy_mean": record.last_accuracy.mean,
        "accuracy_sd": record.last_accuracy.sd,
        "loss_mean": record.last_loss.mean,
    }
    known = {name: value for name, value in values.items() if math.isfinite(value)}
    return {**known, "folds": len(record.finished)}


def _epochs(record: RunRecord) -> str:
    """A row an epoch: means over the folds that have it."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["epoch", *_SERIES])
    last = max(map(len, record.epochs.values()))
    for epoch in range(last):
        there = [epochs[epoch] for epochs in record.epochs.values() if len(epochs) > epoch]
        writer.writerow([epoch + 1, *(repr(Spread.of(getattr(one, name) for one in there).mean) for name in _SERIES)])
    return lines.getvalue()
