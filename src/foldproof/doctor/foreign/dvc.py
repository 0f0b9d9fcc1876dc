"""Find what DVC would run, contact or write to because of its files in a folder. Pure, over text."""

import re
from collections.abc import Iterator

from foldproof.doctor.foreign.finding import Suspect
from foldproof.doctor.foreign.ini import KeyRule, judged
from foldproof.doctor.foreign.tree import Tree

_HOST = "[a-z][a-z0-9+.-]*://.*"
_OUT = r"[\"']?(/|~|[A-Za-z]:|.*\.\.(/|\\|\Z)).*"
_PROVES = "|".join(
    (
        *("keyfile", "credentialpath", "configpath", "cert_path", "key_path", "gdrive_service_account_json_file_path"),
        *("gdrive_user_credentials_file", "gdrive_client_.*", "sas_token", "account_key", "connection_string"),
        *("password", "token", "custom_auth_header"),
    )
)
RULES = (
    KeyRule(r"remote\..*\.(url|endpointurl)", "sends", "`data pull` and `dvc push` connect to it", _HOST),
    KeyRule(r"remote\..*\.url", "note", "`data pull` reads from it, `dvc push` writes to it"),
    KeyRule(r"core\.site_cache_dir", "runs", "DVC loads pickles from there"),
    KeyRule(
        r"remote\..*\.(ask_password|ask_passphrase)", "sends", "DVC asks for a password and sends it to the remote"
    ),
    KeyRule(rf"remote\..*\.({_PROVES})", "sends", "DVC uses it to prove to the remote who you are"),
    KeyRule(r"remote\..*\.(proxy|ssl_verify|allow_agent|gss_auth)", "note", "how DVC connects to the remote"),
    KeyRule(r"cache\.(dir|local|s3|gs|ssh|hdfs|azure)", "leads out", "DVC reads and writes its objects there", _OUT),
    KeyRule(r"machine\..*", "runs", "DVC starts machines with it"),
    KeyRule(r"(core|exp|db|studio)\..*", "sends", "DVC connects to it", _HOST),
)
_CMD = re.compile(r"(?m)^(?P<indent>[ \t]*(?:-[ \t]+)?)[\"']?cmd[\"']?[ \t]*:(?P<value>.*)$")
_URL = re.compile(
    r"(?m)^[ \t]*(?:-[ \t]+)?[\"']?(?:url|path|repo)[\"']?[ \t]*:[ \t]*[\"']?(?P<value>[a-z][a-z0-9+.-]*://\S*)",
    re.IGNORECASE,
)


def check_dvc(tree: Tree) -> Iterator[Suspect]:
    """Settings, pipelines and state."""
    for entry in tree.entries:
        if not entry.is_file:
            continue
        if entry.path.endswith((".dvc/config", ".dvc/config.local")):
            yield from judged(entry.path, tree.text(entry.path) or "", RULES)
        elif entry.name == "dvc.yaml":
            yield from check_pipeline(entry.path, tree.text(entry.path) or "")
        elif entry.name.endswith(".dvc"):
            yield from check_import(entry.path, tree.text(entry.path) or "")
    state = [entry.path for entry in tree.entries if entry.is_file and "/.dvc/tmp/" in f"/{entry.path}"]
    if state:
        yield Suspect("trusted", f"{state[0]} and {len(state) - 1} more", "state of DVC's",
                      "DVC takes it for its own: queued experiments in it are pickles")  # fmt: skip


def check_pipeline(path: str, text: str) -> Iterator[Suspect]:
    """The commands of a dvc.yaml."""
    for match in _CMD.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Suspect("runs", f"{path}, line {line}", f"cmd:{match['value']}", "`dvc repro` and `dvc exp run` run it")


def check_import(path: str, text: str) -> Iterator[Suspect]:
    """Where a .dvc file says that its data came from."""
    for match in _URL.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Suspect("note", f"{path}, line {line}", match["value"], "`dvc update` connects to it")
