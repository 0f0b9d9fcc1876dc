"""Mistakes with git, DVC and its remotes."""

import http.server
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from conftest import draw
from mistaken.in_settings import instead
from mistaken.mistake import Mistake

REFUSING_PORT, CLOSED_PORT = 5391, 9


class Refusing(http.server.BaseHTTPRequestHandler):
    """A remote that wants a password."""

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        """Nobody reads it."""


class Refusal:
    """A server that refuses from `begin` to `end`."""

    def begin(self, project: Path) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", REFUSING_PORT), Refusing)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        remote(f"http://127.0.0.1:{REFUSING_PORT}/photos")(project)

    def end(self, _project: Path) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


REFUSAL = Refusal()


def not_pulled(project: Path) -> None:
    """As after `git clone`."""
    shutil.rmtree(project / "photos")
    shutil.rmtree(project / ".dvc" / "cache")


def remote(url: str) -> Callable[[Path], object]:
    """Images are not here and the remote is `url`."""

    def prepare(project: Path) -> None:
        not_pulled(project)
        settings = project / ".dvc" / "config"
        settings.write_text(settings.read_text(encoding="utf-8").replace("../../backup", url), encoding="utf-8")
        assert url in settings.read_text(encoding="utf-8")

    return prepare


def without_remote(project: Path) -> None:
    not_pulled(project)
    (project / ".dvc" / "config").write_text("")


def damaged_remote(project: Path) -> None:
    not_pulled(project)
    stored = sorted(path for path in (project.parent / "backup" / "files").rglob("*") if path.is_file())
    damaged = next(path for path in stored if path.suffix != ".dir")
    damaged.chmod(0o644)
    damaged.write_bytes(b"other bytes")


def without_git(project: Path) -> None:
    """DVC by itself."""
    shutil.rmtree(project / ".git")


MISTAKES = (
    Mistake("Not a DVC repository", "foldproof data add photos"),
    Mistake("Not a git repository", "foldproof data add photos", without_git, world="versioned"),
    Mistake("Images not pulled", "foldproof run", not_pulled, world="versioned"),
    Mistake(
        "An image changed since it was versioned",
        "foldproof run",
        lambda project: draw(project / "photos" / "cat" / "000.png", label=0, number=99, size=32),
        world="versioned",
    ),
    Mistake(
        "An image lost since it was versioned",
        "foldproof run",
        lambda project: (project / "photos" / "cat" / "000.png").unlink(),
        world="versioned",
    ),
    Mistake("No remote", "foldproof data pull", without_remote, world="versioned"),
    Mistake("A remote that is not there", "foldproof data pull", remote("/mnt/share/photos"), world="versioned"),
    Mistake("A remote that refuses", "foldproof data pull", REFUSAL.begin, cleared=REFUSAL.end, world="versioned"),
    Mistake(
        "A remote that does not answer",
        "foldproof data pull",
        remote(f"http://127.0.0.1:{CLOSED_PORT}/photos"),
        world="versioned",
    ),
    Mistake("A remote without its plugin", "foldproof data pull", remote("s3://photos/all"), world="versioned"),
    Mistake("A remote that holds other bytes", "foldproof data pull", damaged_remote, world="versioned"),
    Mistake(
        "A folder that DVC does not know",
        "foldproof data pull",
        instead("path: photos", "path: pictures"),
        world="versioned",
    ),
    Mistake(
        "Images that git tracks already",
        "foldproof data add more",
        lambda project: (
            shutil.copytree(project / "photos", project / "more"),
            subprocess.run(["git", "add", "--force", "more"], cwd=project, check=True),
        ),
        world="versioned",
    ),
)
