"""Describe what can be compared: a run's summary and, if available, its out-of-fold table."""

from dataclasses import dataclass

from foldproof.analysis.out_of_fold import OutOfFold, read_out_of_fold
from foldproof.analysis.summary import Summary
from foldproof.errors import DamagedFile
from foldproof.records.record import RunRecord


@dataclass(frozen=True)
class Candidate:
    """A run to be compared. Without a table, `without_table` says why; scores of folds are then all that is known."""

    summary: Summary
    table: OutOfFold | None
    without_table: str = ""

    @staticmethod
    def of(record: RunRecord) -> "Candidate":
        """A run with the predictions in its folder; one whose predictions cannot be used is known by its scores."""
        try:
            table = read_out_of_fold(record)
        except DamagedFile as error:
            return Candidate(Summary.of(record), None, error.what)
        if len(table) == 0:
            return Candidate(Summary.of(record), None, "no fold has finished")
        return Candidate(Summary.of(record), table)
