"""Print text as it is with rich: nothing in a name is markup, or controls the terminal."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from foldproof.storage import escaped

LEAST_WIDTH = 80  # columns: a narrower terminal breaks lines itself, where a table would lose digits
UNBOUNDED = 1_000  # columns of a file or pipe, which have no edge to cut a line at


class Terminal(Console):
    """Escapes whatever is printed after it was laid out and before it is styled."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"highlight": False, "markup": False, "emoji": False, **settings})
        if not self.stderr:
            self.width = max(self.width, LEAST_WIDTH if self.is_terminal else UNBOUNDED)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed, those that move the cursor as they are."""
        return _escaped(super().render(renderable, options))


def _escaped(segments: Iterable[Segment]) -> Iterator[Segment]:
    for segment in segments:
        yield segment if segment.control else segment._replace(text=escaped(segment.text))
