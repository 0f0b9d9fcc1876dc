"""Cut a dataset into folds: labels, groups and a seed in, assignments out. Pure."""

from foldproof.folds.cut import Assignment, Fold, Scheme, assign, assign_at_most, digest, split_digest
from foldproof.folds.table import COLUMNS, SCHEMA_VERSION, Row, from_csv, known_folds, merge, to_csv, to_rows

__all__ = [
    "COLUMNS",
    "SCHEMA_VERSION",
    "Assignment",
    "Fold",
    "Row",
    "Scheme",
    "assign",
    "assign_at_most",
    "digest",
    "from_csv",
    "known_folds",
    "merge",
    "split_digest",
    "to_csv",
    "to_rows",
]
