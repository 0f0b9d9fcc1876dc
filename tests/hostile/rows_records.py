"""Rows 1, 2, 3, 7, 9, 10, 11 of what was done to foldproof: bundles and run folders that name places, commits, code."""

import base64
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator

from hostile.attack import Attack, Scene
from hostile.forging import bundle, edit_json, rename_images
from hostile.oracle import Finding, How, Judged
from hostile.world import installed

CHECKING = (("verify", "BUNDLE"), ("reproduce", "BUNDLE"))


def _write_through(number: int, first: str, second: str, *, images: bool) -> "Attack":
    """One image has the name that another, whose own cannot be used, is given."""

    def deed(scene: Scene) -> None:
        with bundle(scene.world) as made:
            kept = sorted(name for name in made.files if name.startswith("images/")) if images else []
            made.files = {
                name: data
                for name, data in made.files.items()
                if "/" not in name or name.startswith("runs/") or name in kept
            }
            lacking = json.loads(made.files[f"{made.run}/dataset.json"])["samples"][number - 2][0]
            made.files.pop(f"images/{lacking}", None)
            rename_images(made.files, made.run, {number: second, number - 2: first})

    place = "the bundle's images" if images else "the project's images"
    return Attack("bundle", f"{first} and {second[:20]!r} of {place}", deed, CHECKING)


def _through_links_into_the_cache(scene: Scene) -> None:
    scene.world.type("python -m dvc config cache.type symlink && python -m dvc checkout --relink --quiet")
    _write_through(2, "images/0000002.png", "../x", images=False).deed(scene)


ROW_1 = (
    _write_through(2, "images/0000002.png", "../x", images=False),
    _write_through(5, "images/0000005.png", "/etc/x.png", images=False),
    _write_through(4, "images/0000004.png", "cat/../../x.png", images=False),
    _write_through(3, "images/0000003.png", "cat/no-image.txt", images=False),
    _write_through(2, "images/0000002.png", "../x", images=True),
    Attack("bundle", "links into DVC's cache", _through_links_into_the_cache, CHECKING),
)
SHADOWS = ("torch", "numpy", "PIL", "safetensors", "sitecustomize", "foldproof", "jinja2", "secrets")


def _commit_with_modules(scene: Scene) -> str:
    """A commit that the repository holds, as of a fetched pull request, with modules that shadow those installed."""
    world = scene.world
    world.type("git checkout --quiet -b theirs")
    for name in SHADOWS:
        (world.project / f"{name}.py").write_text(scene.payload(name))
    world.type("git add --all && git commit --quiet --message theirs && git rev-parse HEAD > ../commit")
    world.type("git checkout --quiet - && git branch --quiet -D theirs")
    commit = (world.base / "commit").read_text().strip()
    (world.base / "commit").unlink()
    return commit


def _record_names_that_commit(scene: Scene) -> None:
    commit = _commit_with_modules(scene)
    with bundle(scene.world) as made:
        made.edit("environment.json", lambda said: said.update(git={**(said["git"] or {}), "commit": commit}))
    run = next((scene.world.given / "run").iterdir())
    edit_json(run / "environment.json", lambda said: said.update(git={**(said["git"] or {}), "commit": commit}))


def _commit_that_git_would_fetch(scene: Scene) -> None:
    address = f"http://{scene.tripwire.address('git')}/theirs.git"
    for key, value in (
        ("remote.origin.url", address),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialclonefilter", "blob:none"),
        ("extensions.partialClone", "origin"),
        ("core.repositoryformatversion", "1"),
    ):
        scene.world.type(f"git config {key} {value}")
    with bundle(scene.world) as made:
        made.edit(
            "environment.json", lambda said: said.update(git={**(said["git"] or {}), "commit": "c0ffee" * 6 + "beef"})
        )


FOREIGN = (("verify", "BUNDLE"), ("reproduce", "BUNDLE"), ("reproduce", "RUN", "--fold", "0"))
ROW_2 = (
    Attack("bundle", "a commit with a torch.py", _record_names_that_commit, FOREIGN, How(program=installed())),
    Attack("bundle", "a commit that a partial clone lacks", _commit_that_git_would_fetch, FOREIGN),
)


def evil_wheel(scene: Scene) -> bytes:
    """A wheel called foldproof; whoever starts it leaves a trace."""
    files = {
        "foldproof/__init__.py": scene.payload("wheel").encode(),
        "foldproof/__main__.py": scene.payload("wheel-main").encode(),
        "foldproof.pth": scene.payload("wheel-pth", language="pth").encode(),
        "foldproof-0.1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: foldproof\nVersion: 0.1.0\n",
        "foldproof-0.1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("foldproof-0.1.0.dist-info/RECORD", record + "foldproof-0.1.0.dist-info/RECORD,,\n")
    return out.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _brings_a_wheel(scene: Scene, packages: dict[str, str]) -> None:
    wheel = evil_wheel(scene)
    named = {"file": "foldproof-0.1.0-py3-none-any.whl", "sha256": hashlib.sha256(wheel).hexdigest()}
    with bundle(scene.world) as made:
        made.files = {name: data for name, data in made.files.items() if not name.endswith(".whl")}
        made.files[named["file"]] = wheel
        made.edit("environment.json", lambda said: said.update(foldproof_wheel=named, packages=packages))


def _index(scene: Scene) -> None:
    """Whatever asks a package index asks the tripwire."""
    (scene.world.home / ".config" / "uv").mkdir(parents=True)
    address = f"http://{scene.tripwire.address('elsewhere')}/simple"
    (scene.world.home / ".config" / "uv" / "uv.toml").write_text(f'index-url = "{address}"\n')
    (scene.world.home / ".config" / "pip").mkdir(parents=True)
    (scene.world.home / ".config" / "pip" / "pip.conf").write_text(f"[global]\nindex-url = {address}\nretries = 0\n")


def _brings_packages(scene: Scene) -> None:
    _index(scene)
    _brings_a_wheel(scene, {"evil-package": "1.0"})


REBUILT = (
    ("reproduce", "BUNDLE", "--env", "rebuild", "--as-is"),
    ("reproduce", "BUNDLE", "--env", "rebuild"),
    ("reproduce", "BUNDLE", "--as-is"),
)
ROW_3 = (
    Attack("bundle", "a wheel", lambda scene: _brings_a_wheel(scene, {}), REBUILT),
    Attack("bundle", "a list of packages", _brings_packages, REBUILT),
)


def _link(path: str, target: str, *more: tuple[str, ...]) -> "Attack":
    def deed(scene: Scene) -> None:
        place = scene.world.project / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    commands = (("verify", "first"), ("reproduce", "first"), ("verify", "BUNDLE"), *more)
    return Attack("clone", f"{path} -> {target}", deed, commands)


ROW_7 = (
    _link(".foldproof/reproduce-x", "../../canary"),
    _link(".foldproof/reproduce-x/code", "../../../canary"),
    _link(".foldproof/reproduce-0123456789ab", "../images"),
    _link(".foldproof", "../canary", ("run", "--plan"), ("data", "check")),
    _link(".foldproof/cache", "../../canary", ("run", "--plan"), ("data", "check")),
    _link(".foldproof/rehearsal-x", "../../canary", ("run", "--try")),
    _link("runs", "../canary"),
)


def _packs(sha256: str, file: str) -> "Attack":
    def deed(scene: Scene) -> None:
        said = {"sha256": sha256.format(base=scene.world.base), "file": file.format(base=scene.world.base)}
        for run in scene.world.runs.values():
            edit_json(run / "environment.json", lambda content: content.update(foldproof_wheel=said))
        (scene.world.project / ".foldproof" / "wheels").mkdir(parents=True, exist_ok=True)

    commands = (
        ("bundle", "first", "-o", "out.zip"),
        ("bundle", "first", "--anonymous", "-o", "out.zip"),
        ("verify", "first"),
    )
    return Attack("run folder", f"a wheel {sha256}/{file}", deed, commands)


ROW_9 = (
    _packs("../../../canary", "id_rsa"),
    _packs("..", "../../../canary/id_rsa"),
    _packs("x", "{base}/canary/id_rsa"),
    _packs("{base}/canary", "id_rsa"),
)


def _commit(text: str) -> "Attack":
    def deed(scene: Scene) -> None:
        with bundle(scene.world) as made:
            made.edit("environment.json", lambda said: said["git"].update(commit=text))
        run = next((scene.world.given / "run").iterdir())
        edit_json(run / "environment.json", lambda said: said["git"].update(commit=text))

    commands = (
        ("diff", "first", "BUNDLE"),
        ("diff", "BUNDLE", "first"),
        ("diff", "RUN", "first"),
        ("verify", "BUNDLE"),
    )
    return Attack("bundle", f"a commit {text}", deed, commands)


ROW_10 = (
    _commit("--output=log"),
    _commit("--output=../canary/thesis.txt"),
    _commit("--output=params.yaml"),
    _commit("-O../canary/id_rsa"),
    _commit("--ext-diff"),
)
DIFF = """\
diff --git a/own_model.py b/own_model.py
index 1111111..2222222 100644
--- a/own_model.py
+++ b/own_model.py
@@ -1 +1,2 @@
 from torch import nn
+import fast
diff --git a/fast.cpython-311-x86_64-linux-gnu.so b/fast.cpython-311-x86_64-linux-gnu.so
new file mode 100755
index 0000000000000000000000000000000000000000..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391
GIT binary patch
literal 0
HcmV?d00001

literal 0
HcmV?d00001

diff --git "a/\\303\\244rger.py" "b/\\303\\244rger.py"
new file mode 100644
index 0000000..e69de29
--- /dev/null
+++ "b/\\303\\244rger.py"
@@ -0,0 +1 @@
+import os
diff --git a/notes.txt b/usercustomize.py
similarity index 100%
rename from notes.txt
rename to usercustomize.py
diff --git a/old.txt b/copied.py
similarity index 100%
copy from old.txt
copy to copied.py
diff --git a/tool.sh b/tool.sh
old mode 100644
new mode 100755
"""
_BROUGHT = (
    "own_model.py",
    "fast.cpython-311-x86_64-linux-gnu.so",
    "rger.py",
    "usercustomize.py",
    "copied.py",
    "tool.sh",
)


def _brings_changes(scene: Scene) -> None:
    with bundle(scene.world) as made:
        made.edit("run.json", lambda said: said["config"]["train"].update(backbone="own_model:net"))
        made.files[f"{made.run}/code.diff"] = DIFF.encode()


def _names_every_file(scene: Scene, judged: Judged) -> Iterator[Finding]:
    said = (judged.done.out + judged.done.err).decode()
    missing = [name for name in _BROUGHT if name not in said]
    if missing:
        yield Finding("not named", ", ".join(missing))


ROW_11 = (
    Attack(
        "bundle",
        "a binary, a quoted name, a rename, a copy, a mode",
        _brings_changes,
        (("reproduce", "BUNDLE"),),
        look=_names_every_file,
    ),
)
