"""Whatever git would apply of a patch is listed before it is: files in every spelling, renamed, binary, links."""

import random
import subprocess
from pathlib import Path

import pytest

from foldproof.provenance import worktree
from foldproof.provenance.patches import Touched, touched
from recorded import done

NAMES = (
    "plain.py", "with space.py", "ä.py", "tab\there.py", "line\nbreak.py", 'quo"te.py', "back\\slash.py",
    "pkg/deep/er.py", "a/b/c.py", "b.py", " leading.py", "trailing .py", "rename from x.py", "--- a/x.py",
    "diff --git a/x b/x", "new file mode 120000", "=> b", "{a => b}.py", ".hidden", "x.so",
)  # fmt: skip
BODIES = (
    b"one\ntwo\nthree\n", b"", b"\0\1\2binary\xff" * 50, b"-- a/evil.py\n++ b/evil.py\n@@ -1 +1 @@\n",
    b"diff --git a/evil.py b/evil.py\nnew file mode 120000\nrename from evil.py\n", b"no end of line", b"\r\nwin\r\n",
)  # fmt: skip


def seen(root: Path) -> dict[str, tuple[str, object]]:
    """Every file below `root` but git's, with its kind, content and whether it may be run."""
    found: dict[str, tuple[str, object]] = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = ("link", path.readlink())
        elif path.is_file() and name.split("/")[0] != ".git":
            found[name] = ("file", (path.read_bytes(), path.stat().st_mode & 0o111))
    return found


def repository(root: Path, chance: random.Random) -> None:
    root.mkdir()
    done(root, "git", "init", "--quiet")
    for name in chance.sample(NAMES, 12):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if chance.random() < 0.15:
            path.symlink_to("plain.py")
        else:
            path.write_bytes(chance.choice(BODIES) * chance.randint(1, 4))
    commit(root)


def commit(root: Path) -> None:
    done(root, "git", "add", "--all", "--force")
    done(root, "git", "commit", "--quiet", "--allow-empty", "--message", "x")


def change(root: Path, chance: random.Random) -> None:
    there = sorted(seen(root))
    for name in chance.sample(there, 5):
        path = root / name
        match chance.randrange(5):
            case 0:
                path.unlink()
            case 1:
                free = [one for one in NAMES if not (root / one).exists() and not (root / one).is_symlink()]
                target = root / chance.choice(free)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.rename(target)
            case 2 if not path.is_symlink():
                path.chmod(path.stat().st_mode ^ 0o111)
            case 3:
                path.unlink()
                path.symlink_to("../../../elsewhere")
            case _:
                path.unlink()
                path.write_bytes(chance.choice(BODIES) + b"more")
    (root / "brand new.py").write_bytes(chance.choice(BODIES))


@pytest.mark.parametrize("seed", range(20))
def test_the_list_of_what_a_patch_touches_is_what_git_really_changes(tmp_path, seed):
    chance = random.Random(seed)
    root = tmp_path / "here"
    repository(root, chance)
    head = done(root, "git", "rev-parse", "HEAD").strip()
    change(root, chance)
    done(root, "git", "add", "--all", "--force")
    options = ["--binary", "--full-index", *chance.choice([[], ["-M"], ["-M", "-C", "--find-copies-harder"]])]
    patch = subprocess.run(["git", "diff", *options, "HEAD"], cwd=root, capture_output=True, check=True).stdout
    clean = tmp_path / "clean"
    assert worktree.check_out(root, head, clean) == ""
    before = seen(clean)
    listed = touched(patch)
    assert worktree.apply(clean, patch) == ""
    after = seen(clean)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert listed is not None
    assert {one.name for one in listed} == changed
    links = {name for name in changed if "link" in {before.get(name, ("",))[0], after.get(name, ("",))[0]}}
    assert {one.name for one in listed if one.is_link} == links


def test_binary_content_is_named_as_such_and_without_its_bytes_too(tmp_path):
    root = tmp_path / "here"
    repository(root, random.Random(1))
    (root / "x.so").write_bytes(b"\0\1" * 100)
    done(root, "git", "add", "--all", "--force")
    for options in (["--binary"], []):
        call = ["git", "diff", "--full-index", *options, "HEAD", "--", "x.so"]
        patch = subprocess.run(call, cwd=root, capture_output=True, check=True).stdout
        assert touched(patch) == (Touched("x.so", is_binary=True),)


STRANGE = {
    "no header of git's": b"--- a/old.py\n+++ b/old.py\n@@ -1 +1 @@\n-a\n+b\n",
    "one after another kind": (
        b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-a\n+b\n"
        b"junk in between\n--- x/evil.py\t2020\n+++ y/evil.py\t2020\n@@ -0,0 +1 @@\n+evil\n"
    ),
    "rename without a change": (
        b'diff --git "a/\\303\\244.py" b/new.py\nsimilarity index 100%\nrename from "\\303\\244.py"\nrename to new.py\n'
    ),
}


@pytest.mark.parametrize(("what", "names"), [
    ("no header of git's", {"old.py"}),
    ("one after another kind", {"a.py", "evil.py"}),
    ("rename without a change", {"ä.py", "new.py"}),
])  # fmt: skip
def test_a_patch_that_git_did_not_write_is_listed_as_git_reads_it(what, names):
    listed = touched(STRANGE[what])
    assert listed is not None
    assert {one.name for one in listed} == names


def new(name: str, mode: str = "100644", text: str = "+x\n") -> bytes:
    head = f"diff --git a/{name} b/{name}\nnew file mode {mode}\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n"
    return (head + text).encode()


OUT = {
    "upwards": new("../evil.py"),
    "into .git": new(".git/hooks/x", "100755"),
    "through a link of its own": new("x", "120000", "+..\n\\ No newline at end of file\n") + new("x/evil.py"),
    "through a link that is there": new("out/evil.py"),
    "absolute": b"--- /dev/null\n+++ //tmp/evil.py\n@@ -0,0 +1 @@\n+x\n",
}


@pytest.mark.parametrize("what", OUT)
def test_no_patch_writes_outside_the_folder_that_it_is_applied_in(tmp_path, what):
    root = tmp_path / "here"
    root.mkdir()
    done(root, "git", "init", "--quiet")
    (root / "out").symlink_to("..")
    commit(root)
    clean = tmp_path / "clean"
    assert worktree.check_out(root, done(root, "git", "rev-parse", "HEAD").strip(), clean) == ""
    before = sorted(str(path) for path in tmp_path.rglob("*") if ".git" not in path.parts)
    assert worktree.apply(clean, OUT[what]) != ""
    assert sorted(str(path) for path in tmp_path.rglob("*") if ".git" not in path.parts) == before
    assert not list((root / ".git").rglob("hooks/x"))


@pytest.mark.parametrize("patch", [b"", b"no patch at all", b"diff --git a/x b/x\n", b"\0" * 1000])
def test_what_git_cannot_read_is_no_list(patch):
    assert not touched(patch)
