"""What others found in a run, as far as the report shows it: shapes that a diagnosis and a suspected label have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from foldproof.record import Place


class Diagnosed(Protocol):
    """What a run, or one fold of it, looks like it suffers from; `evidence` are the numbers that it rests on."""

    @property
    def code(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def evidence(self) -> Mapping[str, Any]: ...

    @property
    def place(self) -> Place | None: ...


class Suspected(Protocol):
    """An image whose label is probably wrong, by a model that had not seen it."""

    @property
    def path(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def suggested(self) -> str: ...

    @property
    def own_probability(self) -> float: ...

    @property
    def suggested_probability(self) -> float: ...

    @property
    def place(self) -> Place: ...


@dataclass(frozen=True)
class Findings:
    """Of one run; `suspected` the surest first."""

    diagnoses: tuple[Diagnosed, ...] = ()
    suspected: tuple[Suspected, ...] = ()
