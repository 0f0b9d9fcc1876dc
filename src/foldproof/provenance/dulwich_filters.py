"""Keep dulwich, by which DVC writes to git's index, from running filters that a repository's own settings bring."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foldproof.provenance.git_command import filters_left_out


@contextmanager
def users_filters_alone(folder: Path) -> Iterator[None]:
    """In the block dulwich runs only those filters that `git_command.git` would run in `folder`; without git, none."""
    from dulwich.filters import FilterRegistry

    left_out = filters_left_out(folder)
    original = FilterRegistry._create_from_config  # noqa: SLF001 - the one place where it looks a command up

    def checked(registry: FilterRegistry, name: str) -> Any:
        return None if left_out is None or name in left_out else original(registry, name)

    FilterRegistry._create_from_config = checked  # type: ignore[method-assign, assignment]  # noqa: SLF001
    try:
        yield
    finally:
        FilterRegistry._create_from_config = original  # type: ignore[method-assign]  # noqa: SLF001
