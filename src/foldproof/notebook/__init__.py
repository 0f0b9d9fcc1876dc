"""What a notebook or a script of one's own needs: settings and names in, runs and comparisons with their tables out."""

from foldproof.notebook.functions import compare, load, run, runs
from foldproof.notebook.values import Compared, Run, Runs

__all__ = ["Compared", "Run", "Runs", "compare", "load", "run", "runs"]
