"""Suggest a next step for an error of the operating system. Pure."""

import errno
from collections.abc import Mapping

_AGAIN = ", then try again"
_NEXT_STEPS: Mapping[int, str] = {
    errno.ENOSPC: f"free some space{_AGAIN}",
    errno.EDQUOT: f"free some space or ask for a larger quota{_AGAIN}",
    errno.EFBIG: f"raise the limit (ulimit -f) or write to another disk{_AGAIN}",
    errno.EACCES: f"fix the permissions{_AGAIN}",
    errno.EPERM: f"fix the permissions{_AGAIN}",
    errno.EROFS: "name a place that can be written to",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EISDIR: "name a file, not a folder",
    errno.ENOTDIR: "name a folder, not a file",
    errno.EMFILE: f"raise the limit (ulimit -n){_AGAIN}",
    errno.EIO: "look after the disk: it does not give or take what it should",
    errno.ENOMEM: f"end other programs{_AGAIN}",
}


def is_known(error: BaseException) -> bool:
    """Whether it is a refusal of the system that the user can fix."""
    return isinstance(error, OSError) and error.errno in _NEXT_STEPS


def next_step(error: OSError) -> str:
    """What to do about it; where that is not known, what helps most often."""
    return _NEXT_STEPS.get(error.errno or 0, f"free some space or fix the permissions{_AGAIN}")
