"""Cut a dataset into folds: labels, groups and a seed in, assignments out. Pure."""

from foldproof.folds.cut import STRATIFIED, TIME, Assignment, Fold, Scheme, assign, assign_at_most, digest, split_digest
from foldproof.folds.derived import as_written, in_time, lacking_classes, one_group_a_fold
from foldproof.folds.table import COLUMNS, SCHEMA_VERSION, Row, from_csv, known_folds, merge, rows_of, to_csv, to_rows

__all__ = [
    "COLUMNS",
    "SCHEMA_VERSION",
    "STRATIFIED",
    "TIME",
    "Assignment",
    "Fold",
    "Row",
    "Scheme",
    "as_written",
    "assign",
    "assign_at_most",
    "digest",
    "from_csv",
    "in_time",
    "known_folds",
    "lacking_classes",
    "merge",
    "one_group_a_fold",
    "rows_of",
    "split_digest",
    "to_csv",
    "to_rows",
]
