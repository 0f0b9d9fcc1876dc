"""Wrap a tracker so that its failure costs no training."""

from foldproof.errors import TrackingError
from foldproof.events.types import Event, Notice
from foldproof.storage import cleaned, redact
from foldproof.trackers import CLOSING_SECONDS, Tracker, TrackerContext, TrackerFactory


class Guarded:
    """Hears no more events after its first failure, and reports that at the end."""

    def __init__(self, name: str, make: TrackerFactory, context: TrackerContext) -> None:
        """Raises TrackingError where it cannot be made."""
        self._name, self._failure = name, ""
        try:
            self._tracker: Tracker = make(context)
        except Exception as error:
            raise TrackingError(
                f"the tracker {name} cannot start: {_in_words(error)}",
                next_step="fix it, or leave it out of tracking.trackers; then `foldproof run --resume`",
            ) from error

    def tell(self, event: Event) -> None:
        if not self._failure:
            try:
                self._tracker.tell(event)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not worth a training
                self._failure = _in_words(error)

    def close(self, *, within: float = CLOSING_SECONDS) -> tuple[Notice, ...]:
        said: tuple[Notice, ...] = ()
        try:
            said = tuple(self._tracker.close(within=within))
        except Exception as error:  # noqa: BLE001 - as above
            self._failure = self._failure or _in_words(error)
        text = f"the tracker {self._name} failed and hears no more: {self._failure}"
        return (*said, Notice(code="tracker_failed", text=text)) if self._failure else said


def _in_words(error: Exception) -> str:
    return cleaned(redact(f"{type(error).__name__}: {error}"), most=300)
