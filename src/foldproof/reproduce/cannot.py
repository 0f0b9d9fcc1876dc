"""Why a run cannot be checked in this place, and what would be needed."""


class CannotCheck(Exception):
    """Ends a reproduction without an answer: `why`, and `needed` to get one."""

    def __init__(self, why: str, *, needed: str) -> None:
        super().__init__(why)
        self.why = why
        self.needed = needed
