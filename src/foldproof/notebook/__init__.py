"""Use foldproof from a notebook or script: run, load and compare, with results as tables."""

from foldproof.notebook.functions import compare, load, run, runs
from foldproof.notebook.values import Compared, Run, Runs

__all__ = ["Compared", "Run", "Runs", "compare", "load", "run", "runs"]
