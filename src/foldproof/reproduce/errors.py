"""Say why a run cannot be checked here, and what is needed to check it."""


class CannotCheck(Exception):
    """Ends a reproduction without an answer: `why`, and `needed` to get one."""

    def __init__(self, why: str, *, needed: str) -> None:
        super().__init__(why)
        self.why = why
        self.needed = needed
