"""Show progress on stderr: a plan first, then bars with the time left at a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from foldproof.events.reuse import KEY as REUSE
from foldproof.events.types import (
    EpochFinished,
    Event,
    FoldFailed,
    FoldFinished,
    FoldStarted,
    Notice,
    RunFinished,
)
from foldproof.records.record import Spread
from foldproof.trackers import CLOSING_SECONDS, RunPlan, TrackerContext
from foldproof.trackers.plan_shown import duration, plan_line, plan_table, seconds_of
from foldproof.trackers.terminal import Terminal
from foldproof.training.spent import CODE as PROFILE


def _console() -> Console:
    """Stderr; a notebook or a log of a job is no terminal, though FORCE_COLOR may say so there."""
    return Terminal(stderr=True, force_terminal=None if sys.stderr.isatty() else False, force_jupyter=False)


class ConsoleTracker:
    """Shows bars where stderr is a terminal, else a line for each fold; nothing but failures when quiet."""

    def __init__(self, context: TrackerContext, *, console: Console | None = None) -> None:
        self._console = console or _console()
        self._quiet = context.quiet
        self._noted: set[str] = set()
        self._work = WorkLeft(context.plans, parallel_folds=context.parallel_folds)
        self._scores: dict[str, list[float]] = {plan.run: list(plan.accuracies) for plan in context.plans}
        self._seen: dict[tuple[str, tuple[int, int] | None], tuple[float, float]] = {}
        self._bars = Bars(self._console, context.plans) if self._console.is_terminal and not self._quiet else None
        if not self._quiet:
            if self._console.is_terminal:
                self._console.print(plan_table(context.plans, parallel_folds=context.parallel_folds))
            self._console.print(plan_line(context.plans, parallel_folds=context.parallel_folds), markup=False)
            for notice in context.notices:
                self._note(notice.text)
        if self._bars:
            self._bars.start()

    def tell(self, event: Event) -> None:
        name = self._work.names.get(event.run, event.run)
        match event.body:
            case FoldStarted():
                self._seen[event.run, event.fold_id] = (event.time, float("nan"))
            case EpochFinished(val_accuracy=accuracy):
                self._work.epoch_done(event.run, is_of_others=REUSE in event.about)
                started, _ = self._seen.get((event.run, event.fold_id), (event.time, 0.0))
                self._seen[event.run, event.fold_id] = (started, accuracy)
            case FoldFinished(scores=scores):
                self._scores[event.run].append(scores["accuracy"])
                started, _ = self._seen.get((event.run, event.fold_id), (event.time, 0.0))
                if not self._bars:
                    took = duration(event.time - started)
                    self._say(
                        f"{name} {event.fold_id}: accuracy {scores['accuracy']:.4f} ({took}); {self._work.left()}"
                    )
            case FoldFailed(reason=reason):
                self._work.fold_lost(event.run)
                self._complain(f"{name} {event.fold_id} failed: {reason}")
            case Notice(code=code, text=text) if code != PROFILE:
                self._note(text)
            case RunFinished(status=status) if not self._bars:
                self._say(f"{name} {status}: {summary(self._scores[event.run])}")
        if self._bars:
            self._bars.show(event.run, self._work, summary(self._scores[event.run]))

    def _note(self, text: str) -> None:
        """Once, however many runs it is said of."""
        if text not in self._noted:
            self._noted.add(text)
            self._say(f"note: {text}")

    def close(self, *, within: float = CLOSING_SECONDS) -> tuple[Notice, ...]:  # noqa: ARG002 - nothing to wait for
        if self._bars:
            self._bars.stop()
        return ()

    def _say(self, line: str) -> None:
        if not self._quiet:
            self._console.print(line, markup=False, soft_wrap=True)

    def _complain(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True, style="red")


class WorkLeft:
    """How much is done and what is left, in epochs weighted by the estimated time of each run."""

    def __init__(self, plans: tuple[RunPlan, ...], *, parallel_folds: int) -> None:
        self._estimate = seconds_of(plans, parallel_folds=parallel_folds)
        self.names: Mapping[str, str] = {plan.run: plan.experiment for plan in plans}
        self.epochs: Mapping[str, int] = {plan.run: plan.all_epochs for plan in plans}
        free = {plan.run: plan.epochs_done + plan.epochs_of_others for plan in plans}
        left = {plan.run: max(1, self.epochs[plan.run] - free[plan.run]) for plan in plans}
        self._weight = {plan.run: (plan.seconds or plan.epochs) / left[plan.run] for plan in plans}
        self._per_fold = {plan.run: plan.epochs for plan in plans}
        self.done: dict[str, int] = {plan.run: plan.epochs_done for plan in plans}
        self._to_train = {run: max(count - free[run], 0) for run, count in self.epochs.items()}
        self._free_so_far = dict(self.done)  # epochs that took no time here
        self._begun = time.monotonic()

    def epoch_done(self, run: str, *, is_of_others: bool = False) -> None:
        self.done[run] += 1
        self._free_so_far[run] += is_of_others

    def fold_lost(self, run: str) -> None:
        """A failed fold has nothing left to do."""
        self.done[run] = min(self.epochs[run], -(-max(1, self.done[run]) // self._per_fold[run]) * self._per_fold[run])

    def left(self) -> str:
        """`about 20 s left` of everything, from the time taken so far; before the first epoch, from the estimate."""
        whole = sum(self._weight[run] * count for run, count in self._to_train.items())
        done = sum(self._weight[run] * (count - self._free_so_far[run]) for run, count in self.done.items())
        elapsed = time.monotonic() - self._begun
        if done <= 0:
            left = (self._estimate or 0.0) - elapsed
            return f"about {duration(left)} left" if left > 0 else ""
        return f"about {duration(elapsed * max(whole - done, 0.0) / done)} left"


class Bars:
    """A bar for each run and, of several, one for all; the last has the time left of everything."""

    def __init__(self, console: Console, plans: tuple[RunPlan, ...]) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            TextColumn("{task.completed:.0f}/{task.total:.0f} epochs"),
            TextColumn("{task.fields[scores]}", markup=False),
            TextColumn("{task.fields[left]}", style="dim", markup=False),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {
            plan.run: self._progress.add_task(plan.experiment, total=plan.all_epochs, scores="", left="")
            for plan in plans
        }
        self._last = next(iter(self._tasks.values()), None)
        if len(plans) > 1:
            total = sum(plan.all_epochs for plan in plans)
            self._last = self._progress.add_task("together", total=total, scores="", left="")

    def start(self) -> None:
        self._progress.start()

    def stop(self) -> None:
        self._progress.stop()

    def show(self, run: str, work: WorkLeft, scores: str) -> None:
        if run in self._tasks and self._last is not None:
            self._progress.update(self._tasks[run], completed=work.done[run], scores=scores)
            done = sum(work.done.values())
            left = "" if done >= sum(work.epochs.values()) else work.left()
            self._progress.update(self._last, completed=done, left=left)


def summary(accuracies: list[float]) -> str:
    """`accuracy 0.9312 ± 0.0041 (5 folds)`."""
    if not accuracies:
        return ""
    spread = Spread.of(accuracies)
    around = f" ± {spread.sd:.4f}" if spread.n > 1 else ""
    return f"accuracy {spread.mean:.4f}{around} ({spread.n} fold{'s' if spread.n != 1 else ''})"
