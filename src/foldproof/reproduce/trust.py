"""A record and who gave it in; whether code that it names or brings may be run, out."""

from foldproof.errors import UntrustedCode
from foldproof.reproduce.recorded import Recorded
from foldproof.reproduce.request import Request
from foldproof.reproduce.subject import Subject

_MOST_FILES = 20


def refuse_untrusted(recorded: Recorded, subject: Subject, request: Request) -> None:
    """Raises UntrustedCode, with what would be run, where a foreign record needs code and nobody said that it may."""
    if may_run(subject, request) or request.as_is:
        return
    would = [f"{name} of commit {(recorded.commit or 'unknown')[:12]}" for name in recorded.own_code]
    if recorded.own_code and recorded.code_diff:
        would.append(f"changes that the record brings to {', '.join(_changed_files(recorded.code_diff)) or 'files'}")
    if request.env == "rebuild":
        would.append("the foldproof that the record brings, and packages of the versions that it names")
    if would:
        raise UntrustedCode(
            f"this record is not of this project and would run code: {'; '.join(would)}",
            next_step="look at it; if you trust it, do the same again with --trust-code",
        )


def may_run(subject: Subject, request: Request) -> bool:
    """Whether the record is of the project itself, or somebody has said that it may."""
    return request.trust_code or not subject.is_foreign


def _changed_files(diff: bytes) -> list[str]:
    lines = diff.decode("utf-8", "replace").splitlines()
    return [line.removeprefix("+++ b/") for line in lines if line.startswith("+++ b/")][:_MOST_FILES]
