"""Find folders that only wrap the class folders, as an unpacked archive leaves them. Pure."""

from collections.abc import Sequence

_LOOSE = 0.05  # of the images, that may lie beside what is wrapped: a preview, say


def wrapping(paths: Sequence[str]) -> str:
    """The folders that all paths lie in, as `photos/photos`, where several folders lie below them; "" where none does.

    Files beside the first folder are not asked about: they are in no class anyway.
    """
    wraps: list[str] = []
    inside = [path for path in paths if "/" in path]
    while True:
        deep = [path for path in inside if "/" in path]
        tops = {path.partition("/")[0] for path in deep}
        if not deep or len(inside) - len(deep) > _LOOSE * len(inside):
            return ""
        if len(tops) > 1:
            return "/".join(wraps)
        wraps += tops
        inside = [path.partition("/")[2] for path in deep]


def around_all(paths: Sequence[str]) -> list[str]:
    """The folders that all paths lie in, the outermost first: `photos`, `photos/photos`."""
    found: list[str] = []
    for level in zip(*(path.split("/")[:-1] for path in paths), strict=False):
        if len(set(level)) > 1:
            break
        found.append("/".join([*found[-1:], level[0]]))
    return found


def strip_wrapping(wrap: str, paths: Sequence[str]) -> list[str]:
    """The paths below the folders `wrap`, seen from there."""
    start = f"{wrap}/" if wrap else ""
    return [path.removeprefix(start) for path in paths if path.startswith(start)]


def lies_in_a_folder(path: str, wrap: str) -> bool:
    """Whether there is a folder between `wrap`, which may be none, and the file."""
    return all("/" in rest for rest in strip_wrapping(wrap, [path])) and (not wrap or path.startswith(f"{wrap}/"))
