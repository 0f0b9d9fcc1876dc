"""What a run left behind: run folders in; whether they are whole, equal, and hold what was acknowledged, out."""

from pathlib import Path

import pyarrow.parquet as pq

from foldproof.errors import DamagedFile
from foldproof.events import journal
from foldproof.events.types import CheckpointSaved, FoldFinished, from_json
from foldproof.records.record import RunRecord, read_events
from foldproof.training.checkpoint import Checkpoint, weights_sha256
from foldproof.training.resuming.state import read, read_latest
from foldproof.training.resuming.state_files import descriptions


def assert_equal_outcome(folder: Path, reference: Path) -> None:
    """Journals, weights, predictions and losses of a finished run are those of `reference`; the files say so too."""
    record = RunRecord.read(folder)
    assert (record.status, record.complete) == ("finished", True)
    assert journal.group_by_fold(read_events(folder)) == journal.group_by_fold(read_events(reference))
    for place, end in record.finished.items():
        here, there = place.folder(folder), place.folder(reference)
        model = Checkpoint.load(here / "model.safetensors")
        assert weights_sha256(model.weights) == end.weights_sha256
        assert pq.read_table(here / "predictions.parquet").equals(pq.read_table(there / "predictions.parquet"))
        assert (here / "steps.f32").read_bytes() == (there / "steps.f32").read_bytes()
        seqs = [event.seq for event in journal.read(here / journal.FILE_NAME)]
        assert seqs == list(range(len(seqs)))


def assert_nothing_acknowledged_is_lost(runs: Path, acknowledged: Path) -> int:
    """Every event that was passed on stands in a journal, word for word. How many there are."""
    if not acknowledged.exists():
        return 0
    told = [from_json(line) for line in acknowledged.read_bytes().splitlines()]
    kept = {event for folder in runs.glob("*/run.json") for event in map(repr, read_events(folder.parent))}
    assert [event for event in told if repr(event) not in kept] == []
    return len(told)


def assert_last_good_state_loads(runs: Path) -> int:
    """In every fold that is not finished, the last state that is recorded as saved loads. How many there are."""
    count = 0
    for path in runs.glob("*/fold-*/events.jsonl"):
        events = journal.read(path)
        saved = [e for e in events if isinstance(e.body, CheckpointSaved) and e.body.file.startswith("state-")]
        if not saved or any(isinstance(event.body, FoldFinished) for event in events):
            continue
        state, _ = read_latest(path.parent, fold_key=str(saved[-1].about["fold_key"]))
        assert state is not None
        assert state.name >= saved[-1].body.file  # type: ignore[union-attr]
        count += 1
    return count


def whole_states(folder: Path) -> list[str]:
    """Names of the states of a fold that read back."""
    names = []
    for path in descriptions(folder):
        try:
            names.append(read(path).name)
        except DamagedFile:
            continue
    return names
