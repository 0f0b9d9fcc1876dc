"""Say which command brings back the weights that a run's folder lacks."""

from collections.abc import Iterable

from foldproof.errors import ModelError
from foldproof.events.fold_id import FoldId
from foldproof.records.weights import FILE_NAME, weights_of
from foldproof.reproduce.record_source import RecordSource


def check_weights(source: RecordSource, fold_ids: Iterable[FoldId]) -> None:
    """Raises ModelError where the weights of a fold are not there, and what `weights_of` does."""
    for fold_id in fold_ids:
        try:
            weights_of(source.folder, fold_id)
        except FileNotFoundError:
            raise ModelError(
                f"the weights of {fold_id} are not here: {source.place_of(f'{fold_id.folder_name}/{FILE_NAME}')}",
                next_step=f"`foldproof reproduce {_named(source)} --keep DIR` trains them again: then predict with DIR"
                + (", or ask for a bundle made with --weights" if source.bundle else ""),
            ) from None


def _named(source: RecordSource) -> str:
    """How a command that is typed here names the record."""
    if source.bundle is not None:
        return str(source.bundle)
    return str(source.folder) if source.is_foreign else source.folder.name
