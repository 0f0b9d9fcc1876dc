"""Drawn attacks on bundles and on run folders, given as such or committed in a clone."""

import io
import json
import os
import zipfile
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from hostile.attack import Attack, Scene
from hostile.drawn import OF_BUNDLE, OF_RUN, attack, places, spoil_bytes, spoil_field
from hostile.forging import MANIFEST, Bundle, rename_images, write_zip
from hostile.rows_limits import IMAGE_BOMBS, parquet_bomb
from hostile.values import dumped, shown, some_path, some_value

JSONS = ("run.json", "run.json", "environment.json", "environment.json", "dataset.json", "data-card.json")
CONTENTS = (
    *("folds.csv", "events.jsonl", "fold-0-0/events.jsonl", "fold-0-1/steps.f32", "fold-0-0/predictions.parquet"),
    *(
        "fold-0-0/model.safetensors",
        "fold-0-1/initial.safetensors",
        "data-card.md",
        "code.diff",
        "report/comparison.csv",
    ),
)


def a_json_field(chance: Random) -> Attack:
    name = chance.choice(JSONS)

    def deed(scene: Scene) -> None:
        made = Bundle(scene.world)
        content = spoil_field(scene, json.loads(made.files[f"{made.run}/{name}"]))
        made.files[f"{made.run}/{name}"] = content
        made.save()
        (_given(scene) / name).write_bytes(content)

    return attack(chance, "bundle", f"a field of {name}", deed, OF_BUNDLE)


def _given(scene: Scene) -> Path:
    return next((scene.world.given / "run").iterdir())


def the_list_of_a_bundle(chance: Random) -> Attack:
    def deed(scene: Scene) -> None:
        made = Bundle(scene.world)
        made.save()
        content = spoil_field(scene, made.manifest)
        write_zip(scene.world.bundle, {**made.files, MANIFEST: content})

    return attack(chance, "bundle", "a field of its list", deed, OF_BUNDLE)


def a_content(chance: Random) -> Attack:
    name = chance.choice(CONTENTS)

    def deed(scene: Scene) -> None:
        made = Bundle(scene.world)
        content = spoil_bytes(scene.chance, made.files.get(f"{made.run}/{name}", b""))
        made.files[f"{made.run}/{name}"] = content
        made.save()
        (_given(scene) / name).parent.mkdir(exist_ok=True)
        (_given(scene) / name).write_bytes(content)

    return attack(chance, "bundle", f"the content of {name}", deed, OF_BUNDLE)


def a_name_in_the_zip(chance: Random) -> Attack:
    def deed(scene: Scene) -> None:
        made = Bundle(scene.world)
        old = scene.chance.choice(sorted(made.files))
        new = some_path(scene.chance, **places(scene)).encode(errors="replace").decode()[:60_000]
        content = made.files.pop(old) if scene.chance.random() < 0.5 else made.files[old]
        made.files[new] = content
        made.save()

    return attack(chance, "bundle", "a name in the ZIP", deed, OF_BUNDLE)


def the_zip_itself(chance: Random) -> Attack:
    """Kinds of entries, lying sizes, odd methods, garbage before and after."""
    how = chance.choice(
        ("link", "folder", "twice", "encrypted", "method", "size", "garbage", "bytes", "comment", "stored")
    )

    def deed(scene: Scene) -> None:
        made = Bundle(scene.world)
        made.save()
        _rewrite(scene, how)

    return attack(chance, "bundle", f"the ZIP: {how}", deed, OF_BUNDLE)


def _rewrite(scene: Scene, how: str) -> None:
    path, chance = scene.world.bundle, scene.chance
    if how in ("encrypted", "method", "size", "bytes", "garbage"):
        content = bytearray(path.read_bytes())
        heads = [at for at in range(len(content) - 46) if content[at : at + 4] == b"PK\1\2"]
        at = chance.choice(heads)
        if how == "encrypted":
            content[at + 8] |= 1
        elif how == "method":
            content[at + 10] = chance.choice((1, 6, 9, 12, 14, 93, 99))
        elif how == "size":
            content[at + 24 : at + 28] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"))
        elif how == "bytes":
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(bytes(1000) + bytes(content) if how == "garbage" else bytes(content))
        return
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo(chance.choice(("runs/x/run.json", "images/x.png", "x", "README.md")))
        entry.external_attr = {"link": 0o120777, "folder": 0o040755}.get(how, 0o644) << 16
        if how == "folder":
            entry.filename += "/"
        archive.comment = bytes(60_000) if how == "comment" else b""
        archive.writestr(entry, str(scene.world.canary / "thesis.txt"))


def paths_of_images(chance: Random) -> Attack:
    """Some images have other paths, everywhere in the record."""

    def deed(scene: Scene) -> None:
        made = Bundle(scene.world)
        if scene.chance.random() < 0.5:
            made.files = {name: data for name, data in made.files.items() if not name.startswith("images/")}
        numbers = scene.chance.sample(range(12), 3)
        names = {number: some_path(scene.chance, **places(scene)) for number in numbers}
        names[numbers[0]] = f"images/{scene.chance.randrange(12):07d}.png"
        names = {number: name.encode(errors="replace").decode() for number, name in names.items()}
        rename_images(made.files, made.run, names)
        made.save()

    return attack(chance, "bundle", "paths of images", deed, OF_BUNDLE[:5])


def a_journal_event(chance: Random) -> Attack:
    """A well-framed line with one field made bad."""
    where = chance.choice(("", "fold-0-0", "fold-0-1"))

    def deed(scene: Scene) -> None:
        from foldproof.events.journal import frame, unframe

        for folder in (_given(scene), scene.world.runs["first"]):
            path = folder / where / "events.jsonl"
            lines = path.read_bytes().splitlines()
            at = scene.chance.randrange(len(lines))
            lines[at] = frame(spoil_field(scene, json.loads(unframe(lines[at])))).rstrip(b"\n")
            path.write_bytes(b"\n".join(lines) + b"\n")

    return attack(chance, "run folder", f"an event in {where or 'the run'}", deed, (*OF_RUN, *OF_BUNDLE[5:]))


def predictions(chance: Random) -> Attack:
    how = chance.choice(("paths", "bomb", "columns", "types"))

    def deed(scene: Scene) -> None:
        for folder in (_given(scene), scene.world.runs["first"]):
            path = folder / "fold-0-0" / "predictions.parquet"
            path.write_bytes(_table(scene, path.read_bytes(), how))

    return attack(chance, "run folder", f"predictions: {how}", deed, (*OF_RUN[:7], *OF_BUNDLE[5:8]))


def _table(scene: Scene, content: bytes, how: str) -> bytes:
    if how == "bomb":
        return parquet_bomb()
    table = pq.ParquetFile(pa.BufferReader(content)).read()
    if how == "paths":
        names = [
            some_path(scene.chance, **places(scene)).encode(errors="replace").decode() for _ in range(table.num_rows)
        ]
        table = table.set_column(table.schema.get_field_index("path"), "path", pa.array(names, pa.string()))
    elif how == "columns":
        table = table.drop_columns([scene.chance.choice(table.column_names)])
    else:
        at = scene.chance.randrange(table.num_columns)
        table = table.set_column(at, table.column_names[at], pa.array([b"\xff" * 9] * table.num_rows, pa.binary()))
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def a_committed_run(chance: Random) -> Attack:
    """A field of a run that came with the repository, which counts as the project's own."""
    name = chance.choice(JSONS)

    def deed(scene: Scene) -> None:
        path = scene.world.runs["first"] / name
        path.write_bytes(spoil_field(scene, json.loads(path.read_text())))

    return attack(chance, "run folder", f"a field of {name}", deed, OF_RUN)


def a_committed_file(chance: Random) -> Attack:
    """A file of such a run is other bytes, a pipe, a link or a folder."""
    how = chance.choice(("bytes", "pipe", "link", "endless", "folder", "huge", "parent"))

    def deed(scene: Scene) -> None:
        run = scene.world.runs["first"]
        path = scene.chance.choice(sorted(path for path in run.rglob("*") if path.is_file()))
        replace(scene, path, how)

    return attack(chance, "run folder", f"a file: {how}", deed, OF_RUN)


def replace(scene: Scene, path: Path, how: str) -> None:
    """Something else stands where a file was."""
    content = path.read_bytes() if path.is_file() else b""
    if how == "parent" and path.parent != scene.world.project:
        path.parent.rename(scene.world.canary / "moved")
        path.parent.symlink_to(scene.world.canary / "moved")
        return
    path.unlink(missing_ok=True)
    if how == "pipe":
        os.mkfifo(path)
    elif how == "link":
        path.symlink_to(scene.world.canary / scene.chance.choice(("id_rsa", "thesis.txt", "photos", "absent")))
    elif how == "endless":
        path.symlink_to("/dev/zero")
    elif how == "folder":
        path.mkdir()
    elif how == "huge":
        with path.open("wb") as file:
            file.truncate(2**38)
    else:
        path.write_bytes(spoil_bytes(scene.chance, content))


def an_image_in_a_bundle(chance: Random) -> Attack:
    ending = chance.choice(sorted(IMAGE_BOMBS))

    def deed(scene: Scene) -> None:
        made = Bundle(scene.world)
        name = scene.chance.choice(sorted(name for name in made.files if name.startswith("images/")))
        made.files[name] = scene.chance.choice((IMAGE_BOMBS[ending](), spoil_bytes(scene.chance, made.files[name])))
        made.save()

    return attack(chance, "bundle", f"an image, {ending}", deed, OF_BUNDLE[:5])


def settings_of_a_record(chance: Random) -> Attack:
    """A recorded setting is a bad value: shown, trained with, loaded by."""
    value = some_value(chance)

    def deed(scene: Scene) -> None:
        made = Bundle(scene.world)
        content = json.loads(made.files[f"{made.run}/run.json"])
        section = content["config"][scene.chance.choice(("train", "folds", "pixels"))]
        section[scene.chance.choice(sorted(section))] = value
        for path in (_given(scene) / "run.json", scene.world.runs["first"] / "run.json"):
            path.write_bytes(dumped(content))
        made.files[f"{made.run}/run.json"] = dumped(content)
        made.save()

    return attack(chance, "bundle", f"a setting {shown(value)}", deed, (*OF_BUNDLE, *OF_RUN))


DRAWERS = (
    *(a_json_field, a_json_field, the_list_of_a_bundle, a_content, a_name_in_the_zip, the_zip_itself, paths_of_images),
    *(a_journal_event, predictions, a_committed_run, a_committed_run, a_committed_file, an_image_in_a_bundle),
    settings_of_a_record,
)
