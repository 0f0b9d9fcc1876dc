"""Rows 4, 5, 6, 8, 19, 24: DVC's lists, hashes, pickles and links of a clone, and names of files and classes."""

import pickle
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

from hostile.attack import Attack, Command, Scene
from hostile.forging import forget_images, in_remote, listed, point, relist
from hostile.oracle import Finding, Judged
from hostile.world import World, dvc_site

PULL: Command = ("data", "pull")
READING: tuple[Command, ...] = (("data", "check"), ("doctor",), ("run", "--plan"), ("verify", "first"))


def _list_names(relpath: str) -> Attack:
    """The list in the remote has one file more, which lies elsewhere."""

    def deed(scene: Scene) -> None:
        oid = in_remote(scene.world, scene.payload("pth", language="pth").encode())
        name = relpath.format(base=scene.world.base)
        relist(scene.world, [*listed(scene.world), {"md5": oid, "relpath": name}])

    return Attack("remote", f"a list names {relpath!r}", deed, (PULL, *READING[:2]))


ROW_4 = (
    *map(_list_names, ("../../canary/site-packages/x.pth", "{base}/canary/x.pth", "cat/../../../canary/x.pth")),
    *map(_list_names, ("../.git/hooks/post-checkout", "../params.yaml", "../own.py", "./../x.pth")),
    *map(_list_names, (".", "", "cat", "cat/000.png/x", "..")),
)
_UP = "/../../../../../../"  # from below a cache's folder of two digits to the folder that holds the project


def _hash_in_list(oid: str, *, forget: bool) -> Attack:
    """A hash in the list that is a path."""

    def deed(scene: Scene) -> None:
        rows = listed(scene.world)
        md5 = oid.format(two=rows[0]["md5"][:2])
        rows[-1] = {**rows[-1], "md5": md5}
        relist(scene.world, rows, forget=forget)

    where = "in a clone" if forget else "with images there"
    return Attack("remote", f"a hash {oid!r} in a list, {where}", deed, (PULL, *READING))


def _hash_in_file(oid: str) -> Attack:
    """The hash in images.dvc is a path."""

    def deed(scene: Scene) -> None:
        (scene.world.project / ".dvc/cache/files/md5/05").mkdir(exist_ok=True)
        point(scene.world, oid)

    return Attack("clone", f"a hash {oid!r} in images.dvc", deed, (*READING, PULL))


ROW_5 = (
    *(_hash_in_list(f"{{two}}{_UP}canary/thesis.txt", forget=forget) for forget in (False, True)),
    *(_hash_in_list(f"{{two}}{_UP}project/params.yaml", forget=forget) for forget in (False, True)),
    _hash_in_list("", forget=False),
    _hash_in_list("/etc/hostname", forget=False),
    _hash_in_list("A" * 5000, forget=False),
    _hash_in_file(f"05{_UP}canary/other.dir"),
    _hash_in_file(f"05{_UP}canary/thesis.txt"),
    _hash_in_file(f"05{_UP}canary/code.dir"),
    _hash_in_file("x"),
    _hash_in_file(""),
)


class Payload:
    """Whoever unpickles it opens a file for writing."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self._path, "w")


def poison(folder: Path, trace: Path) -> int:
    """Put a pickle into every row of every diskcache below `folder`; how many rows."""
    count = 0
    for file in folder.rglob("cache.db"):
        with sqlite3.connect(file) as database:
            changed = database.execute(
                "UPDATE Cache SET mode = 4, filename = NULL, value = ?", [pickle.dumps(Payload(trace))]
            )
            count += changed.rowcount
        database.close()
    return count


def _index_named_by_the_clone(name: str) -> Attack:
    def deed(scene: Scene) -> None:
        world = scene.world
        place = world.base / "given" / "site" if name == "absolute" else world.project / ".site"
        text = str(place) if name == "absolute" else ".site"
        (world.project / ".dvc" / "config").write_text(
            f"[core]\n    remote = store\n    site_cache_dir = {text}\n['remote \"store\"']\n    url = ../../remote\n"
        )
        _fill(world, place)
        assert poison(place, world.canary / "ran-index")

    return Attack("clone", f"an index of pickles, {name}", deed, (PULL, *READING))


def _fill(world: World, place: Path) -> None:
    """As DVC itself fills its index, and then a clone without images."""
    forget_images(world)
    world.type("python -m dvc pull --quiet", DVC_SITE_CACHE_DIR=str(place))
    forget_images(world)


def _index_of_all_users(scene: Scene) -> None:
    """DVC's default lies below /var/tmp, where anybody may have been first."""
    world = scene.world
    place = dvc_site(world)
    staging = world.base.with_name("staging")
    shutil.rmtree(staging, ignore_errors=True)
    _fill(world, staging)
    (made,) = staging.glob("repo/*")
    shutil.copytree(made, place, dirs_exist_ok=True)
    assert poison(place, world.canary / "ran-index")


def _pickles_in(place: str) -> Attack:
    """Files that end as pickles do, wherever a cache may be."""

    def deed(scene: Scene) -> None:
        folder = scene.world.project / place
        folder.mkdir(parents=True, exist_ok=True)
        content = pickle.dumps(Payload(scene.world.canary / "ran-file"))
        for name in ("index.pkl", "index.pickle", "cache", "duplicates.json", "shortcuts.json", "state"):
            (folder / name).write_bytes(content)
        for path in folder.glob("*.sqlite"):
            path.write_bytes(content)

    return Attack("clone", f"pickles in {place}", deed, (*READING, PULL))


ROW_6 = (
    _index_named_by_the_clone("absolute"),
    _index_named_by_the_clone("relative"),
    Attack("clone", "an index in the place of all users", _index_of_all_users, (PULL, *READING)),
    _pickles_in(".foldproof/cache"),
    _pickles_in(".dvc/tmp"),
)


def _link_to_the_images(link: str, target: str, path: str) -> Attack:
    def deed(scene: Scene) -> None:
        world = scene.world
        (world.canary / "out" / "images").mkdir(parents=True)
        (oid,) = (file.name for file in (world.remote / "files" / "md5").glob("*/*.dir"))
        parent = (world.remote / "files" / "md5").glob("*/*.dir").__next__().parent.name
        forget_images(world)
        (world.project / link).parent.mkdir(parents=True, exist_ok=True)
        (world.project / link).symlink_to(target.format(base=world.base))
        point(world, parent + oid, path=path)
        settings = world.project / "params.yaml"
        settings.write_text(settings.read_text().replace("path: images", f"path: {path}"))
        for command in (("add", "--force", link), ("commit", "--quiet", "--message", "a link")):
            subprocess.run(["git", *command], cwd=world.project, check=True)

    return Attack(
        "clone",
        f"{link} -> {target}",
        deed,
        (PULL, ("data", "pull", "--force"), ("data", "check"), ("data", "add", path)),
    )


ROW_8 = (
    _link_to_the_images("images", "../canary/out", "images"),
    _link_to_the_images("images", "{base}/canary/photos", "images"),
    _link_to_the_images("data", "../canary/out", "data/images"),
    _link_to_the_images("data/raw", "../../canary/out", "data/raw/images"),
    _link_to_the_images("data", "../home", "data/images"),
    _link_to_the_images("images", ".git", "images"),
)
NAMES = (
    "owned\x1b[2J\x1b]0;owned\x07.png",
    "photo\u202egnp.exe.png",
    "line\nnext.png",
    "tab\tbell\x07.png",
    "isolate\u2066x\u2069.png",
    "c1\x9b31m.png",
    "half\udcff.png",
)


def _named(name: str, place: str) -> Attack:
    """A file, or a class folder, of a telling name."""

    def deed(scene: Scene) -> None:
        images = scene.world.project / "images"
        source = images / "cat" / "000.png"
        if place == "file":
            shutil.copyfile(source, images / "cat" / name)
            (images / "cat" / f"broken-{name}").write_bytes(b"no image")
        else:
            shutil.copytree(images / "cat", images / name.removesuffix(".png"))

    commands: tuple[Command, ...] = (
        ("data", "check", "--all"),
        ("run", "--plan"),
        ("doctor",),
        ("data", "check", "--exclude"),
    )
    return Attack("images", f"a {place} named {name!a}", deed, (*commands, ("data", "add", "images")))


def _fresh_folder(name: str) -> Attack:
    """`init` looks for images by itself and says what it found."""

    def deed(scene: Scene) -> None:
        project = scene.world.project
        (project / "images").rename(project / name.removesuffix(".png"))
        for path in ("params.yaml", "dvc.yaml", "images.dvc"):
            (project / path).unlink(missing_ok=True)

    return Attack("images", f"init in a folder with {name!a}", deed, (("init",), ("config",), ("data", "check")))


def _data_path(path: str) -> Attack:
    def deed(scene: Scene) -> None:
        settings = scene.world.project / "params.yaml"
        settings.write_text(settings.read_text().replace("path: images", f'path: "{path}"'))

    commands: tuple[Command, ...] = (("data", "check"), ("init",), ("data", "pull"), ("doctor",), ("run", "--plan"))
    return Attack("clone", f"data.path {path}", deed, (*commands, ("report",), ("config",)))


ROW_19 = (
    *(_named(name, place) for name in NAMES for place in ("file", "class")),
    *map(_fresh_folder, NAMES[:2]),
    *map(_data_path, (r"im\e[2Jages", r"im\u202Eages", r"im\nages", r"im\aages")),
)


def _all_well(scene: Scene, judged: Judged) -> Iterator[Finding]:
    if judged.done.code != 0:
        yield Finding("refused", f"an honest project: code {judged.done.code}")


def _backslash(name: str, place: str) -> Attack:
    """Legal on Linux, and what an honest user may have."""

    def deed(scene: Scene) -> None:
        images = scene.world.project / "images"
        if place == "class":
            (images / "cat").rename(images / name)
        else:
            (images / "cat" / "000.png").rename(images / "cat" / f"{name}.png")
        for argv in (("data", "add", "images"), ("run", "--quiet", "--again", "first")):
            done = scene.world.foldproof(*argv, seconds=120)
            assert done.code == 0, done.err.decode()

    commands: tuple[Command, ...] = (
        *(("verify", "first"), ("bundle", "first", "--images", "--weights", "-o", "own.zip"), ("verify", "own.zip")),
        *(("reproduce", "own.zip", "--fold", "0"), ("data", "check"), ("report",), ("compare",)),
    )
    return Attack("images", f"a {place} named {name}", deed, commands, look=_all_well)


ROW_24 = (
    _backslash("long\\eared owl", "class"),
    _backslash("a\\b", "file"),
    _backslash("..\\x", "class"),
    _backslash("c:x", "class"),
)
