"""Drawn attacks on a clone: links, settings, git, DVC, MLflow's store, caches, modules."""

import pickle
import shutil
import sqlite3
from pathlib import Path
from random import Random

from ruamel.yaml import YAML

from hostile.attack import Attack, Scene
from hostile.drawn import OF_CLONE, OF_DATA, attack, places, spoil_bytes
from hostile.drawn_records import replace
from hostile.forging import forget_images
from hostile.oracle import PASSWORD, How
from hostile.rows_clones import MODULES
from hostile.rows_data import Payload
from hostile.values import dumped, fields, some_path, some_value
from hostile.world import installed

PLACES = (
    *(
        "runs",
        "data",
        ".foldproof",
        ".foldproof/cache",
        ".foldproof/reproduce-x",
        ".foldproof/rehearsal-y",
        ".foldproof/aside",
    ),
    *(".foldproof/envs", ".foldproof/wheels", ".foldproof/folds.lock", ".foldproof/try.lock", ".dvc/tmp", ".dvc/cache"),
    *(
        ".dvc/tmp/lock",
        ".dvc/tmp/rwlock",
        ".dvc/cache/files",
        ".dvc/tmp/foldproof",
        "mlartifacts",
        "mlflow.db",
        "mlflow.db.lock",
    ),
    *(
        "report.html",
        "report.md",
        "report_files",
        "folds.csv",
        "metrics.json",
        "plots",
        "params.yaml",
        "dvc.yaml",
        "dvc.lock",
    ),
    *(
        "excluded.csv",
        ".gitignore",
        ".dvcignore",
        "images",
        "images/cat",
        "images.dvc",
        ".git/index",
        ".git/worktrees",
        "out.zip",
    ),
    *(".dvc/config", ".dvc/config.local", "label-errors.csv", ".foldproof/cache/index.sqlite", "images/cat/000.png"),
)
TARGETS = ("{canary}", "{canary}/thesis.txt", "{canary}/photos", "{canary}/absent", "{home}", "/dev/zero", ".", "pipe")


def a_committed_link(chance: Random) -> Attack:
    place, target = chance.choice(PLACES), chance.choice(TARGETS)

    def deed(scene: Scene) -> None:
        world = scene.world
        path = world.project / place
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        if target == "pipe":
            replace(scene, path, "pipe")
        else:
            path.symlink_to(target.format(canary=world.canary, home=world.home))

    return attack(chance, "clone", f"{place} -> {target}", deed, (*OF_CLONE, *OF_DATA[:5]))


def a_setting(chance: Random) -> Attack:
    def deed(scene: Scene) -> None:
        path = scene.world.project / "params.yaml"
        content = YAML(typ="safe").load(path.read_text())
        content |= {
            "compare": {"metric": "accuracy", "rope": 1.0},
            "tracking": {"uri": "sqlite:///mlflow.db", "experiment": "x"},
        }
        container, key = scene.chance.choice(fields(content))
        container[key] = some_value(scene.chance, **places(scene))
        (scene.world.project / "evil.py").write_text(scene.payload("evil") + "fn = print\n")
        path.write_bytes(dumped(content))  # JSON is YAML

    return attack(chance, "settings", "a field of params.yaml", deed, OF_CLONE)


def bytes_of_a_file(chance: Random) -> Attack:
    name = chance.choice(
        (
            "params.yaml",
            "folds.csv",
            "dvc.yaml",
            ".dvc/config",
            "images.dvc",
            ".dvcignore",
            "excluded.csv",
            ".git/config",
            ".gitattributes",
        )
    )

    def deed(scene: Scene) -> None:
        path = scene.world.project / name
        path.write_bytes(
            spoil_bytes(scene.chance, path.read_bytes() if path.exists() else b"path,reason\ncat/000.png,x\n")
        )

    return attack(chance, "clone", f"bytes of {name}", deed, (*OF_CLONE, *OF_DATA[:5]))


def a_path_of_the_images(chance: Random) -> Attack:
    def deed(scene: Scene) -> None:
        import json

        path = some_path(scene.chance, **places(scene)).encode(errors="replace").decode()
        settings = scene.world.project / "params.yaml"
        settings.write_text(settings.read_text().replace("path: images", f"path: {json.dumps(path)}"))

    return attack(
        chance,
        "settings",
        "data.path",
        deed,
        (*OF_DATA[:7], ("init",), ("report",), ("sync",), ("bundle", "first", "--images", "-o", "out.zip")),
    )


GIT_KEYS = (
    *(
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "core.fsmonitor",
        "diff.external",
        "diff.x.textconv",
        "core.hooksPath",
    ),
    *(
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "gpg.program",
        "credential.helper",
        "core.attributesFile",
        "include.path",
    ),
    *(
        "core.worktree",
        "remote.origin.promisor",
        "remote.origin.uploadpack",
        "merge.x.driver",
        "core.askPass",
        "alias.status",
    ),
)
HOOKS = (
    "post-index-change",
    "post-checkout",
    "reference-transaction",
    "pre-commit",
    "post-commit",
    "fsmonitor-watchman",
    "pre-auto-gc",
)


def git_settings(chance: Random) -> Attack:
    key, hook = chance.choice(GIT_KEYS), chance.choice(HOOKS)

    def deed(scene: Scene) -> None:
        git = scene.world.project / ".git"
        for path in (git / "payload", git / "hooks" / hook):
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\n{scene.payload('git', language='sh')}\ncat 2> /dev/null\n")
            path.chmod(0o755)
        value = {
            "remote.origin.promisor": "true",
            "core.hooksPath": str(git / "hooks"),
            "core.worktree": "../../canary",
        }
        section, _, name = key.rpartition(".")
        head, _, inner = section.partition(".")
        title = f'[{head} "{inner}"]' if inner else f"[{head}]"
        with (git / "config").open("a") as config:
            config.write(f"{title}\n\t{name} = {value.get(key, git / 'payload')}\n")
            config.write(f'[remote "origin"]\n\turl = http://{scene.tripwire.address("git")}/x\n')
        (scene.world.project / ".gitattributes").write_text("* filter=x diff=x merge=x\n")
        (scene.world.project / "dvc.yaml").write_text("stages: {}\n")

    return attack(chance, "git", f"{key} and {hook}", deed, OF_CLONE)


DVC_KEYS = (
    *(
        "core.site_cache_dir",
        "cache.dir",
        "cache.type",
        "cache.local",
        "core.remote",
        "core.autostage",
        "db.x.url",
        "feature.x",
    ),
    *(
        "remote.store.url",
        "remote.store.ask_password",
        "remote.store.keyfile",
        "remote.store.gdrive_client_id",
        "remote.store.password",
    ),
    *(
        "state.dir",
        "core.no_scm",
        "exp.code_dir",
        "hydra.plugins_path",
        "remote.store.custom_auth_header",
        "remote.store.version_aware",
    ),
)


def dvc_settings(chance: Random) -> Attack:
    key = chance.choice(DVC_KEYS)

    def deed(scene: Scene) -> None:
        *section, name = key.split(".")
        title = f"['{section[0]} \"{section[1]}\"']" if len(section) == 2 else f"[{section[0]}]"
        urls = [f"{kind}://{scene.tripwire.address('remote')}/x" for kind in ("http", "ssh", "webdav", "hdfs")]
        values = (
            *urls,
            str(scene.world.canary),
            "../../canary",
            "/",
            "true",
            "symlink",
            some_path(scene.chance, **places(scene)),
        )
        value = scene.chance.choice(values).replace("\n", " ").replace("\0", "").encode(errors="replace").decode()
        with (scene.world.project / ".dvc" / "config").open("a") as config:
            config.write(f"{title}\n    {name} = {value}\n")
        if scene.chance.random() < 0.7:
            forget_images(scene.world)

    return attack(
        chance, "DVC", f"{key} of .dvc/config", deed, (*OF_DATA, ("init",), ("reproduce", "first", "--fold", "0"))
    )


def a_dvc_file(chance: Random) -> Attack:
    """A field of images.dvc, or of a dvc.yaml with a stage, is bad."""
    name = chance.choice(("images.dvc", "images.dvc", "dvc.lock", "dvc.yaml"))

    def deed(scene: Scene) -> None:
        out = {
            "md5": "0" * 32 + ".dir",
            "size": 1,
            "nfiles": 1,
            "hash": "md5",
            "path": "images",
            "remote": "store",
            "cache": True,
        }
        stage = {"cmd": scene.payload("stage", language="sh"), "deps": ["images"], "outs": [out["path"]], "wdir": "."}
        content = {
            "images.dvc": {"outs": [out], "wdir": ".", "md5": "0" * 32, "frozen": False},
            "dvc.yaml": {"stages": {"x": stage}, "vars": [{"a": "${b}"}], "params": ["params.yaml"]},
            "dvc.lock": {"schema": "2.0", "stages": {"x": {"cmd": stage["cmd"], "outs": [out], "deps": [out]}}},
        }[name]
        container, key = scene.chance.choice(fields(content))
        container[key] = some_value(scene.chance, **places(scene))
        (scene.world.project / name).write_bytes(dumped(content))

    return attack(
        chance, "DVC", f"a field of {name}", deed, (*OF_DATA, ("init",), ("bundle", "first", "-o", "out.zip"))
    )


def the_store_of_mlflow(chance: Random) -> Attack:
    """mlflow.db came along: places and names in it are the stranger's."""
    table, column = chance.choice(
        (
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("runs", "name"),
            ("params", "value"),
            ("tags", "value"),
            ("experiments", "name"),
        )
    )

    def deed(scene: Scene) -> None:
        text = scene.chance.choice(
            (
                f"file://{scene.world.canary}",
                "../../canary",
                f"http://{scene.tripwire.address('elsewhere')}/x",
                "s3://x/y",
                f"ftp://{scene.tripwire.address('elsewhere')}/x",
                some_path(scene.chance, **places(scene)),
            )
        )
        with sqlite3.connect(scene.world.project / "mlflow.db") as database:
            rows = database.execute(f"SELECT rowid FROM {table}").fetchall()
            for number, (row,) in enumerate(rows):
                value = text.encode(errors="replace").decode()
                database.execute(
                    f"UPDATE OR IGNORE {table} SET {column} = ? WHERE rowid = ?",
                    [value + ("" if column != "name" else str(number)), row],
                )
        database.close()
        if scene.chance.random() < 0.5:
            run = scene.world.runs["other"]
            (run / "report" / "folds.csv").write_text("x\n")

    commands = (
        ("sync",),
        ("compare", "--from", "mlflow:sqlite:///mlflow.db"),
        ("doctor",),
        ("run", "--again", "--quiet", "first"),
        ("sync", "first"),
    )
    return attack(chance, "MLflow", f"{table}.{column}", deed, commands)


def caches(chance: Random) -> Attack:
    """Pickles and garbage wherever foldproof keeps what it has computed."""
    how = chance.choice(("pickle", "bytes", "link", "pipe", "endless", "huge"))

    def deed(scene: Scene) -> None:
        world = scene.world
        found = [
            path
            for top in (world.project / ".foldproof", world.project / ".dvc" / "tmp", world.home / ".cache")
            for path in sorted(top.rglob("*"))
            if path.is_file()
        ]
        for path in scene.chance.sample(found, min(len(found), 3)):
            if how == "pickle":
                path.write_bytes(pickle.dumps(Payload(world.canary / "ran-cache")))
            else:
                replace(scene, path, how)

    return attack(chance, "caches", how, deed, (*OF_CLONE, *OF_DATA))


def modules(chance: Random) -> Attack:
    """Modules in the root that shadow installed ones, seen from a process of its own."""
    names = chance.sample(MODULES, 8)

    def deed(scene: Scene) -> None:
        for name in names:
            (scene.world.project / f"{name}.py").write_text(scene.payload(name))
        with (scene.world.project / "params.yaml").open("a") as settings:
            settings.write("compare: {metric: macro_f1}\n")

    return attack(chance, "modules", ", ".join(names[:3]), deed, OF_CLONE[:13], How(program=installed()))


def a_folder_given(chance: Random) -> Attack:
    """A stranger's folder to `try`, with the variables of its user set."""

    def deed(scene: Scene) -> None:
        folder: Path = scene.world.given / "photos"
        shutil.copytree(scene.world.project / "images", folder)
        path = scene.chance.choice(sorted(folder.rglob("*.png")))
        replace(scene, path, scene.chance.choice(("pipe", "link", "endless", "bytes", "folder")))

    commands = (("data", "add", "../given/photos"), ("data", "add", "../given/photos", "--to", "images2"))
    return attack(chance, "images", "a folder from elsewhere", deed, commands, How(environment={"MY_TOKEN": PASSWORD}))


DRAWERS = (
    *(
        a_committed_link,
        a_committed_link,
        a_committed_link,
        a_setting,
        a_setting,
        bytes_of_a_file,
        a_path_of_the_images,
    ),
    *(git_settings, dvc_settings, dvc_settings, a_dvc_file, the_store_of_mlflow, caches, a_folder_given),
)
