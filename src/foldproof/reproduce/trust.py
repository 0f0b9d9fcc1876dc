"""Decide whether code of a record may run here. Asked once, before everything else."""

from collections.abc import Sequence
from dataclasses import dataclass

from foldproof.errors import UntrustedCode
from foldproof.provenance.patches import Touched, touched
from foldproof.provenance.wheel import stated_wheel
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.recorded import CODE_DIFF, Recorded
from foldproof.reproduce.request import Request
from foldproof.storage import cleaned

_MOST_FILES = 20
_MOST_NAME = 80


@dataclass(frozen=True)
class Code:
    """Something that a record names or brings and that would be run: what it is, and where to look at it."""

    what: str
    where: str


def refuse_untrusted(recorded: Recorded, subject: RecordSource, request: Request) -> None:
    """Raises UntrustedCode, with all that would be run, where a foreign record needs code and nobody has allowed it."""
    if may_run(subject, request):
        return
    changes = touched(recorded.code_diff) if _is_changed(recorded, request) else ()
    if would := would_run(recorded, subject, request, changes):
        places = ", ".join(dict.fromkeys(code.where for code in would))
        raise UntrustedCode(
            f"this record is not of this project and would run code: {'; '.join(code.what for code in would)}",
            next_step=f"look at it ({places}); if you trust it, try again with --trust-code",
        )


def may_run(subject: RecordSource, request: Request) -> bool:
    """Whether the record is of the project itself, or somebody has said that it may."""
    return request.trust_code or not subject.is_foreign


def would_run(
    recorded: Recorded, subject: RecordSource, request: Request, changes: Sequence[Touched] | None
) -> tuple[Code, ...]:
    """All code of the record that `request` would run. Pure.

    `changes`: files that its uncommitted changes touch; None where git cannot tell.
    """
    rebuilds = request.env == "rebuild"
    found = []
    if rebuilds or not request.as_is:
        commit = recorded.commit or "unknown"
        found += [Code(f"{name} of commit {commit[:12]}", f"`git show {commit[:12]}`") for name in recorded.own_code]
    if _is_changed(recorded, request):
        found.append(Code(f"changes that the record brings to {_listed(changes)}", subject.place_of(CODE_DIFF)))
    if rebuilds:
        stated = stated_wheel(recorded.environment)
        wheel = f" ({stated[0]})" if stated else ""
        brought = f"{subject.wheel.name} in {subject.bundle}" if subject.wheel and subject.bundle else None
        found.append(
            Code(
                f"the foldproof that the record brings{wheel}, and packages of the versions that it names",
                "; ".join(filter(None, (brought, subject.place_of("environment.json")))),
            )
        )
    return tuple(found)


def _is_changed(recorded: Recorded, request: Request) -> bool:
    """Whether changes of the record would be made to code before that is run."""
    is_used = request.env == "rebuild" or not request.as_is
    return is_used and bool(recorded.own_code) and bool(recorded.code_diff)


def _listed(changes: Sequence[Touched] | None) -> str:
    if not changes:
        return "files that git cannot list"
    shown = ", ".join(map(_named, changes[:_MOST_FILES]))
    more = len(changes) - _MOST_FILES
    return f"{shown} and {more} more, all in {CODE_DIFF}" if more > 0 else shown


def _named(change: Touched) -> str:
    kinds = [word for word, so in (("a link", change.is_link), ("binary", change.is_binary)) if so]
    name = cleaned(change.name, most=_MOST_NAME)
    spelled = name if not set(name) & set(" ,;()'") else f"'{name}'"
    return f"{spelled} ({', '.join(kinds)})" if kinds else spelled
