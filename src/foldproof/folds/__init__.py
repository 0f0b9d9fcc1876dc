"""Split a dataset into folds by labels, groups and a seed. Pure."""

from foldproof.folds.cut import STRATIFIED, Assignment, Fold, Scheme, assign, assign_at_most, digest, split_digest
from foldproof.folds.derived import lacking_classes
from foldproof.folds.schemes import FoldScheme, SchemeInput, find_folds, is_ordered
from foldproof.folds.table import COLUMNS, SCHEMA_VERSION, Row, from_csv, known_folds, make_rows, merge, rows_of, to_csv

__all__ = [
    "COLUMNS",
    "SCHEMA_VERSION",
    "STRATIFIED",
    "Assignment",
    "Fold",
    "FoldScheme",
    "Row",
    "Scheme",
    "SchemeInput",
    "assign",
    "assign_at_most",
    "digest",
    "find_folds",
    "from_csv",
    "is_ordered",
    "known_folds",
    "lacking_classes",
    "make_rows",
    "merge",
    "rows_of",
    "split_digest",
    "to_csv",
]
