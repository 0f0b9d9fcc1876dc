"""Choose how much of the experiments is trained, and which earlier runs count."""

from dataclasses import dataclass

from foldproof.plan.tasks import Selection


@dataclass(frozen=True)
class RunOptions:
    """What of the experiments shall be trained: all of new runs, what unfinished runs lack, or some folds.

    `resume`: go on with unfinished runs. `folds`: only these, in a run that other processes may share. `reseed`: the
    one fold of `folds`, again, with another training seed, in a run of its own. `apart`: `folds` are all that a new run
    of its own has. `again`: earlier runs are as if they were not there; else what has run whole is not run again.
    `reuse`: a fold goes on from the end of one that began in the same way.
    """

    resume: bool = False
    folds: Selection | None = None
    reseed: bool = False
    apart: bool = False
    again: bool = True
    reuse: bool = False

    @property
    def joins(self) -> bool:
        """Whether runs that are there are gone on with."""
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
