"""Paths of images in; the folders that only wrap the class folders, as an unpacked archive leaves them, out. Pure."""

from collections.abc import Sequence


def wrapping(paths: Sequence[str]) -> str:
    """The folders that all paths lie in, as `photos/photos`, where several folders lie below them; "" where none does.

    Files beside the first folder are not asked about: they are in no class anyway.
    """
    folders = [path.split("/")[:-1] for path in paths if "/" in path]
    common: list[str] = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    depth = len(common)
    inner = {folder[depth] if len(folder) > depth else "" for folder in folders}
    return "/".join(common) if len(inner) > 1 and "" not in inner else ""


def without(wrap: str, paths: Sequence[str]) -> list[str]:
    """The paths below the folders `wrap`, seen from there."""
    start = f"{wrap}/" if wrap else ""
    return [path.removeprefix(start) for path in paths if path.startswith(start)]
