"""Files whole or absent, locks that die with their holder, paths that stay inside, secrets that do not show."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from foldproof.errors import DamagedFile, StorageError
from foldproof.storage import (
    cleaned,
    cleaned_lines,
    holder,
    inside,
    is_held,
    locked,
    read_inside,
    read_json_inside,
    redact,
    redact_uris,
    remove_unfinished,
    replacing,
    write_atomically,
    writing,
)

HOLDER = """
import sys, time
from pathlib import Path
from foldproof.storage import locked
with locked(Path(sys.argv[1]), what="it"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_what_is_written_is_read_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    assert write_atomically(file, "één") == file
    assert file.read_bytes() == "één".encode()
    write_atomically(file, b"\x00\xff")
    assert file.read_bytes() == b"\x00\xff"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_others_have_open_on_windows_is_replaced_when_they_close_it(tmp_path, monkeypatch):
    file, really, refused = write_atomically(tmp_path / "a.txt", "old"), Path.replace, []

    def as_on_windows(self: Path, target: Path) -> Path:
        if len(refused) < 2:
            refused.append(target)
            raise PermissionError(13, "in use")
        return really(self, target)

    monkeypatch.setattr(Path, "replace", as_on_windows)
    monkeypatch.setattr(writing, "_PAUSES", (0.0, 0.0, 0.0))
    write_atomically(file, "new")
    assert (file.read_text(), refused) == ("new", [file, file])
    refused.clear()
    monkeypatch.setattr(writing, "_PAUSES", (0.0,))
    with pytest.raises(StorageError, match="in use"):
        write_atomically(file, "newer")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]


def test_a_block_that_fails_leaves_the_old_content_and_no_debris(tmp_path: Path) -> None:
    file = write_atomically(tmp_path / "a.txt", "old")

    def write_half() -> None:
        with replacing(file) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_writer_that_is_killed_leaves_the_old_content(tmp_path: Path) -> None:
    file = write_atomically(tmp_path / "a.txt", "old")
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom foldproof.storage import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(file)], timeout=60).returncode == -signal.SIGKILL
    assert file.read_text() == "old"


def test_a_file_that_cannot_be_written_is_the_users_to_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write") as caught:
        write_atomically(tmp_path / "file" / "a.txt", "x")
    assert caught.value.next_step
    with pytest.raises(StorageError, match="cannot write"):
        write_atomically(tmp_path / "absent" / "a.txt", "x")


def test_a_lock_that_cannot_be_made_is_the_users_to_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"), locked(tmp_path / "file" / "a.lock", what="it"):
        pass


@pytest.mark.slow
def test_a_lock_is_refused_while_another_process_holds_it_and_free_once_that_is_killed(tmp_path: Path) -> None:
    lock = tmp_path / "deeper" / "a.lock"
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match=f"the table is in use by process {process.pid} on .+ since"):
            locked(lock, what="the table").__enter__()
        assert is_held(lock)
        began = time.monotonic()
        with pytest.raises(StorageError):
            locked(lock, what="the table", wait_seconds=0.3).__enter__()
        assert time.monotonic() - began >= 0.3
    finally:
        process.kill()
        process.communicate(timeout=30)
    with locked(lock, what="the table", wait_seconds=10):
        pass
    with locked(lock, what="the table"):
        pass
    assert not is_held(lock)


def test_a_lock_file_that_says_nothing_or_nonsense_is_held_by_another_process(tmp_path: Path) -> None:
    for text in ("", "{", '{"host": 1}', '{"host": "h", "pid": "x", "since": 1}', '{"host":"h","pid":1,"since":1e99}'):
        (tmp_path / "a.lock").write_text(text)
        assert holder(tmp_path / "a.lock") == "another process"
    assert not is_held(tmp_path / "none.lock")
    assert not (tmp_path / "none.lock").exists()


def test_a_plain_path_stays_inside(tmp_path: Path) -> None:
    assert inside(tmp_path, "cat/a:b.png") == tmp_path / "cat" / "a:b.png"
    assert inside(tmp_path, "./cat/..png") == tmp_path / "cat" / "..png"


@pytest.mark.parametrize("path", ["/etc/passwd", "../a", "cat/../../a", "", ".", "//host/a", "a\0b"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(DamagedFile, match="below its folder"):
        inside(tmp_path, path)


@pytest.mark.parametrize("path", ["C:/a", "C:a", "cat\\..\\a", "a/nul"])
def test_a_path_that_windows_reads_as_another_place_is_refused_there(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foldproof.storage.names._WINDOWS", True)
    with pytest.raises(DamagedFile, match="below its folder"):
        inside(tmp_path, path)


def read(folder: Path, relative: str) -> bytes:
    return read_inside(folder, relative, most_bytes=10)


def test_a_plain_file_inside_is_read_though_links_lead_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "real" / "a").mkdir(parents=True)
    (tmp_path / "real" / "a" / "b").write_bytes(b"0123456789")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert read(tmp_path / "link", "a/b") == b"0123456789"
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "link", "a/c")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "link", "b/c")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_is_no_plain_file_inside_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deeper").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (folder / "plain").write_text("plain")
    (folder / "file link").symlink_to(tmp_path / "outside" / "secret")
    (folder / "dangling link").symlink_to(tmp_path / "absent")
    (folder / "link inside").symlink_to(folder / "plain")
    (folder / "folder link").symlink_to(tmp_path / "outside", target_is_directory=True)
    (folder / "long").write_text("01234567890")
    with (folder / "sparse").open("wb") as file:
        file.truncate(2**40)
    os.mkfifo(folder / "pipe")
    names = ("file link", "dangling link", "link inside", "folder link/secret", "deeper", "plain/a", "long", "sparse")
    for name in (*names, "pipe", "../outside/secret"):
        with pytest.raises(DamagedFile) as caught:
            read(folder, name)
        assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    "content", [b"", b"[1]", b"1", b"\xff", b'{"a": 1, "a": 1}', b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000]
)
def test_what_is_no_json_object_with_each_key_once_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DamagedFile, match="cannot be read") as caught:
        read_json_inside(tmp_path, "a.json", most_bytes=10**6)
    assert len(str(caught.value).splitlines()) == 2


def test_whoever_wrote_a_text_it_moves_no_cursor() -> None:
    assert cleaned("dög 犬 a b", most=20) == "dög 犬 a b"
    assert cleaned("\x1b[2J\x9b\n\u202e\ud800", most=40) == r"\x1b[2J\x9b\n\u202e\ud800"
    assert cleaned("0123456789", most=5) == "0123…"
    assert cleaned("\x1b" * 3, most=5) == "\\x1b…"
    assert cleaned_lines("a\n\rb") == "a\n\\rb"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:hunter2@host/db", "postgresql://me:***@host/db"),
        ("postgresql+psycopg2://:hunter2@host", "postgresql+psycopg2://:***@host"),
        ("cannot reach HTTPS://me:hunter2@host:5000/x?y=1 now", "cannot reach HTTPS://me:***@host:5000/x?y=1 now"),
        ("http://me:hun@ter@2@host/a@b", "http://me:***@host/a@b"),
        ('["http://me:hunter2@host","you@host"]', '["http://me:***@host","you@host"]'),
        ("https://hunter2@github.com/a/b", "https://***@github.com/a/b"),
        ("MLFLOW_TRACKING_TOKEN=hunter2 x", "MLFLOW_TRACKING_TOKEN=*** x"),
        ("AWS_SECRET_ACCESS_KEY: hunter2, next", "AWS_SECRET_ACCESS_KEY: ***, next"),
        ('{"api_key": "hunter2", "a": 1}', '{"api_key": "***", "a": 1}'),
        ("password='hunter2'", "password='***'"),
        ("Authorization: Bearer hunter2hunter2", "Authorization: Bearer ***"),
    ],
)
def test_secrets_do_not_show(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "text",
    ["sqlite:///mlflow.db", "http://127.0.0.1:5000", "me@example.org: hello", "s3://bucket/key", "lr=0.1, epochs: 5"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "piece", ["a-", "token", "token-", "a://", "a://b:c:", "a://b:@c", "@b", "bearer ", "https://a", "token: '"]
)
def test_redaction_of_a_long_text_takes_no_time(piece: str) -> None:
    began = time.monotonic()
    redact(piece * (200_000 // len(piece)))
    assert time.monotonic() - began < 3


def test_the_secrets_of_the_environment_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "hunter2/hunter2")
    monkeypatch.setenv("TOKEN_FILE", "/run/the-file")
    monkeypatch.setenv("SHORT_TOKEN", "epoch")
    assert redact("no entry with hunter2/hunter2 to hunter2%2Fhunter2") == "no entry with *** to ***"
    assert redact("see /run/the-file at epoch 1") == "see /run/the-file at epoch 1"


def test_bytes_of_any_encoding_keep_all_but_the_passwords() -> None:
    assert redact_uris(b"\xff http://a:b@c \xfe token=x") == b"\xff http://a:***@c \xfe token=x"


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), replacing(tmp_path / "a.json") as temporary:
        temporary.write_text("half")
        shutil.copy(temporary, tmp_path / "kept")
        (tmp_path / "kept").rename(temporary.with_name(f"{temporary.name[:-4]}0.tmp"))
        raise KeyboardInterrupt
    (tmp_path / ".hidden").write_text("mine")
    (tmp_path / "b.json").write_text("{}")
    assert len(list(tmp_path.iterdir())) == 3
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "b.json"]
    assert redact_uris(b"https://ghp_hunter2@github.com/a\n\xff") == b"https://***@github.com/a\n\xff"
