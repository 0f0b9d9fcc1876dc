"""Record how a table was judged: metric, range of practical equality, runs and statistics, stored beside it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from foldproof.config.identity import canonical_json, digest
from foldproof.errors import DamagedFile
from foldproof.records.record import RunRecord
from foldproof.storage import RunId

FILE_NAME = "judged.json"
STATISTICS = 3  # raised whenever the same predictions give another table
_SCHEMA_VERSION = 2  # 2: with the states of the runs
_MOST_NAME = 500  # characters of a metric's name
_MOST_ROPE = 1e9


@dataclass(frozen=True, kw_only=True)
class Judged:
    """`metric`: as the settings name it. `rope`: in the metric's units. `runs`: those of the comparison, in order.

    `states`: by run what it amounted to then, as `state_of` has it, since it may go on later.
    """

    metric: str
    rope: float
    runs: tuple[str, ...]
    states: Mapping[str, str] = field(default_factory=dict)
    statistics: int = STATISTICS

    def to_json(self) -> bytes:
        return canonical_json({"v": _SCHEMA_VERSION, **asdict(self)}) + b"\n"

    @staticmethod
    def parse(content: bytes) -> "Judged":
        """What the file says. Raises DamagedFile where no run writes it so."""
        try:
            said = json.loads(content)
            metric, rope, statistics = said["metric"], said["rope"], said["statistics"]
            runs: Sequence[object] = said["runs"]
            states = said.get("states", {})
            if not (isinstance(metric, str) and len(metric) <= _MOST_NAME and isinstance(runs, list)):
                raise TypeError("a metric and runs were expected")
            if not (isinstance(states, dict) and all(isinstance(state, str) for state in states.values())):
                raise TypeError("states of runs were expected")
            if type(statistics) is not int or type(rope) not in (int, float) or not 0 <= rope <= _MOST_ROPE:
                raise TypeError("numbers were expected")
            return Judged(
                metric=metric,
                rope=float(rope),
                statistics=statistics,
                runs=tuple(RunId.parse(run) for run in runs),
                states=states,
            )
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
            raise DamagedFile(f"{FILE_NAME} is not as a run writes it", next_step="restore it from a copy") from error


def state_of(record: RunRecord) -> str:
    """What a table can say of a run as it is now: another digest once it has gone on."""
    folds = [[*place, end.predictions_sha256] for place, end in record.finished.items()]
    return digest({"status": record.status, "folds": folds})
