"""Mistakes with MLflow: a store that cannot be opened, a server that does not answer, a port that is taken."""

import socket
from pathlib import Path

from mistaken.mistake import Mistake

TAKEN_PORT, CLOSED_PORT = 5392, 9


class Taken:
    """A port that somebody listens on from `begin` to `end`."""

    def begin(self, _project: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", TAKEN_PORT))

    def end(self, _project: Path) -> None:
        self.listener.close()


TAKEN = Taken()


def at(uri: str, command: str = "sync") -> str:
    return f"MLFLOW_TRACKING_URI={uri} foldproof {command}"


MISTAKES = (
    Mistake(
        "A store that cannot be opened",
        at("sqlite:///photos/cat/000.png/mlflow.db"),
        world="trained",
    ),
    Mistake(
        "A store that is no database",
        at("sqlite:///notes.txt"),
        lambda project: (project / "notes.txt").write_text("hello\n"),
        world="trained",
    ),
    Mistake("A server that does not answer", at(f"http://127.0.0.1:{CLOSED_PORT}"), world="trained"),
    Mistake("An address of no known kind", at("htp://mlflow.lab:5000"), world="trained"),
    Mistake("A store without such an experiment", "foldproof compare --from mlflow:sqlite:///none.db"),
    Mistake(
        "A port that is taken", f"foldproof ui --port {TAKEN_PORT}", TAKEN.begin, cleared=TAKEN.end, world="trained"
    ),
)
