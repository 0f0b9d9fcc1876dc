"""Find remote settings that would make DVC wait for input, or run what came with the repository. Pure.

The settings are the user's own where they are in .dvc/config.local or outside of the repository; those in .dvc/config
may be somebody else's.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from foldproof.errors import DataError

CREDENTIAL_FILES = ("credentialpath", "configpath")
_MOST_STEPS = 10  # from one remote to the one that it is a part of
_ASKED_FOR = {"ask_password": "password", "ask_passphrase": "passphrase"}


def settings_of(remotes: Mapping[str, Mapping[str, Any]], name: str | None) -> Mapping[str, Any]:
    """The settings of a remote, with those of the remote that it is a part of (`remote://other/part`)."""
    settings: dict[str, Any] = dict(remotes.get((name or "").lower(), {}))
    for _ in range(_MOST_STEPS):
        parent = urlsplit(str(settings.get("url", "")))
        if parent.scheme != "remote":
            break
        base = remotes.get(parent.netloc.lower(), {})
        settings = {**base, **settings, "url": base.get("url", "")}
    return settings


def refuse_prompts(name: str, settings: Mapping[str, Any]) -> None:
    """Raises DataError where DVC would ask for a password on the terminal and wait."""
    for ask, secret in _ASKED_FOR.items():
        if settings.get(ask) in (True, "true") and not settings.get(secret):
            raise DataError(
                f"the remote '{name}' is set to ask for a {secret}, which foldproof does not do",
                next_step=f"`dvc remote modify --local {name} {ask} false`, and give it the {secret}:\n"
                f"  `dvc remote modify --local {name} {secret} SECRET`",
            )


def refuse_commands(name: str, settings: Mapping[str, Any], committed: Mapping[str, Any]) -> None:
    """Raises DataError where a command that .dvc/config, `committed`, names would be run to get a token."""
    command = settings.get("bearer_token_command")
    if command and command == committed.get("bearer_token_command"):
        raise DataError(
            f"the remote '{name}' would run a command that .dvc/config names: bearer_token_command",
            next_step=f"look at it; if it is yours: `dvc remote modify --local {name} bearer_token_command COMMAND`,\n"
            f"  and `dvc remote modify --unset {name} bearer_token_command`",
        )
