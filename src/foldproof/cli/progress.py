"""Show progress bars for the steps before training: on stderr at a terminal, nothing elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from foldproof.data.survey import Progress as Heard
from foldproof.data.survey import no_progress
from foldproof.trackers.terminal import Terminal


@contextmanager
def shown_progress(*, quiet: bool) -> Iterator[Heard]:
    """Hand out a function that hears (what, done, of); a bar vanishes with its last step, all with the block."""
    console = Terminal(stderr=True)
    if quiet or not console.is_terminal:
        yield no_progress
        return
    bars = _Bars(console)
    try:
        yield bars.hear
    finally:
        bars.stop()


class _Bars:
    """One live display: started with the first bar and ended with the last, so that others can show theirs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def hear(self, what: str, done: int, total: int) -> None:
        if self._live is None:
            columns = TextColumn("{task.description}"), BarColumn(bar_width=28), MofNCompleteColumn()
            self._live = Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True)
            self._live.start()
        if what not in self._tasks:
            self._tasks[what] = self._live.add_task(what, total=total)
        self._live.update(self._tasks[what], completed=done, total=total)
        if done >= total:
            self._live.remove_task(self._tasks.pop(what))
            if not self._tasks:
                self.stop()

    def stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
            self._tasks.clear()
