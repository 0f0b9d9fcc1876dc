"""Build the application of `foldproof ui`: MLflow's own server behind a door and inside a fence.

Named in pyproject.toml as a plugin, since MLflow's command starts an application only by such a name.
"""

import json
import os
from pathlib import Path

from foldproof.trackers.mlflow.door import Application, Door

NAME = "foldproof"
FOLDERS = "FOLDPROOF_UI_FOLDERS"  # JSON: where files may lie
PASSWORD_FILE = "FOLDPROOF_UI_PASSWORD_FILE"  # noqa: S105 - names a file that only its owner can read


def create_app() -> Application:
    """MLflow's server for the folders and the password that the environment names."""
    from mlflow.server.fastapi_app import app

    from foldproof.trackers.mlflow.fence import put_fence

    put_fence([Path(folder) for folder in json.loads(os.environ[FOLDERS])])
    file = os.environ.get(PASSWORD_FILE)
    return Door(app, password=Path(file).read_text(encoding="ascii") if file else "")
