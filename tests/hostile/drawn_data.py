"""Drawn attacks on what is data: DVC's remote, tables, images, servers."""

import json
import os
import shutil
from random import Random

from hostile import serving
from hostile.attack import Attack, Command, Scene
from hostile.drawn import OF_CLONE, OF_DATA, attack, places, spoil_bytes, spoil_field
from hostile.drawn_records import replace
from hostile.forging import forget_images, in_remote, listed, relist
from hostile.oracle import PASSWORD, How
from hostile.rows_limits import IMAGE_BOMBS
from hostile.values import HASHES, filled, shown, some_path, some_value


def a_list(chance: Random) -> Attack:
    """A field of the list of files is bad, or a row names another place."""

    def deed(scene: Scene) -> None:
        rows = listed(scene.world)
        how = scene.chance.random()
        if how < 0.35:
            payload = in_remote(scene.world, scene.payload("pth", language="pth").encode())
            rows.append({"md5": payload, "relpath": some_path(scene.chance, **places(scene))})
        elif how < 0.7:
            rows[scene.chance.randrange(12)]["md5"] = str(filled(scene.chance.choice(HASHES), **places(scene)))
        else:
            rows = json.loads(spoil_field(scene, rows))
        relist(scene.world, rows, forget=scene.chance.random() < 0.6)

    return attack(chance, "remote", "a list", deed, OF_DATA)


def bytes_of_a_list(chance: Random) -> Attack:
    def deed(scene: Scene) -> None:
        (path,) = (scene.world.remote / "files" / "md5").glob("*/*.dir")
        path.write_bytes(spoil_bytes(scene.chance, path.read_bytes()))
        forget_images(scene.world)

    return attack(chance, "remote", "bytes of a list", deed, OF_DATA)


def an_object(chance: Random) -> Attack:
    how = chance.choice(("bytes", "absent", "pipe", "link", "endless", "folder", "bomb"))

    def deed(scene: Scene) -> None:
        objects = sorted(path for path in (scene.world.remote / "files" / "md5").glob("*/*") if path.suffix != ".dir")
        path = scene.chance.choice(objects)
        if how == "absent":
            path.unlink()
        elif how == "bomb":
            path.write_bytes(IMAGE_BOMBS[".webp"]())
        else:
            replace(scene, path, how)
        forget_images(scene.world)

    return attack(chance, "remote", f"an object: {how}", deed, OF_DATA)


def a_cell(chance: Random) -> Attack:
    """A table that a command reads, with one cell made bad."""
    name = chance.choice(("folds.csv", "excluded.csv", "labels.csv", "scores.csv", "predictions.csv"))

    def deed(scene: Scene) -> None:
        world = scene.world
        rows = _tables(scene)[name]
        at = scene.chance.randrange(len(rows))
        rows[at][scene.chance.randrange(len(rows[at]))] = _cell(scene)
        text = "\n".join(",".join(row) for row in rows) + "\n"
        (world.project / name).write_bytes(text.encode(errors="surrogatepass"))
        if name == "labels.csv":
            settings = world.project / "params.yaml"
            settings.write_text(settings.read_text().replace("image_size", "labels: labels.csv, image_size"))

    return attack(chance, "tables", name, deed, _readers(name))


def _cell(scene: Scene) -> str:
    value = some_value(scene.chance, **places(scene))
    text = value if isinstance(value, str) else shown(value)
    return scene.chance.choice((text, f'"{text}"', '"' + "x" * 200_000, "=1+1", ""))


def _tables(scene: Scene) -> dict[str, list[list[str]]]:
    folds = [line.split(",") for line in (scene.world.project / "folds.csv").read_text().splitlines()]
    labels = [[f"{label}/{number:03d}.png", label] for label in ("cat", "dog", "eel") for number in range(4)]
    scores = [[name, str(fold), "0.5"] for name in "ab" for fold in range(3)]
    predictions = [[name, f"{number}.png", "cat", "dog", str(number % 2)] for name in "ab" for number in range(6)]
    return {
        "folds.csv": folds,
        "excluded.csv": [["path", "reason"], ["cat/000.png", "blurred"], ["dog/001.png", "twice"]],
        "labels.csv": [["path", "label"], *labels],
        "scores.csv": [["experiment", "fold", "accuracy"], *scores],
        "predictions.csv": [["experiment", "path", "label", "predicted", "fold"], *predictions],
    }


def _readers(name: str) -> tuple[Command, ...]:
    if name in ("scores.csv", "predictions.csv"):
        return (
            ("compare", "--from", name),
            ("compare", "--from", name, "--json"),
            ("compare", "--from", name, "--format", "latex"),
        )
    return (
        ("run", "--plan"),
        ("data", "check"),
        ("doctor",),
        ("report",),
        ("data", "check", "--exclude"),
        ("reproduce", "first", "--as-is", "--fold", "0"),
    )


def bytes_of_a_table(chance: Random) -> Attack:
    name = chance.choice(("scores.csv", "predictions.csv", "folds.csv", "labels.csv"))

    def deed(scene: Scene) -> None:
        text = "\n".join(",".join(row) for row in _tables(scene)[name]).encode()
        path = scene.world.project / name
        path.write_bytes(spoil_bytes(scene.chance, text))
        if scene.chance.random() < 0.3:
            replace(scene, path, scene.chance.choice(("pipe", "link", "endless", "folder", "huge")))

    return attack(chance, "tables", f"bytes of {name}", deed, _readers(name))


def an_image(chance: Random) -> Attack:
    how = chance.choice((*sorted(IMAGE_BOMBS), "bytes", "pipe", "link", "endless", "folder", "huge", "parent"))

    def deed(scene: Scene) -> None:
        images = scene.world.project / "images"
        path = scene.chance.choice(sorted(images.glob("*/*.png")))
        if how in IMAGE_BOMBS:
            for number in range(scene.chance.randrange(1, 9)):
                (path.parent / f"more{number}{how}").write_bytes(IMAGE_BOMBS[how]())
        else:
            replace(scene, path, how)

    return attack(
        chance,
        "images",
        f"an image: {how}",
        deed,
        (*OF_DATA, ("report",), ("bundle", "first", "--images", "-o", "out.zip")),
    )


def a_name(chance: Random) -> Attack:
    """A file or a class of a telling name."""

    def deed(scene: Scene) -> None:
        images = scene.world.project / "images"
        text = some_path(scene.chance, **places(scene)).replace("/", "∕").replace("\0", "")[:80] or "x"
        name = os.fsdecode(text.encode(errors="replace"))
        if scene.chance.random() < 0.5:
            shutil.copyfile(images / "cat" / "000.png", images / "cat" / f"{name}.png")
        else:
            shutil.copytree(images / "cat", images / f"{name}x")

    return attack(chance, "images", "a name", deed, (*OF_DATA, ("init",), ("report",)))


def a_server(chance: Random) -> Attack:
    """Somebody's MLflow, asked for scores."""
    way = chance.choice(serving.WAYS)

    def deed(scene: Scene) -> None:
        address = serving.address(way, scene.tripwire.address("elsewhere"))
        with (scene.world.project / "params.yaml").open("a") as settings:
            settings.write(f"tracking: {{uri: '{address}'}}\n")

    environment = {"MLFLOW_TRACKING_USERNAME": "ada", "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    commands: tuple[Command, ...] = (("sync",), ("doctor",), ("run", "--plan"))
    return attack(chance, "servers", f"tracking that answers {way}", deed, commands, How(environment=environment))


def scores_of_a_server(chance: Random) -> Attack:
    way = chance.choice(serving.WAYS)
    elsewhere = "127.0.0.1:9"
    commands: tuple[Command, ...] = tuple(
        ("compare", "--from", f"mlflow:{serving.address(way, elsewhere)}", *more) for more in ((), ("--json",))
    )
    return attack(chance, "servers", f"scores that answer {way}", lambda _: None, commands)


def a_settings_file_given(chance: Random) -> Attack:
    """Splits of the others: dvc.yaml, metrics.json, plots that a run leaves for DVC are somebody else's."""
    name = chance.choice(("metrics.json", "dvc.yaml", "plots/folds.csv"))

    def deed(scene: Scene) -> None:
        path = scene.world.project / name
        path.parent.mkdir(exist_ok=True)
        replace(scene, path, scene.chance.choice(("pipe", "link", "bytes", "folder")))

    return attack(chance, "clone", f"{name} replaced", deed, OF_CLONE)


DRAWERS = (
    *(a_list, a_list, a_list, bytes_of_a_list, an_object, a_cell, a_cell, bytes_of_a_table, an_image, an_image, a_name),
    *(a_server, scores_of_a_server, a_settings_file_given),
)
