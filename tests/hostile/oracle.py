"""A command and a world in; what it did that it may not do, out. Disks, processes and sockets count, no message."""

import base64
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hostile.snapshot import Snapshot, changes, snapshot
from hostile.tripwire import Tripwire
from hostile.workshops import Workshop, workshop_of
from hostile.world import SECRET, Done, World

MOST_BYTES = 10**9
MOST_ERROR_LINES = 3
CODES = (0, 1, 2)
PASSWORD = "hX7kq92XvZr4tuM5p0Q8"
_RAN = "ran-"
_MOST_SEARCHED = 64 * 2**20
_SHOWN = (".md", ".txt")  # files that people show on a terminal
_ASKS = re.compile(rb"(password|username|passphrase)[^\n]{0,80}:\s*$", re.IGNORECASE)
_BIDI = {
    "\u061c",
    "\u200e",
    "\u200f",
    "\u2028",
    "\u2029",
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
}


@dataclass(frozen=True)
class Finding:
    """A promise that was broken: its kind in a word, and what was seen."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


@dataclass(frozen=True)
class Judged:
    """A command, what came of it, and all that speaks against it."""

    argv: tuple[str, ...]
    done: Done
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        said = (self.done.out + self.done.err).decode(errors="backslashreplace")[-1500:]
        found = "\n".join(f"  {finding}" for finding in self.findings)
        took = f"code {self.done.code}, {self.done.seconds:.1f} s, {self.done.memory / 1e6:.0f} MB"
        return f"foldproof {' '.join(self.argv)}: {took}\n{found}\n{said}"


@dataclass(frozen=True)
class How:
    """Where and as what a command is run."""

    within: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = ()
    call: str = "foldproof.cli.main:main"
    workshop: Workshop | None = None


def judge(world: World, tripwire: Tripwire, argv: tuple[str, ...], how: How | None = None) -> Judged:
    """Run the command and compare what is there, runs and was asked, before and after."""
    how = how or How()
    workshop = how.workshop or workshop_of(argv)
    tripwire.forget()
    before = snapshot(world.base)
    done = world.foldproof(
        *argv,
        within=how.within,
        environment=dict(how.environment),
        program=how.program,
        call=how.call,
        seconds=workshop.seconds,
        most_bytes=MOST_BYTES + workshop.usual_bytes,
    )
    after = snapshot(world.base)
    findings = (
        *_on_disk(world, before, after, workshop),
        *_asked(tripwire, workshop),
        *_outcome(done, workshop),
        *(Finding("left running", command) for command in done.left),
    )
    return Judged(argv, done, findings)


def _on_disk(world: World, before: Snapshot, after: Snapshot, workshop: Workshop) -> Iterator[Finding]:
    changed = changes(before, after)
    for one in changed:
        if one.startswith("+") and _RAN in one:
            yield Finding("ran code", one)
    for one in workshop.violations(changed):
        yield Finding("changed", one)
    for one in changed:
        path = world.base / one[2:]
        if one[0] in "+~" and after[one[2:]].kind == "file" and after[one[2:]].size < _MOST_SEARCHED:
            yield from _told(path, one)


def _told(path: Path, name: str) -> Iterator[Finding]:
    """What a written file holds that it should not."""
    content = path.read_bytes()
    for inner, data in _unpacked(content):
        if SECRET.encode() in data and not name.startswith(("+ canary", "~ canary")):
            yield Finding("took along", f"{name} {inner} holds what was precious")
        if PASSWORD.encode() in data:
            yield Finding("kept a password", f"{name} {inner}")
    if path.suffix in _SHOWN:
        yield from _raw(content, f"in {name}")


def _unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    yield "", content
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                yield entry.filename, archive.read(entry)


def _gives_password(sent: bytes) -> bool:
    """Whether a request has the user's password in a header, as it is or as Basic spells it."""
    for line in sent.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() in (b"authorization", b"proxy-authorization"):
            with suppress(ValueError):
                value += base64.b64decode(value.strip().rpartition(b" ")[2], validate=True)
            if PASSWORD.encode() in value:
                return True
    return False


def _asked(tripwire: Tripwire, workshop: Workshop) -> Iterator[Finding]:
    for contact in tuple(tripwire.contacts):
        if contact.role not in workshop.asks:
            yield Finding("connected", f"to {contact.role}: {contact.sent[:200]!r}")
        if _gives_password(contact.sent):
            yield Finding("sent a password", f"to {contact.role}: {contact.sent[:400]!r}")
        elif PASSWORD.encode() in contact.sent or SECRET.encode() in contact.sent:
            yield Finding("sent a secret", f"to {contact.role}: {contact.sent[:400]!r}")


def _outcome(done: Done, workshop: Workshop) -> Iterator[Finding]:
    if done.stopped:
        yield Finding("took too much", done.stopped)
    elif done.code not in CODES:
        yield Finding("exit code", str(done.code))
    if done.seconds > workshop.seconds and not done.stopped:
        yield Finding("took too much", f"{done.seconds:.0f} s")
    if done.memory > MOST_BYTES + workshop.usual_bytes and not done.stopped:
        yield Finding("took too much", f"{done.memory:,} bytes")
    if b"Traceback (most recent call last)" in done.err + done.out:
        yield Finding("traceback", done.err.decode(errors="replace").strip().splitlines()[-1][:300])
    at = re.search(rb"^error: ", done.err, re.MULTILINE)
    if at and len(done.err[at.start() :].strip().splitlines()) > MOST_ERROR_LINES:
        yield Finding("error at length", f"{len(done.err[at.start() :].strip().splitlines())} lines")
    if _ASKS.search(done.out) or _ASKS.search(done.err):
        yield Finding("asked", "for a password")
    yield from _raw(done.out, "on stdout")
    yield from _raw(done.err, "on stderr")
    for secret in (SECRET, PASSWORD):
        if secret.encode() in done.out + done.err:
            yield Finding("showed", secret)


def _raw(content: bytes, where: str) -> Iterator[Finding]:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        yield Finding("raw", f"no UTF-8 {where}: {error}")
        text = content.decode(errors="replace")
    found = {c for c in text if (unicodedata.category(c) == "Cc" and c not in "\n\t") or c in _BIDI}
    if found:
        yield Finding("raw", f"{', '.join(sorted(map(ascii, found)))} {where}")
