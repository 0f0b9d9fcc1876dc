"""DVC repositories and remotes that somebody else made: nothing outside changes, nothing runs, nothing waits."""

import contextlib
import hashlib
import json
import os
import pickle
import random
import shutil
import socket
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest

from conftest import draw, draw_classes
from foldproof.cli.main import run_command
from foldproof.data.versions import dvc
from foldproof.data.versions.site_cache import VARIABLE

MD5 = "0123456789abcdef" * 2
UP = "../" * 6  # from .dvc/cache/files/md5/c7 to beside the project
pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
READING = (["data", "check"], ["doctor"])
ALL = (["data", "pull"], ["data", "pull", "--force"], ["data", "add", "data/train"], *READING)


def git(folder, *arguments):
    about = ("-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", *about, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    place = tmp_path_factory.mktemp("pristine")
    root = place / "project"
    draw_classes(root / "data" / "train", each=2)
    (root / "params.yaml").write_text("version: 1\ndata: {path: data/train}\nfolds: {k: 2}\n")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    dvc.init(root)
    dvc.add_local_remote(root, "backup", place / "backup")
    dvc.add(root / "data" / "train")
    dvc.push(root)
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "images")
    (place / "outside").mkdir()
    (place / "outside" / "diary.txt").write_text("dear diary")
    (place / "thesis.txt").write_text("years of work")
    (place / "other.dir").write_text("[]")
    return place


@pytest.fixture
def place(tmp_path, pristine, monkeypatch):
    """Beside each other: a project, its remote, and files that are nobody's business; the project is current."""
    monkeypatch.delenv(VARIABLE)  # which the other tests here set
    shutil.copytree(pristine, tmp_path / "place", symlinks=True)
    monkeypatch.chdir(tmp_path / "place" / "project")
    return tmp_path / "place"


@pytest.fixture
def project(place):
    return place / "project"


def outside(place, *, apart=("project",)):
    """Everything beside the project: kind, mode and content."""
    found = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place)
        if name.parts[0] not in apart:
            info = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(info.st_mode) else None
            found[name.as_posix()] = (stat.filemode(info.st_mode), content)
    return found


def refused(command, capsys, *words):
    assert run_command(command) == 2
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) <= 3, said
    assert all(word in said for word in words), said
    assert "Traceback" not in said


def forge(project, content):
    """Let the remote have this list of files, and the project's record name it; the cache is empty."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    md5 = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    stored = project.parent / "backup" / "files" / "md5" / md5[:2] / f"{md5[2:]}.dir"
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_bytes(raw)
    rename(project, f"{md5}.dir")
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)


def rename(project, md5):
    (project / "data" / "train.dvc").write_text(f"outs:\n- md5: {json.dumps(md5)}\n  hash: md5\n  path: train\n")


def an_object(project):
    """The hash of a file that the remote has."""
    stored = next(path for path in (project.parent / "backup").rglob("*") if path.is_file() and path.suffix != ".dir")
    return stored.parent.name + stored.name


def drawn_paths(count):
    pick = random.Random(17)
    parts = ["..", ".", "", "a", "cat", "\\", "C:", "x.pth", " ", "\0", "\n", ".git", ".Dvc", "\ud800"]
    for _ in range(count):
        text = "/".join(pick.choice(parts) for _ in range(pick.randint(1, 7)))
        yield pick.choice(["", "/", "../" * 3]) + text


WRONG_PATHS = [
    f"{UP}x.pth", "../../.venv/lib/x.pth", "/tmp/canary-of-foldproof", "cat/../../../../x", "", ".", "..", "a//b",
    "./a", "a/", "a\0b", "\ud800", 7, None, ["a"], ".git/hooks/post-checkout", "cat/.DVC/config", "x" * 300,
    "a/" * 3000 + "a",
]  # fmt: skip
WRONG_HASHES = [
    f"c7{UP}thesis.txt", "c7/../../thesis.txt", "/etc/hosts", "", MD5.upper(), MD5[:-1], f"{MD5}.dir", f"{MD5}\n", 7,
    None, [MD5],
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("command", [["data", "pull"], ["data", "pull", "--force"], ["data", "check"]])
def test_no_path_in_a_list_leads_out_of_its_folder(place, project, command, capsys):
    good = an_object(project)
    before = outside(place, apart=("project", "backup"))
    wrong = 0
    for path in [*WRONG_PATHS, *drawn_paths(40)]:
        forge(project, [{"md5": good, "relpath": "cat/000.png"}, {"md5": good, "relpath": path}])
        (project / "data" / "train" / "cat" / "000.png").unlink(missing_ok=True)
        code, said = run_command(command), capsys.readouterr()
        assert code in (0, 1, 2), said
        assert outside(place, apart=("project", "backup")) == before
        assert not Path("/tmp/canary-of-foldproof").exists()
        wrong += "nothing of it is used" in said.err
        (project / ".git" / "hooks" / "post-checkout").unlink(missing_ok=True)
        assert not (project / ".venv").exists()
    assert wrong >= len(WRONG_PATHS)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", WRONG_HASHES, ids=range(len(WRONG_HASHES)))
def test_no_hash_in_a_list_is_anything_else(place, project, wrong, capsys):
    forge(project, [{"md5": wrong, "relpath": "cat/000.png"}])
    before = outside(place)
    for command in (["data", "check"], ["data", "pull"], ["data", "pull", "--force"]):
        refused(command, capsys, "the list of files", "nothing of it is used")
        assert outside(place) == before


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"[" * 100_000,
        {"md5": MD5, "relpath": "a"},
        [["md5", MD5]],
        [{"md5": MD5}],
        [{"etag": f"c7{UP}thesis.txt", "md5": MD5, "relpath": "a"}],
        [{"md5": MD5, "relpath": "a"}, {"md5": MD5, "relpath": "a"}],
        [{"md5": MD5, "relpath": "a/b"}, {"md5": MD5, "relpath": "a"}],
        [{"md5": MD5, "relpath": "a"}, {"md5": MD5, "relpath": "a/b/c"}],
    ],
)
def test_a_list_that_dvc_would_not_write_is_refused_as_a_whole(place, project, content, capsys):
    forge(project, content)
    before = outside(place)
    for command in (["data", "check"], ["data", "pull"]):
        refused(command, capsys, "the list of files", "nothing of it is used")
    assert outside(place) == before


@pytest.mark.slow
@pytest.mark.parametrize("where", ["file", "lock", "other file", "listed"])
@pytest.mark.parametrize("wrong", [f"05{UP}other.dir", f"c7{UP}thesis.txt", "../x", "0" * 31, "A" * 32])
def test_no_hash_in_a_dvc_file_is_anything_else(place, project, where, wrong, capsys):
    if where == "file":
        rename(project, wrong)
    elif where == "other file":
        (project / "more.dvc").write_text(f"outs:\n- md5: '{wrong}'\n  hash: md5\n  path: more\n")
    elif where == "listed":
        listed = f"  files:\n  - md5: '{wrong}'\n    relpath: {UP}x\n"
        (project / "data" / "train.dvc").write_text(f"outs:\n- hash: md5\n  path: train\n{listed}")
    else:
        (project / "data" / "train.dvc").unlink()
        (project / "dvc.yaml").write_text("stages: {make: {cmd: x, outs: [data/train]}}\n")
        outs = f"outs: [{{path: data/train, hash: md5, md5: '{wrong}'}}]"
        (project / "dvc.lock").write_text(f"schema: '2.0'\nstages: {{make: {{cmd: x, {outs}}}}}\n")
    before = outside(place)
    for command in (["data", "check"], ["data", "pull"], ["data", "pull", "--force"]):
        refused(command, capsys, "nothing of it is used")
        assert outside(place) == before


@pytest.mark.parametrize("path", ["../../outside", "../../../outside", "../..", ".."])
def test_an_output_outside_of_the_project_is_not_written(place, project, path, capsys):
    recorded = (project / "data" / "train.dvc").read_text()
    (project / "data" / "train.dvc").write_text(recorded.replace("path: train", f"path: {path}"))
    for target in ("../outside", "data/train", str(place / "outside")):
        (project / "params.yaml").write_text(f"version: 1\ndata: {{path: {target}}}\n")
        before = outside(place)
        assert run_command(["data", "pull"]) == 2
        assert run_command(["data", "pull", "--force"]) == 2
        capsys.readouterr()
        assert outside(place) == before


def test_the_folders_of_git_and_dvc_are_not_filled(project, capsys):
    recorded = (project / "data" / "train.dvc").read_text()
    (project / "evil.dvc").write_text(recorded.replace("path: train", "path: .git/hooks"))
    (project / "params.yaml").write_text("version: 1\ndata: {path: .git/hooks}\n")
    before = sorted((project / ".git" / "hooks").rglob("*"))
    assert run_command(["data", "pull", "--force"]) == 2
    assert sorted((project / ".git" / "hooks").rglob("*")) == before


class Touching:
    """A pickle that, read, leaves a file."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (self.canary,)


def poison(folder, canary):
    """Put a pickle at every place of DVC's index where one is read."""
    payload = pickle.dumps(Touching(canary), protocol=4)
    for file in folder.rglob("cache.db"):
        with contextlib.closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE Cache SET mode = 4, value = ?", (payload,))
            about = "store_time, expire_time, access_time, access_count, tag, size, mode, filename, value"
            for raw, key in ((0, payload), (1, "anything")):
                row = (key, raw, 0.0, None, 0.0, 0, None, 0, 4, None, payload)
                database.execute(f"INSERT INTO Cache(key, raw, {about}) VALUES ({', '.join('?' * 11)})", row)


@pytest.fixture
def poisoned(place, project, monkeypatch):
    """A folder of DVC's, as pulling here fills it, with pickles in it; the canary that they would leave."""
    folder = place / "poisoned"
    folder.mkdir()
    monkeypatch.setenv(VARIABLE, str(folder))
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)
    assert run_command(["data", "pull"]) == 0
    assert list(folder.rglob("cache.db"))
    poison(folder, place / "canary")
    monkeypatch.delenv(VARIABLE)
    return folder


@pytest.mark.slow
def test_the_index_of_dvc_that_a_repository_names_is_not_read(place, project, poisoned, capsys):
    settings = project / ".dvc" / "config"
    settings.write_text(settings.read_text().replace("[core]\n", f"[core]\n    site_cache_dir = {poisoned}\n"))
    assert str(poisoned) in settings.read_text()
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)
    before = outside(place)
    for command in ALL:
        os.environ.pop(VARIABLE, None)
        code = run_command(command)
        assert not (place / "canary").exists(), command
        assert code in (0, 1), capsys.readouterr()
    assert outside(place) == before


@pytest.mark.slow
def test_the_index_of_dvc_lies_in_a_folder_of_the_users_alone(project, monkeypatch):
    assert run_command(["data", "check"]) == 0
    folder = Path(os.environ[VARIABLE])
    assert folder.is_relative_to(os.environ["HOME"])
    assert stat.S_IMODE(folder.lstat().st_mode) == 0o700
    monkeypatch.setenv(VARIABLE, str(project.parent / "chosen"))
    assert run_command(["data", "check"]) == 0
    assert (project.parent / "chosen" / "repo").is_dir()


@pytest.mark.skipif(os.name == "nt", reason="no modes here")
@pytest.mark.parametrize("how", ["open to all", "somebody else's", "a link"])
def test_a_folder_that_others_may_write_to_is_not_used_for_the_index(tmp_path, project, monkeypatch, how):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    folder = tmp_path / "caches" / "foldproof" / "dvc"
    folder.parent.mkdir(parents=True)
    if how == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o777 if how == "open to all" else 0o700)
    if how == "somebody else's":
        if os.geteuid() != 0:
            pytest.skip("a folder cannot be given away here")
        os.chown(folder, 12345, 12345)
    assert run_command(["data", "check"]) == 0
    used = Path(os.environ[VARIABLE])
    assert used.resolve() != folder.resolve()
    assert stat.S_IMODE(used.lstat().st_mode) == 0o700
    assert list(folder.iterdir()) == []


def replace_by_link(path, target, *, committed, root):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    if committed:
        git(root, "rm", "-r", "--cached", "--quiet", "--ignore-unmatch", path.relative_to(root).as_posix())
        git(root, "add", "--force", path.relative_to(root).as_posix())


def test_a_cache_is_not_made_of_a_folder_that_holds_other_files(place, project, capsys):
    settings = project / ".dvc" / "config"
    usual = settings.read_text()
    settings.write_text(f"{usual}[cache]\n    dir = ../../outside\n")
    before = outside(place)
    for command in ALL[:-1]:
        refused(command, capsys, "DVC's cache", "is no cache", "dvc cache dir --local")
        assert outside(place) == before
    settings.write_text(f"{usual}[cache]\n    dir = ../../shared\n")
    for _ in range(2):  # of nothing, and of one that is there
        shutil.rmtree(project / "data" / "train", ignore_errors=True)
        assert run_command(["data", "pull"]) == 0, capsys.readouterr()
    assert (place / "shared" / "files" / "md5").is_dir()


@pytest.mark.parametrize("where", ["data", "data/train"])
def test_images_are_not_pulled_or_added_through_a_committed_link(place, project, where, capsys):
    (project / "params.yaml").write_text("version: 1\ndata: {path: data/train}\n")
    record = (project / "data" / "train.dvc").read_text()
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)
    replace_by_link(project / where, place / "outside", committed=True, root=project)
    if where == "data":
        (project / "all.dvc").write_text(record.replace("path: train", "path: data/train"))
    before = outside(place)
    for command in (["data", "pull"], ["data", "pull", "--force"]):
        refused(command, capsys, "is a link that came with the repository", "git rm --cached")
        assert outside(place) == before
    (place / "outside" / "cat").mkdir()
    draw(place / "outside" / "cat" / "a.png", label=0, number=1)
    before = outside(place)
    assert run_command(["data", "add", where]) == 2
    assert outside(place) == before


@pytest.mark.parametrize("where", ["data/train", ".dvc/cache", ".foldproof"])
def test_a_link_of_the_users_own_is_followed(place, project, where, capsys):
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)
    (place / "big").mkdir()
    replace_by_link(project / where, place / "big", committed=False, root=project)
    assert run_command(["data", "pull"]) == 0, capsys.readouterr()
    assert (project / "data" / "train" / "cat" / "000.png").is_file()
    assert bool(list((place / "big").iterdir())) == (where != ".foldproof")


def test_a_committed_link_that_stays_in_the_project_is_followed(project, capsys):
    (project / "storage").mkdir()
    replace_by_link(project / "data" / "train", "../storage", committed=True, root=project)
    assert run_command(["data", "pull"]) == 0, capsys.readouterr()
    assert len(list((project / "storage").rglob("*.png"))) == 6


def test_no_image_is_put_behind_a_link_below_the_folder(place, project, capsys):
    replace_by_link(project / "data" / "train" / "cat", place / "outside", committed=False, root=project)
    replace_by_link(project / "data" / "train" / "dog" / "000.png", place / "thesis.txt", committed=False, root=project)
    before = outside(place)
    assert run_command(["data", "pull"]) == 2
    assert outside(place) == before
    assert run_command(["data", "pull", "--force"]) == 0, capsys.readouterr()
    assert outside(place) == before
    assert not (project / "data" / "train" / "cat").is_symlink()


@pytest.mark.parametrize(
    "where",
    [".dvc/tmp", ".dvc/tmp/foldproof", ".dvc/cache", ".dvc/cache/files", ".dvc/cache/files/md5", ".foldproof",
     ".foldproof/aside"],
)  # fmt: skip
def test_no_folder_that_is_a_committed_link_is_written_to(place, project, where, capsys):
    (project / "data" / "train" / "cat" / "000.png").write_bytes(b"a day's work")
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)
    replace_by_link(project / where, place / "outside", committed=True, root=project)
    before = outside(place)
    refused(["data", "pull", "--force"], capsys, "came with the repository")
    for command in (["data", "pull"],) if where == ".foldproof" else ALL:
        assert run_command(command) in (0, 1, 2)
        assert outside(place) == before, command


@pytest.mark.slow
@pytest.mark.parametrize("where", [".dvc/tmp/lock", ".dvc/tmp/rwlock", ".dvc/tmp/foldproof/lock", ".dvc/.gitignore",
                                   "data/.gitignore", "data/train.dvc", "data/more.dvc"])  # fmt: skip
@pytest.mark.parametrize("target", ["thesis.txt", "not-there"])
def test_no_file_that_is_a_link_is_written_through(place, project, where, target, capsys):
    replace_by_link(project / where, place / target, committed=True, root=project)
    draw(project / "data" / "more" / "cat" / "a.png", label=0, number=1)
    before = outside(place)
    for command in (*ALL, ["data", "add", "data/more"]):
        assert run_command(command) in (0, 1, 2)
        assert outside(place) == before, command
    capsys.readouterr()


STATE = (
    ".dvcignore", "data/.dvcignore", "dvc.yaml", "dvc.lock", "data/train.dvc", "other.dvc", ".dvc/config",
    ".dvc/config.local", ".gitignore", "data/.gitignore", ".dvc/.gitignore", ".dvc/tmp/lock", ".dvc/tmp/btime",
    ".dvc/tmp/foldproof/lock", ".dvc/tmp/foldproof/pull-0123.json", ".dvc/tmp/foldproof/add-0123.json",
)  # fmt: skip


@pipes
@pytest.mark.timeout(120)
@pytest.mark.parametrize("where", STATE)
@pytest.mark.parametrize("what", ["pipe", "/dev/zero"])
def test_a_pipe_or_a_device_in_place_of_a_file_keeps_nothing_waiting(project, where, what, capsys):
    if where == "dvc.lock":
        (project / "dvc.yaml").write_text("stages: {make: {cmd: x, outs: [made]}}\n")
    path = project / where
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(what)
    for command in (["data", "pull"], ["data", "add", "data/train"], ["data", "check"]):
        assert run_command(command) in (0, 1, 2)
        assert "Traceback" not in capsys.readouterr().err


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 12)
)
INTERPOLATED = "[core]\nremote = backup\n" + "".join(f"n{n} = {f'%(n{n + 1})s' * 50}\n" for n in range(9)) + "n9 = x\n"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("where", "content"),
    [
        ("dvc.yaml", BOMB),
        ("dvc.yaml", f"vars:\n- {{{BOMB.splitlines()[0]}}}\nplots:\n- x: &r [*r]\n"),
        ("other.dvc", BOMB.replace("a11:", "meta:")),
        (
            "dvc.yaml",
            "stages: {a: {cmd: x, matrix: {" + ", ".join(f"m{n}: {list(range(50))}" for n in range(6)) + "}}}",
        ),
        ("dvc.yaml", "stages: " + "{a: " * 3000 + "1" + "}" * 3000),
        ("other.dvc", "outs: [{path: x, size: " + "9" * 5000 + "}]"),
        ("dvc.lock", "x" * 40_000_000),
        (".dvc/config", INTERPOLATED),
        (".dvcignore", "a\n" * 2_000_000),
    ],
    ids=["aliases", "itself", "aliases in a record", "matrix", "deep", "digits", "large", "settings", "ignore"],
)
def test_a_file_that_unfolds_to_more_than_memory_holds_is_not_parsed(project, where, content, capsys):
    (project / where).write_text(content)
    for command in (["data", "pull"], ["data", "check"]):
        refused(command, capsys)


@contextlib.contextmanager
def listening():
    """A port of this machine, and how many connections it has been asked for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)

        def asked():
            count = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    server.accept()[0].close()
                    count += 1
            return count

        yield server.getsockname()[1], asked


@pytest.mark.parametrize("through", ["itself", "another"])
@pytest.mark.parametrize("ask", ["ask_password", "ask_passphrase"])
def test_nobody_is_asked_for_a_password(project, through, ask, capsys):
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)
    scheme, auth = ("ssh", "") if ask == "ask_passphrase" else ("http", "    auth = basic\n    user = anna\n")
    with listening() as (port, asked):
        settings = f"    url = {scheme}://127.0.0.1:{port}/images\n{auth}    {ask} = true\n"
        if through == "another":
            settings += "['remote \"images\"']\n    url = remote://backup/part\n"
        name = "images" if through == "another" else "backup"
        (project / ".dvc" / "config").write_text(f"[core]\n    remote = {name}\n['remote \"backup\"']\n{settings}")
        refused(["data", "pull"], capsys, f"the remote '{name}' is set to ask for a pass", "dvc remote modify --local")
        assert asked() == 0


def test_no_command_that_came_with_a_repository_is_run_to_reach_its_remote(place, project, capsys):
    shutil.rmtree(project / ".dvc" / "cache", ignore_errors=True)
    remote = "[core]\n    remote = backup\n['remote \"backup\"']\n"
    run = f"touch {place / 'canary'}"
    (project / ".dvc" / "config").write_text(
        f"{remote}    url = webdav://127.0.0.1:9/x\n    bearer_token_command = {run}\n"
    )
    refused(["data", "pull"], capsys, "bearer_token_command")
    (project / "aws").write_text(f"[default]\ncredential_process = {run}\n")
    git(project, "add", "aws")
    for key in ("credentialpath", "configpath"):
        (project / ".dvc" / "config").write_text(f"{remote}    url = s3://bucket/x\n    {key} = ../aws\n")
        refused(["data", "pull"], capsys, "credential_process")
    assert not (place / "canary").exists()


def test_a_check_of_images_whose_list_is_here_asks_no_remote(project, capsys):
    with listening() as (port, asked):
        settings = project / ".dvc" / "config"
        settings.write_text(settings.read_text().replace("../../backup", f"http://127.0.0.1:{port}/images"))
        assert str(port) in settings.read_text()
        assert run_command(["data", "check"]) == 0, capsys.readouterr()
        assert asked() == 0


@pytest.mark.parametrize("command", READING)
def test_what_only_reads_removes_nothing(place, project, command, capsys):
    cache = project / ".dvc" / "cache"
    for path in [path for path in cache.rglob("*") if path.is_file()]:
        path.chmod(0o644)
        path.write_bytes(b"damaged")
    (project / "data" / "train" / "cat" / ".Q7ZpGm1B2rQ5rjJ0m3uVYw.tmp").write_bytes(b"half a file")
    before = outside(place, apart=())
    kept = {name for name in before if not name.startswith("project/.git/")}
    assert run_command(command) in (0, 1, 2)
    capsys.readouterr()
    after = outside(place, apart=())
    assert kept <= after.keys()
    assert {name: after[name] for name in kept if "/cache/files" in name} == {
        name: before[name] for name in kept if "/cache/files" in name
    }


def test_removing_a_damaged_object_removes_nothing_behind_a_link(place, project, capsys):
    oid = an_object(project)
    folder = project / ".dvc" / "cache" / "files" / "md5" / oid[:2]
    shutil.rmtree(folder)
    (place / "outside" / oid[2:]).write_text("years of work")
    replace_by_link(folder, place / "outside", committed=True, root=project)
    before = outside(place)
    for command in ALL:
        assert run_command(command) in (1, 2)
        assert outside(place) == before, command
    capsys.readouterr()
