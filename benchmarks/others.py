"""Who else can do the work: the usual script in its settings, frameworks, features by hand. A table, a line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks.outcome import METRICS
from benchmarks.works import Work

WORKERS = ("--workers", "2")
LISTED = "--pip-requirements"


def every_work(work: Work) -> bool:
    return bool(work.experiments)


def frozen(work: Work) -> bool:
    return work.frozen


def in_bfloat16(work: Work) -> bool:
    return any(way.bfloat16 for way in work.ways)


@dataclass(frozen=True)
class Other:
    """A program in `benchmarks/` and how it is called.

    `searched`: more arguments, of which those are taken that make the first epoch fastest; `as_found_for`: those that
    were found for another. `fits`: the works that it can do. `peer`: runs in the environment of the peers. `metrics`:
    what its library calls train_loss, train_accuracy, val_loss and val_accuracy. `one_fit`: it knows no epochs.
    """

    name: str
    program: str
    arguments: tuple[str, ...] = ()
    searched: tuple[tuple[str, ...], ...] = ()
    fits: Callable[[Work], bool] = every_work
    as_found_for: str = ""
    peer: bool = True
    metrics: tuple[str, ...] = METRICS
    one_fit: bool = False

    @property
    def bfloat16(self) -> bool:
        return "--bfloat16" in self.arguments


_TUNED = tuple(
    ("--threads", threads, "--workers", workers) for threads, workers in (("2", "0"), ("2", "2"), ("1", "2"))
)
_SKORCH = ("train_loss", "train_acc", "valid_loss", "valid_acc")
_ALL = (
    Other("usual", "usual_script.py", ("--workers", "0"), peer=False),
    Other("best", "usual_script.py", (LISTED,), searched=_TUNED, peer=False),
    Other(
        "features once", "usual_script.py", (LISTED, "--features-once"), as_found_for="best", fits=frozen, peer=False
    ),
    Other("lightning", "peers/with_lightning.py", WORKERS),
    Other("lightning bfloat16", "peers/with_lightning.py", (*WORKERS, "--bfloat16"), fits=in_bfloat16),
    Other("skorch", "peers/with_skorch.py", WORKERS, metrics=_SKORCH),
    Other("fastai", "peers/with_fastai.py", WORKERS),
    Other("timm", "peers/with_timm.py", WORKERS),
    Other("timm bfloat16", "peers/with_timm.py", (*WORKERS, "--bfloat16"), fits=in_bfloat16),
    Other("features by hand", "peers/features_by_hand.py", WORKERS, fits=frozen, one_fit=True),
)
OTHERS: Mapping[str, Other] = MappingProxyType({other.name: other for other in _ALL})
USUAL = "usual"


def others_of(work: Work) -> tuple[Other, ...]:
    """Those that can do the work, in the order of the table."""
    return tuple(other for other in _ALL if other.fits(work))
