"""List the differences between the recorded packages and those here on which bits can depend."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from foldproof.provenance.own_code import own_code
from foldproof.provenance.packages import DECISIVE, OF_DEEP_IMAGES, installed
from foldproof.records.facts import range_in_use
from foldproof.reproduce.recorded import Recorded
from foldproof.storage import mapping_in


def disagreements(recorded: Recorded, code: Path, *, now: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """`numpy 2.1.0 then, 2.2.0 now` for each installed package on which the bits of this run can depend.

    `code`: the folder with the run's own code, whose imports count too.
    """
    then = mapping_in(recorded.environment, "packages")
    here = installed() if now is None else now
    deep = OF_DEEP_IMAGES if range_in_use(recorded.record.facts) else ()
    names = (*DECISIVE, *deep, *_cuda(then, here), *own_code(recorded.own_code, code).distributions)
    changed = [name for name in dict.fromkeys(names) if then.get(name) != here.get(name)]
    return tuple(f"{name} {then.get(name, 'absent')} then, {here.get(name, 'absent')} now" for name in changed)


def _cuda(*sides: Mapping[str, str]) -> Iterable[str]:
    return sorted({name for side in sides for name in side if name.startswith("nvidia-")})
