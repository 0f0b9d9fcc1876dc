"""Keep MLflow's server inside its own folders: it lists, reads, writes and removes no file elsewhere.

Whatever an experiment, a run, a model or a trace names as the place of its files is opened through MLflow's table of
repositories. In the server's process that table has one entry, which knows these folders and follows no link.
"""

import os
from collections.abc import AsyncIterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from foldproof.trackers.mlflow.places import lies_within, local_path

_PROXIED = "mlflow-artifacts:"


def put_fence(folders: Sequence[Path]) -> None:
    """Let this process open only files below `folders`, and make no experiment whose files lie elsewhere."""
    from mlflow.server import handlers
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    class Fenced(FencedRepository):
        folders_kept = tuple(folders)

    known = get_registered_artifact_repositories()
    known.clear()
    known.update({"": Fenced, "file": Fenced})
    create_experiment = SqlAlchemyStore.create_experiment

    def create_here(self: Any, name: str, artifact_location: str | None = None, *others: Any, **more: Any) -> Any:
        if artifact_location and not _is_here(artifact_location, folders):
            raise _refused(f"the files of an experiment lie below {folders[0]} here: give it no artifact_location")
        return create_experiment(self, name, artifact_location, *others, **more)

    SqlAlchemyStore.create_experiment = create_here
    handlers.deliver_webhook = _send_nothing  # a store from elsewhere may hold addresses to send changes to


class FencedRepository(LocalArtifactRepository):  # type: ignore[misc]
    """Files below one of `folders_kept`. Raises MlflowException for any path that leads out, be it by a link."""

    folders_kept: tuple[Path, ...] = ()

    def __init__(self, artifact_uri: str, *arguments: Any, **named: Any) -> None:
        super().__init__(artifact_uri, *arguments, **named)
        self._check(None)

    def _check(self, below: str | None) -> None:
        path = Path(self._artifact_dir)
        parts = (below or "").replace(os.sep, "/").split("/")
        if ".." in parts or not lies_within(path.joinpath(*filter(None, parts)), self.folders_kept):
            raise _refused("these files lie elsewhere than this server's own: they are not opened")

    def get_local_path(self, artifact_path: str) -> Any:
        self._check(artifact_path)
        return super().get_local_path(artifact_path)

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        self._check(_joined(artifact_path, Path(local_file).name))
        super().log_artifact(local_file, artifact_path)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        self._check(artifact_path)
        super().log_artifacts(local_dir, artifact_path)

    def log_artifact_from_stream(
        self, stream: BinaryIO, artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        self._check(_joined(artifact_path, artifact_file_name))
        super().log_artifact_from_stream(stream, artifact_file_name, artifact_path)

    async def log_artifact_from_async_stream(
        self, chunks: AsyncIterable[bytes], artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        self._check(_joined(artifact_path, artifact_file_name))
        await super().log_artifact_from_async_stream(chunks, artifact_file_name, artifact_path)

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None) -> Any:
        self._check(artifact_path)
        return super().download_artifacts(artifact_path, dst_path)

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        self._check(remote_file_path)
        super()._download_file(remote_file_path, local_path)

    def list_artifacts(self, path: str | None = None) -> Any:
        self._check(path)
        return [info for info in super().list_artifacts(path) if not self._is_link(info.path)]

    def _is_link(self, relative: str) -> bool:
        return (Path(self._artifact_dir) / relative).is_symlink()

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        self._check(artifact_path)
        super().delete_artifacts(artifact_path)

    def download_trace_data(self) -> Any:
        raise _refused("traces are not shown here")


def _joined(folder: str | None, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_here(location: str, folders: Sequence[Path]) -> bool:
    if location.startswith(_PROXIED):
        return "//" not in location and ".." not in location and "%" not in location
    path = local_path(location)
    return path is not None and lies_within(path, folders)


def _refused(text: str) -> MlflowException:
    return MlflowException(text, error_code=PERMISSION_DENIED)


def _send_nothing(*_: object, **__: object) -> None:
    """Instead of MLflow's delivery of webhooks."""
