"""Read and check everything that is needed to train a run again. Runs nothing of it."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof import folds
from foldproof.analysis.divergence import FoldTrace
from foldproof.config.recorded import own_code, recorded_config
from foldproof.config.schema import ExperimentConfig
from foldproof.data.dataset import Dataset
from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.folds import Row
from foldproof.records.facts import HELD_OUT, read_environment
from foldproof.records.record import RunRecord
from foldproof.storage import Commit, decode_text, mapping_in, read_if_there, read_inside, read_json_inside

CODE_DIFF = "code.diff"
_MOST_BYTES = 4 * 2**30
_MOST_STEPS_BYTES = 2**32


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A run as its folder has it. `environments`: the first is of its beginning, others of each time it went on."""

    folder: Path
    record: RunRecord
    config: ExperimentConfig
    dataset: Dataset
    folds_table: str
    rows: tuple[Row, ...]
    environments: tuple[Mapping[str, Any], ...]
    code_diff: bytes
    held_out: Dataset | None = None

    @staticmethod
    def read(folder: Path) -> "Recorded":
        """The run in `folder`. Raises DamagedFile where a file of it is missing or not as it was written."""
        record = RunRecord.read(folder)
        dataset = Dataset.from_json(_json(folder, "dataset.json"))
        if dataset.fingerprint != record.facts["fingerprint"]:
            raise DamagedFile(f"{folder / 'dataset.json'} is of other images than run.json", next_step=_OTHER_COPY)
        with _needed(folder, "folds.csv"):
            content = read_inside(folder, "folds.csv", most_bytes=_MOST_BYTES)
        table = decode_text(content, name=str(folder / "folds.csv"))
        environments = (read_environment(folder), *_later_environments(folder))
        return Recorded(
            folder=folder,
            record=record,
            config=recorded_config(record.facts),
            dataset=dataset,
            folds_table=table,
            rows=tuple(folds.from_csv(table)),
            environments=environments,
            code_diff=read_if_there(folder, CODE_DIFF, most_bytes=_MOST_BYTES) or b"",
            held_out=Dataset.from_json(_json(folder, HELD_OUT)) if record.facts.get("held_out") else None,
        )

    @property
    def environment(self) -> Mapping[str, Any]:
        return self.environments[0]

    @property
    def commit(self) -> Commit | None:
        """The git commit it was made with; None where there was none, or what is recorded is none."""
        with suppress(DamagedFile):
            return Commit.parse(mapping_in(self.environment, "git").get("commit"))
        return None

    @property
    def own_code(self) -> tuple[str, ...]:
        """Names in its settings that lead to code of the user's."""
        return own_code(self.config)

    @property
    def has_whole_diff(self) -> bool:
        """Whether the uncommitted changes are recorded bit for bit: passwords in them are taken out."""
        stated = mapping_in(self.environment, "git").get("diff_sha256")
        return stated is None or hashlib.sha256(self.code_diff).hexdigest() == stated

    def trace(self, fold_id: FoldId) -> FoldTrace:
        """What a fold recorded. Raises DamagedFile."""
        return FoldTrace.of(self.record, fold_id, losses(self.folder, fold_id))


def losses(folder: Path, fold_id: FoldId) -> NDArray[np.float32] | None:
    """The loss of every step that a fold recorded; None where there is no file of them.  # [step] float32"""
    content = read_if_there(folder, f"{fold_id.folder_name}/steps.f32", most_bytes=_MOST_STEPS_BYTES)
    if content is None:
        return None
    return np.frombuffer(content[: len(content) // 4 * 4], dtype="<f4").astype(np.float32)


_OTHER_COPY = "restore the record from a copy"


def _later_environments(folder: Path) -> list[dict[str, Any]]:
    names = sorted((path.name for path in folder.glob("environment-*.json")), key=lambda name: (len(name), name))
    return [_json(folder, name) for name in names]


def _json(folder: Path, name: str) -> dict[str, Any]:
    with _needed(folder, name):
        return read_json_inside(folder, name, most_bytes=_MOST_BYTES)


@contextmanager
def _needed(folder: Path, name: str) -> Iterator[None]:
    """Raises DamagedFile where a file of the record that is read in the block is not there."""
    try:
        yield
    except FileNotFoundError:
        raise DamagedFile(f"{folder} has no {name}", next_step=_OTHER_COPY) from None
