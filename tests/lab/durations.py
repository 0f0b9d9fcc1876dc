"""Start the test files that take longest first: collected tests in, the same ordered by `durations.json` out.

`make durations` measures; a file that is not in the table counts by its number of slow tests.
"""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

TABLE = Path(__file__).parents[1] / "durations.json"
_UNKNOWN = {"fast": 0.05, "slow": 5.0}  # seconds of a test


class Durations:
    """Orders what was collected, and measures where FOLDPROOF_DURATIONS is set."""

    def __init__(self, table: Path = TABLE) -> None:
        self._table = table
        self._measured: Counter[tuple[str, str]] = Counter()

    @pytest.hookimpl(trylast=True)  # of those that are left
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        known = json.loads(self._table.read_text()) if self._table.exists() else {}
        tests = Counter((_file(item.nodeid), _kind(item.keywords)) for item in items)
        seconds: Counter[str] = Counter()
        for (file, kind), count in tests.items():
            seconds[file] += known.get(file, {}).get(kind, count * _UNKNOWN[kind])
        items.sort(key=lambda item: -seconds[_file(item.nodeid)])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._measured[_file(report.nodeid), _kind(report.keywords)] += report.duration

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not os.environ.get("FOLDPROOF_DURATIONS") or hasattr(session.config, "workerinput"):
            return
        found: dict[str, dict[str, float]] = {}
        for (file, kind), seconds in sorted(self._measured.items()):
            found.setdefault(file, {})[kind] = round(seconds, 1)
        lines = (f"{json.dumps(file)}: {json.dumps(kinds)}" for file, kinds in found.items())
        self._table.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _kind(keywords: object) -> str:
    return "slow" if "slow" in keywords or "thorough" in keywords else "fast"  # type: ignore[operator]
