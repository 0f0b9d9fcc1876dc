"""Rows 20, 21, 22: what is small and grows, what is no file, and values that no number, text or list can have."""

import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from hostile.attack import Attack, Command, Scene
from hostile.forging import MANIFEST, Bundle, bundle, edit_json, write_zip

READING: tuple[Command, ...] = (
    ("verify", "BUNDLE"),
    ("diff", "first", "BUNDLE"),
    ("reproduce", "BUNDLE", "--fold", "0"),
)
MEBI = 2**20


def _large_manifest(scene: Scene) -> None:
    made = Bundle(scene.world)
    made.save()
    files = {**made.files, MANIFEST: json.dumps({**made.manifest, "more": " " * 24 * MEBI}).encode()}
    write_zip(scene.world.bundle, files)


def _deep_manifest(scene: Scene) -> None:
    made = Bundle(scene.world)
    write_zip(scene.world.bundle, {**made.files, MANIFEST: b"[" * 24 * MEBI})


def _many_keys(scene: Scene) -> None:
    made = Bundle(scene.world)
    names = {f"runs/{number}": "0" * 64 for number in range(300_000)}
    write_zip(scene.world.bundle, {**made.files, MANIFEST: json.dumps({**made.manifest, "files": names}).encode()})


def _large_file(scene: Scene) -> None:
    with bundle(scene.world) as made:
        made.files[f"{made.run}/data-card.md"] = bytes(900 * MEBI)


def _overlapping(scene: Scene) -> None:
    """Many names for one stored stream: each entry of the directory leads to the same bytes."""
    kernel = zlib.compress(bytes(64 * MEBI), 9)[2:-4]
    head = struct.pack(
        "<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, zlib.crc32(bytes(64 * MEBI)), len(kernel), 64 * MEBI, 1, 0
    )
    out, directory, count = io.BytesIO(), io.BytesIO(), 400
    out.write(head + b"a" + kernel)
    for number in range(count):
        name = f"runs/{number}".encode()
        fields = (20, 20, 0, 8, 0, 33, zlib.crc32(bytes(64 * MEBI)) if not number else 0, len(kernel), 64 * MEBI)
        directory.write(struct.pack("<4s6H3L5H2L", b"PK\1\2", *fields, len(name), 0, 0, 0, 0, 0, 0) + name)
    start = out.tell()
    out.write(directory.getvalue())
    out.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory.getvalue()), start, 0))
    scene.world.bundle.write_bytes(out.getvalue())


def parquet_bomb() -> bytes:
    """Some kilobytes that unpack to a gigabyte."""
    values = pa.array([0] * 2**27, pa.int64())
    out = io.BytesIO()
    pq.write_table(pa.table({"path": values}), out, compression="zstd", use_dictionary=False)
    return out.getvalue()


def _parquet(scene: Scene) -> None:
    with bundle(scene.world) as made:
        made.files[f"{made.run}/fold-0-0/predictions.parquet"] = parquet_bomb()


def webp_bomb() -> bytes:
    """34 bytes that claim 16383 x 16383 pixels."""
    bits = "000" + "1000" * 5  # no transform, no cache, one code of one colour for each of five channels
    codes = sum(1 << place for place, bit in enumerate(bits) if bit == "1").to_bytes(4, "little")
    data = struct.pack("<BL", 0x2F, 16382 | 16382 << 14) + codes
    chunk = b"VP8L" + struct.pack("<L", len(data)) + data + (b"\0" if len(data) % 2 else b"")
    return b"RIFF" + struct.pack("<L", 4 + len(chunk)) + b"WEBP" + chunk


def png_bomb(side: int = 65535) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    header = struct.pack(">2L5B", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(MEBI))) + chunk(b"IEND", b"")
    )


def gif_bomb() -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<2H3B", 65535, 65535, 0x80, 0, 0)
        + bytes(6)
        + b","
        + struct.pack("<4HB", 0, 0, 65535, 65535, 0)
        + b"\x02\x02\x44\x01\x00;"
    )


def tiff_bomb() -> bytes:
    entries = [
        (256, 4, 1, 60000),
        (257, 4, 1, 60000),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (278, 4, 1, 60000),
        (279, 4, 1, 4),
    ]
    rows = b"".join(struct.pack("<2H2L", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<L", 8) + struct.pack("<H", len(entries)) + rows + bytes(8)


IMAGE_BOMBS: dict[str, Callable[[], bytes]] = {
    ".webp": webp_bomb,
    ".png": png_bomb,
    ".gif": gif_bomb,
    ".tiff": tiff_bomb,
}


def _images_that_grow(ending: str, count: int = 4) -> Attack:
    def deed(scene: Scene) -> None:
        for number in range(count):
            path = scene.world.project / "images" / "cat" / f"small{number}{ending}"
            path.write_bytes(IMAGE_BOMBS[ending]())

    commands: tuple[Command, ...] = (("data", "check"), ("run", "--plan"), ("data", "add", "images"))
    return Attack("images", f"{count} of {ending} that grow", deed, commands)


def _bomb_in_a_bundle(ending: str) -> Attack:
    """The first image of the record is a bomb; everything fits but its name."""

    def deed(scene: Scene) -> None:
        with bundle(scene.world) as made:
            name = next(name for name in sorted(made.files) if name.startswith("images/"))
            made.files[name] = IMAGE_BOMBS[ending]()

    return Attack("bundle", f"an image of {ending} that grows", deed, READING[:1])


def _tried(scene: Scene) -> None:
    for number in range(4):
        (scene.world.project / "images" / "cat" / f"small{number}.webp").write_bytes(webp_bomb())


ROW_20 = (
    Attack("bundle", "a list of 24 MiB of blanks", _large_manifest, READING),
    Attack("bundle", "a list of 24 MiB of brackets", _deep_manifest, READING),
    Attack("bundle", "a list of 300,000 names", _many_keys, READING[:1]),
    Attack("bundle", "a file of 900 MiB of nothing", _large_file, READING[:1]),
    Attack("bundle", "400 names for one stream", _overlapping, READING[:1]),
    Attack("bundle", "a parquet that grows", _parquet, READING),
    *map(_images_that_grow, IMAGE_BOMBS),
    *map(_bomb_in_a_bundle, (".webp", ".png")),
    Attack("images", "try with bombs", _tried, (("try", "images"),)),
)
OF_RUN = (
    "folds.csv",
    "dataset.json",
    "environment.json",
    "run.json",
    "data-card.json",
    "code.diff",
    "fold-0-0/steps.f32",
)
OF_PROJECT = (
    "folds.csv",
    "dvc.yaml",
    ".dvcignore",
    "params.yaml",
    "excluded.csv",
    ".gitignore",
    "images.dvc",
    "report.html",
    "metrics.json",
)


def _in_place_of(path: str, what: str, *, of_run: bool) -> Attack:
    """A pipe, or a link to what has no end or lies elsewhere, where a file is read or written."""

    def deed(scene: Scene) -> None:
        folders = scene.world.runs.values() if of_run else (scene.world.project,)
        for folder in folders:
            put_special(folder, path, what)

    commands: tuple[Command, ...] = (
        *(("verify", "first"), ("compare",), ("bundle", "first", "-o", "out.zip"), ("sync",)),
        *(() if of_run else (("data", "check"), ("doctor",), ("run", "--plan"), ("init",), ("data", "pull"))),
        ("report",),
    )
    return Attack("run folder" if of_run else "clone", f"{path} is {what}", deed, commands)


def put_special(folder: "os.PathLike[str]", path: str, what: str) -> None:
    from pathlib import Path

    place = Path(folder) / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    if what == "a pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(what)


def _state(what: str) -> Attack:
    def deed(scene: Scene) -> None:
        for run in scene.world.runs.values():
            for path in sorted(run.glob("fold-*/state-*")):
                put_special(path.parent, path.name, what)

    commands: tuple[Command, ...] = (
        *(("verify", "first"), ("bundle", "first", "--states", "-o", "out.zip"), ("reproduce", "first", "--fold", "0")),
        ("run", "--plan"),
    )
    return Attack("run folder", f"states are {what}", deed, commands)


ROW_21 = (
    *map(_state, ("a pipe", "/dev/zero", "../../../../canary/id_rsa")),
    *(_in_place_of(path, "a pipe", of_run=True) for path in OF_RUN),
    *(_in_place_of(path, "/dev/zero", of_run=True) for path in OF_RUN[:3]),
    *(_in_place_of(path, "a pipe", of_run=False) for path in OF_PROJECT),
    *(_in_place_of(path, "/dev/zero", of_run=False) for path in OF_PROJECT[:3]),
    *(_in_place_of(path, "../canary/id_rsa", of_run=False) for path in OF_PROJECT[:3]),
)


def _says(name: str, change: Callable[[dict[str, object]], object], file: str = "run.json") -> Attack:
    """One JSON file of bundle, run folder and the project's own run says something odd."""

    def deed(scene: Scene) -> None:
        with bundle(scene.world) as made:
            made.edit(file, change)
        edit_json(scene.world.runs["first"] / file, change)

    commands: tuple[Command, ...] = (
        *(("verify", "BUNDLE"), ("verify", "FIRST"), ("reproduce", "BUNDLE", "--fold", "0"), ("report",)),
        *(("runs",), ("diff", "other", "BUNDLE"), ("bundle", "FIRST", "-o", "out.zip")),
    )
    return Attack("bundle", f"{file}: {name}", deed, commands)


def _train(**said: object) -> Callable[[dict[str, object]], object]:
    return lambda content: content["config"]["train"].update(said)  # type: ignore[index]


def _content(name: str, content: bytes, *, also_in_project: bool = False) -> Attack:
    def deed(scene: Scene) -> None:
        with bundle(scene.world) as made:
            made.files[f"{made.run}/{name}"] = content
        (scene.world.runs["first"] / name).write_bytes(content)
        if also_in_project:
            (scene.world.project / name).write_bytes(content)

    return Attack(
        "bundle",
        f"{name} is {content[:20]!r} of {len(content):,}",
        deed,
        (("verify", "BUNDLE"), ("verify", "first"), ("report",), ("run", "--plan")),
    )


def _no_name(scene: Scene) -> None:
    made = Bundle(scene.world)
    made.save()
    with zipfile.ZipFile(scene.world.bundle, "a") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"x")


def _settings(name: str, text: str) -> Attack:
    def deed(scene: Scene) -> None:
        (scene.world.project / "params.yaml").write_text(text)

    commands: tuple[Command, ...] = (
        ("init",),
        ("config",),
        ("doctor",),
        ("data", "check"),
        ("run", "--plan"),
        ("compare",),
        ("verify", "BUNDLE"),
    )
    return Attack("clone", f"settings: {name}", deed, commands)


_MERGES = "a0: &a0 {x: 1, y: 2}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: 1}}\n" for n in range(1, 12)
)
_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
_HEAD = "version: 1\ndata: {path: images}\n"
ROW_22 = (
    _says("a range of 10^400", lambda said: said.update(range={"low": 0, "high": 10**400, "bits": 16})),
    _says("a range of texts and lists", lambda said: said.update(range={"low": "nan", "high": [1], "bits": True})),
    _says("a rate of 10^400", _train(lr=10**400)),
    _says("10^400 images", lambda said: said.update(images=10**400)),
    _says("a seed of 10^400", _train(seed=10**400)),
    _says("-1 epochs", _train(epochs=-1)),
    _says("half characters in a class", lambda said: said.update(classes=["cat", "\ud800", "eel"])),
    _says("half characters in a name", lambda said: said.update(experiment="\udfff")),
    _says("a fold_key that is a list", lambda said: said.update(fold_key=[1])),
    _says("a path of half characters", lambda said: said.update(data_path="\ud800")),
    _says("a sample of half characters", lambda said: said["samples"][0].__setitem__(0, "\ud800.png"), "dataset.json"),  # type: ignore[index]
    _says("a group of 10^400", lambda said: said["samples"][0].__setitem__(3, 10**400), "dataset.json"),  # type: ignore[index]
    _says("a numeric class that is a list", lambda said: said.update(numeric_class=[1]), "environment.json"),
    _says("packages that are numbers", lambda said: said.update(packages={"torch": 10**400}), "environment.json"),
    _content("folds.csv", b"\xff\xfe\x00path,sha256\n", also_in_project=True),
    _content(
        "folds.csv", b"path,sha256,label,group,repeat,fold\n" + b"x" * 200_000 + b",a,b,c,0,0\n", also_in_project=True
    ),
    _content("folds.csv", b'"' + b"x" * 200_000, also_in_project=True),
    _content(
        "folds.csv", b"path,sha256,label,group,repeat,fold\nx,a,b,," + b"9" * 5000 + b",0\n", also_in_project=True
    ),
    Attack("bundle", "an entry without a name", _no_name, READING[:1]),
    _settings("an integer of 5,000 digits", f"{_HEAD}folds: {{seed: {'9' * 5000}}}\n"),
    _settings("a text with a NUL", 'version: 1\ndata: {path: "a\\0b"}\n'),
    _settings("3,000 levels", f"{_HEAD}more: {'[' * 3000}{']' * 3000}\n"),
    _settings("3,000 levels of keys", "version: 1\n" + "".join(f"{' ' * n}a:\n" for n in range(3000))),
    _settings("merges of merges", _HEAD + _MERGES),
    _settings("aliases of aliases", _HEAD + _LAUGHS),
    _settings("a rate of 10^400", f"{_HEAD}train: {{lr: 1{'0' * 400}}}\n"),
    _settings("a rate of 1e999", f"{_HEAD}train: {{lr: 1.0e+999}}\n"),
    _settings("half characters", 'version: 1\ndata: {path: "\\ud800"}\n'),
    _settings("a tag of Python's", f"{_HEAD}more: !!python/object/apply:os.system ['true']\n"),
)


def _keyed(scene: Scene) -> None:
    """A journal whose framed lines have a list where a text is."""
    from forged import rewrite

    for run in (scene.world.runs["first"], next((scene.world.given / "run").iterdir())):
        for fold in run.glob("fold-*"):
            rewrite(fold, lambda event: event["about"].update(fold_key=[1]))


ROW_22 += (
    Attack(
        "run folder",
        "a fold_key in a journal is a list",
        _keyed,
        (("verify", "first"), ("verify", "RUN"), ("run", "--plan"), ("compare",)),
    ),
)
