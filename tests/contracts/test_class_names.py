"""A class name means one thing in the package: whoever reads it need not ask which of two is meant."""

import ast
from collections import defaultdict
from pathlib import Path

import foldproof

ROOT = Path(foldproof.__file__).parent
STILL_TWICE = {  # take a line out when its second place has a name of its own
    "Curve",  # analysis, analysis/statistics
    "Drawn",  # analysis/report, training
    "Finding",  # config, data/checks
    "Fold",  # folds, training
    "Interval",  # analysis, leaks
    "Stop",  # executors, training
    "Table",  # analysis/report, data/tables
    "Unit",  # analysis, folds
    "Verdict",  # analysis, reproduce
    "Written",  # analysis/report, config
}


def test_a_class_name_stands_once_in_the_package() -> None:
    places = defaultdict(list)
    for file in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(file.relative_to(ROOT).as_posix())
    repeated = {name: files for name, files in places.items() if len(files) > 1}
    assert repeated == {}
