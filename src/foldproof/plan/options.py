"""Choose how much of the experiments is trained, and which earlier runs count."""

from dataclasses import dataclass

from foldproof.plan.tasks import Selection


@dataclass(frozen=True)
class RunOptions:
    """What to train of the experiments: new runs, the missing folds of unfinished runs, or some folds.

    `resume`: continue unfinished runs. `folds`: only these, in a run that other processes may share. `reseed`: the
    one fold of `folds`, retrained with a different seed, in a run of its own. `apart`: `folds` are all that a new run
    of its own has. `again`: ignore earlier runs; otherwise completed experiments are skipped.
    `reuse`: a fold starts from the end of one with the same first epochs.
    """

    resume: bool = False
    folds: Selection | None = None
    reseed: bool = False
    apart: bool = False
    again: bool = True
    reuse: bool = False

    @property
    def joins(self) -> bool:
        """Whether existing runs are continued."""
        return (self.resume or self.shares) and not self.reseed

    @property
    def skips_done(self) -> bool:
        """Whether an experiment that has a complete run is not trained."""
        return not (self.again or self.joins or self.reseed)

    @property
    def shares(self) -> bool:
        """Whether other processes may train other folds of the same runs meanwhile."""
        return self.folds is not None and not self.reseed and not self.apart


NEW_RUNS = RunOptions()
ONLY_CHANGED = RunOptions(again=False, reuse=True)  # what `foldproof run` does
