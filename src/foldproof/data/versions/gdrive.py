"""Explain why Google would reject the Google Drive settings of a remote. Pure."""

from collections.abc import Mapping
from typing import Any

from foldproof.errors import DataError

_CREDENTIALS = "GDRIVE_CREDENTIALS_DATA"


def refuse_dvcs_own_app(settings: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Raises DataError where DVC would open a browser for an app of its own, which Google blocks, and wait."""
    if not str(settings.get("url", "")).startswith("gdrive:"):
        return
    own_app = settings.get("gdrive_client_id") and settings.get("gdrive_client_secret")
    if own_app or settings.get("gdrive_use_service_account") or environ.get(_CREDENTIALS):
        return
    raise DataError(
        "Google blocks the app by which DVC would ask for access to Google Drive",
        next_step="give the remote a service account (gdrive_use_service_account) or an OAuth client of your own\n"
        "  (gdrive_client_id, gdrive_client_secret) by `dvc remote modify --local`: docs/how-to/remotes.md",
    )
