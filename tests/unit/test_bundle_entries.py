"""ZIP files that only look like a bundle: each is refused before anything of it is unpacked."""

import hashlib
import json
import shutil
import struct
import tracemalloc
import zipfile
import zlib
from dataclasses import dataclass

import pytest

from foldproof.bundle.read import opened
from foldproof.errors import DamagedFile, StorageError

RUN = "runs/r/run.json"


@dataclass
class Part:
    """One file of an archive, as its directory and as its own header say it."""

    name: str
    content: bytes = b"{}"
    local_name: str | None = None
    size: int | None = None
    flags: int = 0x800
    packing: int = 8
    offset: int | None = None
    disk: int = 0
    external: int = 0o100644 << 16

    @property
    def packed(self) -> bytes:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.content) + packer.flush() if self.packing == 8 else self.content


def archive(parts: list[Part], *, before: bytes = b"", behind: bytes = b"", disk: int = 0, count: int = 0) -> bytes:
    """A ZIP file byte by byte, with whatever stands in it said as the parts say."""
    made, directory = bytearray(before), bytearray()
    for part in parts:
        packed, crc = part.packed, zlib.crc32(part.content)
        size = len(part.content) if part.size is None else part.size
        at = len(made) - len(before) if part.offset is None else part.offset
        local = (part.local_name if part.local_name is not None else part.name).encode()
        head = struct.pack("<5H3L", 20, part.flags, part.packing, 0, 0x21, crc, len(packed), size)
        if part.offset is None:
            made += b"PK\3\4" + head + struct.pack("<2H", len(local), 0) + local + packed
        name = part.name.encode()
        directory += b"PK\1\2\x14\3" + head + struct.pack("<3H", len(name), 0, 0)
        directory += struct.pack("<2H2L", part.disk, 0, part.external, at) + name
    start, many = len(made) - len(before), count or len(parts)
    made += directory
    return bytes(made + b"PK\5\6" + struct.pack("<4H2LH", disk, disk, many, many, len(directory), start, 0) + behind)


def listed(*parts: Part, **more: object) -> list[Part]:
    """The parts, and a list of them as a bundle has it."""
    files = {part.name: hashlib.sha256(part.content).hexdigest() for part in parts}
    content = json.dumps({"v": 1, "run": "r", "files": files} | more).encode()
    return [*parts, Part("bundle.json", content)]


def good() -> list[Part]:
    return listed(Part(RUN), Part("runs/r/a.txt", b"a" * 100))


def twice(first: str, second: str) -> bytes:
    return archive(listed(Part(RUN), Part(first), Part(second)))


def changed(**fields: object) -> bytes:
    """A good bundle, one of whose files says something else."""
    parts = good()
    for name, value in fields.items():
        setattr(parts[1], name, value)
    return archive(parts)


HOSTILE = {
    "an entry that lies where another does": lambda: archive([*good(), Part("runs/r/b.txt", b"a" * 100, offset=0)]),
    "an entry within another": lambda: within(),
    "another name before the file": lambda: changed(local_name="runs/r/b.txt"),
    "another size before the file": lambda: larger_before_the_file(),
    "an encrypted file": lambda: changed(flags=0x801),
    "a packing that is not ours": lambda: changed(packing=12),
    "a size that is not that of the content": lambda: changed(size=99),
    "a name of no characters": lambda: twice("", "runs/r/b.txt"),
    "a folder": lambda: twice("runs/r/b/", "runs/r/b.txt"),
    "an upward path": lambda: twice("runs/../../x", "runs/r/b.txt"),
    "an absolute path": lambda: twice("/tmp/x", "runs/r/b.txt"),
    "an empty part of a path": lambda: twice("runs//r/a.txt", "runs/r/b.txt"),
    "a dot in a path": lambda: twice("./runs/r/a.txt", "runs/r/b.txt"),
    "a zero in a name": lambda: twice("runs/r/a\0.txt", "runs/r/b.txt"),
    "a file twice": lambda: twice("runs/r/a.txt", "runs/r/a.txt"),
    "names that differ in capitals": lambda: twice("runs/r/a.txt", "runs/r/A.txt"),
    "names that differ in folded capitals": lambda: twice("runs/r/straße", "runs/r/STRASSE"),
    "names that differ in how they are spelled": lambda: twice("runs/r/\u00e9", "runs/r/e\u0301"),
    "a file that is a folder, too": lambda: twice("runs/r/a", "runs/r/a/b"),
    "something before it": lambda: archive(good(), before=b"#!/bin/sh\n"),
    "something behind it": lambda: archive(good(), behind=b"garbage"),
    "one part of several": lambda: archive(good(), disk=1),
    "more files than there are": lambda: archive(good(), count=3000),
    "a list that lacks a file": lambda: archive([*good(), Part("extra.txt")]),
    "a list of more files": lambda: archive([p for p in good() if p.name != "runs/r/a.txt"]),
    "a list that names itself alone": lambda: archive(listed()),
    "a run that is a path": lambda: archive(listed(Part(RUN), run="../r")),
    "a run that is no text": lambda: archive(listed(Part(RUN), run=["r"])),
    "a hash that is no hash": lambda: archive(listed(Part(RUN), files={RUN: "../../x"})),
    "a list with a number of 400 digits": lambda: archive(listed(Part(RUN), v=10**400)),
    "a list that is nested deeply": lambda: archive(with_list(b"[" * 5000 + b"]" * 5000)),
    "a list with half a character": lambda: archive(with_list(b'{"v":1,"run":"r","files":{"\\ud800":"0"}}')),
    "a list of another kind": lambda: archive(with_list(b'{"v":1,"run":"r","files":[]}')),
    "a list with a key twice": lambda: archive(with_list(b'{"v":1,"v":1,"run":"r","files":{}}')),
    "a list that is not UTF-8": lambda: archive(with_list(b"\xff\xfe{}")),
    "a list of 24 MiB": lambda: archive(with_list(b'{"v":1,"run":"r","files":{' + b" " * 24 * 2**20 + b"}}")),
    "one byte a thousand times": lambda: archive(listed(Part(RUN, bytes(70 * 2**20)))),
    "many that grow together": lambda: archive(listed(*(Part(f"runs/r/{n}", bytes(7 * 2**20)) for n in range(10)))),
    "sizes that nothing holds": lambda: changed(size=2**31),
}


def with_list(content: bytes) -> list[Part]:
    return [Part(RUN), Part("bundle.json", content)]


def within() -> bytes:
    """A stored file holds the header and content of a second one."""
    inner = archive([Part("runs/r/b.txt", b"b")])
    inner = inner[: inner.index(b"PK\1\2")]
    outer = Part(RUN, b"x" * 10 + inner, packing=0)
    at = 30 + len(RUN) + 10
    parts = listed(outer, Part("runs/r/b.txt", b"b", offset=at))
    return archive(parts)


def larger_before_the_file() -> bytes:
    made = bytearray(archive(good()))
    at = made.index(b"runs/r/a.txt") - 30 + 22
    made[at : at + 4] = struct.pack("<L", 5000)
    return bytes(made)


def test_a_bundle_made_byte_by_byte_opens(tmp_path):
    path = tmp_path / "good.zip"
    path.write_bytes(archive(good()))
    with opened(path) as bundle:
        assert (bundle.run_folder / "a.txt").read_bytes() == b"a" * 100


@pytest.mark.parametrize("what", HOSTILE)
def test_what_no_bundle_holds_is_refused_in_little_memory(tmp_path, what, monkeypatch):
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(unpacked))
    path = tmp_path / "hostile.zip"
    path.write_bytes(HOSTILE[what]())
    tracemalloc.start()
    with pytest.raises(DamagedFile) as error, opened(path):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(str(error.value).splitlines()) <= 3
    assert most < 50 * 2**20
    assert not list(unpacked.iterdir())
    assert sorted(child.name for child in tmp_path.iterdir()) == ["hostile.zip", "unpacked"]


def test_a_bundle_that_other_tools_packed_again_opens(tmp_path):
    """Some write a file's size behind it, or more fields before it."""
    content = archive(good())
    (tmp_path / "good.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "good.zip") as old, (tmp_path / "again.zip").open("wb") as raw:
        stream = _Unseekable(raw)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:  # type: ignore[arg-type]
            for info in old.infolist():
                new.writestr(info.filename, old.read(info))
    with opened(tmp_path / "again.zip") as bundle:
        assert (bundle.run_folder / "run.json").read_bytes() == b"{}"


class _Unseekable:
    def __init__(self, raw: object) -> None:
        self._raw = raw

    def write(self, data: bytes) -> int:
        return self._raw.write(data)  # type: ignore[attr-defined]

    def flush(self) -> None:
        self._raw.flush()  # type: ignore[attr-defined]


def test_a_bundle_that_the_disk_does_not_hold_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "good.zip"
    path.write_bytes(archive(good()))
    free = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: free._replace(free=1000))
    with pytest.raises(StorageError, match="more than is free"), opened(path):
        pass
